/**
 * The decider: what follows from a fact. Pure but for the session it is given, which it folds on as it decides, so that
 * the second of five error lines already sees the restart that the first one decided.
 */
import { parseState } from "../backend/slurm/states.ts"
import type { EventRecord, Fact } from "../event/EventRecord.ts"
import type { DecisionType, EventData } from "../event/events.ts"
import { fold } from "../session/fold.ts"
import { type Job } from "../session/Job.ts"
import { logKey, nodesTimer, recoveryTimer, type Session, submitTimer } from "../session/Session.ts"
import { tell, tellOfJob, timeUp } from "./answers.ts"
import { Context, type Rules, rulesInForce, timerOf } from "./Context.ts"
import { cancelEnding, endJob, finishJob, judgeEnd } from "./ending.ts"
import { endOverrun, watchGoal } from "./goal.ts"
import { tendChains } from "./links.ts"
import { neverBegins } from "./lost.ts"
import { terminationRule } from "./Monitoring.ts"
import { followRules } from "./newRules.ts"
import { forgetUnknown, releaseExpired } from "./nodes.ts"
import { raise } from "./raise.ts"
import { answer, giveUpTold, takeStock, workerLost } from "./requests.ts"
import { dropRollback } from "./rollback.ts"
import { followRollback } from "./rolledBack.ts"
import { judgeSilence, watchSilence } from "./silence.ts"
import { lose, notFound, refused, roomAtSite, submitWaiting } from "./submitting.ts"
import { complete, isWatched, watchTermination } from "./termination.ts"
import { unheeded } from "./unheeded.ts"

/**
 * Folds the fact into the session, decides, folds the decisions, and returns them as they must follow in the journal.
 * Their seqs go on from the fact's; `reserved` seqs (records that the journal wrote itself) are left out.
 */
export const step = (
  session: Session,
  rules: Rules,
  fact: Fact,
  reserved: ReadonlySet<number> = new Set()
): ReadonlyArray<EventRecord<DecisionType>> => {
  const open = fact.type === "ActionFinished" ? session.actions.get(fact.data.action_id) : undefined
  fold(session, fact)
  const context = new Context(session, fact.type === "RulesChanged" ? rulesInForce(session) : rules, fact, reserved)
  decide(context, fact)
  if (fact.type === "JobStateChanged" && fact.job !== undefined) context.moved.push({ job: fact.job, seq: fact.seq })
  if (fact.type === "ActionFinished" && open !== undefined) followRollback(context, open, fact.data.outcome)
  goOn(context)
  tendChains(context, submits(context))
  return context.decisions
}

/** What follows from where jobs stand now: those who waited for that are judged again; then there may be room for others. */
const goOn = (context: Context): void => {
  for (;;) {
    for (let order = context.ordered.shift(); order !== undefined; order = context.ordered.shift()) {
      const job = context.job(order.job)
      if (job === undefined) continue
      if (order.end === "finish") finishJob(context, job, order.why, order.seq)
      else endJob(context, job, order.why, order.seq)
    }
    for (let moved = context.moved.shift(); moved !== undefined; moved = context.moved.shift()) {
      tellOfJob(context, moved)
    }
    if (!context.roomChanged || !submits(context)) return
    context.roomChanged = false
    submitWaiting(context)
  }
}

/** Whether who records this fact also submits: a command that only asks leaves that to the next monitor. */
const submits = ({ fact, session: { attached } }: Context): boolean =>
  fact.type !== "OperatorRequested" || attached === null || attached === fact.epoch

const decide = (context: Context, fact: Fact): void => {
  switch (fact.type) {
    case "MonitorAttached":
      return takeStock(context)
    case "OperatorRequested":
      return answer(context, fact.data)
    case "SubmissionRefused":
      return refused(context, fact.data)
    case "SubmissionUnanswered": {
      const { message: why, nonce } = fact.data
      context.emit({ type: "SubmissionDoubted", data: { nonce, why } })
      return
    }
    case "SubmissionsSearched":
      return synchronise(context)
    case "SubmissionNotFound":
      return notFound(context, fact.data.nonce)
    case "JobStateChanged":
      return followState(context, fact.data)
    case "EndConfirmed":
    case "LinkEnded":
      context.roomChanged = true
      return
    case "LogRead":
      return readMatches(context, fact.data)
    case "ConditionObserved":
      return answered(context, fact.data)
    case "JobSubmitted":
      return followSubmission(context, fact.data)
    case "RulesChanged":
      return followRules(context)
    case "TimerFired":
      return fire(context, fact.data.timer)
    case "CancelUnheeded": {
      const job = presentJob(context)
      if (job !== undefined) unheeded(context, job, fact.data)
      return
    }
    case "JournalRepaired":
      return fact.data.told === undefined ? undefined : giveUpTold(context, fact.data.told)
    case "WorkerLost":
      return workerLost(context, fact.data.queue_id)
    case "NodesUpdated": {
      const { applied, message = "", nodes } = fact.data
      if (!applied) forgetUnknown(context, nodes, message, presentJob(context))
      return
    }
    case "ProjectNodesRead":
    case "RulesUnreadable":
    case "RulesReadable":
    case "PatternSwitchedOff":
    case "LogUnreadable":
    case "LogReadable":
    case "SessionOpened":
    case "SegmentOpened":
    case "MonitorDetached":
    case "SchedulerFailed":
    case "SchedulerRecovered":
    case "CancelAnswered":
    case "LinkCancelAnswered":
    case "ActionFinished":
    case "FollowUpEnded":
      return
  }
}

/** The job that the fact is about, unless the fact is about an attempt that is over. */
const presentJob = (context: Context): Job | undefined => {
  const job = context.job(context.fact.job)
  return job === undefined || job.attempt !== context.fact.attempt ? undefined : job
}

const followState = (context: Context, { from, reason, requeued, to }: EventData<"JobStateChanged">): void => {
  const job = presentJob(context)
  if (job === undefined) return
  if (requeued === true && job.restart !== null && from !== null && parseState(from).phase === "ended") {
    context.emit(
      { type: "RestartDropped", data: { why: "the scheduler runs the job again by itself" } },
      job,
      job.restart.seq
    )
  }
  if (requeued === true) dropRollback(context, job, "the scheduler runs the job again by itself")
  if (to === "MISSING") {
    if (context.session.settleSeconds === 0) lose(context, job)
    else context.setTimer(timerOf("missing", job), context.session.settleSeconds, job)
  } else if (parseState(to).phase === "ended") {
    context.setTimer(timerOf("settle", job), context.rules(job).monitoring.log_settle_seconds, job)
    roomAtSite(context)
  } else if (job.state === "running") {
    watchSilence(context, job)
    watchTermination(context, context.now(job))
    watchGoal(context, context.now(job))
  } else if (reason === "DependencyNeverSatisfied") {
    neverBegins(context, job)
  }
}

const readMatches = (context: Context, { identity, matches, path }: EventData<"LogRead">): void => {
  const job = context.job(context.fact.job)
  if (job === undefined) return
  if (job.state === "running" && !job.stalled) watchSilence(context, job)
  const told = (context.session.toldLogs.get(logKey(job.plan.name, path)) ?? []).filter((log) =>
    log.identity === identity
  )
  for (const { groups, line, offset, rule: name } of matches) {
    const now = context.now(job)
    if (line === undefined || !isWatched(context, now)) continue
    if (name === terminationRule && !context.rules(job).log.has(name)) {
      if (path === now.logPath && now.attempt === context.fact.attempt) complete(context, now, name, { log_path: path })
      continue
    }
    const rule = context.rules(job).log.get(name)
    if (rule === undefined) continue
    // A line that was read before is one of the attempt which it was read for.
    const before = told.find(({ to }) => offset < to)
    const reader = { ...context.now(job), attempt: before?.attempt ?? context.fact.attempt ?? job.attempt }
    const more = { line, path, told: before !== undefined }
    raise(context, reader, name, "log", rule, { ...rule.metadata, ...groups }, more)
  }
}

/** A job that is to end and was on its way to the scheduler is cancelled once its id is known. */
const followSubmission = (context: Context, { nonce }: EventData<"JobSubmitted">): void => {
  const job = presentJob(context)
  if (job !== undefined && job.nonce === nonce) cancelEnding(context, job)
  if (context.session.limited || context.job(context.fact.job)?.restart !== null) context.roomChanged = true
}

/** A question is answered: yes, and what waits goes on; or no for good. */
const answered = (context: Context, data: EventData<"ConditionObserved">): void => {
  const { binding: id, holds = true, part = 0, why = holds ? "the answer is yes" : "the answer is no" } = data
  const gate = context.session.gates.get(id)
  const open = gate?.attempt === (context.fact.attempt ?? 0) ? gate : context.session.bindings.get(id)
  if (open !== undefined) tell(context, open, part, { holds, why })
}

/** What is not known after the settle window either was never accepted. */
const synchronise = (context: Context): void => {
  const { recovery, settleSeconds, timers } = context.session
  if (recovery === null) return
  if (recovery.settled || settleSeconds === 0) {
    context.emit({ type: "SessionSynchronised", data: {} }, undefined, recovery.seq)
    context.roomChanged = true
  } else if (!timers.has(recoveryTimer)) {
    context.setTimer(recoveryTimer, settleSeconds)
  }
}

const fire = (context: Context, timer: string): void => {
  const [kind = "", ...rest] = timer.split(" ")
  const asked = /^condition(?:\.(\d+))?$/.exec(kind)
  if (asked !== null) return timeUp(context, rest.join(" "), Number(asked[1] ?? 0))
  if (timer === nodesTimer) return releaseExpired(context)
  if (timer === submitTimer) {
    context.roomChanged = true
    return
  }
  const job = context.job(rest.slice(0, -1).join(" "))
  if (job === undefined || job.attempt !== Number(rest.at(-1)) || job.outcome !== null) return
  if (kind === "restart") context.roomChanged = true
  if (kind === "idle") judgeSilence(context, job)
  if (kind === "overrun") endOverrun(context, job)
  if (kind === "settle") judgeEnd(context, job)
  if (kind === "missing" && job.slurmState === "MISSING") lose(context, job)
}
