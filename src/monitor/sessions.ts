/** Sessions by name: opened, submitted, watched, asked. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as crypto from "node:crypto"
import * as os from "node:os"
import type { EventRecord, NewEvent } from "../event/EventRecord.ts"
import type { EventData } from "../event/events.ts"
import type { Request } from "../event/Request.ts"
import type { Actor } from "../event/terms.ts"
import type { Manifest } from "../plan/Manifest.ts"
import type { Commands } from "../port/Commands.ts"
import type { Files } from "../port/Files.ts"
import type { FollowUps } from "../port/FollowUps.ts"
import { Journal, type LeftOut, type NoJournalError, type SessionPlace } from "../port/Journal.ts"
import type { RuleSource } from "../port/RuleSource.ts"
import { Scheduler, Schedulers, type SchedulerUnavailableError } from "../port/Scheduler.ts"
import { behaviour } from "../rule/behaviour.ts"
import { isFinished, type Session, submitTimer } from "../session/Session.ts"
import { follow, glance, hold, type HoldError, newEntropy } from "./held.ts"
import { watch, type WatchOptions } from "./loop.ts"
import { throughOutages } from "./outages.ts"
import { makePublisher } from "./publish.ts"
import { loadSnapshot } from "./snapshot.ts"

/** What watching sessions needs of the world. */
export type SessionServices = Journal | Schedulers | Files | Commands | FollowUps | RuleSource

export type SessionError = HoldError | NoJournalError | SchedulerUnavailableError

/** This process as an actor. */
export const actorOf = (role: Actor["role"]): Actor => ({
  role,
  user: os.userInfo().username,
  host: os.hostname(),
  pid: process.pid
})

const digest = (value: unknown): string => crypto.createHash("sha256").update(JSON.stringify(value)).digest("hex")

/** The first record of a session that runs this plan. */
export const openingOf = (manifest: Manifest, manifestPath: string): EventData<"SessionOpened"> => ({
  plan_id: manifest.plan_id,
  project: manifest.project,
  manifest: manifestPath,
  manifest_digest: digest(manifest),
  tool_version: manifest.tool_version,
  behaviour,
  entropy: newEntropy(),
  rules: manifest.monitoring,
  rules_digest: digest(manifest.monitoring),
  rule_sets: manifest.rule_sets,
  client: manifest.scheduler.client,
  max_jobs: manifest.scheduler.max_jobs,
  settle_seconds: manifest.scheduler.settle_seconds,
  submit_rate_limit_seconds: manifest.scheduler.submit_rate_limit_seconds,
  breaker: manifest.scheduler.breaker,
  jobs: manifest.jobs,
  depth: manifest.parent?.depth ?? 0,
  parent: manifest.parent === null ? null : { plan_id: manifest.parent.plan_id, queue_id: manifest.parent.queue_id }
})

/**
 * The request to add a further plan's jobs to a session whose rules (`session.rules`) are `rules`: jobs under other rules
 * bring theirs along. `gone`: names of jobs that the plan no longer has.
 */
export const growthOf = (
  manifest: Manifest,
  manifestPath: string,
  rules: unknown,
  gone: ReadonlyArray<string>
): Extract<Request, { readonly kind: "grow" }> => {
  const same = JSON.stringify(manifest.monitoring) === JSON.stringify(rules)
  const own = manifest.rule_sets.length
  return {
    kind: "grow",
    manifest: manifestPath,
    manifest_digest: digest(manifest),
    jobs: same ? manifest.jobs : manifest.jobs.map((job) => ({ ...job, rule_set: job.rule_set ?? own })),
    rule_sets: same ? manifest.rule_sets : [...manifest.rule_sets, manifest.monitoring],
    gone
  }
}

/** Asks that every job of the session which was never submitted be submitted. */
export const submitRequest = (actor: Actor): NewEvent<"OperatorRequested"> => ({
  type: "OperatorRequested",
  data: { request_id: `submit ${crypto.randomUUID()}`, actor, request: { kind: "submit", jobs: [] } }
})

export interface WatchSession
  extends Pick<WatchOptions, "worker" | "once" | "observeOnly" | "until" | "requests" | "onRecords" | "toolVersion">
{
  readonly takeover: boolean
  /** Begins the session if it has no journal yet. */
  readonly opening: EventData<"SessionOpened"> | null
}

/** Watches nothing but the session itself: for callers that print nothing. */
export const quietly = {
  takeover: false,
  observeOnly: false,
  once: false,
  opening: null,
  requests: [],
  until: () => false,
  onRecords: (_records: ReadonlyArray<EventRecord>, _session: Session) => Effect.void
}

/** Says what of a journal's files was not read. */
export const tellLeftOut = (leftOut: ReadonlyArray<LeftOut>): Effect.Effect<void> =>
  Effect.forEach(
    leftOut,
    ({ bytes, from, path, why }) =>
      Effect.logWarning(`${bytes} bytes of ${path} from byte ${from} on are left out: ${why}`),
    { discard: true }
  )

/**
 * Holds the session and watches it until it is finished or `until` holds; returns it as it is then. Follow-up sessions
 * of it are watched beside it, each to its end. `once`: for one cycle, they as well, and a journal that cannot be written
 * is an error.
 */
export const watchSession = (
  place: SessionPlace,
  options: WatchSession
): Effect.Effect<Session, SessionError, SessionServices> =>
  (options.once ? onceOnly : throughOutages)(place, (first, begun) =>
    Effect.scoped(Effect.gen(function*() {
      const held = yield* hold(place, first ? options : { takeover: false, opening: null })
      yield* begun
      yield* tellLeftOut(held.leftOut)
      const schedulers = yield* Schedulers
      const scheduler = yield* schedulers.of(held.session.client)
      const services = yield* Effect.context<SessionServices>()
      yield* watch(held, {
        ...options,
        actor: actorOf("monitor"),
        watchFollowUp: (planId) => Effect.provide(followUpStatus({ ...place, planId }, options), services)
      }).pipe(Effect.provideService(Scheduler, scheduler))
      return held.session
    })))

/** Whoever asks for one cycle, as cron does, asks again by himself. */
const onceOnly: typeof throughOutages = (_place, once) => once(true, Effect.void)

/** A follow-up's word for its end: `success` if every job of it succeeded. */
const endOf = (session: Session): string =>
  [...session.jobs.values()].every(({ outcome }) => outcome === "success") ? "success" : "failed"

/** Watches a follow-up to its end; one that another monitor holds is looked at now and then. */
const followUpStatus = (
  place: SessionPlace,
  options: Pick<WatchOptions, "worker" | "observeOnly" | "once" | "toolVersion">
): Effect.Effect<string | null, never, SessionServices> =>
  Effect.suspend(() => {
    const { observeOnly, once, toolVersion, worker } = options
    return watchSession(place, { ...quietly, observeOnly, once, toolVersion, worker })
  }).pipe(
    Effect.map((session) => isFinished(session, options.worker) ? endOf(session) : null),
    Effect.catchTag("SessionHeldError", () =>
      Effect.gen(function*() {
        if (!options.once) yield* Effect.sleep("5 seconds")
        const { session } = yield* glance(place)
        if (isFinished(session, options.worker)) return endOf(session)
        return options.once ? null : yield* followUpStatus(place, options)
      })),
    Effect.catchAll((error) => Effect.succeed(`lost: ${error.message}`))
  )

/** Whether a job may be submitted as soon as the rate limit lets it. */
const isThrottled = ({ jobs, timers }: Session): boolean =>
  timers.has(submitTimer) && [...jobs.values()].some(({ state }) => state === "waiting")

/** Submits what was not submitted yet, waits until every submission is answered, and lets the session go. */
export const submitSession = (
  place: SessionPlace,
  opening: EventData<"SessionOpened"> | null,
  toolVersion: string,
  onRecords: WatchOptions["onRecords"] = quietly.onRecords
): Effect.Effect<Session, SessionError, SessionServices> =>
  watchSession(place, {
    ...quietly,
    opening,
    toolVersion,
    onRecords,
    worker: false,
    requests: [submitRequest(actorOf("operator"))],
    until: (session) => session.submissions.size === 0 && !isThrottled(session)
  })

/** What became of a request: why it was refused, or what it did besides. */
export interface Answer {
  readonly accepted: boolean
  readonly why: string
}

/**
 * Looks for the answer to a request that is not made yet: null while there is none. Only what was recorded since is read,
 * once.
 */
const answersTo = (place: SessionPlace, id: string) =>
  Effect.map(loadSnapshot(place), (snapshot) => {
    let from = snapshot?.position ?? null
    let answer: Answer | null = null
    /** Seq of the request, if it is one whose releases are told of. */
    let restart: number | null = null
    return Effect.gen(function*() {
      const { position } = yield* follow(place, from, () => (record) => {
        if (record.type === "OperatorRequested" && record.data.request_id === id) {
          answer = { accepted: true, why: "" }
          const { kind } = record.data.request
          restart = kind === "job_restart" || kind === "job_retry" ? record.seq : null
        }
        if (record.type === "JobReleased" && record.cause === restart) answer = { accepted: true, why: record.data.why }
        if (record.type === "RequestRefused" && record.data.request_id === id) {
          answer = { accepted: false, why: record.data.why }
        }
      })
      from = position
      return answer
    })
  })

/** How long a holder has to take a request; it looks several times a second. */
const answerMillis = 30_000

/**
 * Puts a request to a session and waits for its answer: through the inbox where a monitor holds the session; otherwise by
 * taking the epoch, recording it, and letting go.
 */
export const ask = (
  place: SessionPlace,
  request: Request,
  role: Actor["role"] = "operator"
): Effect.Effect<Answer, SessionError, Journal> =>
  Effect.gen(function*() {
    const journal = yield* Journal
    const id = crypto.randomUUID()
    const actor = actorOf(role)
    const answer = yield* answersTo(place, id)
    const direct = Effect.scoped(Effect.gen(function*() {
      const held = yield* hold(place, { takeover: false, opening: null })
      if (!held.session.requests.has(id)) {
        yield* held.record([{ type: "OperatorRequested", data: { request_id: id, actor, request } }])
      }
      yield* makePublisher(place)(held.session, held.head())
      return yield* answer
    }))
    const attempt = Effect.suspend(() => Effect.catchTag(direct, "SessionHeldError", () => throughInbox))
    const throughInbox: typeof direct = Effect.gen(function*() {
      yield* journal.request(place, { id, body: { actor, request } })
      const asked = yield* Clock.currentTimeMillis
      for (;;) {
        yield* Effect.sleep("200 millis")
        const late = (yield* Clock.currentTimeMillis) - asked > answerMillis
        if (late) yield* journal.discard(place, id)
        const answered = yield* answer
        if (late || answered !== null) return answered
        const holder = yield* journal.holder(place)
        if (holder === null || holder.alive === "dead") {
          yield* journal.discard(place, id)
          // Another command may be quicker to take the session that was let go.
          return yield* attempt
        }
      }
    })
    return (yield* attempt) ??
      { accepted: false, why: `who holds the session did not take it within ${answerMillis / 1000} s; it is withdrawn` }
  })
