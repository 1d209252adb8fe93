/** Silence: a running job whose files have not grown for the threshold is stalled, once until they grow again. */
import { type Job } from "../session/Job.ts"
import { logKey } from "../session/Session.ts"
import { type Context, timerOf } from "./Context.ts"
import { raise, raiseState } from "./raise.ts"
import { isWatched } from "./termination.ts"
import { secondsBetween } from "./time.ts"

/** Sees to it that the job's silence will be noticed. */
export const watchSilence = (context: Context, job: Job): void => {
  const threshold = context.rules(job).monitoring.inactivity_threshold_seconds
  if (threshold === null) return
  const timer = timerOf("idle", job)
  if (!context.session.timers.has(timer)) context.setTimer(timer, threshold, job)
}

/** The threshold has passed since somebody looked: was there no sign of life in all that time? */
export const judgeSilence = (context: Context, job: Job): void => {
  const { log_events, inactivity_threshold_seconds: threshold } = context.rules(job).monitoring
  if (threshold === null || job.state !== "running" || job.activeAt === null || job.restart !== null) return
  const paths = [...job.logPath === null ? [] : [job.logPath], ...job.plan.output_paths]
  if (paths.some((path) => context.session.unreadable.has(logKey(job.plan.name, path)))) {
    return context.setTimer(timerOf("idle", job), threshold, job)
  }
  if (!isWatched(context, job)) return context.setTimer(timerOf("idle", job), threshold, job)
  const silent = secondsBetween(job.activeAt, context.fact.at)
  if (silent < threshold) return context.setTimer(timerOf("idle", job), threshold, job, job.activeAt)
  const metadata = {
    stall_seconds: Math.floor(silent),
    stall_threshold_seconds: threshold,
    reason: "inactivity_timeout"
  }
  for (const rule of log_events) {
    if (rule.pattern_type !== "inactivity") continue
    raise(context, context.now(job), rule.name, "inactivity", rule, { ...rule.metadata, ...metadata })
  }
  raiseState(context, job, "stall", { ...metadata, error_type: "stall" })
}
