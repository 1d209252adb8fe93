/** Submissions: intended once, doubted where nobody knows, repeated only when they are known to be lost. */
import type { EventData } from "../event/events.ts"
import { secondsBetween } from "../event/time.ts"
import { type Job } from "../session/Job.ts"
import { excludedBy } from "../session/nodes.ts"
import { rollbackOf } from "../session/rollback.ts"
import { submitTimer } from "../session/Session.ts"
import { wouldHave } from "../session/would.ts"
import { limitsAreWaitedOut } from "./behaviour.ts"
import { rewritten, sbatchOptions } from "./changes.ts"
import { type Context, timerOf } from "./Context.ts"
import { finish } from "./ending.ts"
import { isAllowed, openGates } from "./gates.ts"
import { hasLinks, nextNumber, takeLink } from "./links.ts"
import { lostBound, lostInARow, restartLost } from "./lost.ts"
import { forgetUnknown } from "./nodes.ts"

/** Seconds until the scheduler, which takes no more jobs at present, is asked again: the first wait, and the longest. */
const refusedWait = 60
const longestWait = 600

const backOff = (times: number): number => Math.min(longestWait, refusedWait * 2 ** Math.min(times - 1, 16))

/** Whether the session waits for limits to pass, as later releases do. */
const isPatient = ({ session }: Context): boolean => session.behaviour >= limitsAreWaitedOut

/** The scheduler said no: the jobs end as failed, with its words; or they wait, if it says that of now alone. */
export const refused = (
  context: Context,
  { message, nonce, temporary = false, unmade = false }: EventData<"SubmissionRefused">
): void => {
  const told = excludedBy(context.session.submissions.get(nonce)?.options ?? [])
  if (!temporary && forgetUnknown(context, told, message)) {
    takeBack(context, nonce)
    context.roomChanged = true
    return
  }
  if (context.session.submissions.get(nonce)?.ahead === true) {
    takeBack(context, nonce)
    return waitForLinks(context)
  }
  if (temporary) {
    takeBack(context, nonce)
    if (isPatient(context)) {
      // The submit command is run for one after another: it was not yet for those that are open still.
      for (const { doubted, nonce: other } of [...context.session.submissions.values()]) {
        if (!doubted) takeBack(context, other)
      }
    }
    context.setTimer(submitTimer, isPatient(context) ? backOff(context.session.siteLimit?.times ?? 1) : refusedWait)
    return
  }
  for (const name of context.session.submissions.get(nonce)?.jobs ?? []) {
    const job = context.job(name)
    const why = unmade ? `its script could not be made: ${message}` : `the scheduler refused it: ${message}`
    if (job !== undefined) finish(context, job, "failed", why)
  }
}

/** A link that the scheduler does not queue is no failure: the chain goes on without, and it is asked again later. */
const waitForLinks = (context: Context): void => {
  const job = context.job(context.fact.job)
  if (job !== undefined) context.setTimer(timerOf("links", job), backOff(job.linksRefused), job)
  context.roomChanged = true
}

/** The jobs of a submission that was not made wait again. */
const takeBack = (context: Context, nonce: string): void => {
  const { ahead = false, jobs = [] } = context.session.submissions.get(nonce) ?? {}
  context.emit({ type: "SubmissionLost", data: { nonce, refused: true } })
  if (ahead) return
  for (const name of jobs) {
    const job = context.job(name)
    if (job !== undefined && job.ending !== null) finish(context, job, "cancelled", job.ending.why, job.ending.seq)
  }
}

/** A place may be free where a limit is waited for: a job of the session has ended. */
export const roomAtSite = (context: Context): void => {
  const { siteLimit, timers } = context.session
  const due = timers.get(submitTimer)?.due
  if (!isPatient(context) || siteLimit === null || due === undefined) return
  if (secondsBetween(context.fact.at, due) > freedWait) context.setTimer(submitTimer, freedWait)
}

/** Seconds that the scheduler may need to count a job that has ended no more. */
const freedWait = 10

/** Nobody knows the name: lost, if that is still so after the settle window. */
export const notFound = (context: Context, nonce: string): void => {
  const submission = context.session.submissions.get(nonce)
  if (submission === undefined) return
  if (submission.settled || context.session.settleSeconds === 0) {
    context.emit({ type: "SubmissionLost", data: { nonce } })
    context.roomChanged = true
    if (submission.ahead) return
    for (const name of submission.jobs) {
      const job = context.job(name)
      if (job === undefined) continue
      if (job.ending !== null) finish(context, job, "cancelled", job.ending.why, job.ending.seq)
      if (job.ending !== null || job.lostSubmissions < lostBound) continue
      if (isPatient(context)) waitOutLosses(context, job)
      else finish(context, job, "abandoned", `${lostBound} submissions in a row did not reach the scheduler`)
    }
    context.roomChanged = true
  } else {
    context.setTimer(`submission ${nonce}`, context.session.settleSeconds)
  }
}

/** A controller that is too busy to answer fails nobody's job: it is asked less often, and a person is told. */
const waitOutLosses = (context: Context, job: Job): void => {
  const why = `${job.lostSubmissions} submissions in a row did not reach the scheduler; it is asked again by and by`
  if (job.attention === null) context.emit({ type: "AttentionNeeded", data: { why } }, job)
  context.setTimer(submitTimer, backOff(job.lostSubmissions - lostBound + 1))
}

/** A job that ran and that neither scheduler nor accounting know any more: submitted again, no budget touched. */
export const lose = (context: Context, job: Job): void => {
  if (job.ending !== null) return finish(context, job, "cancelled", job.ending.why, job.ending.seq)
  if (job.completed !== null) return finish(context, job, "success", `it has done its work: ${job.completed}`)
  context.emit({ type: "JobLost", data: {} }, job)
  if (lostInARow(job) + 1 >= lostBound) {
    const why = `the scheduler accepted the job ${lostBound} times in a row and then did not know it`
    context.emit({ type: "AttentionNeeded", data: { why } }, job)
    return finish(context, job, "abandoned", why)
  }
  if (job.restart === null) {
    const reason = "the scheduler lost the job"
    const acts = context.acts(job)
    restartLost(context, job, reason)
    if (!acts) return finish(context, job, "abandoned", reason)
  }
  context.roomChanged = true
}

const waits = ({ outcome, restart, state, verdict }: Job): boolean =>
  state === "waiting" || (restart !== null && verdict !== null && outcome === null)

/** For how many seconds the scheduler's word that an attempt has ended is as good as a new one. */
const freshSeconds = 30

/**
 * Whether the old attempt is known to be dead, of which the scheduler is asked again if its answer is not fresh: a job
 * that waited for room, a gate or an operator may have been put back into the queue meanwhile.
 */
const isSeenDead = (context: Context, job: Job): boolean => {
  const { doubted, restart, seenDead, slurm, slurmState } = job
  if (restart === null || slurm === null || slurmState === "MISSING") return true
  if (seenDead !== null && secondsBetween(seenDead, context.fact.at) <= freshSeconds) return true
  if (!doubted) context.emit({ type: "EndDoubted", data: { seen: seenDead } }, job, restart.seq)
  return false
}

/**
 * Whether nothing holds the job back: an operator, the rollback of its checkpoint, a back-off, or the breaker, which holds
 * restarts that no operator asked for.
 */
const mayGo = ({ fact, session }: Context, job: Job): boolean => {
  const { attempt, held, restart } = job
  return held === null && rollbackOf(session, job) === null && fact.at >= (restart?.notBefore ?? "") &&
    (session.breakerOpen === null || attempt === 0 || restart?.by === "operator" || restart?.by === "chain")
}

/**
 * Intends what waits and may start, as far as `max_jobs` leaves room: tasks of one array script and attempt together.
 * With a rate limit one submission now, and the next when its timer has fired. What waits is asked for its gates first.
 */
export const submitWaiting = (context: Context): void => {
  if (context.session.recovery !== null) return
  const { jobs, maxJobs, submitRateLimitSeconds, timers } = context.session
  let room = maxJobs ?? Infinity
  const waiting: Array<Job> = []
  for (const job of jobs.values()) {
    if (job.state === "submitting" || job.live) room -= 1
    else if (waits(job) && mayGo(context, job) && (context.acts(job) || !wouldHave(job, "submit"))) waiting.push(job)
  }
  for (const job of waiting) openGates(context, job)
  const open = waiting.map((job) => context.now(job)).filter((job) => waits(job) && isAllowed(job))
  // What waits in the queue already needs no room.
  for (const job of open.filter(hasLinks)) if (isSeenDead(context, job)) takeLink(context, context.now(job))
  const allowed = open.filter((job) => !hasLinks(job))
    .slice(0, Math.max(0, room)).filter((job) => isSeenDead(context, job)).map((job) => context.now(job))
  const groups = new Map<string, Array<Job>>()
  for (const job of allowed) {
    const options = sbatchOptions(context, job).join("\0")
    const alike = `${job.plan.script}\0${job.attempt}\0${options}\0${context.acts(job)}`
    // A script that is made for one attempt is made for one job.
    const key = job.plan.array && rewritten(job).rewritten === undefined ? alike : job.plan.name
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [job])
    else group.push(job)
  }
  for (const group of inTurn(context, [...groups.values()])) {
    const [first] = group
    if (first !== undefined && !context.acts(first)) {
      intend(context, group)
      continue
    }
    if (timers.has(submitTimer) || isUnderWay(context)) continue
    if (submitRateLimitSeconds !== null && submitRateLimitSeconds > 0) {
      context.setTimer(submitTimer, submitRateLimitSeconds)
    }
    intend(context, group)
  }
}

/** Where a limit was met, one submission after another: the next one once that is answered. */
const isUnderWay = (context: Context): boolean =>
  isPatient(context) && context.session.limited &&
  [...context.session.submissions.values()].some(({ doubted }) => !doubted)

/** A limit may be on some jobs alone: those that it has not met yet come first. */
const inTurn = (
  { session: { behaviour, siteLimit } }: Context,
  groups: ReadonlyArray<ReadonlyArray<Job>>
): ReadonlyArray<ReadonlyArray<Job>> => {
  if (siteLimit === null || behaviour < limitsAreWaitedOut) return groups
  const met = (group: ReadonlyArray<Job>) => group.every(({ plan }) => siteLimit.jobs.includes(plan.name))
  return [...groups.filter((group) => !met(group)), ...groups.filter(met)]
}

const intend = (context: Context, group: ReadonlyArray<Job>): void => {
  const [first] = group
  if (first === undefined) return
  const { attempt: before, plan, restart } = first
  const attempt = before + 1
  const nonce = `${context.session.entropy}${context.nextSeq().toString(36)}`
  const base = plan.array ? `${context.session.project}-array` : plan.name
  context.emit(
    {
      type: "SubmissionIntended",
      ...(group.length === 1 ? { job: plan.name } : {}),
      attempt,
      data: {
        nonce,
        name: `${base}.${nextNumber(first)}.${nonce}`,
        ...rewritten(first),
        jobs: group.map(({ plan }) => plan.name),
        array: plan.array ? group.map(({ plan }) => plan.task ?? plan.index) : null,
        options: sbatchOptions(context, first),
        ...(context.acts(first) ? {} : { would: true as const })
      }
    },
    undefined,
    restart?.seq
  )
}
