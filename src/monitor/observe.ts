/** One look at the world: what of it is new becomes facts. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { parseState } from "../backend/slurm/states.ts"
import type { NewEvent } from "../event/EventRecord.ts"
import type { FactType } from "../event/events.ts"
import { secondsBetween } from "../event/time.ts"
import { type Files } from "../port/Files.ts"
import { type JobRef, type JobReport, Scheduler } from "../port/Scheduler.ts"
import { timerOf } from "../rule/Context.ts"
import { cancelPatienceSeconds, unheededBound } from "../rule/unheeded.ts"
import { type Job } from "../session/Job.ts"
import { dueTimers, type OpenQuestion, toObserve, type UnwantedLink, unwantedLinks } from "../session/pending.ts"
import { type Session, submitTimer } from "../session/Session.ts"
import { readClaim, readExit, submittedAttempt } from "./claim.ts"
import { recordedNow } from "./held.ts"

type Facts = ReadonlyArray<NewEvent<FactType>>

/** Exit code of a script that found its attempt claimed by another start. */
const claimRefused = 75

/** Exit code of a chain's script that was not let begin. */
const gateRefused = 76

/** What one look found. */
export interface Look {
  readonly facts: Facts
  /** Names of jobs that scheduler and accounting both answered, just now, not to know. */
  readonly missing: ReadonlySet<string>
}

/** Whether the attempt ended because the claim of it is held by a submission that is not the session's own. */
const hasForeignClaim = (
  session: Session,
  { attempt, nonce, plan, slurm }: Job,
  report: JobReport | undefined
): Effect.Effect<boolean, never, Files> =>
  report?.exitCode !== claimRefused
    ? Effect.succeed(false)
    : Effect.map(
      Effect.orElseSucceed(
        readClaim(plan.output_dir, session.planId, submittedAttempt(slurm?.name) ?? attempt),
        () => null
      ),
      (claim) => claim !== null && claim.nonce !== nonce
    )

/** Whether the attempt's script ended at the gate of its chain, before it claimed anything. */
const isGated = (
  session: Session,
  { attempt, nonce, plan, slurm }: Job,
  report: JobReport | undefined
): Effect.Effect<boolean, never, Files> =>
  report?.exitCode !== gateRefused || plan.chain === undefined
    ? Effect.succeed(false)
    : readClaim(plan.output_dir, session.planId, submittedAttempt(slurm?.name) ?? attempt).pipe(
      Effect.map((claim) => claim?.nonce !== nonce),
      Effect.orElseSucceed(() => false)
    )

/**
 * What the scheduler says of the job, with what it cannot tell any more: a job's script leaves its exit code beside its
 * claim. It counts for jobs that nobody knows, and for ended ones whose exit code nobody told.
 */
const withExit = (
  session: Session,
  { nonce, plan, slurm }: Job,
  report: JobReport | undefined
): Effect.Effect<JobReport | undefined, never, Files> =>
  Effect.gen(function*() {
    const attempt = submittedAttempt(slurm?.name)
    const told = report !== undefined && report.inferred !== true &&
      (parseState(report.state).phase !== "ended" || report.exitCode !== null || report.signal !== null)
    if (told || slurm === null || attempt === null) return report
    const exit = yield* readExit(plan.output_dir, session.planId, attempt)
    if (exit === null || exit.nonce !== nonce) {
      if (report?.inferred !== true) return report
      // What has begun, or may have, was not taken out while it waited.
      const claim = yield* Effect.either(readClaim(plan.output_dir, session.planId, attempt))
      return Either.isLeft(claim) || claim.right?.nonce === nonce ? undefined : report
    }
    if (report !== undefined && report.inferred !== true) return { ...report, exitCode: exit.exitCode }
    return {
      name: slurm.name,
      id: slurm.id,
      task: slurm.task,
      state: exit.exitCode === 0 ? "COMPLETED" : "FAILED",
      exitCode: exit.exitCode,
      signal: null,
      reason: "told by the script alone",
      nodes: null,
      start: null,
      end: null
    }
  })

/** Whether the scheduler runs the job again by itself: it waits after it ran, runs anew, or lives after its end. */
const isRequeued = (job: Job, { start, state }: JobReport): boolean => {
  const { phase } = parseState(state)
  if (job.state === "running") {
    return phase === "waiting" || (phase === "running" && start !== null && job.start !== null && start > job.start)
  }
  return job.state === "ended" && (phase === "waiting" || phase === "running")
}

/**
 * Whether what is only inferred may be believed: the settle window has passed with it, or it is what was asked for. The
 * accounting may be behind, and squeue may have left a line out.
 */
const isDue = ({ settleSeconds, timers }: Session, job: Job, at: string): boolean => {
  const due = timers.get(timerOf("missing", job))?.due
  return settleSeconds === 0 || job.cancel?.taken === true ||
    (job.slurmState === "MISSING" && due !== undefined && due <= at)
}

/** What markers of its script say of an attempt's end. */
type Marks = Pick<NewEvent<"JobStateChanged">["data"], "foreign_claim" | "gated">

const stateFacts = (job: Job, report: JobReport | undefined, marks: Marks): Facts => {
  const known = job.slurmState
  if (report === undefined) {
    // That it is forgotten after its end is how it should be.
    return known === "MISSING" || !job.live ? [] : [changed(job, {
      to: "MISSING",
      exit_code: null,
      signal: null,
      reason: null,
      nodes: null,
      start: null,
      end: null
    })]
  }
  const requeued = isRequeued(job, report)
  if (!requeued && (report.state === known || !job.live)) return []
  return [changed(requeued ? { ...job, attempt: job.attempt + 1 } : job, {
    to: report.state,
    exit_code: report.exitCode,
    signal: report.signal,
    reason: report.reason,
    nodes: report.nodes,
    start: report.start,
    end: report.end,
    ...marks,
    ...(requeued ? { requeued } : {})
  })]
}

const changed = (job: Job, data: Omit<NewEvent<"JobStateChanged">["data"], "from">): NewEvent<"JobStateChanged"> => ({
  type: "JobStateChanged",
  job: job.plan.name,
  attempt: job.attempt,
  data: { from: job.slurmState, ...data }
})

/** That a cancel which the scheduler took some time ago has no effect: what was asked just now shows the job alive. */
const unheededFacts = ({ attempt, cancel, plan, slurm }: Job, report: JobReport | undefined, at: string): Facts =>
  cancel === null || cancel.at === null || slurm === null || report === undefined || report.inferred === true ||
    cancel.unheeded >= unheededBound || parseState(report.state).phase === "ended" ||
    secondsBetween(cancel.at, at) < cancelPatienceSeconds
    ? []
    : [{
      type: "CancelUnheeded",
      job: plan.name,
      attempt,
      cause: cancel.seq,
      data: { slurm_id: slurm.id, state: report.state }
    }]

/** That a link which is not wanted is over, whether it began or not. */
const linkFacts = ({ job, link: { nonce }, slurm, taken }: UnwantedLink, report: JobReport | undefined): Facts => {
  const isOver = report === undefined
    ? taken
    : report.inferred === true
    ? taken
    : parseState(report.state).phase === "ended"
  if (!isOver) return []
  const { end = null, start = null, state = "MISSING" } = report ?? {}
  return [{
    type: "LinkEnded",
    job: job.plan.name,
    attempt: job.attempt,
    data: { nonce, slurm_id: slurm.id, state, ...(start === null || end === null ? {} : { ran: { start, end } }) }
  }]
}

const keyOf = ({ id, name, task }: JobRef): string => `${name}\0${id}\0${task}`

/**
 * What the scheduler says of all live jobs, by one question. An answer counts only if the name fits as well as the id:
 * ids are used again. A failed question changes no job; it is noted when it begins and when it ends.
 */
export const observeJobs = (session: Session): Effect.Effect<Look, never, Scheduler | Files> =>
  Effect.gen(function*() {
    const jobs = toObserve(session)
    const links = unwantedLinks(session)
    const missing = new Set<string>()
    if (jobs.length === 0 && links.length === 0) return { facts: [], missing }
    const at = yield* recordedNow
    const scheduler = yield* Scheduler
    const { failure, reports, unanswered } = yield* scheduler.snapshot([
      ...jobs.flatMap(({ slurm }) => slurm === null ? [] : [slurm]),
      ...links.map(({ slurm }) => slurm)
    ])
    const byJob = new Map(reports.map((report) => [keyOf(report), report]))
    const open = new Set(unanswered.map(keyOf))
    const health: Facts = failure !== null
      ? session.schedulerFailing ? [] : [{ type: "SchedulerFailed", data: failure }]
      : session.schedulerFailing && open.size === 0
      ? [{ type: "SchedulerRecovered", data: {} }]
      : []
    const changes = yield* Effect.forEach(jobs, (job) => {
      const { slurm } = job
      if (slurm === null || open.has(keyOf(slurm))) return Effect.succeed<Facts>([])
      return Effect.gen(function*() {
        const told = yield* withExit(session, job, byJob.get(keyOf(slurm)))
        const inferred = told?.inferred === true
        const report = inferred && !isDue(session, job, at) ? undefined : told
        if (told === undefined) missing.add(job.plan.name)
        const marks = {
          ...((yield* hasForeignClaim(session, job, report)) ? { foreign_claim: true } : {}),
          ...((yield* isGated(session, job, report)) ? { gated: true } : {})
        }
        return stateFacts(job, report, marks)
      })
    })
    const unheeded = jobs.flatMap((job) =>
      unheededFacts(job, job.slurm === null ? undefined : byJob.get(keyOf(job.slurm)), at)
    )
    const gone = links.flatMap((one) => open.has(keyOf(one.slurm)) ? [] : linkFacts(one, byJob.get(keyOf(one.slurm))))
    return { facts: [...health, ...changes.flat(), ...unheeded, ...gone], missing }
  }).pipe(
    Effect.catchTag("SchedulerUnavailableError", ({ command, message }) =>
      Effect.succeed<Look>({
        facts: session.schedulerFailing ? [] : [{ type: "SchedulerFailed", data: { command, message } }],
        missing: new Set()
      }))
  )

/**
 * Whether the attempts of these jobs have ended, asked anew: a job that was put back into the queue meanwhile is that
 * attempt's next. While nobody answers, nothing is known.
 */
export const confirmEnds = (session: Session, jobs: ReadonlyArray<Job>): Effect.Effect<Facts, never, Scheduler> =>
  Effect.gen(function*() {
    if (jobs.length === 0) return []
    const scheduler = yield* Scheduler
    const { reports, unanswered } = yield* scheduler.snapshot(
      jobs.flatMap(({ slurm }) => slurm === null ? [] : [slurm])
    )
    const byJob = new Map(reports.map((report) => [keyOf(report), report]))
    const open = new Set(unanswered.map(keyOf))
    return jobs.flatMap((job): Facts => {
      if (job.slurm === null || open.has(keyOf(job.slurm))) return []
      const report = byJob.get(keyOf(job.slurm))
      if (report !== undefined && report.inferred !== true && isRequeued(job, report)) {
        return stateFacts(job, report, {})
      }
      return [{ type: "EndConfirmed", job: job.plan.name, attempt: job.attempt, data: {} }]
    })
  }).pipe(
    Effect.catchTag(
      "SchedulerUnavailableError",
      ({ command, message }) =>
        Effect.succeed<Facts>(session.schedulerFailing ? [] : [{ type: "SchedulerFailed", data: { command, message } }])
    )
  )

/** The fact that a question is answered. */
export const answerFact = (
  { attempt, cause, id, job, part }: OpenQuestion,
  holds: boolean,
  why: string
): NewEvent<"ConditionObserved"> => ({
  type: "ConditionObserved",
  job,
  ...(attempt === 0 ? {} : { attempt }),
  cause,
  data: { binding: id, ...(part === 0 ? {} : { part }), holds, why }
})

/**
 * Deadlines that have passed. That of a missing job waits for an answer that it is `missing` still: while nobody
 * answers, nothing is known of it.
 */
export const observeTimers = (session: Session, at: string, missing: Look["missing"]): Facts => {
  const open = new Set(
    [...session.jobs.values()]
      .filter(({ plan, slurmState }) => slurmState === "MISSING" && !missing.has(plan.name))
      .map((job) => timerOf("missing", job))
  )
  return dueTimers(session, at).filter((timer) => !open.has(timer)).map(timerFact(session))
}

/** The deadline between two submissions, if it has passed: it does not wait for the next look at the world. */
export const observeSubmitTimer = (session: Session, at: string): Facts => {
  const due = session.timers.get(submitTimer)?.due
  return due !== undefined && due <= at ? [timerFact(session)(submitTimer)] : []
}

const timerFact = (session: Session) => (timer: string): NewEvent<"TimerFired"> => {
  const cause = session.timers.get(timer)?.seq
  return { type: "TimerFired", ...(cause === undefined ? {} : { cause }), data: { timer } }
}
