/** The end of an attempt and of a job. */
import type { Mode } from "../event/terms.ts"
import { secondsBetween } from "../event/time.ts"
import { type Job } from "../session/Job.ts"
import { rollbackOf } from "../session/rollback.ts"
import { eventKey, logKey } from "../session/Session.ts"
import { wouldHave } from "../session/would.ts"
import { successRecovers } from "./behaviour.ts"
import { boundAt, startsAgain } from "./bound.ts"
import { chainStop, endsLink, linkProgress } from "./chain.ts"
import { type Classification, classify, isCancelledByOthers, noRestartCode } from "./classify.ts"
import { type Context, timerOf } from "./Context.ts"
import { disproved } from "./disproved.ts"
import { askDone, asksDone, doneText } from "./finishing.ts"
import { isGoalSettled } from "./goal.ts"
import { lostBound, lostInARow, restartLost, uncharged } from "./lost.ts"
import { raiseState } from "./raise.ts"
import { dropRollback } from "./rollback.ts"

/**
 * Judges an ended attempt, if its log has been quiet for the settle time; otherwise waits on. An end that a decided
 * restart or end has brought about raises no event: it is not the job's own.
 */
export const judgeEnd = (context: Context, job: Job): void => {
  const settle = context.rules(job).monitoring.log_settle_seconds
  if (job.activeAt !== null && secondsBetween(job.activeAt, context.fact.at) < settle) {
    return context.setTimer(timerOf("settle", job), settle, job, job.activeAt)
  }
  if (hasUnread(context, job)) return context.setTimer(timerOf("settle", job), 0, job)
  if (job.foreignClaim) return refuseClaim(context, job)
  if (job.gated) return stopAtGate(context, job)
  if (classify(job).mode !== "success" && job.ending === null && asksDone(job) && job.done === "unasked") {
    askDone(context, job, 0, context.fact.seq)
  }
  const { done } = context.now(job)
  if (done === "asking" && job.ending === null && asksDone(job)) return
  const isDone = done === "yes" && job.ending === null && asksDone(job)
  const rolls = rollbackOf(context.session, job) !== null
  if (!isDone && !rolls && endsLink(job)) {
    if (!isGoalSettled(context, job)) return
    job = context.now(job)
    if (endsLink(job)) return endLink(context, job)
  }
  const { metadata, mode, outcome, why } = isDone ? doneVerdict(context.now(job)) : classify(job)
  const ending = mode === "success" ? null : job.ending
  const judged = ending === null ? { outcome, why } : { outcome: "cancelled" as const, why: ending.why }
  context.emit({ type: "JobClassified", data: { mode, ...judged, metadata } }, job)
  if (mode === "success" && job.restart?.unlessCompleted === true) {
    context.emit({ type: "RestartDropped", data: { why: "the attempt completed" } }, job, job.restart.seq)
  }
  if (mode === "success") dropRollback(context, job, "the attempt completed")
  else if (isCancelledByOthers(context.session, job)) dropRollback(context, job, "somebody cancelled the job")
  const { restart } = context.now(job)
  if (job.exitCode === noRestartCode && restart !== null && restart.by === "rule") {
    const why = `the program ended with exit code ${noRestartCode}: do not restart`
    context.emit({ type: "RestartDropped", data: { why } }, job, restart.seq)
  }
  const now = context.now(job)
  const otherwise = disproved(context, now)
  if (otherwise !== null && now.restart !== null) {
    context.emit({ type: "RestartDropped", data: { why: otherwise } }, job, now.restart.seq)
  }
  const isOwnEnd = context.now(job).restart === null && rollbackOf(context.session, job) === null
  if (isOwnEnd && ending === null && !wasRaised(context, job, mode)) {
    raiseState(context, job, mode, metadata)
  }
  finishIfJudged(context, job)
}

/** What an attempt ends as that ended badly, and whose work is done for all that. */
const doneVerdict = (job: Job): Classification => {
  const { metadata, why } = classify(job)
  return {
    mode: "success",
    outcome: "success",
    why: `${doneText(job)} (its last attempt: ${why})`,
    metadata: { ...metadata, reason: "already-done" }
  }
}

/** An end that a chain expects: its next link goes on, unless that was the last one. */
const endLink = (context: Context, job: Job): void => {
  const { metadata, mode: said, why } = classify(job)
  const progress = linkProgress(context, job)
  const stop = chainStop(context, job, progress)
  const mode = said === "success" ? said : "timeout"
  const reason = `link ${job.link} of ${job.plan.chain?.links ?? 1} has ended as expected (${why})`
  const outcome = stop?.outcome ?? mode
  context.emit({ type: "JobClassified", data: { mode, outcome, why: stop?.why ?? reason, metadata } }, job)
  if (job.restart !== null) {
    context.emit({ type: "RestartDropped", data: { why: reason } }, job, job.restart.seq)
  }
  if (stop === null) {
    const data = {
      event: "link",
      reason: `next link of the chain: ${reason}`,
      budget: null,
      unless_completed: false,
      by: "chain" as const,
      ...uncharged,
      progress
    }
    context.emit({ type: "RestartDecided", data }, context.now(job))
  } else if (stop.outcome === "success") {
    raiseState(context, context.now(job), "success", metadata)
  } else {
    context.emit({ type: "AttentionNeeded", data: { why: stop.why } }, job)
  }
  finishIfJudged(context, job)
}

/** A link that was not let begin has not failed: the job is submitted anew, as one that was lost. */
const stopAtGate = (context: Context, job: Job): void => {
  const why = "its link ended at the gate of its chain before it began"
  const data = { mode: "crash" as const, outcome: "failed" as const, why, metadata: {} }
  context.emit({ type: "JobClassified", data }, job)
  if (job.ending !== null) return finish(context, job, "cancelled", job.ending.why, job.ending.seq)
  if (lostInARow(job) + 1 >= lostBound) {
    context.emit({ type: "AttentionNeeded", data: { why } }, job)
  } else if (job.restart === null) {
    restartLost(context, context.now(job), why)
  }
  finishIfJudged(context, job)
}

/** A stall was told of while the attempt was silent, as a success may have been while it ran. */
const wasRaised = ({ session }: Context, { attempt, completed, plan }: Job, mode: Mode): boolean =>
  completed !== null ||
  mode === "stall" && session.events.has(eventKey(plan.name, attempt, mode))

/** Whether bytes of the job's files are known that were not read yet. */
const hasUnread = ({ session }: Context, { logPath, plan }: Job): boolean =>
  [...logPath === null ? [] : [logPath], ...plan.output_paths].some((path) => {
    const position = session.logs.get(logKey(plan.name, path))
    return position !== undefined && position.offset < position.size && !session.unreadable.has(logKey(plan.name, path))
  })

/** The attempt is run by a start that is not of this session: to restart it would be to run it twice. */
const refuseClaim = (context: Context, job: Job): void => {
  const why = "another start of this attempt holds its claim, and may still run"
  context.emit({ type: "AttentionNeeded", data: { why } }, job)
  finish(context, job, "abandoned", why)
}

/** Ends a judged job, unless a restart is decided or still waits for its conditions. */
export const finishIfJudged = (context: Context, job: Job): void => {
  const { attempt, ending, outcome, plan, restart, verdict } = context.now(job)
  if (verdict === null || outcome !== null || context.ordered.some(({ job }) => job === plan.name)) return
  if (restart !== null) {
    context.roomChanged = true
    return
  }
  if (ending === null && rollbackOf(context.session, context.now(job)) !== null) return
  for (const { occurrence, position } of context.session.bindings.values()) {
    if (occurrence.job !== plan.name || occurrence.attempt !== attempt || ending !== null) continue
    const bound = boundAt(context, occurrence, position)
    if (bound !== undefined && startsAgain(bound)) return
  }
  finish(context, context.now(job), verdict.outcome, verdict.why)
}

/** Gives the job its outcome. Questions that wait only while a job lives are given up. */
export const finish = (
  context: Context,
  job: Job,
  outcome: NonNullable<Job["outcome"]>,
  why: string,
  cause?: number
): void => {
  dropRollback(context, job, `the job has ended as ${outcome}`)
  const seq = context.emit({ type: "JobFinished", data: { outcome, why } }, job, cause)
  context.moved.push({ job: job.plan.name, seq })
  if (outcome === "success" && job.attention !== null && context.session.behaviour >= successRecovers) {
    context.emit(
      { type: "AttentionCleared", data: { why: "recovered: the job ended in success", undone: null } },
      job,
      seq
    )
  }
  for (const { asked, className, condition, id, occurrence } of [...context.session.bindings.values()]) {
    if (occurrence.job !== job.plan.name || asked.waitsAfterJob) continue
    const data = { binding: id, condition, class_name: className, why: "the job has ended" }
    context.emit({ type: "ConditionFailed", data }, job)
  }
  context.roomChanged = true
}

/**
 * Ends a job that must not go on: at once if nothing of it can run, else by a cancel and once it is dead. What may have
 * been submitted is waited for: only the scheduler's answer tells what there is to cancel.
 */
export const endJob = (context: Context, job: Job, why: string, cause: number): void => {
  if (job.outcome !== null || job.ending !== null) return
  const acts = context.acts(job)
  if (!acts && wouldHave(job, "end")) return
  const seq = context.emit({ type: "EndDecided", data: { why } }, job, cause)
  if (!acts) return
  if (job.restart !== null) context.emit({ type: "RestartDropped", data: { why } }, job, seq)
  const { cancel, live, state, verdict } = context.now(job)
  if (live) {
    if (cancel === null) cancelEnding(context, context.now(job))
  } else if (state === "planned" || state === "waiting" || verdict !== null) {
    finish(context, context.now(job), "cancelled", why, seq)
  }
}

/** The job has done its work: a live attempt is watched until its end, one that was judged is a success after all. */
export const finishJob = (context: Context, job: Job, why: string, cause: number): void => {
  if (job.outcome !== null || job.ending !== null) return
  if (job.restart !== null) context.emit({ type: "RestartDropped", data: { why } }, job, job.restart.seq)
  if (job.verdict === null) {
    if (job.completed === null) raiseState(context, context.now(job), "success", { reason: why }, { completes: true })
    return
  }
  if (job.verdict.outcome !== "success") {
    const data = { mode: "success" as const, outcome: "success" as const, why: `it has done its work: ${why}` }
    context.emit({ type: "JobClassified", data: { ...data, metadata: { reason: why } } }, job, cause)
  }
  finishIfJudged(context, job)
}

/** Asks for the end of the attempt of a job that must not go on. */
export const cancelEnding = (context: Context, { ending, plan, slurm }: Job): void => {
  const job = context.job(plan.name)
  if (ending === null || slurm === null || job === undefined) return
  context.emit({ type: "CancelDecided", data: { slurm_id: slurm.id, why: ending.why } }, job, ending.seq)
}
