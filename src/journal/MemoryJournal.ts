/** The journal in memory, for tests: the chain, the epochs and the refusals of the one in files. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as path from "node:path"
import {
  type Draft,
  type Envelope,
  FencedError,
  type Holder,
  type InboxRequest,
  Journal,
  JournalIoError,
  type JournalWriter,
  NoJournalError,
  type Position,
  type Reader,
  SessionHeldError,
  type SessionPlace
} from "../port/Journal.ts"
import { encode, genesis, type Head } from "./chain.ts"
import * as places from "./places.ts"
import { sealDraft } from "./seal.ts"

interface Session {
  epoch: number
  holder: Holder | null
  head: Head
  /** Bytes of the newest segment. */
  bytes: number
  readonly records: Array<Envelope>
  readonly inbox: Map<string, InboxRequest>
}

const isoNow = Effect.map(Clock.currentTimeMillis, (now) => new Date(now).toISOString())

const checked = (place: SessionPlace) => places.checkName(place.stateDir, "plan id", place.planId)

const notThere = ({ planId, stateDir }: SessionPlace) => new NoJournalError({ planId, stateDir })

const held = (planId: string, { host, pid, since }: Holder) => new SessionHeldError({ planId, host, pid, since })

/** Takes the next epoch of a session; an older writer is fenced from here on. */
const take = Effect.fnUntraced(function*(
  place: SessionPlace,
  session: Session
): Effect.fn.Return<JournalWriter, FencedError | JournalIoError, Scope.Scope> {
  const now = yield* isoNow
  const epoch = session.epoch + 1
  const holder: Holder = { epoch, host: "memory", pid: process.pid, since: now, alive: "alive" }
  session.epoch = epoch
  session.holder = holder
  let open = true
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      open = false
      if (session.holder === holder) session.holder = null
    })
  )
  const assertNewest = Effect.suspend((): Effect.Effect<void, FencedError | JournalIoError> => {
    if (session.epoch !== epoch) return new FencedError({ planId: place.planId, epoch, newest: session.epoch })
    return open ? Effect.void : new JournalIoError({ path: place.planId, message: "the journal was let go" })
  })
  const append = (at: string, drafts: ReadonlyArray<Draft>) =>
    Effect.map(assertNewest, () => {
      const batch = encode(session.head, epoch, at, drafts)
      session.head = batch.head
      session.bytes += Buffer.byteLength(batch.text)
      session.records.push(...batch.records)
      return batch.records
    })
  if (epoch > 1) {
    const seal = sealDraft(path.basename(places.segment(place, session.head.epoch || 1)), session.bytes, session.head)
    session.bytes = 0
    yield* append(now, [seal])
  }
  return {
    epoch,
    records: [...session.records],
    leftOut: [],
    append,
    assertNewest,
    moved: false,
    position: () => positionOf(place, session)
  }
})

/** The memory has no files; every record stands in one segment of its own size. */
const positionOf = (place: SessionPlace, { bytes, head }: Session): Position | null =>
  head.seq === 0 ? null : {
    segment: path.basename(places.segment(place, head.epoch)),
    bytes,
    seq: head.seq,
    hash: head.hash,
    epoch: head.epoch
  }

/** Gives the reader what is behind its place, if the memory has that place. */
const tell = (records: ReadonlyArray<Envelope>, { begin, from }: Reader): void => {
  const resumed = from !== null && records[from.seq - 1]?.hash === from.hash
  records.slice(resumed ? from.seq : 0).forEach(begin(resumed))
}

const make = (): typeof Journal.Service => {
  const states = new Map<string, Map<string, Session>>()
  const find = (place: SessionPlace) => states.get(place.stateDir)?.get(place.planId)
  const findOrCreate = (place: SessionPlace): Session => {
    const sessions = states.get(place.stateDir) ?? new Map<string, Session>()
    states.set(place.stateDir, sessions)
    const session = sessions.get(place.planId) ??
      { epoch: 0, holder: null, head: genesis, bytes: 0, records: [], inbox: new Map() }
    sessions.set(place.planId, session)
    return session
  }
  return {
    hold: Effect.fnUntraced(function*(place, { reader, takeover }) {
      yield* checked(place)
      const session = findOrCreate(place)
      if (session.holder !== null && !takeover) return yield* held(place.planId, session.holder)
      const writer = yield* take(place, session)
      if (reader === undefined) return writer
      tell(writer.records, reader)
      return { ...writer, records: [] }
    }),
    walk: Effect.fnUntraced(function*(place, reader) {
      yield* checked(place)
      const session = find(place)
      if (session === undefined || session.epoch === 0) return yield* notThere(place)
      tell(session.records, reader)
      yield* reader.pause ?? Effect.void
      return { leftOut: [], position: positionOf(place, session) }
    }),
    // Memory is not damaged, and has no files to put together.
    verify: (place, seq) =>
      Effect.suspend(() => {
        const session = find(place)
        if (session === undefined || session.epoch === 0) return notThere(place)
        const { records } = session
        const hash = seq === null ? null : records[seq - 1]?.hash ?? null
        return Effect.succeed({ records: records.length, bytes: 0, faults: [], leftOut: [], hash })
      }),
    repair: () => Effect.succeed(null),
    kept: () => Effect.succeed([]),
    compact: () => Effect.succeed({ merged: [], compressed: [] }),
    read: Effect.fnUntraced(function*(place) {
      yield* checked(place)
      const session = find(place)
      if (session === undefined || session.epoch === 0) {
        return yield* notThere(place)
      }
      return { records: [...session.records], leftOut: [] }
    }),
    holder: (place) => Effect.map(checked(place), () => find(place)?.holder ?? null),
    list: (stateDir) =>
      Effect.sync(() =>
        [...states.get(stateDir) ?? []].flatMap(([id, session]) => session.epoch > 0 ? [id] : []).sort()
      ),
    request: Effect.fnUntraced(function*(place, request) {
      yield* checked(place)
      yield* places.checkName(place.planId, "request id", request.id)
      const { inbox } = findOrCreate(place)
      inbox.delete(request.id)
      inbox.set(request.id, request)
    }),
    inbox: (place) => Effect.map(checked(place), () => [...find(place)?.inbox.values() ?? []]),
    discard: Effect.fnUntraced(function*(place, id) {
      yield* checked(place)
      yield* places.checkName(place.planId, "request id", id)
      find(place)?.inbox.delete(id)
    }),
    remove: Effect.fnUntraced(function*(place, { force }) {
      yield* checked(place)
      const session = find(place)
      if (session === undefined) return
      if (session.holder !== null && !force) return yield* held(place.planId, session.holder)
      // Whoever still writes finds a newer epoch.
      session.epoch += 1
      states.get(place.stateDir)?.delete(place.planId)
    })
  }
}

/** A journal of its own, empty at first. */
export const layer: Layer.Layer<Journal> = Layer.sync(Journal, make)
