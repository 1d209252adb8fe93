/** A worker of its own process: executes queued actions of a session that somebody else may hold. */
import * as Effect from "effect/Effect"
import * as crypto from "node:crypto"
import type { Outcome } from "../event/Outcome.ts"
import type { Commands } from "../port/Commands.ts"
import type { Files } from "../port/Files.ts"
import type { FollowUps } from "../port/FollowUps.ts"
import { Journal, type JournalIoError, type NoJournalError, type SessionPlace } from "../port/Journal.ts"
import type { SchedulerUnavailableError } from "../port/Scheduler.ts"
import type { QueueEntry } from "../session/entries.ts"
import { toClaim } from "../session/pending.ts"
import type { Session } from "../session/Session.ts"
import { beat } from "./heartbeat.ts"
import { type HoldError, makeGlance, recordedNow } from "./held.ts"
import { type LostClaim, makeWorkerWatch } from "./lostWorkers.ts"
import { perform } from "./perform.ts"
import { ask } from "./sessions.ts"

/** An attempt at an entry that this worker made. */
export interface Worked {
  /** As it was before. */
  readonly entry: QueueEntry
  readonly outcome: Outcome
  /** Why the session did not take the outcome; null: it did. */
  readonly refused: string | null
}

type Failure = HoldError | NoJournalError | SchedulerUnavailableError

/** Executes one entry; null if it could not be claimed. An interrupted worker gives its claim back, and ends. */
const execute = (
  place: SessionPlace,
  session: Session,
  entry: QueueEntry
): Effect.Effect<Worked | null, Failure, Journal | Commands | Files | FollowUps> =>
  Effect.scoped(Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const { action, job, queueId: queue_id } = entry
      const lease = crypto.randomUUID()
      yield* beat(place, lease)
      const { accepted } = yield* ask(place, { kind: "claim", queue_id, lease }, "worker")
      if (!accepted) return null
      const why = "its worker was interrupted"
      const outcome = yield* restore(perform(place.stateDir, session, action, queue_id, job)).pipe(
        Effect.onInterrupt(() => Effect.ignore(ask(place, { kind: "worker_lost", queue_id, lease, why }, "worker")))
      )
      const { accepted: taken, why: refusal } = yield* ask(
        place,
        { kind: "result", queue_id, outcome, lease },
        "worker"
      )
      return { entry, outcome, refused: taken ? null : refusal }
    })
  ))

/** Claims of a monitor that is gone: while nobody holds the session, none of them is under way. */
const lostMonitors = (
  place: SessionPlace,
  session: Session
): Effect.Effect<ReadonlyArray<LostClaim>, JournalIoError, Journal> =>
  Effect.gen(function*() {
    const claimed = [...session.queue.values()].filter(({ claimedBy, lease, status }) =>
      status === "running" && claimedBy?.role === "monitor" && lease !== null
    )
    if (claimed.length === 0) return []
    const holder = yield* (yield* Journal).holder(place)
    if (holder !== null && holder.alive !== "dead") return []
    return claimed.map((entry) => ({ entry, why: "the monitor that ran it is gone" }))
  })

/** How long one who was not given an entry waits before it looks again: others may be at work. */
const refusedMillis = 200

/**
 * Executes queued actions one after another: one of them (`once`), all there are and those that are to be tried again
 * (`drain`), or these and all that come (`follow`, looked for every `pollSeconds`). What dead workers had claimed is
 * given back first. Tells of each attempt as it ends.
 */
export const workQueue = (
  place: SessionPlace,
  mode: "once" | "drain" | "follow",
  tell: (worked: Worked) => Effect.Effect<void>,
  pollSeconds = 1
): Effect.Effect<void, Failure, Journal | Commands | Files | FollowUps> =>
  Effect.gen(function*() {
    const lostWorkers = makeWorkerWatch(place)
    const looked = makeGlance(place)
    for (;;) {
      const { session } = yield* looked
      const lost = [...yield* lostWorkers(session), ...yield* lostMonitors(place, session)]
      for (const { entry: { lease, queueId: queue_id }, why } of lost) {
        yield* ask(place, { kind: "worker_lost", queue_id, lease, why }, "worker")
      }
      if (lost.length > 0) continue
      const [entry] = toClaim(session, yield* recordedNow)
      if (entry === undefined) {
        const waits = [...session.queue.values()].some(({ status }) => status === "queued")
        if (mode === "once" || mode === "drain" && !waits) return
        yield* Effect.sleep(`${pollSeconds * 1000} millis`)
        continue
      }
      const worked = yield* execute(place, session, entry)
      if (worked === null) {
        yield* Effect.sleep(`${refusedMillis} millis`)
        continue
      }
      yield* tell(worked)
      if (mode === "once") return
    }
  })
