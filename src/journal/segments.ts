/**
 * Reads the one chain that the segments of a session hold, in one pass over its bytes. Nothing is ever cut off on disk: a
 * torn last line, what a fenced writer wrote too late and a segment that nobody's seal names stay where they are, left out
 * and reported.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import {
  type Envelope,
  type Fault,
  JournalDamagedError,
  type JournalError,
  type JournalIoError,
  type LeftOut,
  type Position,
  type Reader,
  type SessionPlace
} from "../port/Journal.ts"
import { decode, endLength, endsWith, genesis, type Head } from "./chain.ts"
import * as disk from "./disk.ts"
import * as places from "./places.ts"
import { type Link, resolve, type Resolved } from "./resolve.ts"
import { bytesBefore, scan, type Scanned, type Start, type Step } from "./scan.ts"

/** How far the chain was followed. */
export interface Followed {
  readonly links: ReadonlyArray<Link>
  readonly leftOut: ReadonlyArray<LeftOut>
  readonly head: Head
  /** The file that its last record stands in, and its accepted bytes; null if there is no file at all. */
  readonly last: { readonly file: places.SegmentFile; readonly bytes: number } | null
  /** What ends it before its end. */
  readonly fault: Fault | null
}

/** A journal as read. */
export interface Loaded extends Followed {
  readonly fault: null
}

export const damaged = (fault: Fault): JournalDamagedError => {
  const { from, line, path: file, seq, to, why } = fault
  const where = line === null ? "" : `line ${line}, `
  return new JournalDamagedError({
    path: file,
    from,
    to,
    seq,
    line,
    message: `${file}: ${where}bytes ${from} to ${to}, where record ${seq} belongs: ${why}`
  })
}

const leftBehind = ({ file, sealed }: Link, { accepted, rest }: Scanned): ReadonlyArray<LeftOut> =>
  rest > 0
    ? [{
      path: file.path,
      from: accepted,
      bytes: rest,
      why: sealed === null ? "torn last line" : "beyond the seal of a later epoch"
    }]
    : []

/** Where `from` stands in the chain: the number of its file, if that ends there with the record that it names. */
const find = Effect.fnUntraced(function*(place: SessionPlace, links: ReadonlyArray<Link>, from: Position) {
  const index = links.findIndex(({ file }) => places.isSingle(file) && places.nameOf(place, file.to) === from.segment)
  const link = links[index]
  if (link === undefined || link.sealed !== null && link.sealed.bytes < from.bytes) return null
  return endsWith(yield* bytesBefore(link, from.bytes, endLength), from.hash) ? index : null
})

/** The files of the chain as far as it can be followed down from its end, and what keeps it from there. */
const wayOf = Effect.fnUntraced(function*(place: SessionPlace): Effect.fn.Return<
  { readonly resolved: Resolved; readonly fault: Fault | null },
  JournalIoError
> {
  let files = places.segmentFiles(place, yield* disk.names(place.stateDir))
  let fault: Fault | null = null
  for (;;) {
    const way = yield* resolve(place, files)
    if (Either.isRight(way)) return { resolved: way.right, fault }
    // The oldest break is what ends the chain that begins with the first record.
    fault = way.left.fault
    files = files.slice(files.indexOf(way.left.at) + 1)
  }
})

/** The files of the chain as they are named now, oldest first. */
export const chainOf = (place: SessionPlace): Effect.Effect<ReadonlyArray<Link>, JournalIoError> =>
  again(Effect.map(wayOf(place), ({ resolved }) => resolved.links))

/** Follows the chain from its first record, or from `from`, as far as it can be followed. */
export const followChain = Effect.fnUntraced(function*(
  place: SessionPlace,
  from: Position | null,
  begin: (resumed: boolean) => Step,
  goOn: ((fault: Fault) => void) | null = null,
  pause?: Effect.Effect<void>
): Effect.fn.Return<Followed, JournalIoError> {
  const { fault: broken, resolved: { links, strays } } = yield* wayOf(place)
  const known = from === null || broken !== null ? null : yield* find(place, links, from)
  const step = begin(known !== null)
  const leftOut: Array<LeftOut> = []
  let start: Start = known === null || from === null
    ? { head: genesis, offset: 0 }
    : { head: { seq: from.seq, hash: from.hash, epoch: from.epoch }, offset: from.bytes }
  let last: Followed["last"] = null
  let fault: Fault | null = null
  for (const link of links.slice(known ?? 0)) {
    const scanned: Scanned = yield* scan(link, start, step, goOn, pause)
    if (scanned.accepted > 0 || last === null) last = { file: link.file, bytes: scanned.accepted }
    fault = fault ?? scanned.fault
    start = { head: scanned.head, offset: 0 }
    if (scanned.fault !== null && goOn === null) break
    // Behind a fault the seal of the next segment says where that goes on.
    if (scanned.fault !== null && link.sealed !== null) {
      start = { head: { ...scanned.head, ...headOf(link) }, offset: 0 }
    }
    leftOut.push(...leftBehind(link, scanned))
  }
  // Only who has come there by the records knows which one belongs there.
  const end = broken === null ? null : { ...broken, seq: start.head.seq + 1 }
  if (fault === null && end !== null) goOn?.(end)
  return { links, leftOut: [...leftOut, ...strays], head: start.head, last, fault: fault ?? end }
})

const headOf = ({ sealed }: Link): Partial<Head> => sealed === null ? {} : { seq: sealed.seq, hash: sealed.hash }

const attempts = 5

/** A file that is gone may have been merged or compressed just now: then another one holds its records. */
export const again = <A, E>(read: Effect.Effect<A, E | JournalIoError>): Effect.Effect<A, E | JournalIoError> =>
  Effect.retry(read, {
    times: attempts,
    while: (error) => error instanceof Error && "message" in error && error.message.includes("ENOENT")
  })

/** Reads and verifies the chain; the records go to the reader. */
export const load = (place: SessionPlace, reader: Reader): Effect.Effect<Loaded, JournalError> =>
  again(
    Effect.gen(function*() {
      const followed = yield* followChain(
        place,
        reader.from,
        (resumed) => {
          const take = reader.begin(resumed)
          return (head, line) => {
            const record = decode(head, line)
            if (Either.isRight(record)) take(record.right)
            return record
          }
        },
        null,
        reader.pause
      )
      const { fault } = followed
      return fault === null ? { ...followed, fault } : yield* damaged(fault)
    })
  )

/** A reader that keeps all records, and where it keeps them. */
export const collector = (): { readonly reader: Reader; readonly records: () => ReadonlyArray<Envelope> } => {
  let records: Array<Envelope> = []
  return {
    reader: {
      from: null,
      begin: () => {
        records = []
        return (record) => void records.push(record)
      }
    },
    records: () => records
  }
}

/** The end of a journal as a place in it. */
export const endOf = (place: SessionPlace, { head, last }: Followed): Position | null =>
  last === null || head.seq === 0
    ? null
    : { segment: places.nameOf(place, last.file.to), bytes: last.bytes, ...pick(head) }

const pick = ({ epoch, hash, seq }: Head): Head => ({ seq, hash, epoch })
