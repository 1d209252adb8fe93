/**
 * Reads the one chain that the segments of a session hold.
 *
 * The newest segment with a whole first record is the end of the chain; its seal names the segment before and how many
 * of its bytes count, and so on down to the first. So nothing is ever cut off on disk: a torn last line, what a fenced
 * writer wrote too late and a segment that nobody's seal names stay where they are, left out and reported.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as path from "node:path"
import {
  type Envelope,
  JournalDamagedError,
  type JournalError,
  type JournalIoError,
  type LeftOut,
  type SessionPlace
} from "../port/Journal.ts"
import { decode, genesis, type Head } from "./chain.ts"
import * as disk from "./disk.ts"
import * as places from "./places.ts"
import { readSeal, type Sealed } from "./seal.ts"

/** A journal as read. */
export interface Loaded {
  readonly records: ReadonlyArray<Envelope>
  readonly leftOut: ReadonlyArray<LeftOut>
  readonly head: Head
  /** The segment the chain ends in and its accepted bytes; null if there is no segment at all. */
  readonly last: { readonly path: string; readonly bytes: number } | null
}

interface Link {
  readonly path: string
  /** What the next segment of the chain says of this one; null for the last. */
  readonly sealed: Sealed | null
}

const chunkBytes = 1 << 20
// A seal holds one file name and three numbers.
const sealBytes = 1 << 14
const newline = 10

const damaged = (file: string, from: number, to: number, seq: number, why: string): JournalDamagedError =>
  new JournalDamagedError({
    path: file,
    from,
    to,
    seq,
    message: `${file}: bytes ${from} to ${to}, where record ${seq} belongs: ${why}`
  })

/** The first line of a file without its newline; null if it has no whole line (yet). */
const firstLine = (file: string): Effect.Effect<Buffer | null, JournalIoError> =>
  Effect.scoped(Effect.gen(function*() {
    const handle = yield* disk.open(file, "r")
    const bytes = yield* disk.readAt(file, handle, 0, sealBytes)
    const end = bytes.indexOf(newline)
    if (end !== -1) return bytes.subarray(0, end)
    return bytes.length === sealBytes ? bytes : null
  }))

/** The segments that are in the chain, oldest first, and the bytes of those that are not. */
const resolve = Effect.fnUntraced(function*(place: SessionPlace, epochs: ReadonlyArray<number>) {
  const links: Array<Link> = []
  const leftOut: Array<LeftOut> = []
  let sealed: Sealed | null = null
  for (const epoch of epochs.toReversed()) {
    const file = places.segment(place, epoch)
    if (sealed !== null && sealed.path !== path.basename(file)) {
      const bytes = yield* disk.size(file)
      leftOut.push({ path: file, from: 0, bytes, why: "beyond the seal of a later epoch" })
      continue
    }
    if (epoch === 1) {
      links.push({ path: file, sealed })
      return { links: links.toReversed(), leftOut }
    }
    const line = yield* firstLine(file)
    if (line === null && sealed === null) {
      // Its writer died before it had acknowledged anything.
      leftOut.push({ path: file, from: 0, bytes: yield* disk.size(file), why: "torn last line" })
      continue
    }
    const seal: Either.Either<Sealed, string> = line === null ? Either.left("its seal is missing") : readSeal(line)
    if (Either.isLeft(seal)) return yield* damaged(file, 0, (line?.length ?? 0) + 1, 1, seal.left)
    links.push({ path: file, sealed })
    sealed = seal.right
  }
  const missing: string = sealed === null ? places.segment(place, 1) : path.join(place.stateDir, sealed.path)
  return yield* damaged(missing, 0, sealed?.bytes ?? 0, 1, "the segment is missing")
})

/** Adds the records of one segment to `records`, from `head` on; gives the new head and where it stands. */
const scan = Effect.fnUntraced(function*(link: Link, start: Head, records: Array<Envelope>) {
  const limit = link.sealed?.bytes ?? Number.MAX_SAFE_INTEGER
  const handle = yield* disk.open(link.path, "r")
  let head = start
  let rest: Buffer = Buffer.alloc(0)
  let offset = 0
  while (true) {
    const from = offset + rest.length
    const chunk = yield* disk.readAt(link.path, handle, from, Math.min(chunkBytes, limit - from))
    if (chunk.length === 0) break
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let begin = 0
    for (let end = bytes.indexOf(newline, rest.length); end !== -1; end = bytes.indexOf(newline, begin)) {
      const record = decode(head, bytes.subarray(begin, end))
      if (Either.isLeft(record)) {
        return yield* damaged(link.path, offset + begin, offset + end + 1, head.seq + 1, record.left)
      }
      records.push(record.right)
      head = record.right
      begin = end + 1
    }
    rest = bytes.subarray(begin)
    offset += begin
  }
  return { head, accepted: offset, torn: rest.length }
}, Effect.scoped)

const leftOver = (file: string, from: number, bytes: number, why: LeftOut["why"]): ReadonlyArray<LeftOut> =>
  bytes > 0 ? [{ path: file, from, bytes, why }] : []

/** Reads and verifies the whole chain, in one pass over its bytes. */
export const load = Effect.fnUntraced(function*(place: SessionPlace): Effect.fn.Return<Loaded, JournalError> {
  const epochs = places.segmentEpochs(place.planId, yield* disk.names(place.stateDir))
  if (epochs.length === 0) return { records: [], leftOut: [], head: genesis, last: null }
  const { leftOut: strays, links } = yield* resolve(place, epochs)
  const records: Array<Envelope> = []
  const leftOut: Array<LeftOut> = []
  let head = genesis
  let last: Loaded["last"] = null
  for (const link of links) {
    const { accepted, head: reached, torn } = yield* scan(link, head, records)
    const { sealed } = link
    if (sealed === null) {
      leftOut.push(...leftOver(link.path, accepted, torn, "torn last line"))
    } else {
      if (accepted !== sealed.bytes || reached.hash !== sealed.hash || reached.seq !== sealed.seq) {
        const why = `the next segment sealed ${sealed.bytes} bytes that end with record ${sealed.seq}`
        return yield* damaged(link.path, accepted, Math.max(sealed.bytes, accepted + torn), reached.seq + 1, why)
      }
      const beyond = (yield* disk.size(link.path)) - sealed.bytes
      leftOut.push(...leftOver(link.path, sealed.bytes, beyond, "beyond the seal of a later epoch"))
    }
    head = reached
    last = { path: link.path, bytes: accepted }
  }
  return { records, leftOut: [...leftOut, ...strays.filter((stray) => stray.bytes > 0)], head, last }
})
