/** Single faults of a journal's files, chosen by a random number. */
import * as fs from "node:fs"
import * as path from "node:path"

/** Numbers from 0 to 1, the same for one seed. */
export const randomOf = (seed: number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) / 2 ** 24
  }
}

/** The segments in a state directory. */
export const segmentsIn = (dir: string): ReadonlyArray<string> =>
  fs.readdirSync(dir).filter((name) => /\.events\..*jsonl(\.gz)?$/.test(name)).sort()

/** The ways in which bytes go wrong. */
export const kinds = ["flip", "cut", "cut off", "repeat", "zero"] as const

/** The bytes with a bit flipped, a piece cut out, all cut off from some byte on, a piece repeated, or a block of zeros. */
export const damaged = (
  bytes: Buffer,
  random: () => number,
  kind: (typeof kinds)[number] = kinds[Math.floor(random() * kinds.length)] ?? "flip"
) => {
  const from = Math.floor(random() * bytes.length)
  const to = Math.min(bytes.length, from + 1 + Math.floor(random() * 600))
  const [before, piece, after] = [bytes.subarray(0, from), bytes.subarray(from, to), bytes.subarray(to)]
  const flipped = Buffer.from(bytes)
  flipped[from] = (bytes[from] ?? 0) ^ (1 << Math.floor(random() * 8))
  const changed = {
    flip: flipped,
    cut: Buffer.concat([before, after]),
    "cut off": before,
    repeat: Buffer.concat([before, piece, piece, after]),
    zero: Buffer.concat([before, Buffer.alloc(piece.length), after])
  }[kind]
  return { bytes: changed, what: `${kind} bytes ${from} to ${to}` }
}

/** Damages one of the segments; tells what it did. */
export const damage = (dir: string, random: () => number): string => {
  const names = segmentsIn(dir)
  const name = names[Math.floor(random() * names.length)] ?? ""
  const { bytes, what } = damaged(fs.readFileSync(path.join(dir, name)), random)
  fs.writeFileSync(path.join(dir, name), bytes)
  return `${what} of ${name}`
}
