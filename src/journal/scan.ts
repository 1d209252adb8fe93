/** Walks the lines of one file of the chain. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Fault, JournalIoError } from "../port/Journal.ts"
import { claimsOf, type Head } from "./chain.ts"
import * as disk from "./disk.ts"
import { inflate } from "./gzip.ts"
import { isSingle } from "./places.ts"
import type { Link } from "./resolve.ts"

/** What becomes of the head by one line, without its newline; or what is wrong with that. */
export type Step = (head: Head, line: Buffer) => Either.Either<Head, string>

/** How far a file was read. */
export interface Scanned {
  readonly head: Head
  /** Bytes up to the last whole record, from the beginning of the file. */
  readonly accepted: number
  /** Bytes that stand behind. */
  readonly rest: number
  /** Where its records cannot be followed any further. */
  readonly fault: Fault | null
}

/** Where to begin in a file. */
export interface Start {
  readonly head: Head
  readonly offset: number
}

const chunkBytes = 1 << 20
const newline = 10

/** Reads a file piece by piece; a compressed one is decompressed first. */
const source = Effect.fnUntraced(function*({ file }: Link) {
  if (file.isCompressed) {
    const { bytes, problem } = yield* inflate(file.path)
    const read = (offset: number, limit: number) => Effect.succeed(bytes.subarray(offset, offset + limit))
    return { read, size: bytes.length, problem }
  }
  const handle = yield* disk.open(file.path, "r")
  const read = (offset: number, limit: number) => disk.readAt(file.path, handle, offset, limit)
  return { read, size: yield* disk.size(file.path), problem: null }
})

/** Number of the line that begins at byte `at`, from 1. */
const lineAt = Effect.fnUntraced(function*(link: Link, at: number): Effect.fn.Return<number, JournalIoError> {
  return yield* Effect.scoped(Effect.gen(function*() {
    const { read } = yield* source(link)
    let line = 1
    for (let offset = 0; offset < at; offset += chunkBytes) {
      const chunk = yield* read(offset, Math.min(chunkBytes, at - offset))
      for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, end + 1)) line += 1
    }
    return line
  }))
})

/** What may have happened to a line that does not follow. */
const kindOf = (head: Head, line: Buffer): Fault["kind"] => {
  if (line.includes(0)) return "zeroed"
  const { hash, seq } = claimsOf(line)
  if (seq === null || hash === null) return "broken"
  return seq <= head.seq ? "repeated" : seq > head.seq + 1 ? "removed" : "changed"
}

/** The bytes of a file that position `bytes` ends with, at most so many as `length`; fewer if it does not reach there. */
export const bytesBefore = (link: Link, bytes: number, length: number): Effect.Effect<Buffer, JournalIoError> =>
  Effect.scoped(Effect.gen(function*() {
    const { read } = yield* source(link)
    const from = Math.max(0, bytes - length)
    return yield* read(from, bytes - from)
  }))

/**
 * Walks the records of one file up to what the next one sealed. Stops at the first fault; with `goOn` it is told of each
 * and walks on behind it, as far as the lines themselves say where they belong. `pause` is done after each piece.
 */
export const scan = Effect.fnUntraced(function*(
  link: Link,
  start: Start,
  step: Step,
  goOn: ((fault: Fault) => void) | null = null,
  pause: Effect.Effect<void> = Effect.void
): Effect.fn.Return<Scanned, JournalIoError> {
  return yield* Effect.scoped(Effect.gen(function*() {
    const { file, sealed } = link
    const { problem, read, size } = yield* source(link)
    const limit = sealed !== null && isSingle(file) ? Math.min(sealed.bytes, size) : Number.MAX_SAFE_INTEGER
    const lastSeq = sealed?.seq ?? Number.MAX_SAFE_INTEGER
    let head = start.head
    let rest: Buffer = Buffer.alloc(0)
    let offset = start.offset
    let fault: Fault | null = null
    const found = (from: number, to: number, kind: Fault["kind"], why: string) =>
      Effect.map(lineAt(link, from), (line) => {
        const one: Fault = { path: file.path, line, from, to, seq: head.seq + 1, kind, why }
        fault = fault ?? one
        goOn?.(one)
      })
    while (head.seq < lastSeq || goOn !== null) {
      const from = offset + rest.length
      const chunk = yield* read(from, Math.min(chunkBytes, limit - from))
      if (chunk.length === 0) break
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let begin = 0
      for (let end = bytes.indexOf(newline, rest.length); end !== -1; end = bytes.indexOf(newline, begin)) {
        if (head.seq >= lastSeq && goOn === null) break
        const line = bytes.subarray(begin, end)
        const next = step(head, line)
        if (Either.isRight(next)) {
          head = next.right
        } else {
          // Behind a line that says nothing of itself the first one that does is believed.
          const { hash, seq } = claimsOf(line)
          const blind = head.hash === "" && hash !== null && seq !== null
          if (!blind) yield* found(offset + begin, offset + end + 1, kindOf(head, line), next.left)
          if (goOn === null) return { head, accepted: offset + begin, rest: size - offset - begin, fault }
          head = { seq: seq ?? head.seq + 1, hash: hash ?? "", epoch: head.epoch }
        }
        begin = end + 1
      }
      rest = bytes.subarray(begin)
      offset += begin
      yield* pause
      if (head.seq >= lastSeq && goOn === null) break
    }
    if (problem !== null) {
      yield* found(offset, Math.max(size, offset + 1), "unreadable", `it cannot be decompressed: ${problem}`)
    } else if (sealed !== null && fault === null) {
      const whole = !isSingle(file) || offset === sealed.bytes
      if (!whole || head.hash !== sealed.hash || head.seq !== sealed.seq) {
        const why = `the next segment sealed ${sealed.bytes} bytes that end with record ${sealed.seq}`
        const to = isSingle(file) ? Math.max(sealed.bytes, size) : size
        yield* found(offset, to, head.seq < sealed.seq ? "removed" : "changed", why)
      }
    }
    return { head, accepted: offset, rest: size - offset, fault }
  }))
})
