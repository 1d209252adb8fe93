/**
 * Silence: a running job is stalled whose files have not grown for the threshold or, where its rules declare progress, that
 * has made none for as long as it is granted. Once, until it breaks its silence.
 */
import { secondsBetween } from "../event/time.ts"
import { type Job } from "../session/Job.ts"
import { logKey } from "../session/Session.ts"
import { type Context, timerOf } from "./Context.ts"
import { raise, raiseState } from "./raise.ts"
import { type Patience, patienceOf, stallsByProgress } from "./stall.ts"
import { isWatched } from "./termination.ts"

interface Silence extends Patience {
  readonly byProgress: boolean
}

/** What would be silence of the job; null: nothing would. */
const silenceOf = (context: Context, job: Job): Silence | null => {
  const rules = context.rules(job)
  const { counted: { pace, total } } = job
  // What is left to do once all steps are done counts no steps.
  const isThrough = total !== null && (pace.high.step ?? -1) >= total
  if (stallsByProgress(context.session, rules) && !isThrough) {
    const patience = patienceOf(rules, job)
    return patience === null ? null : { ...patience, byProgress: true }
  }
  const { inactivity_threshold_seconds: seconds } = rules.monitoring
  return seconds === null || job.activeAt === null ? null : { since: job.activeAt, seconds, byProgress: false }
}

/** Sees to it that the job's silence will be noticed: not later than when it would be one by what is known now. */
export const watchSilence = (context: Context, job: Job): void => {
  const silence = silenceOf(context, job)
  if (silence === null) return
  const timer = timerOf("idle", job)
  const set = context.session.timers.get(timer)
  if (!silence.byProgress) {
    if (set === undefined) context.setTimer(timer, silence.seconds, job)
  } else if (set === undefined || secondsBetween(silence.since, set.due) > silence.seconds + slack(silence)) {
    context.setTimer(timer, silence.seconds, job, silence.since)
  }
}

/** A timer that fires only so much late is left as it is: each read may change by a little how long a job is granted. */
const slack = ({ seconds }: Silence): number => seconds / 4

/** The threshold has passed since somebody looked: was there no sign of life in all that time? */
export const judgeSilence = (context: Context, job: Job): void => {
  const { log_events } = context.rules(job).monitoring
  const silence = silenceOf(context, job)
  if (silence === null || job.state !== "running" || job.restart !== null) return
  const { byProgress, seconds: threshold, since } = silence
  const paths = [...job.logPath === null ? [] : [job.logPath], ...job.plan.output_paths]
  if (paths.some((path) => context.session.unreadable.has(logKey(job.plan.name, path)))) {
    return context.setTimer(timerOf("idle", job), threshold, job)
  }
  if (!isWatched(context, job)) return context.setTimer(timerOf("idle", job), threshold, job)
  const silent = secondsBetween(since, context.fact.at)
  if (silent < threshold) return context.setTimer(timerOf("idle", job), threshold, job, since)
  const { step } = job.counted
  const metadata = {
    stall_seconds: Math.floor(silent),
    stall_threshold_seconds: threshold,
    reason: byProgress ? "no_progress" : "inactivity_timeout",
    ...(byProgress && step !== null ? { step: step.value } : {})
  }
  for (const rule of log_events) {
    if (rule.pattern_type !== "inactivity") continue
    raise(context, context.now(job), rule.name, "inactivity", rule, { ...rule.metadata, ...metadata })
  }
  const more = byProgress ? { no_progress: true as const } : {}
  raiseState(context, job, "stall", { ...metadata, error_type: "stall" }, more)
}

/** Other rules are in force: the job's silence is judged by them, from its last sign of life on. */
export const watchAnew = (context: Context, job: Job): void => {
  if (job.state !== "running" || job.stalled) return
  const silence = silenceOf(context, job)
  if (silence !== null) context.setTimer(timerOf("idle", job), silence.seconds, job, silence.since)
}
