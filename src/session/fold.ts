/** What each record makes of a session. Total: a record about a job or entry that is not there changes nothing. */
import type { ValueMap } from "../backend/Value.ts"
import type { EventRecord, Stamp } from "../event/EventRecord.ts"
import type { EventData } from "../event/events.ts"
import type { PlannedJob } from "../event/PlannedJob.ts"
import { type EventEntry, eventKey, type Job, logKey, type QueueEntry, type Session } from "./Session.ts"

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const newJob = (plan: PlannedJob, at: string): Job => ({
  plan,
  state: "planned",
  outcome: null,
  why: null,
  attempt: 0,
  ...newAttempt,
  restart: null,
  restarts: [],
  lostSubmissions: 0,
  attention: null,
  progress: {},
  lastEvent: null,
  lastUpdated: at
})

/** What a fresh attempt knows nothing of yet. */
const newAttempt = {
  nonce: null,
  slurm: null,
  slurmState: null,
  live: false,
  exitCode: null,
  signal: null,
  nodes: null,
  start: null,
  end: null,
  logPath: null,
  activeAt: null,
  stalled: false,
  evidence: {},
  verdict: null,
  cancel: null
} satisfies Partial<Job>

const livingStates = new Set(["RUNNING", "COMPLETING", "STOPPED", "SUSPENDED"])

/** SLURM's words for an end, and whether the job may run on its own after it. Source: squeue man page, JOB STATE CODES. */
export const endedStates = new Set([
  "BOOT_FAIL",
  "CANCELLED",
  "COMPLETED",
  "DEADLINE",
  "FAILED",
  "LAUNCH_FAILED",
  "NODE_FAIL",
  "OUT_OF_MEMORY",
  "PREEMPTED",
  "RECONFIG_FAIL",
  "REVOKED",
  "TIMEOUT"
])

const changeJob = (
  session: Session,
  record: { readonly job?: string } & Stamp,
  change: (job: Job) => Partial<Job>
): void => {
  const job = record.job === undefined ? undefined : session.jobs.get(record.job)
  if (job !== undefined) session.jobs.set(job.plan.name, { ...job, ...change(job), lastUpdated: record.at })
}

const changeEvent = (session: Session, eventId: string, change: Partial<EventEntry>): void => {
  for (const [key, entry] of session.events) {
    if (entry.eventId === eventId) session.events.set(key, { ...entry, ...change })
  }
}

const changeQueue = (session: Session, id: string, at: string, change: Partial<QueueEntry>): void => {
  const entry = session.queue.get(id)
  if (entry !== undefined) session.queue.set(id, { ...entry, ...change, updatedAt: at })
}

const noteEvent = (
  session: Session,
  entry: Pick<EventEntry, "job" | "attempt" | "name" | "eventId">,
  at: string,
  times: number
): void => {
  const key = eventKey(entry.job, entry.attempt, entry.name)
  const known = session.events.get(key)
  session.events.set(
    key,
    known === undefined
      ? { ...entry, count: times, firstSeen: at, lastSeen: at, status: "seen" }
      : { ...known, count: known.count + times, lastSeen: at }
  )
}

const open = (session: Mutable<Session>, data: EventData<"SessionOpened">, at: string): void => {
  session.planId = data.plan_id
  session.project = data.project
  session.created = at
  session.manifest = data.manifest
  session.toolVersion = data.tool_version
  session.entropy = data.entropy
  session.rules = data.rules
  session.client = data.client
  session.maxJobs = data.max_jobs
  session.settleSeconds = data.settle_seconds
  session.depth = data.depth
  session.parent = data.parent
  for (const plan of data.jobs) session.jobs.set(plan.name, newJob(plan, at))
}

const readLog = (session: Session, record: EventRecord<"LogRead">): void => {
  const { at, data, job = "", attempt = 0, seq } = record
  const known = session.logs.get(logKey(job, data.path))
  session.logs.set(logKey(job, data.path), { identity: data.identity, offset: data.to, size: data.size })
  const grew = known === undefined ? data.size > 0 : data.size !== known.size || data.identity !== known.identity
  const progress: Record<string, Readonly<Record<string, string | null>>> = {}
  for (const [index, match] of data.matches.entries()) {
    if (match.line !== undefined) continue
    progress[match.rule] = match.groups
    noteEvent(session, { job, attempt, name: match.rule, eventId: `e${seq}-${index}` }, at, 1)
  }
  changeJob(session, record, (job) => ({
    ...(grew ? { activeAt: at, stalled: false } : {}),
    ...(data.matches.length > 0
      ? { lastEvent: data.matches.at(-1)?.rule ?? null, progress: { ...job.progress, ...progress } }
      : {})
  }))
}

const changeState = (session: Session, record: EventRecord<"JobStateChanged">): void => {
  const { data } = record
  changeJob(session, record, (job) => {
    const ended = endedStates.has(data.to)
    const running = livingStates.has(data.to)
    return {
      slurmState: data.to,
      state: ended ? "ended" : running ? "running" : data.to === "MISSING" ? job.state : "pending",
      live: !ended,
      exitCode: data.exit_code,
      signal: data.signal,
      nodes: data.nodes ?? job.nodes,
      start: data.start ?? job.start,
      end: data.end,
      activeAt: running && job.activeAt === null ? record.at : job.activeAt
    }
  })
}

/** Forgets the occurrences of a finished job that nothing waits for. */
const forgetOccurrences = (session: Session, job: string): void => {
  const waiting = new Set([...session.bindings.values()].map(({ occurrence }) => occurrence.seq))
  for (const [seq, occurrence] of session.occurrences) {
    if (occurrence.job === job && !waiting.has(seq)) session.occurrences.delete(seq)
  }
}

/** A job that has ended waits for no submission. */
const closeSubmission = (session: Session, name: string): void => {
  const submission = session.submissions.get(session.jobs.get(name)?.nonce ?? "")
  if (submission === undefined) return
  const jobs = submission.jobs.filter((job) => job !== name)
  if (jobs.length === 0) session.submissions.delete(submission.nonce)
  else session.submissions.set(submission.nonce, { ...submission, jobs })
}

/** Seq of the occurrence that a binding belongs to. */
const occurrenceOf = (binding: string): number => Number(binding.slice(0, binding.indexOf(".")))

/** The session after `record`; the session given is used up. */
export const fold = (before: Session, record: EventRecord): Session => {
  const session: Mutable<Session> = before
  session.seq = record.seq
  session.at = record.at
  session.epoch = record.epoch
  switch (record.type) {
    case "SessionOpened":
      open(session, record.data, record.at)
      break
    case "SegmentOpened":
    case "MonitorAttached":
    case "ConditionObserved":
    case "SubmissionRefused":
    case "SubmissionUnanswered":
    case "RequestRefused":
      break
    case "MonitorDetached": {
      const calls: Record<string, number> = { ...session.calls }
      for (const [name, count] of Object.entries(record.data.calls)) calls[name] = (calls[name] ?? 0) + count
      session.calls = calls
      break
    }
    case "OperatorRequested": {
      session.requests.add(record.data.request_id)
      const { request } = record.data
      if (request.kind === "submit") {
        const named = request.jobs.length === 0 ? session.jobs.keys() : request.jobs
        for (const name of named) {
          changeJob(session, { ...record, job: name }, (job) => job.state === "planned" ? { state: "waiting" } : {})
        }
      }
      break
    }
    case "SubmissionIntended": {
      const { array, jobs, name, nonce, script } = record.data
      const attempt = record.attempt ?? 1
      session.submissions.set(nonce, {
        nonce,
        name,
        script,
        jobs,
        array,
        attempt,
        intent: record.seq,
        at: record.at,
        doubted: false,
        missed: false,
        settled: false
      })
      for (const job of jobs) {
        changeJob(
          session,
          { ...record, job },
          () => ({ ...newAttempt, state: "submitting", attempt, nonce, restart: null })
        )
      }
      break
    }
    case "JobSubmitted": {
      const { log_path, name, slurm_id, task } = record.data
      changeJob(session, record, () => ({
        state: "pending",
        live: true,
        slurm: { id: slurm_id, task, name },
        lostSubmissions: 0,
        logPath: log_path
      }))
      closeSubmission(session, record.job ?? "")
      break
    }
    case "SubmissionDoubted": {
      const submission = session.submissions.get(record.data.nonce)
      if (submission !== undefined) session.submissions.set(submission.nonce, { ...submission, doubted: true })
      break
    }
    case "SubmissionNotFound": {
      const submission = session.submissions.get(record.data.nonce)
      if (submission !== undefined) session.submissions.set(submission.nonce, { ...submission, missed: true })
      break
    }
    case "SubmissionLost": {
      const submission = session.submissions.get(record.data.nonce)
      session.submissions.delete(record.data.nonce)
      for (const job of submission?.jobs ?? []) {
        changeJob(session, { ...record, job }, ({ attempt, lostSubmissions }) => ({
          state: "waiting",
          attempt: attempt - 1,
          lostSubmissions: lostSubmissions + 1
        }))
      }
      break
    }
    case "JobStateChanged":
      changeState(session, record)
      break
    case "SchedulerFailed":
      session.schedulerFailing = true
      break
    case "SchedulerRecovered":
      session.schedulerFailing = false
      break
    case "LogRead":
      readLog(session, record)
      break
    case "TimerSet":
      session.timers.set(record.data.timer, record.data.due)
      break
    case "TimerFired": {
      session.timers.delete(record.data.timer)
      const settled = session.submissions.get(record.data.timer.replace(/^submission /, ""))
      if (settled !== undefined) session.submissions.set(settled.nonce, { ...settled, settled: true })
      break
    }
    case "EventRaised": {
      const { count, event_id, metadata, name, source, state } = record.data
      const { attempt = 0, job = "" } = record
      noteEvent(session, { job, attempt, name, eventId: event_id }, record.at, 1)
      session.occurrences.set(record.seq, {
        seq: record.seq,
        eventId: event_id,
        name,
        source,
        job,
        attempt,
        metadata: metadata as ValueMap
      })
      changeJob(session, record, (job) => ({
        lastEvent: count > 1 ? `${name} (${count})` : name,
        ...(name === "stall" && source === "state" ? { stalled: true } : {}),
        ...(source === "log" && attempt === job.attempt && (state !== null || "error_type" in metadata)
          ? { evidence: { ...job.evidence, ...(metadata as ValueMap) } }
          : {})
      }))
      break
    }
    case "ConditionWaiting": {
      const occurrence = session.occurrences.get(occurrenceOf(record.data.binding))
      if (occurrence === undefined) break
      session.bindings.set(record.data.binding, {
        id: record.data.binding,
        occurrence,
        position: Number(record.data.binding.slice(record.data.binding.indexOf(".") + 1)),
        condition: record.data.condition,
        className: record.data.class_name,
        asked: record.data.asked,
        since: record.at
      })
      changeEvent(session, occurrence.eventId, { status: "waiting" })
      break
    }
    case "ConditionPassed":
      session.bindings.delete(record.data.binding)
      break
    case "ConditionFailed": {
      session.bindings.delete(record.data.binding)
      const occurrence = session.occurrences.get(occurrenceOf(record.data.binding))
      if (occurrence !== undefined) changeEvent(session, occurrence.eventId, { status: "skipped" })
      break
    }
    case "ActionStarted": {
      const { action, action_id, binding, event_id } = record.data
      session.actions.set(action_id, {
        id: action_id,
        seq: record.seq,
        binding,
        eventId: event_id,
        job: record.job ?? "",
        attempt: record.attempt ?? 0,
        action
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
      if (record.type === "ActionFinished") {
        noteFollowUp(session, action.id, action.action.class_name, record.data.outcome.result)
      }
      break
    }
    case "ActionQueued": {
      const { action, event, event_id, queue_id } = record.data
      session.queue.set(queue_id, {
        queueId: queue_id,
        eventId: event_id,
        event,
        job: record.job ?? "",
        action,
        status: "queued",
        attempts: 0,
        enqueuedAt: record.at,
        updatedAt: record.at,
        claimedBy: null,
        claimSeq: null,
        result: null
      })
      changeEvent(session, event_id, { status: "queued" })
      break
    }
    case "ActionLogged":
      changeEvent(session, record.data.event_id, { status: "done" })
      break
    case "ActionSkipped":
      changeEvent(session, record.data.event_id, { status: "skipped" })
      break
    case "RestartDecided": {
      const key = eventKey(record.job ?? "", record.attempt ?? 0, record.data.event)
      const raised = session.events.get(key)
      if (raised !== undefined) session.events.set(key, { ...raised, status: "done" })
      changeJob(session, record, (job) => ({
        restart: { seq: record.seq, reason: record.data.reason },
        restarts: [...job.restarts, { attempt: job.attempt + 1, cause: record.data.event, reason: record.data.reason }]
      }))
      break
    }
    case "CancelDecided":
      changeJob(session, record, () => ({ cancel: "asked" }))
      break
    case "CancelAnswered":
      changeJob(session, record, () => ({ cancel: "taken" }))
      break
    case "JobClassified": {
      const { outcome, why } = record.data
      changeJob(session, record, () => ({ verdict: { outcome, why } }))
      break
    }
    case "JobLost":
      changeJob(session, record, () => ({
        state: "ended",
        live: false,
        verdict: { outcome: "abandoned", why: "the scheduler no longer knows the job" }
      }))
      break
    case "JobFinished":
      closeSubmission(session, record.job ?? "")
      changeJob(session, record, () => ({
        state: "ended",
        live: false,
        outcome: record.data.outcome,
        why: record.data.why
      }))
      forgetOccurrences(session, record.job ?? "")
      break
    case "AttentionNeeded":
      changeJob(session, record, () => ({ attention: { since: record.at, reason: record.data.why } }))
      break
    case "QueueClaimed": {
      const entry = session.queue.get(record.data.queue_id)
      changeQueue(session, record.data.queue_id, record.at, {
        status: "running",
        attempts: (entry?.attempts ?? 0) + 1,
        claimedBy: record.data.actor,
        claimSeq: record.seq
      })
      break
    }
    case "QueueFinished": {
      const { outcome, queue_id } = record.data
      const entry = session.queue.get(queue_id)
      changeQueue(session, queue_id, record.at, { status: outcome.status, result: outcome.result })
      if (entry !== undefined) {
        changeEvent(session, entry.eventId, { status: outcome.status })
        noteFollowUp(session, queue_id, entry.action.class_name, outcome.result)
      }
      break
    }
    case "QueueReleased":
      changeQueue(session, record.data.queue_id, record.at, { status: "queued", claimedBy: null, claimSeq: null })
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
  return session
}

/** A follow-up experiment that an action started is watched from then on. */
const noteFollowUp = (
  session: Session,
  queueId: string,
  className: string,
  result: Readonly<Record<string, unknown>>
): void => {
  const planId = result["plan_id"]
  if (className === "RunAutoexpAction" && typeof planId === "string" && !session.followUps.has(planId)) {
    session.followUps.set(planId, { planId, queueId, status: null })
  }
}
