/** Changes of a session's tables, one entry at a time. An entry that is not there is left alone. */
import type { Stamp } from "../event/EventRecord.ts"
import { type EventEntry, type QueueEntry } from "./entries.ts"
import { type Job } from "./Job.ts"
import { eventKey, type Session } from "./Session.ts"

/** A copy, field by field: spreading an object of so many costs ten times as much, and a fold does little else. */
const copyOf = (job: Job): Job => ({
  plan: job.plan,
  state: job.state,
  outcome: job.outcome,
  why: job.why,
  attempt: job.attempt,
  nonce: job.nonce,
  slurm: job.slurm,
  slurmState: job.slurmState,
  live: job.live,
  exitCode: job.exitCode,
  signal: job.signal,
  nodes: job.nodes,
  start: job.start,
  end: job.end,
  logPath: job.logPath,
  activeAt: job.activeAt,
  runningAt: job.runningAt,
  completed: job.completed,
  stateKey: job.stateKey,
  stalled: job.stalled,
  awaitsProgress: job.awaitsProgress,
  evidence: job.evidence,
  errorTypes: job.errorTypes,
  error: job.error,
  progressed: job.progressed,
  counted: job.counted,
  past: job.past,
  progress: job.progress,
  verdict: job.verdict,
  restart: job.restart,
  seenDead: job.seenDead,
  doubted: job.doubted,
  cancel: job.cancel,
  gate: job.gate,
  done: job.done,
  doneWhy: job.doneWhy,
  cancelAsked: job.cancelAsked,
  ending: job.ending,
  requeued: job.requeued,
  foreignClaim: job.foreignClaim,
  gated: job.gated,
  goal: job.goal,
  link: job.link,
  links: job.links,
  numbered: job.numbered,
  linksRefused: job.linksRefused,
  restarts: job.restarts,
  budgetFrom: job.budgetFrom,
  changes: job.changes,
  excluded: job.excluded,
  rollbacks: job.rollbacks,
  rolledBack: job.rolledBack,
  held: job.held,
  lostSubmissions: job.lostSubmissions,
  attention: job.attention,
  would: job.would,
  lastEvent: job.lastEvent,
  lastUpdated: job.lastUpdated
})

/** Changes the job that the record is about. */
export const changeJob = (
  session: Session,
  record: { readonly job?: string } & Stamp,
  change: (job: Job) => Partial<Job>
): void => {
  const job = record.job === undefined ? undefined : session.jobs.get(record.job)
  if (job === undefined) return
  session.jobs.set(job.plan.name, Object.assign(copyOf(job), change(job), { lastUpdated: record.at }))
}

/** Changes the entry of an event by its id. */
export const changeEvent = (session: Session, eventId: string, change: Partial<EventEntry>): void => {
  const key = session.eventKeys.get(eventId) ?? ""
  const entry = session.events.get(key)
  if (entry !== undefined) session.events.set(key, { ...entry, ...change })
}

/** Notes that the event of that id led to an action. */
export const noteAction = (session: Session, eventId: string, className: string, at: string): void => {
  const entry = session.events.get(session.eventKeys.get(eventId) ?? "")
  if (entry !== undefined) changeEvent(session, eventId, { acted: { ...entry.acted, [className]: at } })
}

/** Changes an entry of the action queue. */
export const changeQueue = (session: Session, id: string, at: string, change: Partial<QueueEntry>): void => {
  const entry = session.queue.get(id)
  if (entry !== undefined) session.queue.set(id, { ...entry, ...change, updatedAt: at })
}

/** Counts an event of a job's attempt, `times` times. */
export const noteEvent = (
  session: Session,
  entry: Pick<EventEntry, "job" | "attempt" | "name" | "eventId">,
  at: string,
  times: number
): void => {
  const key = eventKey(entry.job, entry.attempt, entry.name)
  const known = session.events.get(key)
  if (known === undefined) session.eventKeys.set(entry.eventId, key)
  session.events.set(
    key,
    known === undefined
      ? {
        eventId: entry.eventId,
        name: entry.name,
        job: entry.job,
        attempt: entry.attempt,
        count: times,
        firstSeen: at,
        lastSeen: at,
        status: "seen",
        acted: {}
      }
      : {
        eventId: known.eventId,
        name: known.name,
        job: known.job,
        attempt: known.attempt,
        count: known.count + times,
        firstSeen: known.firstSeen,
        lastSeen: at,
        status: known.status,
        acted: known.acted
      }
  )
}
