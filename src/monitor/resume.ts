/** From a journal's records to the session that they tell, one by one: a long history is never kept in memory. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import {
  decodeRecord,
  encodeEvent,
  type EventRecord,
  isFact,
  type UnreadableRecordError
} from "../event/EventRecord.ts"
import { type Envelope, JournalDamagedError, type Reader, type SessionPlace } from "../port/Journal.ts"
import { rulesInForce } from "../rule/Context.ts"
import { step } from "../rule/step.ts"
import { fold } from "../session/fold.ts"
import { emptySession, type Session } from "../session/Session.ts"
import { type Head, sessionFile } from "./publish.ts"
import type { Snapshot } from "./snapshot.ts"

const isDeciding = (record: EventRecord): boolean => isFact(record) && record.type !== "SegmentOpened"

/** Takes records as a `Reader` gives them, and tells the session. */
export interface Resumption {
  readonly reader: Reader
  /** Whether the snapshot served. */
  readonly resumed: () => boolean
  /** The records that were read. */
  readonly count: () => number
  /** The last record. */
  readonly head: () => Head
  /** Fails if a record could not be understood, or if the journal ends before what the session file has seen. */
  readonly check: Effect.Effect<void, UnreadableRecordError | JournalDamagedError>
  /** The session that all records tell. */
  readonly session: () => Session
  /**
   * Decisions that a crash kept from the journal: its last fact is there, and not all that follows from it. To be asked
   * before the session.
   */
  readonly missing: () => ReadonlyArray<EventRecord>
}

/**
 * `published`: the last record that the session file, read before the journal, has seen. `kept`: where all records are
 * put as well, if they are wanted.
 */
export const makeResumption = (
  place: SessionPlace,
  published: Head | null,
  snapshot: Snapshot | null,
  kept: Array<EventRecord> | null = null
): Resumption => {
  let session = emptySession()
  /** The last fact that decides, and what came behind it: not folded yet. */
  let waiting: Array<EventRecord> = []
  let unreadable: UnreadableRecordError | null = null
  let seen: string | null = null
  let count = 0
  let head: Head = { seq: 0, hash: "" }
  let begunAt = 0
  let isResumed = false

  const meet = ({ hash, seq }: Head): void => {
    head = { seq, hash }
    if (seq === published?.seq) seen = hash
  }
  const foldWaiting = (): void => {
    waiting.forEach((record) => fold(session, record))
    waiting = []
  }
  const take = (envelope: Envelope): void => {
    meet(envelope)
    count += 1
    if (unreadable !== null) return
    const record = decodeRecord(envelope)
    if (Either.isLeft(record)) {
      unreadable = record.left
      return
    }
    kept?.push(record.right)
    if (isDeciding(record.right)) foldWaiting()
    waiting.push(record.right)
  }
  const begin = (resumed: boolean) => {
    session = resumed && snapshot !== null ? structuredClone(snapshot.session) : emptySession()
    waiting = []
    kept?.splice(0)
    unreadable = null
    seen = null
    count = 0
    head = { seq: 0, hash: "" }
    begunAt = 0
    isResumed = resumed
    if (resumed && snapshot !== null) {
      meet(snapshot.position)
      begunAt = head.seq
    }
    return take
  }

  return {
    reader: { from: snapshot?.position ?? null, begin },
    resumed: () => isResumed,
    count: () => count,
    head: () => head,
    check: Effect.suspend((): Effect.Effect<void, UnreadableRecordError | JournalDamagedError> => {
      if (unreadable !== null) return unreadable
      const isKnown = published === null || published.seq < begunAt || seen === published.hash
      return isKnown ? Effect.void : removed(place, published, head.seq)
    }),
    session: () => {
      foldWaiting()
      return session
    },
    missing: () => {
      const [fact, ...after] = waiting
      if (fact === undefined || !isDeciding(fact) || !isFact(fact) || fact.type === "SessionOpened") return []
      const reserved = new Set(after.filter(({ type }) => type === "SegmentOpened").map(({ seq }) => seq))
      const recorded = after.filter(({ type }) => type !== "SegmentOpened")
      const before = structuredClone(session)
      const decided = step(before, rulesInForce(before), fact, reserved)
      const same = recorded.every((record, index) => {
        const expected = decided[index]
        return expected !== undefined && JSON.stringify(encodeEvent(record)) === JSON.stringify(encodeEvent(expected))
      })
      return same ? decided.slice(recorded.length) : []
    }
  }
}

/** The chain alone cannot tell that its last lines were removed. */
const removed = (place: SessionPlace, published: Head, last: number): JournalDamagedError => {
  const told = last < published.seq ? `ends with record ${last}` : `has another record ${published.seq}`
  return new JournalDamagedError({
    path: sessionFile(place),
    from: 0,
    to: 0,
    seq: published.seq,
    message: `the journal of ${place.planId} ${told}, but ${sessionFile(place)} has seen record ${published.seq} ` +
      `(hash ${published.hash.slice(0, 12)}…): records were removed or replaced`
  })
}
