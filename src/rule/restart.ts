/** Restarts: at most one for an attempt, within every budget, and never of an attempt that is over. */
import type { RestartAction } from "../action/actions/RestartAction.ts"
import { later } from "../event/time.ts"
import type { Occurrence } from "../session/entries.ts"
import type { Job } from "../session/Job.ts"
import { wouldHave } from "../session/would.ts"
import { laterLinesFollow } from "./behaviour.ts"
import { noteFailure } from "./breaker.ts"
import { budgetsOf, type Charge, progressOf, restartsSince, spentText } from "./budget.ts"
import { isNearItsEnd } from "./chain.ts"
import { changeHindrance, changesOf } from "./changes.ts"
import { isCancelledByOthers, noRestartCode } from "./classify.ts"
import { type Context, timerOf } from "./Context.ts"
import { failureOf } from "./failure.ts"
import { metadataOf } from "./metadata.ts"
import { excludeByRule } from "./nodes.ts"

/** Why the job is not restarted whatever its budgets are; null if nothing keeps it. */
const hindrance = (
  { fact, session }: Context,
  job: Job,
  { attempt, source }: Occurrence,
  unlessCompleted: boolean
): string | null => {
  if (attempt !== job.attempt || job.outcome !== null) return `attempt ${attempt} is over`
  if (job.ending !== null) return `the job must not go on: ${job.ending.why}`
  if (unlessCompleted && job.slurmState === "COMPLETED") return `attempt ${attempt} completed`
  if (unlessCompleted && job.completed !== null) return `attempt ${attempt} has done its work (${job.completed})`
  if (job.exitCode === noRestartCode) return `the program ended with exit code ${noRestartCode}: do not restart`
  if (source !== "state" && job.requeued && job.state === "pending") {
    return "the scheduler has put the job back into its queue, and runs it again by itself"
  }
  if (source !== "state" && job.cancel !== null && job.cancel.mode !== null) {
    return `an event before has ended the attempt as ${job.cancel.mode}`
  }
  if (source === "log" && isCancelledByOthers(session, job)) {
    return "somebody cancelled the job: what it printed while it was torn down asks for nothing"
  }
  if (isNearItsEnd(job, fact.at)) return "the time limit of its link is near, which its chain expects"
  if (job.restart !== null) return `a restart after attempt ${attempt} is decided already`
  return null
}

/** Of a line that follows from the attempt's first failure: a charge for that one, whose budget must have room, too. */
const followedCharge = (
  { session }: Context,
  { error }: Job,
  { source }: Occurrence,
  charge: Charge
): ReadonlyArray<Charge> =>
  session.behaviour >= laterLinesFollow && source === "log" && charge.fingerprint !== null && error !== null &&
    error !== charge.fingerprint
    ? [{ ...charge, fingerprint: error }]
    : []

/** No restart waits longer, in seconds, unless the first one does. */
const longestBackOff = 3600

/** Seconds that the restart waits for: from the second one without progress on twice as long each time. */
const backOffOf = (context: Context, job: Job, action: typeof RestartAction.Type, charge: Charge): number => {
  const first = action.backoff_seconds ?? context.rules(job).monitoring.restarts.backoff_seconds ?? 0
  if (!(first > 0)) return 0
  return Math.min(first * 2 ** Math.min(restartsSince(job, charge).length, 30), Math.max(longestBackOff, first))
}

/**
 * Decides a restart, or why not (`skip`). `unlessCompleted`: it is void should the attempt turn out to have completed. An
 * attempt that still lives is cancelled; the next one is submitted when the scheduler has said that it is dead, its log
 * has settled and its back-off is over.
 */
export const restart = (
  context: Context,
  job: Job,
  occurrence: Occurrence,
  action: typeof RestartAction.Type,
  unlessCompleted: boolean,
  skip: (why: string) => void,
  cause: number
): void => {
  const { metadata, name, source } = occurrence
  const acts = context.acts(job)
  const hindered = !acts && wouldHave(job, "restart")
    ? `a restart after attempt ${job.attempt} would have been decided already`
    : hindrance(context, job, occurrence, unlessCompleted)
  if (hindered !== null) return skip(hindered)
  const unchangeable = changeHindrance(job, action)
  if (unchangeable !== null) return skip(unchangeable)
  const charge: Charge = {
    rule: source === "state" ? `state ${name}` : name,
    fingerprint: unlessCompleted ? failureOf(job, occurrence) : null,
    progress: progressOf(context.session, context.rules(job), job, action)
  }
  const budgets = budgetsOf(context.rules(job), job, action, charge)
  const [why] = [charge, ...followedCharge(context, job, occurrence, charge)].flatMap((one) =>
    budgetsOf(context.rules(job), job, action, one).filter(({ after }) => after < 0).map((spent) =>
      spentText(spent, one)
    )
  )
  if (why !== undefined) {
    skip(why)
    if (job.attention?.reason !== why) context.emit({ type: "AttentionNeeded", data: { why } }, job, cause)
    return
  }
  const own = budgets.find(({ kind }) => kind === "rule")
  const reason = action.reason || metadataOf(metadata, "reason") || name
  const changes = changesOf(context, job, occurrence, action)
  const wait = job.links.length > 0 ? 0 : backOffOf(context, job, action, charge)
  const seq = context.emit(
    {
      type: "RestartDecided",
      data: {
        event: name,
        reason,
        budget: own === undefined ? null : { before: own.before, after: own.after },
        unless_completed: unlessCompleted,
        by: "rule",
        ...charge,
        budgets,
        ...(changes === null ? {} : { changes }),
        ...(wait === 0 ? {} : { not_before: later(context.fact.at, wait) })
      }
    },
    job,
    cause
  )
  if (action.exclude_nodes === "failed" && action.exclude_scope !== undefined && action.exclude_scope !== "job") {
    const naming = { nodes: "failed", reason, seconds: action.exclude_seconds, scope: action.exclude_scope }
    excludeByRule(context, context.now(job), occurrence, naming, () => {}, seq)
  }
  if (wait > 0 && acts) context.setTimer(timerOf("restart", job), wait, job)
  endAttempt(context, context.now(job), `restart: ${reason}`, seq)
  if (acts) noteFailure(context, context.now(job), occurrence, charge, seq)
}

/** Asks for the end of an attempt that still lives, unless that was done. */
export const endAttempt = (context: Context, job: Job, why: string, cause: number): void => {
  if (job.live && job.slurm !== null && job.cancel === null) {
    context.emit({ type: "CancelDecided", data: { slurm_id: job.slurm.id, why } }, job, cause)
  }
}
