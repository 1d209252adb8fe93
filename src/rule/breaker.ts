/** The circuit breaker: where many jobs fail alike at once, it is not they that are broken, and restarts only burn time. */
import { secondsBetween } from "../event/time.ts"
import type { Occurrence } from "../session/entries.ts"
import type { Job } from "../session/Job.ts"
import type { Charge } from "./budget.ts"
import type { Context } from "./Context.ts"
import { metadataOf } from "./metadata.ts"

/** Time limits and preemption end many healthy jobs at once. */
const isOrdinary = ({ metadata, name, source }: Occurrence): boolean =>
  (source === "state" && name === "timeout") || metadataOf(metadata, "error_type") === "preempted"

/** Takes note of a failure that a restart answers, and pauses restarts if too many jobs have failed so lately. */
export const noteFailure = (
  context: Context,
  job: Job,
  occurrence: Occurrence,
  { fingerprint, progress }: Charge,
  cause: number
): void => {
  const { alike, breaker, breakerOpen } = context.session
  if (breaker === null || breakerOpen !== null || fingerprint === null || progress === true) return
  if (isOrdinary(occurrence)) return
  const recent = [...alike.get(fingerprint) ?? []].filter(([, at]) =>
    secondsBetween(at, context.fact.at) <= breaker.within_seconds
  )
  const jobs = recent.map(([name]) => name)
  if (jobs.length < breaker.jobs || !jobs.includes(job.plan.name)) return
  const why = `${jobs.length} jobs failed alike within ${breaker.within_seconds} s: ${fingerprint}`
  context.emit({ type: "BreakerOpened", data: { fingerprint, jobs, why } }, undefined, cause)
}
