/** A session for people and programs: the shapes of `session show`, `queue list` and the files they look at. */
import { questionText } from "../event/Question.ts"
import type { EventEntry, QueueEntry } from "./entries.ts"
import { startGate } from "./foldGate.ts"
import type { Job } from "./Job.ts"
import { excludedView } from "./nodes.ts"
import { rollbackOf } from "./rollback.ts"
import type { Session } from "./Session.ts"
import { logKey, statusOf, submitTimer } from "./Session.ts"
import { isObserved } from "./would.ts"

/** That the site takes no more jobs now, and when it is asked again; null if it does. */
export const siteLimitText = ({ siteLimit, submissions, timers }: Session): string | null => {
  if (siteLimit === null) return null
  const due = timers.get(submitTimer)?.due
  const next = due !== undefined
    ? `, asked again at ${due}`
    : submissions.size > 0
    ? ", which is asked again now"
    : ""
  return `the site's limit since ${siteLimit.since} (${siteLimit.message})${next}`
}

/** Why a job that was to be submitted is not: what it waits for, for people; null for any other. */
export const waitsFor = (
  session: Session,
  job: Job
): string | null => {
  const { attempt, held, outcome, plan, restart, state, verdict } = job
  const rolls = verdict !== null && rollbackOf(session, job) !== null
  if (outcome !== null || !rolls && state !== "waiting" && (restart === null || verdict === null)) return null
  if (held !== null) return `its release: it is held (${held.reason})`
  if (rolls) return "the rollback of its checkpoint"
  const notBefore = restart?.notBefore ?? ""
  if (notBefore > session.at) return `its back-off to end: it is submitted at ${notBefore}`
  if (session.breakerOpen !== null && attempt > 0 && restart?.by !== "operator") {
    return `an operator: restarts pause, because ${session.breakerOpen.reason}`
  }
  if (isObserved(session, job)) return "the end of observe mode: nothing is submitted"
  const asked = session.gates.get(startGate(plan.name))?.asked.question
  if (asked !== undefined) return questionText(asked)
  const limit = siteLimitText(session)
  if (limit !== null) return limit
  const next = session.timers.get(submitTimer)
  if (next !== undefined && session.submitRateLimitSeconds === null) return `the scheduler, asked again at ${next.due}`
  if (next !== undefined) return `the limit of a submission every ${session.submitRateLimitSeconds} s`
  return session.maxJobs === null ? null : `room: at most ${session.maxJobs} jobs at once`
}

/** How far the job's files were read, in bytes: a repair of the journal holds by it what was read before. */
const logsRead = (session: Session, { logPath, plan }: Job) =>
  [...logPath === null ? [] : [logPath], ...plan.output_paths].flatMap((path) => {
    const read = session.logs.get(logKey(plan.name, path))
    return read === undefined ? [] : [{ path, identity: read.identity, to: read.offset }]
  })

const queued = ({ links }: Job) =>
  links.flatMap(({ cancel, slurm }) => cancel === null && slurm !== null ? [slurm] : [])

/** `link 3 of 40, 2 queued ahead`; empty for a job without a chain. */
export const chainText = (job: Job): string =>
  job.plan.chain === undefined
    ? ""
    : `link ${job.link} of ${job.plan.chain.links}, ${queued(job).length} queued ahead`

const chainView = (job: Job) =>
  job.plan.chain === undefined ? null : {
    link: job.link,
    links: job.plan.chain.links,
    queued: queued(job).map(({ id, task }) => task === null ? id : `${id}_${task}`)
  }

const jobView = (session: Session) => (job: Job) => ({
  name: job.plan.name,
  index: job.plan.index,
  state: job.state,
  outcome: job.outcome,
  why: job.why,
  waits_for: waitsFor(session, job),
  attempts: job.attempt,
  chain: chainView(job),
  slurm_id: job.slurm === null ? null : job.slurm.task === null ? job.slurm.id : `${job.slurm.id}_${job.slurm.task}`,
  slurm_state: job.slurmState,
  exit_code: job.exitCode,
  signal: job.signal,
  nodes: job.nodes,
  start: job.start,
  end: job.end,
  log_path: job.plan.log_path,
  resolved_log_path: job.logPath,
  logs_read: logsRead(session, job),
  output_dir: job.plan.output_dir,
  restarts: job.restarts,
  attention: job.attention,
  held: job.held,
  changes: job.changes,
  would: job.would,
  progress: job.progress,
  last_event: job.lastEvent,
  last_updated: job.lastUpdated
})

const eventView = (entry: EventEntry) => ({
  event_id: entry.eventId,
  name: entry.name,
  job: entry.job,
  attempt: entry.attempt,
  count: entry.count,
  status: entry.status,
  first_seen: entry.firstSeen,
  last_seen: entry.lastSeen,
  acted: entry.acted
})

/** One entry of `queue list`, and the content of its file. */
export const queueView = (entry: QueueEntry) => ({
  queue_id: entry.queueId,
  event_id: entry.eventId,
  event: entry.event,
  job: entry.job,
  action: entry.action.class_name,
  config: entry.action,
  status: entry.status,
  attempts: entry.attempts,
  max_attempts: entry.retries.max_attempts,
  not_before: entry.notBefore,
  enqueued_at: entry.enqueuedAt,
  updated_at: entry.updatedAt,
  claimed_by: entry.claimedBy,
  result: entry.result
})
export type QueueView = ReturnType<typeof queueView>

const countQueue = (session: Session) => {
  const count = { queued: 0, running: 0, done: 0, failed: 0, skipped: 0 }
  for (const { status } of session.queue.values()) count[status] += 1
  return count
}

/** The answer of `session show`. */
export const sessionView = (session: Session) => ({
  plan_id: session.planId,
  project: session.project,
  status: statusOf(session),
  created: session.created,
  updated: session.at,
  manifest: session.manifest,
  tool_version: session.toolVersion,
  parent: session.parent,
  jobs: [...session.jobs.values()].map(jobView(session)),
  events: [...session.events.values()].map(eventView),
  queue: countQueue(session),
  follow_ups: [...session.followUps.values()].map(({ planId, queueId, status }) => ({
    plan_id: planId,
    queue_id: queueId,
    status: status ?? "running"
  })),
  attention: session.breakerOpen === null
    ? null
    : { since: session.breakerOpen.since, reason: session.breakerOpen.reason },
  site_limit: session.siteLimit === null ? null : {
    since: session.siteLimit.since,
    message: session.siteLimit.message,
    asked_again: session.timers.get(submitTimer)?.due ?? null
  },
  excluded_nodes: excludedView(session),
  observed: session.observer !== null || [...session.jobs.values()].some((job) => isObserved(session, job)),
  rules: {
    changed: session.rulesChanged,
    unreadable: session.rulesUnreadable,
    settings: session.settings?.texts ?? []
  },
  rules_off: [...session.patternsOff.values()],
  scheduler_calls: session.calls
})
export type SessionView = ReturnType<typeof sessionView>
