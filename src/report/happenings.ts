/** Records of the journal as sentences for people. */
import type { EventRecord } from "../event/EventRecord.ts"
import { questionText } from "../event/Question.ts"
import { wouldOf } from "../session/would.ts"
import type { Happening } from "./live.ts"

const seconds = (from: string, to: string): string => `${Math.round((Date.parse(to) - Date.parse(from)) / 1000)} s`

/** What an action came to, as `name=value` each. */
export const resultText = (result: Readonly<Record<string, unknown>>): string =>
  Object.entries(result).map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ")

/** What the record says; "would" before what was not done because the session was only observed. */
export const sentence = (record: EventRecord): string | null => {
  if (wouldOf(record) === null) return saying(record)
  return `would, if it acted: ${record.type === "SubmissionIntended" ? `submit ${record.data.name}` : saying(record)}`
}

/** What the record says; null where it only serves the machinery (reads without matches, timers, seals). */
const saying = (record: EventRecord): string | null => {
  switch (record.type) {
    case "SessionOpened":
      return `session ${record.data.plan_id} opened: ${record.data.jobs.length} jobs`
    case "RulesChanged":
      return `the rules changed: ${record.data.changed.join(", ")}`
    case "RulesUnreadable":
      return `the rules were edited, but cannot be read, so those in force stay: ${record.data.message}`
    case "RulesReadable":
      return "the rules can be read again, and are those in force"
    case "MonitorAttached":
      return `watched by ${record.data.actor.user}@${record.data.actor.host} (process ${record.data.actor.pid})` +
        (record.data.observe_only === true ? ", who only observes: nothing is submitted, cancelled or run" : "")
    case "MonitorDetached":
      return `no longer watched: ${record.data.reason}`
    case "OperatorRequested": {
      const { actor, request } = record.data
      return actor.role === "operator"
        ? `${actor.user}@${actor.host} asked for ${request.kind.replace("_", " ")}`
        : null
    }
    case "SessionGrown": {
      const { added, gone, known } = record.data
      return `${added.length} jobs added, ${known.length} known` +
        (gone.length === 0 ? "" : `, ${gone.length} gone from the plan (${gone.join(", ")})`)
    }
    case "RequestRefused":
      return `request refused: ${record.data.why}`
    case "LinkTaken":
      return `goes on with ${record.data.slurm_id}, which waits in the queue`
    case "LinkCancelDecided":
      return `cancels ${record.data.slurm_id}, which waits behind it: ${record.data.why}`
    case "LinkCancelAnswered":
      return `the cancel of ${record.data.slurm_id} was taken`
    case "LinkEnded":
      return `${record.data.slurm_id}, which waited behind it, is gone (${record.data.state})`
    case "JobSubmitted":
      return `submitted as ${record.data.slurm_id}${record.data.task === null ? "" : `_${record.data.task}`}` +
        (record.data.how === "found" ? " (found by its name)" : "")
    case "SubmissionRefused":
      return record.data.temporary === true
        ? `the site takes no more jobs now: ${record.data.message}`
        : `submission ${record.data.unmade === true ? "not made" : "refused"}: ${record.data.message}`
    case "SubmissionUnanswered":
      return `submission unanswered: ${record.data.message}`
    case "SubmissionNotFound":
      return "submission not found by its name"
    case "SubmissionDoubted":
      return `submission in doubt: ${record.data.why}`
    case "SubmissionLost":
      return "submission was not accepted"
    case "JobStateChanged": {
      const { end, exit_code, reason, signal, start, to } = record.data
      const how = [
        exit_code === null ? [] : [`exit ${exit_code}`],
        signal === null || signal === 0 ? [] : [`signal ${signal}`],
        reason === null ? [] : [reason],
        start === null || end === null ? [] : [`after ${seconds(start, end)}`]
      ].flat().join(", ")
      return how === "" ? to : `${to} (${how})`
    }
    case "SchedulerFailed":
      return `scheduler does not answer: ${record.data.command}: ${record.data.message}`
    case "SchedulerRecovered":
      return "scheduler answers again"
    case "EventRaised":
      return `${record.data.name}${record.data.count > 1 ? ` (${record.data.count}.)` : ""}`
    case "ConditionWaiting":
      return `waits for ${questionText(record.data.asked.question)}`
    case "ConditionAnswered":
      return `one answer of several is ${record.data.holds ? "yes" : "no"}: ${record.data.why}`
    case "ConditionFailed":
      return `${record.data.class_name} not met: ${record.data.why}`
    case "ActionStarted":
      return `${record.data.action.class_name} started`
    case "ActionQueued":
      return `${record.data.action.class_name} queued (${record.data.queue_id})`
    case "ActionSkipped":
      return `${record.data.class_name} skipped: ${record.data.why}`
    case "EventPublished":
      return `publishes ${record.data.event}`
    case "CancelUnheeded":
      return `cancelled without effect: ${record.data.slurm_id} is ${record.data.state} still`
    case "ActionLogged":
      return record.data.message
    case "ActionInterrupted":
      return `action interrupted: ${record.data.why}`
    case "ActionFinished":
      return `action ${record.data.outcome.status}: ${resultText(record.data.outcome.result)}`
    case "RestartDecided": {
      const { budget, by, event, reason } = record.data
      if (by === "chain") return reason
      const left = budget === null ? "" : `, ${budget.after} left`
      return `restart because of ${event}: ${reason}${left}`
    }
    case "RestartDropped":
      return `no restart: ${record.data.why}`
    case "PatternSwitchedOff":
      return `rule ${record.data.rule} is switched off, its pattern is too slow: ${record.data.why}`
    case "LogUnreadable":
      return `${record.data.path} cannot be read: ${record.data.message}`
    case "LogReadable":
      return `${record.data.path} can be read again`
    case "WorkerLost":
      return `queue ${record.data.queue_id}: its worker is gone` +
        (record.data.why === undefined ? "" : `: ${record.data.why}`)
    case "CancelDecided":
      return `cancel ${record.data.slurm_id}: ${record.data.why}`
    case "EndDecided":
      return `must not go on: ${record.data.why}`
    case "JobClassified":
      return `attempt ended as ${record.data.mode}: ${record.data.why}`
    case "JobLost":
      return "lost: scheduler and accounting do not know it"
    case "JobFinished":
      return `finished: ${record.data.outcome} (${record.data.why})`
    case "EndDoubted":
      return "asks once more whether the attempt before has ended"
    case "AttentionCleared":
      return `needs no attention any more: ${record.data.why}` + (record.data.undone === null ? "" : "; changes undone")
    case "JobReopened":
      return `opened again: ${record.data.why}`
    case "JobHeld":
      return `held: ${record.data.why}`
    case "JobReleased":
      return `released: ${record.data.why}`
    case "NodesExcluded": {
      const { evicted, nodes, reason, scope, until } = record.data
      return `jobs of the ${scope} stay away from ${nodes.join(", ")} until ${until}: ${reason}` +
        (evicted.length === 0 ? "" : `; ${evicted.join(", ")} let back, since so many are enough`)
    }
    case "NodesReleased": {
      const { nodes, why } = record.data
      return nodes.length === 0 ? why : `jobs may run on ${nodes.join(", ")} again: ${why}`
    }
    case "NodesUpdated":
      return record.data.applied
        ? `${record.data.slurm_id} waits, away from ${record.data.nodes.join(", ") || "no node"}`
        : `${record.data.slurm_id} cannot be kept away from nodes any more: ${record.data.message ?? ""}`
    case "ProjectNodesRead":
      return record.data.nodes.length === 0
        ? "other sessions of the project stay away from no node"
        : `other sessions of the project stay away from ${record.data.nodes.map(({ node }) => node).join(", ")}`
    case "BreakerOpened":
      return `restarts pause: ${record.data.why}`
    case "BreakerClosed":
      return `restarts go on: ${record.data.why}`
    case "AttentionNeeded":
      return `needs attention: ${record.data.why}`
    case "QueueClaimed":
      return `queue ${record.data.queue_id}: taken by ${record.data.actor.role} ${record.data.actor.pid}`
    case "QueueFinished":
      return `queue ${record.data.queue_id} ${record.data.outcome.status}: ${resultText(record.data.outcome.result)}`
    case "QueueReleased":
      return `queue ${record.data.queue_id}: queued again, ${record.data.why}` +
        (record.data.not_before === undefined ? "" : `; not before ${record.data.not_before}`)
    case "QueueRemoved":
      return `queue ${record.data.queue_id}: removed`
    case "FollowUpEnded":
      return `follow-up ${record.data.plan_id}: ${record.data.status}`
    case "LogRead": {
      const { anew, cut = 0, path } = record.data
      const told = [
        ...(anew === undefined ? [] : [`${path} was ${anew}: read from its beginning`]),
        ...(cut === 0 ? [] : [`${path}: of ${cut} long lines only the first 16 KiB were looked at`])
      ]
      return told.length === 0 ? null : told.join("; ")
    }
    case "JournalRepaired":
      return `the journal was damaged (${record.data.fault.why}) and cut there; the rest is kept in ${record.data.kept}`
    case "SessionSynchronised":
      return "the scheduler has been asked for everything that was cut off"
    case "SubmissionsSearched":
    case "SegmentOpened":
    case "TimerSet":
    case "TimerFired":
    case "ConditionObserved":
    case "ConditionPassed":
    case "CancelAnswered":
    case "EndConfirmed":
    case "SubmissionIntended":
      return null
  }
}

/** The record as a happening, null if there is nothing to tell. */
export const happening = (record: EventRecord): Happening | null => {
  const text = sentence(record)
  return text === null ? null : { at: record.at, job: record.job ?? null, text }
}
