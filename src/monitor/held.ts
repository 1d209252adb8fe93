/** A session that this process may append to: journal, fold and decider moved on together. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as crypto from "node:crypto"
import {
  decodeRecords,
  encodeEvent,
  type EventRecord,
  type Fact,
  type NewEvent,
  UnreadableRecordError
} from "../event/EventRecord.ts"
import type { EventData, FactType } from "../event/events.ts"
import {
  type FencedError,
  Journal,
  type JournalDamagedError,
  JournalIoError,
  type JournalWriter,
  type LeftOut,
  type Position,
  type SessionHeldError,
  type SessionPlace
} from "../port/Journal.ts"
import { decodeRules, rulesInForce } from "../rule/Context.ts"
import { step } from "../rule/step.ts"
import { fold } from "../session/fold.ts"
import type { Session } from "../session/Session.ts"
import { makeIntake } from "./intake.ts"
import { type Head, publishedHead } from "./publish.ts"
import { makeResumption } from "./resume.ts"
import { loadSnapshot, saveSnapshot, type Snapshot, snapshotRecords } from "./snapshot.ts"
import { toldOf } from "./told.ts"

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

/** Random text that makes the nonces of a session its own. */
export const newEntropy = (): string => crypto.randomBytes(8).readBigUInt64BE().toString(36).padStart(13, "0").slice(-8)

/** Fails if the rules in force, or those of any job, cannot be read. */
const checkRules = (session: Session): Effect.Effect<void, UnreadableRecordError> => {
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
  return Effect.asVoid(
    Effect.zipRight(Effect.forEach(session.ruleSets, readable, { discard: true }), readable(session.rules))
  )
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
    const resumption = makeResumption(place, published, yield* loadSnapshot(place))
    const writer = yield* journal.hold(place, { takeover: options.takeover, reader: resumption.reader })
    yield* resumption.check
    let { seq, hash } = resumption.head()
    let unsaved = resumption.count()

    /** Appends, and folds what the journal adds of its own behind it. */
    const append = (at: string, events: ReadonlyArray<EventRecord>) =>
      Effect.map(writer.append(at, events.map(encodeEvent)), (envelopes) => {
        const newest = envelopes.at(-1)
        if (newest !== undefined) ({ hash, seq } = newest)
        unsaved += envelopes.length
        return Either.getOrElse(decodeRecords(envelopes.slice(events.length)), () => [])
      })

    const missing = resumption.missing()
    const session = resumption.session()
    const appendAndFold = (at: string, events: ReadonlyArray<EventRecord>) =>
      Effect.map(append(at, events), (added) => void [...events, ...added].forEach((record) => fold(session, record)))
    if (session.created === "") {
      if (options.opening === null) {
        return yield* new JournalIoError({ path: place.stateDir, message: `session ${place.planId} was never opened` })
      }
      const at = yield* recordedNow
      yield* appendAndFold(at, [
        { type: "SessionOpened", data: options.opening, seq: seq + 1, at, epoch: writer.epoch }
      ])
    }
    yield* checkRules(session)
    const [first] = missing
    if (first !== undefined) yield* appendAndFold(first.at, missing)

    const save = Effect.suspend(() => {
      const position = writer.position()
      unsaved = 0
      return position === null ? Effect.void : saveSnapshot(place, { session, position })
    })
    if (unsaved >= snapshotRecords || resumption.resumed() && writer.moved) yield* save

    const record = (facts: ReadonlyArray<NewEvent<FactType>>) =>
      Effect.gen(function*() {
        if (facts.length === 0) return []
        const at = yield* recordedNow
        const batch: Array<EventRecord> = []
        for (const fact of facts) {
          const stamped = { ...fact, seq: session.seq + 1, at, epoch: writer.epoch } as Fact
          batch.push(stamped, ...step(session, rulesInForce(session), stamped))
        }
        const added = yield* append(at, batch)
        added.forEach((one) => fold(session, one))
        if (unsaved >= snapshotRecords) yield* save
        return batch
      })

    for (const { fault, kept, seq } of session.cuts) {
      const told = yield* toldOf(place, session, { fault, kept, seq })
      yield* record([{ type: "JournalRepaired", data: { fault, kept, entropy: newEntropy(), ...told } }])
    }

    return {
      place,
      session,
      leftOut: writer.leftOut,
      head: () => ({ seq, hash }),
      record,
      assertNewest: writer.assertNewest
    }
  })

/** The session as its journal tells it, without the right to append; `silent`: as `Kept` says. */
const lookAt = Effect.fnUntraced(function*(place: SessionPlace, silent: boolean) {
  const journal = yield* Journal
  const published = yield* publishedHead(place)
  const records: Array<EventRecord> = []
  const resumption = makeResumption(place, published, null, { records, silent })
  const { leftOut } = yield* journal.walk(place, resumption.reader)
  yield* resumption.check
  const session = resumption.session()
  yield* checkRules(session)
  return { session, records: records as ReadonlyArray<EventRecord>, leftOut, head: resumption.head() }
})

/** The session as its journal tells it, without the right to append, and all records: a long history is a lot of them. */
export const look = Effect.fn("monitor.look")((place: SessionPlace) => lookAt(place, true))

/** What `look` tells, without the reads of logs that led to nothing: what was done, and why, is in the others. */
export const recall = Effect.fn("monitor.recall")((place: SessionPlace) => lookAt(place, false))

/**
 * Gives the records behind `from` (null: all) one by one, and keeps none; `position` is where they end. What `begin`
 * gives takes them: it is called again should reading begin anew, with the first record of all if there is no such place.
 * A history that could not be read to its end, or that has another end than was seen, fails after that.
 */
export const follow = Effect.fn("monitor.follow")(function*(
  place: SessionPlace,
  from: Position | null,
  begin: (resumed: boolean) => (record: EventRecord) => void
) {
  const journal = yield* Journal
  const intake = makeIntake(place, yield* publishedHead(place), from, begin)
  const walked = yield* journal.walk(place, intake.reader)
  yield* intake.check
  return walked
})

/**
 * Tells what `look` tells but for the records. Of a long history only what came after the newest snapshot is read, and
 * of one that is asked for again only what came since.
 */
export const makeGlance = (place: SessionPlace) => {
  let known: Snapshot | null = null
  return Effect.gen(function*() {
    const journal = yield* Journal
    const published = yield* publishedHead(place)
    const before = known ?? (yield* loadSnapshot(place))
    const resumption = makeResumption(place, published, before)
    const { leftOut, position } = yield* journal.walk(place, resumption.reader)
    yield* resumption.check
    const session = resumption.session()
    if (session !== known?.session) yield* checkRules(session)
    known = position === null ? null : { session, position }
    return { session, leftOut, head: resumption.head() }
  }).pipe(Effect.withSpan("monitor.glance"))
}

/** What `look` tells but for the records, once. */
export const glance = (place: SessionPlace) => makeGlance(place)
