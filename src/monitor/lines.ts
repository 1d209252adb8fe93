/** Bytes of a log -> its lines, and the byte of the file where each begins. */
import { isAscii } from "node:buffer"
import type { Lines } from "../rule/detect.ts"

/** Bytes of a line that are looked at; what follows them up to its end is skipped. */
export const lineBound = 16 * 1024

const newline = 0x0a
const carriageReturn = 0x0d

/** Lines of one read, and the bytes of the file (0-based) where a character of them, and its line, begin. */
export interface Block extends Lines {
  readonly placeOf: (index: number) => { readonly offset: number; readonly lineOffset: number }
}

export interface Reading {
  readonly blocks: ReadonlyArray<Block>
  /** Byte of the file up to which all has been read. */
  readonly to: number
  /** Whether `to` stands within a line that is too long, the rest of which is skipped. */
  readonly within: boolean
  /** Lines of which only the beginning was looked at. */
  readonly cut: number
}

/** Position of the next line end from `at` on, -1 if there is none. */
const nextEnd = (bytes: Uint8Array, at: number, returns: boolean): number => {
  if (!returns) return bytes.indexOf(newline, at)
  for (let index = at; index < bytes.length; index++) {
    const byte = bytes[index]
    if (byte === newline || byte === carriageReturn) return index
  }
  return -1
}

/** The line's bytes as far as they are looked at: no character is torn. */
const bounded = (bytes: Uint8Array, start: number, end: number): number => {
  if (end - start <= lineBound) return end
  let cut = start + lineBound
  while (cut > start + lineBound - 3 && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut -= 1
  return cut
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })

/** Bytes of the character that a decoder reads at `at`, and its UTF-16 units; of a broken one, what becomes a U+FFFD. */
const characterAt = (bytes: Uint8Array, at: number): readonly [length: number, units: number] => {
  const lead = bytes[at] ?? 0
  const more = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3
  let low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  let high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  for (let n = 1; n <= more; n++) {
    const byte = bytes[at + n] ?? 0
    if (byte < low || byte > high) return [n, 1]
    low = 0x80
    high = 0xbf
  }
  return [more + 1, more === 3 ? 2 : 1]
}

/** Bytes that the first `units` units of the decoded text stand for, also where some were no UTF-8. */
const bytesOf = (bytes: Uint8Array, text: string, units: number): number => {
  const before = text.slice(0, units)
  if (!before.includes("\ufffd")) return Buffer.byteLength(before)
  let at = 0
  for (let seen = 0; seen < units && at < bytes.length;) {
    const [length, more] = characterAt(bytes, at)
    at += length
    seen += more
  }
  return at
}

/** Where the lines stand in the bytes; those of ASCII and the others are looked at apart. */
class Gathering {
  readonly starts: Array<number> = []
  readonly ends: Array<number> = []
  cut = 0

  add(bytes: Uint8Array, start: number, end: number): void {
    const kept = bounded(bytes, start, end)
    if (kept < end) this.cut += 1
    this.starts.push(start)
    this.ends.push(kept)
  }
}

/** One run of ASCII lines with nothing between them: the usual log, for which no line is touched by itself. */
const plainBlock = (text: string, from: number): Block => ({
  text,
  ascii: true,
  placeOf: (index) => ({
    offset: from + index,
    lineOffset: from + (index === 0 ? 0 : text.lastIndexOf("\n", index - 1) + 1)
  })
})

const lastUpTo = (values: ReadonlyArray<number>, bound: number): number => {
  let low = 0
  let high = values.length
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((values[middle] ?? 0) <= bound) low = middle
    else high = middle
  }
  return low
}

/** Lines one by one, joined. */
const mixedBlock = (
  bytes: Uint8Array,
  from: number,
  ascii: boolean,
  lines: ReadonlyArray<readonly [number, number]>
) => {
  const texts: Array<string> = []
  const indices: Array<number> = []
  let index = 0
  for (const [start, end] of lines) {
    const text = utf8.decode(bytes.subarray(start, end))
    texts.push(text)
    indices.push(index)
    index += text.length + 1
  }
  return {
    text: texts.join("\n"),
    ascii,
    placeOf: (index: number) => {
      const line = lastUpTo(indices, index)
      const [start, end] = lines[line] ?? [0, 0]
      const units = index - (indices[line] ?? 0)
      const lineOffset = from + start
      return {
        offset: lineOffset + (ascii ? units : bytesOf(bytes.subarray(start, end), texts[line] ?? "", units)),
        lineOffset
      }
    }
  }
}

const blocksOf = (
  bytes: Uint8Array,
  from: number,
  { cut, ends, starts }: Gathering,
  plain: boolean
): Reading["blocks"] => {
  const [start] = starts
  const end = ends.at(-1)
  if (start === undefined || end === undefined) return []
  const whole = bytes.subarray(start, end)
  if (plain && cut === 0 && isAscii(whole)) {
    return [plainBlock(Buffer.from(whole.buffer, whole.byteOffset, whole.length).toString("latin1"), from + start)]
  }
  const lines = starts.map((at, index) => [at, ends[index] ?? at] as const)
  const isPlain = lines.map(([at, to]) => isAscii(bytes.subarray(at, to)))
  return [true, false].flatMap((ascii) => {
    const those = lines.filter((_, index) => isPlain[index] === ascii)
    return those.length === 0 ? [] : [mixedBlock(bytes, from, ascii, those)]
  })
}

/**
 * The lines of `bytes`, which begin at byte `from` of the file, as far as they are complete: "\n", "\r" and "\r\n" end a
 * line. Any split of a file into reads gives the same lines. `within`: they begin in the skipped rest of a line. `final`:
 * the last line is taken although nothing ends it.
 */
export const readLines = (bytes: Uint8Array, from: number, within: boolean, final: boolean): Reading => {
  const returns = bytes.includes(carriageReturn)
  const gathering = new Gathering()
  // A "\r" at the very end may be half of a "\r\n".
  const halfEnd = !final && bytes.at(-1) === carriageReturn ? 1 : 0
  const known = halfEnd === 0 ? bytes : bytes.subarray(0, -1)
  const after = (end: number): number => end + (bytes[end] === carriageReturn && bytes[end + 1] === newline ? 2 : 1)
  let at = 0
  let skipping = within
  for (let end = nextEnd(known, 0, returns); end !== -1; end = nextEnd(known, at, returns)) {
    if (!skipping) gathering.add(bytes, at, end)
    skipping = false
    at = after(end)
  }
  if (skipping) at = known.length
  else if (known.length - at > lineBound || (final && at < known.length)) {
    skipping = known.length - at > lineBound
    gathering.add(bytes, at, known.length)
    at = known.length
  }
  return { blocks: blocksOf(bytes, from, gathering, !returns), to: from + at, within: skipping, cut: gathering.cut }
}
