/** Every action that a session took or skipped, made of its journal alone. */
import { eventAction } from "../../action/actions.ts"
import type { EventRecord } from "../../event/EventRecord.ts"
import { questionText } from "../../event/Question.ts"
import { ruleOf } from "../../rule/bound.ts"
import { rulesFor, rulesInForce } from "../../rule/Context.ts"
import { fold } from "../../session/fold.ts"
import { gateKind } from "../../session/foldGate.ts"
import { emptySession, type Session } from "../../session/Session.ts"
import { type AuditEntry, Books, commandOf } from "./books.ts"
import { noteScheduling } from "./scheduling.ts"

/** The classes of the actions that the rule of an event binds to it, as it is while the event is raised. */
const classesOf = (session: Session, { data, job: of }: EventRecord<"EventRaised">): ReadonlyArray<string> => {
  const job = session.jobs.get(of ?? "")
  if (job === undefined) return []
  const actions = ruleOf(rulesFor(session, rulesInForce(session), job.plan), data)?.actions ?? []
  return actions.map((bound) => eventAction(bound).action.class_name)
}

/** The entries of a session in the order in which they were decided. */
export const auditEntries = (records: ReadonlyArray<EventRecord>): ReadonlyArray<AuditEntry> => {
  const books = new Books(new Map(records.map((record) => [record.seq, record])))
  let session = emptySession()
  for (const record of records) {
    session = fold(session, record)
    note(books, session, record)
  }
  return [...books.entries.values()].sort((a, b) => a.seq - b.seq)
}

const note = (books: Books, session: Session, record: EventRecord): void => {
  switch (record.type) {
    case "EventRaised":
      books.classes.set(record.seq, classesOf(session, record))
      return
    case "MonitorAttached":
      books.monitors.set(record.epoch, record.data.actor)
      return
    case "OperatorRequested": {
      const { actor, request, request_id } = record.data
      if (actor.role !== "operator") return
      const queue_id = "queue_id" in request ? request.queue_id : null
      const job = "job" in request ? request.job : session.queue.get(queue_id ?? "")?.job ?? null
      const reason = "reason" in request ? request.reason : ""
      books.open(record, { action: request.kind, status: "done", actor, job, queue_id, reason }, request_id)
      return
    }
    case "RequestRefused":
      books.change(record.data.request_id, () => ({ status: "refused", reason: record.data.why }))
      return
    case "ConditionWaiting":
    case "ConditionPassed":
    case "ConditionFailed": {
      const { binding, class_name } = record.data
      if (gateKind(binding) !== null) return
      books.drop(binding)
      if (record.type === "ConditionPassed") return
      const [seq, position] = binding.split(".").map(Number)
      const action = books.classes.get(seq ?? 0)?.[position ?? 0] ?? "action"
      if (record.type === "ConditionWaiting") {
        const reason = `${class_name}: ${questionText(record.data.asked.question)}`
        books.open(record, { action, status: "waiting", reason }, binding)
      } else books.open(record, { action, status: "skipped", reason: `${class_name}: ${record.data.why}` })
      return
    }
    case "ActionStarted": {
      const { action, action_id } = record.data
      books.open(record, { action: action.class_name, status: "running", ...commandOf(action) }, action_id)
      books.begin(action_id, record, books.monitors.get(record.epoch) ?? null)
      return
    }
    case "ActionFinished":
      books.finish(record.data.action_id, record.at, record.data.outcome)
      return
    case "ActionInterrupted":
      books.finish(record.data.action_id, record.at, {
        status: "failed",
        result: { error: record.data.why, interrupted: true }
      })
      return
    case "ActionQueued": {
      const { action, queue_id } = record.data
      books.open(record, { action: action.class_name, status: "queued", queue_id, ...commandOf(action) }, queue_id)
      return
    }
    case "ActionSkipped": {
      const { class_name, queue, why } = record.data
      books.open(record, {
        action: class_name,
        status: "skipped",
        reason: why,
        ...(queue === undefined ? {} : { queue_id: queue.queue_id, ...commandOf(queue.action) })
      })
      return
    }
    case "ActionLogged":
      books.open(record, { action: record.data.class_name ?? "LogAction", status: "done", reason: record.data.message })
      return
    case "EventPublished":
      books.open(record, { action: "PublishEventAction", status: "done", reason: record.data.event })
      return
    case "QueueClaimed":
      books.begin(record.data.queue_id, record, record.data.actor)
      return
    case "QueueFinished":
      books.finish(record.data.queue_id, record.at, record.data.outcome)
      return
    case "QueueReleased":
      books.change(record.data.queue_id, ({ runs }) => ({
        status: "queued",
        runs: runs.map((run) =>
          run.finished_at === null ? { ...run, finished_at: record.at, status: "interrupted" } : run
        )
      }))
      return
    case "QueueRemoved":
      books.change(
        record.data.queue_id,
        ({ status }) => status === "queued" ? { status: "skipped", reason: "removed from the queue before it ran" } : {}
      )
      return
    default:
      noteScheduling(books, record)
  }
}
