/** From a journal's records to the session that they tell, one by one: a long history is never kept in memory. */
import { encodeEvent, type EventRecord, isFact } from "../event/EventRecord.ts"
import type { SessionPlace } from "../port/Journal.ts"
import { rulesInForce } from "../rule/Context.ts"
import { step } from "../rule/step.ts"
import { fold } from "../session/fold.ts"
import { emptySession, type Session } from "../session/Session.ts"
import { type Intake, makeIntake } from "./intake.ts"
import type { Head } from "./publish.ts"
import type { Snapshot } from "./snapshot.ts"

const isDeciding = (record: EventRecord): boolean => isFact(record) && record.type !== "SegmentOpened"

/** Takes records as a `Reader` gives them, and tells the session. */
export interface Resumption extends Intake {
  /** The session that all records tell: the snapshot's own if nothing came after it. */
  readonly session: () => Session
  /**
   * Decisions that a crash kept from the journal: its last fact is there, and not all that follows from it. To be asked
   * before the session.
   */
  readonly missing: () => ReadonlyArray<EventRecord>
}

/** What of a history is kept beside the session that it tells. */
export interface Kept {
  readonly records: Array<EventRecord>
  /** Also reads of logs that led to no decision, of which a long history has a hundred to one of all others. */
  readonly silent: boolean
}

/** `published`: the last record that the session file, read before the journal, has seen. */
export const makeResumption = (
  place: SessionPlace,
  published: Head | null,
  snapshot: Snapshot | null,
  kept: Kept | null = null
): Resumption => {
  let session = emptySession()
  let isBorrowed = false
  /** The last fact that decides, and what came behind it: not folded yet. */
  let waiting: Array<EventRecord> = []

  const foldWaiting = (): void => {
    if (waiting.length === 0) return
    if (isBorrowed) session = structuredClone(session)
    isBorrowed = false
    for (const record of waiting) fold(session, record)
    if (kept !== null && (kept.silent || waiting.length > 1 || waiting[0]?.type !== "LogRead")) {
      for (const record of waiting) kept.records.push(record)
    }
    waiting = []
  }

  const intake = makeIntake(place, published, snapshot?.position ?? null, (resumed) => {
    isBorrowed = resumed && snapshot !== null
    session = resumed && snapshot !== null ? snapshot.session : emptySession()
    waiting = []
    kept?.records.splice(0)
    return (record) => {
      if (isDeciding(record)) foldWaiting()
      waiting.push(record)
    }
  })

  return {
    ...intake,
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
