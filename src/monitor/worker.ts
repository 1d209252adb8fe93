/** A worker of its own process: executes queued actions of a session that somebody else may hold. */
import * as Effect from "effect/Effect"
import type { Outcome } from "../event/Outcome.ts"
import type { Commands } from "../port/Commands.ts"
import type { FollowUps } from "../port/FollowUps.ts"
import type { Journal, NoJournalError, SessionPlace } from "../port/Journal.ts"
import type { SchedulerUnavailableError } from "../port/Scheduler.ts"
import { toClaim } from "../session/pending.ts"
import type { QueueEntry, Session } from "../session/Session.ts"
import { type HoldError, look } from "./held.ts"
import { perform } from "./perform.ts"
import { ask } from "./sessions.ts"

/** An entry that this worker executed. */
export interface Worked {
  readonly entry: QueueEntry
  readonly outcome: Outcome
}

type Failure = HoldError | NoJournalError | SchedulerUnavailableError

const interrupted: Outcome = { status: "failed", result: { error: "its worker was interrupted" } }

/** Executes one entry; null if another worker had it first. An interrupted worker reports that, and ends. */
const execute = (
  place: SessionPlace,
  session: Session,
  entry: QueueEntry
): Effect.Effect<Worked | null, Failure, Journal | Commands | FollowUps> =>
  Effect.gen(function*() {
    const { action, job, queueId } = entry
    const report = (outcome: Outcome) => ask(place, { kind: "result", queue_id: queueId, outcome }, "worker")
    return yield* Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        const { accepted } = yield* ask(place, { kind: "claim", queue_id: queueId }, "worker")
        if (!accepted) return null
        const outcome = yield* restore(perform(place.stateDir, session, action, queueId, job)).pipe(
          Effect.onInterrupt(() => Effect.ignore(report(interrupted)))
        )
        yield* report(outcome)
        return { entry, outcome }
      })
    )
  })

/**
 * Executes queued actions one after another: one of them (`once`), all there are (`drain`), or these and all that come
 * (`follow`, looked for every `pollSeconds`). Tells of each as it ends.
 */
export const workQueue = (
  place: SessionPlace,
  mode: "once" | "drain" | "follow",
  tell: (worked: Worked) => Effect.Effect<void>,
  pollSeconds = 1
): Effect.Effect<void, Failure, Journal | Commands | FollowUps> =>
  Effect.gen(function*() {
    for (;;) {
      const { session } = yield* look(place)
      const [entry] = toClaim(session)
      if (entry === undefined) {
        if (mode !== "follow") return
        yield* Effect.sleep(`${pollSeconds * 1000} millis`)
        continue
      }
      const worked = yield* execute(place, session, entry)
      if (worked === null) continue
      yield* tell(worked)
      if (mode === "once") return
    }
  })
