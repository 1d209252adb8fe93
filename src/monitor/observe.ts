/** One look at the world: what of it is new becomes facts. */
import * as Effect from "effect/Effect"
import { parseState } from "../backend/slurm/states.ts"
import type { NewEvent } from "../event/EventRecord.ts"
import type { FactType } from "../event/events.ts"
import { Files } from "../port/Files.ts"
import { type JobRef, type JobReport, Scheduler } from "../port/Scheduler.ts"
import { dueTimers, type OpenQuestion, toAsk, toObserve } from "../session/pending.ts"
import { type Job, type Session, submitTimer } from "../session/Session.ts"
import { readClaim, readExit, submittedAttempt } from "./claim.ts"

type Facts = ReadonlyArray<NewEvent<FactType>>

/** Exit code of a script that found its attempt claimed by another start. */
const claimRefused = 75

/** Whether the attempt ended because the claim of it is held by a submission that is not the session's own. */
const hasForeignClaim = (
  session: Session,
  { attempt, nonce, plan, slurm }: Job,
  report: JobReport | undefined
): Effect.Effect<boolean, never, Files> =>
  report?.exitCode !== claimRefused
    ? Effect.succeed(false)
    : Effect.map(
      readClaim(plan.output_dir, session.planId, submittedAttempt(slurm?.name) ?? attempt),
      (claim) => claim !== null && claim.nonce !== nonce
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
    const told = report !== undefined &&
      (parseState(report.state).phase !== "ended" || report.exitCode !== null || report.signal !== null)
    if (told || slurm === null || attempt === null) return report
    const exit = yield* readExit(plan.output_dir, session.planId, attempt)
    if (exit === null || exit.nonce !== nonce) return report
    if (report !== undefined) return { ...report, exitCode: exit.exitCode }
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

const stateFacts = (job: Job, report: JobReport | undefined, foreignClaim: boolean): Facts => {
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
    ...(foreignClaim ? { foreign_claim: true } : {}),
    ...(requeued ? { requeued } : {})
  })]
}

const changed = (job: Job, data: Omit<NewEvent<"JobStateChanged">["data"], "from">): NewEvent<"JobStateChanged"> => ({
  type: "JobStateChanged",
  job: job.plan.name,
  attempt: job.attempt,
  data: { from: job.slurmState, ...data }
})

const keyOf = ({ id, name, task }: JobRef): string => `${name}\0${id}\0${task}`

/**
 * What the scheduler says of all live jobs, by one question. An answer counts only if the name fits as well as the id:
 * ids are used again. A failed question changes no job; it is noted when it begins and when it ends.
 */
export const observeJobs = (session: Session): Effect.Effect<Facts, never, Scheduler | Files> =>
  Effect.gen(function*() {
    const jobs = toObserve(session)
    if (jobs.length === 0) return []
    const scheduler = yield* Scheduler
    const { failure, reports, unanswered } = yield* scheduler.snapshot(
      jobs.flatMap(({ slurm }) => slurm === null ? [] : [slurm])
    )
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
        const report = yield* withExit(session, job, byJob.get(keyOf(slurm)))
        return stateFacts(job, report, yield* hasForeignClaim(session, job, report))
      })
    })
    return [...health, ...changes.flat()]
  }).pipe(
    Effect.catchTag("SchedulerUnavailableError", ({ command, message }) =>
      Effect.succeed<Facts>(
        session.schedulerFailing ? [] : [{ type: "SchedulerFailed", data: { command, message } }]
      ))
  )

/** The fact that a question is answered. */
export const answerFact = (
  { attempt, cause, id, job }: OpenQuestion,
  holds: boolean,
  why: string
): NewEvent<"ConditionObserved"> => ({
  type: "ConditionObserved",
  job,
  ...(attempt === 0 ? {} : { attempt }),
  cause,
  data: { binding: id, holds, why }
})

/** Questions about files whose answer is yes by now. */
export const observeQuestions = (session: Session): Effect.Effect<Facts, never, Files> =>
  Effect.gen(function*() {
    const files = yield* Files
    const answered = yield* Effect.filter(toAsk(session), ({ question }) =>
      question.kind === "file_exists"
        ? files.exists(question.path).pipe(Effect.orElseSucceed(() => false))
        : Effect.succeed(false), { concurrency: 8 })
    return answered.map((open) => answerFact(open, true, "the file is there"))
  })

/** Deadlines that have passed. */
export const observeTimers = (session: Session, at: string): Facts => dueTimers(session, at).map(timerFact(session))

/** The deadline between two submissions, if it has passed: it does not wait for the next look at the world. */
export const observeSubmitTimer = (session: Session, at: string): Facts => {
  const due = session.timers.get(submitTimer)?.due
  return due !== undefined && due <= at ? [timerFact(session)(submitTimer)] : []
}

const timerFact = (session: Session) => (timer: string): NewEvent<"TimerFired"> => {
  const cause = session.timers.get(timer)?.seq
  return { type: "TimerFired", ...(cause === undefined ? {} : { cause }), data: { timer } }
}
