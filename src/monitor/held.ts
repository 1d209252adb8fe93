/** A session that this process may append to: journal, fold and decider moved on together. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import {
  decodeRecords,
  encodeEvent,
  type EventRecord,
  type Fact,
  isFact,
  type NewEvent,
  UnreadableRecordError
} from "../event/EventRecord.ts"
import type { EventData, FactType } from "../event/events.ts"
import {
  type Envelope,
  type FencedError,
  Journal,
  JournalDamagedError,
  JournalIoError,
  type JournalWriter,
  type LeftOut,
  type SessionHeldError,
  type SessionPlace
} from "../port/Journal.ts"
import { decodeRules, rulesInForce } from "../rule/Context.ts"
import { step } from "../rule/step.ts"
import { fold } from "../session/fold.ts"
import { emptySession, type Session } from "../session/Session.ts"
import { type Head, publishedHead, sessionFile } from "./publish.ts"

export interface Held {
  readonly place: SessionPlace
  readonly session: Session
  readonly leftOut: ReadonlyArray<LeftOut>
  /** Last record of the journal. */
  readonly head: () => Head
  /**
   * Records facts, each followed by the decisions it leads to, as one durable append at one recorded time. What comes
   * back is what was recorded. Effects of the decisions may begin only now.
   */
  readonly record: (
    facts: ReadonlyArray<NewEvent<FactType>>
  ) => Effect.Effect<ReadonlyArray<EventRecord>, FencedError | JournalIoError>
  readonly assertNewest: JournalWriter["assertNewest"]
}

export type HoldError =
  | JournalDamagedError
  | JournalIoError
  | SessionHeldError
  | FencedError
  | UnreadableRecordError

/** Now, as journals record it: ISO 8601 UTC with milliseconds. */
export const recordedNow: Effect.Effect<string> = Effect.map(
  Clock.currentTimeMillis,
  (millis) => new Date(millis).toISOString()
)

/** The session that the records tell, if its rules can be read. */
export const foldAll = (
  records: ReadonlyArray<EventRecord>
): Effect.Effect<Session, UnreadableRecordError> =>
  Effect.gen(function*() {
    const session = records.reduce(fold, emptySession())
    const readable = (encoded: unknown) =>
      Effect.mapError(
        decodeRules(encoded),
        (why) =>
          new UnreadableRecordError(
            session.rulesChanged === null
              ? { seq: 1, type: "SessionOpened", why }
              : { seq: session.rulesChanged.seq, type: "RulesChanged", why }
          )
      )
    yield* Effect.forEach(session.ruleSets, readable, { discard: true })
    yield* readable(session.rules)
    return session
  })

/** Decisions that a crash kept from the journal: its last fact is there, and not all that follows from it. */
const missingDecisions = (records: ReadonlyArray<EventRecord>): ReadonlyArray<EventRecord> => {
  const last = records.findLastIndex((record) => isFact(record) && record.type !== "SegmentOpened")
  const fact = records[last]
  if (fact === undefined || !isFact(fact) || fact.type === "SessionOpened") return []
  const after = records.slice(last + 1)
  const reserved = new Set(after.filter(({ type }) => type === "SegmentOpened").map(({ seq }) => seq))
  const recorded = after.filter(({ type }) => type !== "SegmentOpened")
  const before = records.slice(0, last).reduce(fold, emptySession())
  const decided = step(before, rulesInForce(before), fact, reserved)
  const same = recorded.every((record, index) => {
    const expected = decided[index]
    return expected !== undefined && JSON.stringify(encodeEvent(record)) === JSON.stringify(encodeEvent(expected))
  })
  return same ? decided.slice(recorded.length) : []
}

/**
 * Fails if the journal ends before the record that the session file, read before it, has seen: the chain alone cannot
 * tell that its last lines were removed.
 */
const checkEnd = (
  place: SessionPlace,
  records: ReadonlyArray<Envelope>,
  published: Head | null
): Effect.Effect<void, JournalDamagedError> => {
  if (published === null || records[published.seq - 1]?.hash === published.hash) return Effect.void
  const told = records.length < published.seq
    ? `ends with record ${records.length}`
    : `has another record ${published.seq}`
  return new JournalDamagedError({
    path: sessionFile(place),
    from: 0,
    to: 0,
    seq: published.seq,
    message: `the journal of ${place.planId} ${told}, but ${sessionFile(place)} has seen record ${published.seq} ` +
      `(hash ${published.hash.slice(0, 12)}…): records were removed or replaced`
  })
}

/**
 * Takes the session's next epoch and folds its journal. `opening` begins a journal that has no records yet; without it
 * such a journal is refused.
 */
export const hold = (
  place: SessionPlace,
  options: { readonly takeover: boolean; readonly opening: EventData<"SessionOpened"> | null }
): Effect.Effect<Held, HoldError, Journal | Scope.Scope> =>
  Effect.gen(function*() {
    const journal = yield* Journal
    const published = yield* publishedHead(place)
    const writer = yield* journal.hold(place, { takeover: options.takeover })
    yield* checkEnd(place, writer.records, published)
    const records: Array<EventRecord> = [...yield* decodeRecords(writer.records)]
    const last = writer.records.at(-1)
    let head: Head = { seq: last?.seq ?? 0, hash: last?.hash ?? "" }

    const append = (at: string, events: ReadonlyArray<EventRecord>) =>
      Effect.map(writer.append(at, events.map(encodeEvent)), (envelopes) => {
        const newest = envelopes.at(-1)
        if (newest !== undefined) head = { seq: newest.seq, hash: newest.hash }
      })

    if (!records.some(({ type }) => type === "SessionOpened")) {
      if (options.opening === null) {
        return yield* new JournalIoError({ path: place.stateDir, message: `session ${place.planId} was never opened` })
      }
      const opened: EventRecord = {
        type: "SessionOpened",
        data: options.opening,
        seq: head.seq + 1,
        at: yield* recordedNow,
        epoch: writer.epoch
      }
      yield* append(opened.at, [opened])
      records.push(opened)
    }

    yield* foldAll(records)
    const missing = missingDecisions(records)
    const [first] = missing
    if (first !== undefined) {
      yield* append(first.at, missing)
      records.push(...missing)
    }
    const session = yield* foldAll(records)

    const record = (facts: ReadonlyArray<NewEvent<FactType>>) =>
      Effect.gen(function*() {
        if (facts.length === 0) return []
        const at = yield* recordedNow
        const batch: Array<EventRecord> = []
        for (const fact of facts) {
          const stamped = { ...fact, seq: session.seq + 1, at, epoch: writer.epoch } as Fact
          batch.push(stamped, ...step(session, rulesInForce(session), stamped))
        }
        yield* append(at, batch)
        return batch
      })

    return {
      place,
      session,
      leftOut: writer.leftOut,
      head: () => head,
      record,
      assertNewest: writer.assertNewest
    }
  })

/** The session as its journal tells it, without the right to append. */
export const look = Effect.fn("monitor.look")(function*(place: SessionPlace) {
  const journal = yield* Journal
  const published = yield* publishedHead(place)
  const { leftOut, records } = yield* journal.read(place)
  yield* checkEnd(place, records, published)
  const decoded = yield* decodeRecords(records)
  const session = yield* foldAll(decoded)
  const last = records.at(-1)
  return { session, records: decoded, leftOut, head: { seq: last?.seq ?? 0, hash: last?.hash ?? "" } }
})
