/** A journal checked, and cut at its first fault, with what the session file has seen held against it. */
import * as Effect from "effect/Effect"
import { type Fault, Journal, type Repair, type SessionPlace, type Verified } from "../port/Journal.ts"
import { hold } from "./held.ts"
import { makeIntake } from "./intake.ts"
import { makePublisher, publishedHead, sessionFile } from "./publish.ts"

/** What the chain alone cannot show: that its last records are not there any more. */
const missingEnd = (
  place: SessionPlace,
  { hash, records }: Verified,
  seen: { readonly seq: number; readonly hash: string }
) =>
  hash === seen.hash ? null : {
    path: sessionFile(place),
    line: null,
    from: 0,
    to: 0,
    seq: Math.min(records + 1, seen.seq),
    kind: "removed",
    why: records < seen.seq
      ? `the journal ends with record ${records}, but the session file has seen record ${seen.seq}`
      : `record ${seen.seq} is another one than the session file has seen`
  } satisfies Fault

/** Every fault of the journal, that of its end last. */
export const verifyJournal = Effect.fn("monitor.verifyJournal")(function*(place: SessionPlace) {
  const journal = yield* Journal
  const published = yield* publishedHead(place)
  const checked = yield* journal.verify(place, published?.seq ?? null)
  const end = published === null || checked.faults.length > 0 ? null : missingEnd(place, checked, published)
  return { ...checked, faults: [...checked.faults, ...end === null ? [] : [end]], end }
})

/**
 * Cuts the journal at its first fault and records that; the session's files are written anew. The next monitor looks for
 * what was cut off in the scheduler, before it submits anything. Null: nothing was at fault.
 */
export const repairJournal = Effect.fn("monitor.repairJournal")(function*(place: SessionPlace) {
  const journal = yield* Journal
  const intake = makeIntake(place, null, null, () => () => undefined)
  // Damage ends what is read, and is what is to be repaired.
  yield* Effect.catchTag(journal.walk(place, intake.reader), "JournalDamagedError", () => Effect.void)
  yield* intake.belongs
  const { end } = yield* verifyJournal(place)
  const repaired: Repair | null = yield* journal.repair(place, end)
  if (repaired === null) return null
  return yield* Effect.scoped(Effect.gen(function*() {
    const held = yield* hold(place, { takeover: false, opening: null })
    yield* makePublisher(place)(held.session, held.head())
    return { ...repaired, records: repaired.fault.seq - 1 }
  }))
})
