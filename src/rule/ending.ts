/** The end of an attempt and of a job. */
import { eventAction } from "../action/actions.ts"
import type { Job } from "../session/Session.ts"
import { classify } from "./classify.ts"
import { type Context, timerOf } from "./Context.ts"
import { boundAt, raiseState } from "./raise.ts"
import { secondsBetween } from "./time.ts"

/**
 * Judges an ended attempt, if its log has been quiet for the settle time; otherwise waits on. An end that a decided
 * restart has brought about raises no event: it is not the job's own.
 */
export const judgeEnd = (context: Context, job: Job): void => {
  const settle = context.rules.monitoring.log_settle_seconds
  if (job.activeAt !== null && secondsBetween(job.activeAt, context.fact.at) < settle) {
    return context.setTimer(timerOf("settle", job), settle, job, job.activeAt)
  }
  const { metadata, mode, outcome, why } = classify(job)
  context.emit({ type: "JobClassified", data: { mode, outcome, why, metadata } }, job)
  if (job.restart === null) raiseState(context, job, mode, metadata)
  finishIfJudged(context, job)
}

/** Ends a judged job, unless a restart is decided or still waits for its conditions. */
export const finishIfJudged = (context: Context, job: Job): void => {
  const { attempt, outcome, plan, restart, verdict } = context.now(job)
  if (verdict === null || outcome !== null) return
  if (restart !== null) {
    context.roomChanged = true
    return
  }
  for (const { occurrence, position } of context.session.bindings.values()) {
    if (occurrence.job !== plan.name || occurrence.attempt !== attempt) continue
    const bound = boundAt(context, occurrence, position)
    if (bound !== undefined && eventAction(bound).action.class_name === "RestartAction") return
  }
  finish(context, context.now(job), verdict.outcome, verdict.why)
}

/** Gives the job its outcome. Questions that wait only while a job lives are given up. */
export const finish = (context: Context, job: Job, outcome: NonNullable<Job["outcome"]>, why: string): void => {
  context.emit({ type: "JobFinished", data: { outcome, why } }, job)
  for (const { asked, className, condition, id, occurrence } of [...context.session.bindings.values()]) {
    if (occurrence.job !== job.plan.name || asked.waitsAfterJob) continue
    const data = { binding: id, condition, class_name: className, why: "the job has ended" }
    context.emit({ type: "ConditionFailed", data }, job)
  }
  context.roomChanged = true
}
