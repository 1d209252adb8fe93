/** Whether a file holds a line with some text. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Question } from "../event/Question.ts"
import { Files, type FileUnreadableError } from "../port/Files.ts"
import { makeDetector } from "../rule/detect.ts"
import { LogEvent, Monitoring } from "../rule/Monitoring.ts"
import { readLines } from "./lines.ts"
import { scan } from "./scan.ts"

type Search = Extract<Question, { readonly kind: "file_contains" }>

/** Of a longer file its last bytes are looked at. */
const bound = 16 * 1024 * 1024

const portion = 256 * 1024

const newline = 0x0a

/** Where the last `lines` lines of these bytes, the end of a file, begin. */
const tailFrom = (bytes: Uint8Array, lines: number): number => {
  let at = bytes.at(-1) === newline ? bytes.length - 1 : bytes.length
  for (let left = lines; left > 0 && at > 0; left -= 1) at = at === 0 ? -1 : bytes.lastIndexOf(newline, at - 1)
  return at < 0 ? 0 : at === 0 ? 0 : at + 1
}

/** The last bytes of the file, at most {@link bound}; null if there is no file. */
const endOf = (path: string): Effect.Effect<Uint8Array | null, FileUnreadableError, Files> =>
  Effect.gen(function*() {
    const files = yield* Files
    const first = yield* files.read(path, 0, 0)
    if (first === null) return null
    const parts: Array<Uint8Array> = []
    const from = Math.max(0, first.size - bound)
    for (let at = from; at < first.size;) {
      const chunk = yield* files.read(path, at, Math.min(portion, first.size - at))
      if (chunk === null || chunk.bytes.length === 0) break
      parts.push(chunk.bytes)
      at += chunk.bytes.length
    }
    return Buffer.concat(parts)
  })

/**
 * Whether a line of the file holds what is searched for. No if there is no such file, or if the pattern takes too long on
 * it, which is told in the monitor's own output. Fails if the file cannot be read.
 */
export const searchFile = ({ lines, path, pattern, regex }: Search): Effect.Effect<
  boolean,
  FileUnreadableError,
  Files
> =>
  Effect.gen(function*() {
    const bytes = yield* endOf(path)
    if (bytes === null) return false
    const kept = lines === null ? bytes : bytes.subarray(tailFrom(bytes, lines))
    const rule = LogEvent.make({ name: "search", pattern, pattern_type: regex ? "regex" : "substring" })
    const detector = makeDetector(Monitoring.make({ log_events: [rule] }))
    if (Either.isLeft(detector)) return false
    const { matches, slow } = scan(readLines(kept, 0, false, true).blocks, detector.right, new Set())
    for (const { why } of slow) yield* Effect.logWarning(`the pattern ${pattern} is given up on ${path}: ${why}`)
    return matches.length > 0
  })
