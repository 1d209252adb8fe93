/** New bytes of a log -> the facts to record of them. */
import * as crypto from "node:crypto"
import type { NewEvent } from "../event/EventRecord.ts"
import type { Chunk } from "../port/Files.ts"
import type { Detector } from "../rule/detect.ts"
import type { LogPosition } from "../session/entries.ts"
import { readLines } from "./lines.ts"
import { type Placed, scan } from "./scan.ts"

/** Bytes before a read's beginning by which a file is known again, besides its head. */
export const tailBytes = 256

/** Most matches, and about how many characters of them, that one record holds; more follow in further records. */
const matchesBound = 256
const charactersBound = 256 * 1024

/** About whom and what the facts are. */
export interface About {
  readonly job: string
  readonly attempt: number
  readonly path: string
}

const digest = (bytes: Uint8Array): string => crypto.createHash("sha256").update(bytes).digest("hex").slice(0, 16)

/** Why the file at the path is not the one that was read up to `known`, null if it is. The chunk begins at `start`. */
export const whyAnew = (known: LogPosition, chunk: Chunk, start: number): "truncated" | "replaced" | null => {
  if (known.identity !== chunk.identity) return "replaced"
  if (chunk.size < known.offset || start + chunk.bytes.length < known.offset) return "truncated"
  const { head, offset, tail } = known
  if (head !== null && digest(chunk.head.subarray(0, head.bytes)) !== head.digest) return "replaced"
  return tail !== null && digest(chunk.bytes.subarray(0, offset - start)) !== tail ? "replaced" : null
}

const sizeOf = ({ match: { groups, line = "" } }: Placed): number =>
  Object.values(groups).reduce((sum, group) => sum + (group?.length ?? 0), line.length)

/** The matches in groups of a bounded size, of which each but the last ends where a line begins. */
const grouped = (matches: ReadonlyArray<Placed>): ReadonlyArray<ReadonlyArray<Placed>> => {
  const groups: Array<Array<Placed>> = []
  let size = Infinity
  let last: Placed | undefined
  for (const match of matches) {
    const group = groups.at(-1) ?? []
    const full = group.length >= matchesBound || size >= charactersBound
    if (full && match.lineOffset !== last?.lineOffset) {
      groups.push([match])
      size = 0
    } else group.push(match)
    size += sizeOf(match)
    last = match
  }
  return groups
}

/**
 * The facts of one read of a log: none if nothing is new; otherwise one, or several where the matches are many. `known`:
 * how far this very file was read before, undefined at its beginning; the chunk begins at byte `start`, which is at most
 * `known.offset`. What is no complete line waits for the next read, unless `final`. NUL bytes near the file's end may be
 * text that another machine has written and this one does not see yet: they are waited for once.
 */
export const logFacts = (options: {
  readonly about: About
  readonly known: LogPosition | undefined
  /** Why reading began anew. */
  readonly anew: "truncated" | "replaced" | null
  readonly chunk: Chunk
  readonly start: number
  /** Whether the chunk reaches the file's end. */
  readonly atEnd: boolean
  readonly final: boolean
  readonly detect: Detector
  /** Patterns that are switched off; those that turn out too slow are added. */
  readonly off: Set<string>
}): ReadonlyArray<NewEvent<"LogRead" | "PatternSwitchedOff">> => {
  const { about: { attempt, job, path }, anew, atEnd, chunk, detect, final, known, off, start } = options
  const { identity, size } = chunk
  const from = known?.offset ?? 0
  const within = known?.within ?? false
  const bytes = chunk.bytes.subarray(from - start)
  let reading = readLines(bytes, from, within, final)
  const nul = bytes.indexOf(0)
  const held = atEnd && !final && known?.held !== true && nul !== -1 && from + nul < reading.to
  if (held) reading = readLines(bytes.subarray(0, nul), from, within, false)
  const unchanged = known === undefined
    ? size === 0 && anew === null
    : reading.to === from && known.size === size && known.held === held
  if (unchanged) return []
  const { matches, slow } = scan(reading.blocks, detect, off)
  const fact = (begin: number, end: number, those: ReadonlyArray<Placed>, last: boolean): NewEvent<"LogRead"> => {
    const headBytes = Math.min(chunk.head.length, end)
    return {
      type: "LogRead",
      job,
      attempt,
      data: {
        path,
        from: begin,
        to: end,
        size,
        identity,
        matches: those.map(({ match }) => match),
        ...(headBytes === 0
          ? {}
          : {
            head: { bytes: headBytes, digest: digest(chunk.head.subarray(0, headBytes)) },
            tail: digest(chunk.bytes.subarray(Math.max(0, end - tailBytes - start), end - start))
          }),
        ...(begin === from && anew !== null ? { anew } : {}),
        ...(last && reading.within ? { within: true } : {}),
        ...(last && reading.cut > 0 ? { cut: reading.cut } : {}),
        ...(last && held ? { held } : {})
      }
    }
  }
  const groups = grouped(matches)
  const ends = groups.slice(1).map(([first]) => first?.lineOffset ?? reading.to)
  const facts = [...ends, reading.to].map((end, index) =>
    fact(ends[index - 1] ?? from, end, groups[index] ?? [], index === ends.length)
  )
  const switchedOff = slow.map(({ pattern, rule, why }): NewEvent<"PatternSwitchedOff"> => ({
    type: "PatternSwitchedOff",
    job,
    attempt,
    data: { rule, pattern, path, from, to: reading.to, why }
  }))
  return [...switchedOff, ...facts]
}
