/** Attempts that came to nothing through no fault of the job: submitted again, a few times in a row, no budget touched. */
import type { Job } from "../session/Job.ts"
import { lostProgressCounts } from "./behaviour.ts"
import { progressOf } from "./budget.ts"
import type { Context } from "./Context.ts"
import { endAttempt } from "./restart.ts"

/** How often in a row a submission, or a job, may be lost before the job is given up. */
export const lostBound = 5

/** The cause of a restart because the scheduler lost the job. */
const LOST = "lost"

export const lostInARow = ({ restarts }: Job): number =>
  restarts.length - 1 - restarts.findLastIndex(({ cause }) => cause !== LOST)

/** What a restart says that draws on no budget. */
export const uncharged = { fingerprint: null, progress: null, budgets: [] }

/** An attempt that was lost may have made progress before: what it overcame is not held against the job. */
const made = (context: Context, job: Job): boolean | null =>
  context.session.behaviour < lostProgressCounts
    ? null
    : progressOf(context.session, context.rules(job), job, { progress: null })

/** Decides that the job is submitted again; returns the decision's seq. */
export const restartLost = (context: Context, job: Job, reason: string): number =>
  context.emit({
    type: "RestartDecided",
    data: {
      event: LOST,
      reason,
      budget: null,
      unless_completed: false,
      by: "lost",
      ...uncharged,
      progress: made(context, job)
    }
  }, job)

/** The scheduler says that what the attempt waits for cannot happen any more: it would wait for ever. */
export const neverBegins = (context: Context, job: Job): void => {
  if (job.plan.chain === undefined || job.restart !== null || job.ending !== null || !context.acts(job)) return
  if (lostInARow(job) + 1 >= lostBound) {
    const why = "the scheduler says time and again that what it waits for in the queue cannot happen"
    context.emit({ type: "AttentionNeeded", data: { why } }, job)
    return
  }
  const why = "the scheduler says that what it waits for cannot happen"
  endAttempt(context, context.now(job), why, restartLost(context, job, why))
}
