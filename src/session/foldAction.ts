/** What records make of events, of the bindings that wait, and of actions, inline and queued. */
import type { ValueMap } from "../backend/Value.ts"
import type { EventRecord } from "../event/EventRecord.ts"
import { changeEvent, changeJob, changeQueue, noteAction, noteEvent } from "./change.ts"
import type { OpenBinding, OpenGate } from "./entries.ts"
import { forgetOccurrences } from "./foldAttempt.ts"
import { awaitJob, foldGate, gateKind, stopAwaiting } from "./foldGate.ts"
import type { Job } from "./Job.ts"
import { isRollback } from "./rollback.ts"
import type { Session } from "./Session.ts"

/** The records that are about events and actions. */
export type ActionRecord = EventRecord<
  | "EventRaised"
  | "ConditionWaiting"
  | "ConditionAnswered"
  | "ConditionPassed"
  | "ConditionFailed"
  | "ActionStarted"
  | "ActionFinished"
  | "ActionInterrupted"
  | "ActionQueued"
  | "ActionLogged"
  | "ActionSkipped"
  | "EventPublished"
  | "QueueClaimed"
  | "QueueFinished"
  | "QueueReleased"
  | "QueueRemoved"
  | "FollowUpEnded"
>

/** Seq of the occurrence that a binding belongs to. */
const occurrenceOf = (binding: string): number => Number(binding.slice(0, binding.indexOf(".")))

/** A follow-up experiment that an action started is watched from then on. */
const noteFollowUp = (
  session: Session,
  queueId: string,
  seq: number,
  className: string,
  result: Readonly<Record<string, unknown>>
): void => {
  const planId = result["plan_id"]
  const isFollowUp = className === "RunAutoexpAction" || className === "NewJobAction"
  if (isFollowUp && typeof planId === "string" && !session.followUps.has(planId)) {
    session.followUps.set(planId, { planId, queueId, seq, status: null })
  }
}

/** What runs out of memory on one rank, others call by other names: an OOM stays the cause, whatever follows it. */
const evidenceWith = ({ errorTypes, evidence }: Job, metadata: ValueMap): Partial<Job> => {
  const type = metadata["error_type"]
  const types = typeof type !== "string" || errorTypes.includes(type) ? errorTypes : [...errorTypes, type]
  const cause = errorTypes.includes("oom") ? { error_type: "oom" } : {}
  return { errorTypes: types, evidence: { ...evidence, ...metadata, ...cause } }
}

const once = { max_attempts: 1, backoff_seconds: 0 }

/** An entry of the action queue that has just been made. */
const newEntry = ({ at, data, job = "", seq }: EventRecord<"ActionQueued" | "ActionSkipped">) => ({
  seq,
  eventId: data.event_id,
  job,
  status: "queued" as const,
  attempts: 0,
  retries: once,
  onInterrupt: null,
  notBefore: null,
  enqueuedAt: at,
  updatedAt: at,
  claimedBy: null,
  claimSeq: null,
  lease: null,
  interrupted: false,
  result: null
})

const closeBinding = (session: Session, id: string): void => {
  stopAwaiting(session, id, session.bindings.get(id)?.asked)
  session.bindings.delete(id)
}

export const foldAction = (session: Session, record: ActionRecord): void => {
  if (record.type === "ConditionWaiting" || record.type === "ConditionPassed" || record.type === "ConditionFailed") {
    const kind = gateKind(record.data.binding)
    if (kind !== null) return foldGate(session, kind, record)
  }
  switch (record.type) {
    case "EventRaised": {
      const { count, event_id, metadata, name, source, state } = record.data
      const { attempt = 0, job = "" } = record
      noteEvent(session, { job, attempt, name, eventId: event_id }, record.at, 1)
      // The event that published this one is not done with yet.
      if (record.data.published === undefined) forgetOccurrences(session, job)
      session.occurrences.set(record.seq, {
        seq: record.seq,
        eventId: event_id,
        name,
        source,
        job,
        attempt,
        at: record.at,
        metadata: metadata as ValueMap,
        fingerprint: record.data.fingerprint ?? null,
        path: record.data.path ?? null,
        published: record.data.published ?? null,
        told: record.data.told === true,
        rules: null
      })
      changeJob(session, record, (job) => ({
        lastEvent: count > 1 ? `${name} (${count})` : name,
        ...(record.data.completes === true ? { completed: String(metadata["reason"]) } : {}),
        ...(record.data.state_key === undefined || attempt !== job.attempt ? {} : { stateKey: record.data.state_key }),
        ...(name === "stall" && source === "state" ?
          {
            stalled: true,
            awaitsProgress: record.data.no_progress === true
          }
          : {}),
        ...((source === "log" || source === "published") && attempt === job.attempt &&
            (state !== null || "error_type" in metadata)
          ? {
            ...evidenceWith(job, metadata as ValueMap),
            error: job.error ?? (state === "SuccessState" ? null : record.data.fingerprint ?? null)
          }
          : {})
      }))
      break
    }
    case "ConditionWaiting": {
      const occurrence = session.occurrences.get(occurrenceOf(record.data.binding))
      if (occurrence === undefined) break
      session.bindings.set(record.data.binding, {
        id: record.data.binding,
        seq: record.seq,
        occurrence,
        position: Number(record.data.binding.slice(record.data.binding.indexOf(".") + 1)),
        condition: record.data.condition,
        className: record.data.class_name,
        latch: record.data.latch ?? null,
        asked: record.data.asked,
        answers: new Map(),
        since: record.at
      })
      awaitJob(session, record.data.binding, record.data.asked)
      changeEvent(session, occurrence.eventId, { status: "waiting" })
      break
    }
    case "ConditionAnswered": {
      const { binding, holds, part, why } = record.data
      const answered = <Open extends OpenBinding | OpenGate>(open: Open): Open => ({
        ...open,
        answers: new Map(open.answers).set(part, { holds, why })
      })
      const open = session.bindings.get(binding)
      if (open !== undefined) session.bindings.set(binding, answered(open))
      const gate = session.gates.get(binding)
      if (gate !== undefined) session.gates.set(binding, answered(gate))
      break
    }
    case "ConditionPassed":
      closeBinding(session, record.data.binding)
      break
    case "ConditionFailed": {
      closeBinding(session, record.data.binding)
      const occurrence = session.occurrences.get(occurrenceOf(record.data.binding))
      if (occurrence !== undefined) changeEvent(session, occurrence.eventId, { status: "skipped" })
      break
    }
    case "ActionStarted": {
      const { action, action_id, binding, event_id } = record.data
      noteAction(session, event_id, action.class_name, record.at)
      session.actions.set(action_id, {
        id: action_id,
        seq: record.seq,
        binding,
        eventId: event_id,
        job: record.job ?? "",
        attempt: record.attempt ?? 0,
        action,
        onInterrupt: record.data.on_interrupt ?? null,
        occurrence: session.occurrences.get(occurrenceOf(binding)) ?? null
      })
      break
    }
    case "ActionFinished":
    case "ActionInterrupted": {
      const action = session.actions.get(record.data.action_id)
      session.actions.delete(record.data.action_id)
      const status = record.type === "ActionFinished" ? record.data.outcome.status : "failed"
      if (action === undefined) break
      changeEvent(session, action.eventId, { status })
      if (status === "done" && isRollback(action)) {
        const { attempt } = action
        changeJob(
          session,
          { ...record, job: action.job },
          (job) => ({ rollbacks: job.rollbacks + 1, rolledBack: attempt })
        )
      }
      if (record.type === "ActionFinished") {
        noteFollowUp(session, action.id, record.seq, action.action.class_name, record.data.outcome.result)
      }
      break
    }
    case "ActionQueued": {
      const { action, event, event_id, on_interrupt = null, queue_id, retries = once } = record.data
      const rest = { retries, onInterrupt: on_interrupt }
      session.queue.set(queue_id, { ...newEntry(record), queueId: queue_id, event, action, ...rest })
      changeEvent(session, event_id, { status: "queued" })
      noteAction(session, event_id, action.class_name, record.at)
      break
    }
    case "ActionLogged":
      changeEvent(session, record.data.event_id, { status: "done" })
      noteAction(session, record.data.event_id, record.data.class_name ?? "LogAction", record.at)
      break
    case "EventPublished":
      changeEvent(session, record.data.event_id, { status: "done" })
      noteAction(session, record.data.event_id, "PublishEventAction", record.at)
      break
    case "ActionSkipped": {
      const { queue, why } = record.data
      changeEvent(session, record.data.event_id, { status: "skipped" })
      if (queue === undefined) break
      const { action, event, queue_id: queueId } = queue
      const rest = { status: "skipped" as const, result: { error: why } }
      session.queue.set(queueId, { ...newEntry(record), queueId, event, action, ...rest })
      break
    }
    case "QueueClaimed": {
      const entry = session.queue.get(record.data.queue_id)
      changeQueue(session, record.data.queue_id, record.at, {
        status: "running",
        attempts: (entry?.attempts ?? 0) + 1,
        claimedBy: record.data.actor,
        claimSeq: record.seq,
        lease: record.data.lease ?? null,
        interrupted: false,
        notBefore: null
      })
      break
    }
    case "QueueFinished": {
      const { outcome, queue_id } = record.data
      const entry = session.queue.get(queue_id)
      changeQueue(session, queue_id, record.at, {
        status: outcome.status,
        result: outcome.result,
        interrupted: outcome.result["interrupted"] === true,
        notBefore: null
      })
      if (entry !== undefined) {
        changeEvent(session, entry.eventId, { status: outcome.status })
        noteFollowUp(session, queue_id, record.seq, entry.action.class_name, outcome.result)
      }
      break
    }
    case "QueueReleased":
      changeQueue(session, record.data.queue_id, record.at, {
        status: "queued",
        claimedBy: null,
        claimSeq: null,
        notBefore: record.data.not_before ?? null
      })
      break
    case "QueueRemoved":
      session.queue.delete(record.data.queue_id)
      break
    case "FollowUpEnded": {
      const entry = session.followUps.get(record.data.plan_id)
      if (entry !== undefined) session.followUps.set(entry.planId, { ...entry, status: record.data.status })
      break
    }
  }
}
