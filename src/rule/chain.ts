/** Chains: when the end of an attempt is one that its link was to have, and what follows. */
import { RestartAction } from "../action/actions/RestartAction.ts"
import type { JobOutcome } from "../event/terms.ts"
import { secondsBetween } from "../event/time.ts"
import type { Job } from "../session/Job.ts"
import { progressOf } from "./budget.ts"
import { noRestartCode } from "./classify.ts"
import type { Context } from "./Context.ts"

/** Whether an attempt that began at `start` has run for so long at `at` that its time limit is what ends it. */
const isOverdue = ({ plan: { chain }, start }: Job, at: string | null): boolean => {
  const after = chain?.expected_after_seconds ?? null
  return after !== null && start !== null && at !== null && secondsBetween(start, at) >= after
}

/** Whether the attempt runs, and its time limit, which its chain expects, is near. */
export const isNearItsEnd = (job: Job, at: string): boolean => job.live && isOverdue(job, at)

/**
 * Whether the attempt has ended as its chain expects: at its time limit, by the program's own exit after the warning before
 * that, or as completed, without having done all the work and without being ended by anybody.
 */
export const endsLink = (job: Job): boolean => {
  const { cancel, completed, ending, exitCode, plan, restart, slurmState } = job
  if (plan.chain === undefined || completed !== null || ending !== null || cancel !== null) return false
  if (restart !== null && !(restart.by === "rule" && restart.unlessCompleted)) return false
  if (exitCode === noRestartCode) return false
  return slurmState === "TIMEOUT" || slurmState === "COMPLETED" ||
    (slurmState === "FAILED" && job.errorTypes.length === 0 && isOverdue(job, job.end))
}

/** Whether the attempt came further than those before it, as far as anybody can tell. */
export const linkProgress = (context: Context, job: Job): boolean | null =>
  progressOf(context.session, context.rules(job), job, RestartAction.make({ class_name: "RestartAction" }))

/** How many links in a row, the present one included, are known to have come no further. */
const idleLinks = ({ restarts }: Job): number =>
  restarts.length - restarts.findLastIndex(({ cause, progress }) => cause !== "link" || progress !== false)

/** Why the chain ends with this link that ended as expected, and as what; null: the next one follows. */
export const chainStop = (
  context: Context,
  job: Job,
  progress: boolean | null
): { readonly outcome: JobOutcome; readonly why: string } | null => {
  const { chain } = job.plan
  if (chain === undefined) return null
  const all = chain.links === 1 ? "its only link has run" : `all ${chain.links} links of its chain have run`
  if (job.link >= chain.links) {
    return chain.until === null
      ? { outcome: "success", why: all }
      : { outcome: "timeout", why: `${all}, and its until (${chain.until.class_name}) does not hold` }
  }
  const most = context.rules(job).monitoring.restarts.max_no_progress
  const idle = progress === false ? idleLinks(job) : 0
  return most === null || idle <= most
    ? null
    : { outcome: "failed", why: `${idle} links of its chain in a row have made no progress` }
}
