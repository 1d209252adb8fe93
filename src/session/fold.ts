/** What each record makes of a session. Total: a record about a job or entry that is not there changes nothing. */
import type { EventRecord } from "../event/EventRecord.ts"
import type { EventData } from "../event/events.ts"
import type { PlannedJob } from "../event/PlannedJob.ts"
import { noPast } from "./attempts.ts"
import { changeJob, noteEvent } from "./change.ts"
import { countBy, nothingCounted } from "./counted.ts"
import { declaredBy } from "./declared.ts"
import { foldAction } from "./foldAction.ts"
import { foldAttempt } from "./foldAttempt.ts"
import { foldLatch } from "./foldGate.ts"
import { foldNodes } from "./foldNodes.ts"
import { foldRules, sectionOf, withSettings } from "./foldRules.ts"
import { foldTold } from "./foldTold.ts"
import { type Job } from "./Job.ts"
import { newAttempt } from "./newAttempt.ts"
import { notedBy, progressBy, withHighest } from "./progress.ts"
import { logKey, recoveryTimer, type Session } from "./Session.ts"
import { foldWould, wouldOf } from "./would.ts"

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const addJob = (session: Session, plan: PlannedJob, at: string): void => {
  session.jobs.set(plan.name, newJob(plan, at))
  if (plan.chain !== undefined) session.chains.add(plan.name)
}

const newJob = (plan: PlannedJob, at: string): Job => ({
  plan,
  state: "planned",
  outcome: null,
  why: null,
  attempt: 0,
  ...newAttempt,
  restart: null,
  gate: "unasked",
  cancelAsked: false,
  ending: null,
  restarts: [],
  budgetFrom: 0,
  link: 0,
  links: [],
  numbered: 0,
  linksRefused: 0,
  rollbacks: 0,
  rolledBack: null,
  changes: null,
  held: null,
  progressed: { best: {}, advanced: [], read: false },
  counted: nothingCounted,
  past: noPast,
  lostSubmissions: 0,
  attention: null,
  progress: {},
  lastEvent: null,
  lastUpdated: at
})

const open = (session: Mutable<Session>, data: EventData<"SessionOpened">, at: string): void => {
  session.planId = data.plan_id
  session.project = data.project
  session.created = at
  session.manifest = data.manifest
  session.manifests = [data.manifest]
  session.toolVersion = data.tool_version
  session.behaviour = data.behaviour ?? 0
  session.entropy = data.entropy
  session.rules = data.rules
  session.ruleSets = data.rule_sets
  session.client = data.client
  session.maxJobs = data.max_jobs
  session.settleSeconds = data.settle_seconds
  session.submitRateLimitSeconds = data.submit_rate_limit_seconds
  session.breaker = data.breaker
  session.depth = data.depth
  session.parent = data.parent
  for (const plan of data.jobs) addJob(session, plan, at)
}

/** The jobs of the further plan that the session does not know are added; it speaks of its own rule sets. */
const grow = (session: Mutable<Session>, at: string): void => {
  if (session.growth === null) return
  const { jobs, manifest, rule_sets } = session.growth
  const known = session.ruleSets.length
  for (const plan of jobs) {
    if (session.jobs.has(plan.name)) continue
    const rule_set = plan.rule_set === null ? null : plan.rule_set + known
    addJob(session, { ...plan, rule_set }, at)
  }
  session.ruleSets = [...session.ruleSets, ...rule_sets]
  session.manifest = manifest
  session.manifests = [...session.manifests, manifest]
  session.growth = null
}

/** Of all records the most are of this type: what it costs, a long history costs a million times. */
const readLog = (session: Session, record: EventRecord<"LogRead">): void => {
  const { at, attempt = 0, data, job = "", seq } = record
  const { anew, head = null, held = false, identity, matches, path, size, tail = null, to, within = false } = data
  const key = logKey(job, path)
  const known = session.logs.get(key)
  session.logs.set(key, { identity, offset: to, size, head, tail, within, held })
  const grew = known === undefined ? size > 0 : size !== known.size || identity !== known.identity || anew !== undefined
  for (const [index, { line, rule }] of matches.entries()) {
    if (line !== undefined) continue
    noteEvent(session, { job, attempt, name: rule, eventId: `e${seq}-${index}` }, at, 1)
  }
  changeJob(session, record, (job) => {
    const declared = matches.length === 0 || attempt !== job.attempt ? null : declaredBy(sectionOf(session, job))
    const since = job.start ?? job.runningAt
    const counted = declared === null || declared.rules.size === 0
      ? null
      : countBy(job.counted, declared, data, { at, attempt, since })
    const progressed = progressBy(job.progressed, data, grew)
    return {
      activeAt: grew ? at : job.activeAt,
      stalled: (job.awaitsProgress ? counted?.advanced === true : grew) ? false : job.stalled,
      progressed: counted === null ? progressed : withHighest(progressed, counted.highest),
      counted: counted === null ? job.counted : counted.counted,
      lastEvent: matches.at(-1)?.rule ?? job.lastEvent,
      progress: notedBy(job.progress, data)
    }
  })
}

/** The scheduler takes no more jobs now. */
const noteLimit = (session: Mutable<Session>, { at, data }: EventRecord<"SubmissionRefused">): void => {
  if (data.temporary !== true || session.submissions.get(data.nonce)?.ahead === true) return
  const jobs = session.submissions.get(data.nonce)?.jobs ?? []
  const { siteLimit: known } = session
  session.limited = true
  session.siteLimit = {
    since: known?.since ?? at,
    times: (known?.times ?? 0) + 1,
    jobs: [...new Set([...known?.jobs ?? [], ...jobs])],
    message: data.message
  }
}

/** The session after `record`; the session given is used up. */
export const fold = (before: Session, record: EventRecord): Session => {
  const session: Mutable<Session> = before
  session.seq = record.seq
  session.at = record.at
  session.epoch = record.epoch
  const would = wouldOf(record)
  if (would !== null) {
    foldWould(session, would)
    return session
  }
  switch (record.type) {
    case "SessionOpened":
      open(session, record.data, record.at)
      break
    case "SegmentOpened":
      if (record.data.repaired !== undefined) {
        session.cuts = [...session.cuts, { ...record.data.repaired, seq: record.seq }]
      }
      break
    case "JournalRepaired":
      session.cuts = session.cuts.slice(1)
      if (record.data.told !== undefined) foldTold(session, record.data.told)
      session.pastEntropies = [...session.pastEntropies, session.entropy]
      session.entropy = record.data.entropy
      session.recovery = { seq: record.seq, settled: false }
      break
    case "SessionSynchronised":
      session.recovery = null
      break
    case "SubmissionsSearched":
    case "ConditionObserved":
    case "WorkerLost":
    case "SubmissionUnanswered":
      break
    case "SubmissionRefused":
      noteLimit(session, record)
      break
    case "MonitorAttached":
      session.attached = record.epoch
      session.observer = record.data.observe_only === true ? record.epoch : null
      break
    case "RulesChanged":
    case "RulesUnreadable":
    case "RulesReadable":
      foldRules(session, record)
      break
    case "BreakerOpened":
      session.breakerOpen = { since: record.at, reason: record.data.why, seq: record.seq }
      break
    case "BreakerClosed":
      session.breakerOpen = null
      session.alike.clear()
      break
    case "MonitorDetached": {
      session.observer = null
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
      if (request.kind === "grow") session.growth = request
      if (request.kind === "set") {
        session.settings = { texts: withSettings(session.settings?.texts ?? [], request.settings), seq: record.seq }
      }
      break
    }
    case "SessionGrown":
      grow(session, record.at)
      break
    case "RequestRefused":
      session.growth = null
      break
    case "NodesExcluded":
    case "NodesReleased":
    case "NodesUpdated":
    case "ProjectNodesRead":
      foldNodes(session, record)
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
    case "PatternSwitchedOff": {
      const { pattern, rule, why } = record.data
      session.patternsOff.set(pattern, { rule, why, since: record.at })
      break
    }
    case "LogUnreadable":
      session.unreadable.add(logKey(record.job ?? "", record.data.path))
      break
    case "LogReadable":
      session.unreadable.delete(logKey(record.job ?? "", record.data.path))
      break
    case "TimerSet":
      session.timers.set(record.data.timer, { due: record.data.due, seq: record.seq })
      break
    case "TimerFired": {
      session.timers.delete(record.data.timer)
      if (record.data.timer === recoveryTimer && session.recovery !== null) {
        session.recovery = { ...session.recovery, settled: true }
      }
      const settled = session.submissions.get(record.data.timer.replace(/^submission /, ""))
      if (settled !== undefined) session.submissions.set(settled.nonce, { ...settled, settled: true })
      break
    }
    case "SubmissionIntended":
    case "JobSubmitted":
    case "SubmissionDoubted":
    case "SubmissionNotFound":
    case "SubmissionLost":
    case "JobStateChanged":
    case "RestartDecided":
    case "RestartDropped":
    case "CancelDecided":
    case "CancelAnswered":
    case "CancelUnheeded":
    case "EndDecided":
    case "JobClassified":
    case "JobLost":
    case "JobFinished":
    case "EndConfirmed":
    case "EndDoubted":
    case "JobReopened":
    case "JobHeld":
    case "JobReleased":
    case "LinkTaken":
    case "LinkCancelDecided":
    case "LinkCancelAnswered":
    case "LinkEnded":
    case "AttentionCleared":
    case "AttentionNeeded":
      if (record.type === "JobSubmitted") {
        session.cluster = record.data.cluster
        session.siteLimit = null
      }
      foldAttempt(session, record)
      break
    case "ConditionPassed":
    case "ConditionFailed":
      foldLatch(session, record)
      foldAction(session, record)
      break
    case "EventRaised":
    case "ConditionWaiting":
    case "ConditionAnswered":
    case "ActionStarted":
    case "ActionFinished":
    case "ActionInterrupted":
    case "ActionQueued":
    case "ActionLogged":
    case "ActionSkipped":
    case "EventPublished":
    case "QueueClaimed":
    case "QueueFinished":
    case "QueueReleased":
    case "QueueRemoved":
    case "FollowUpEnded":
      foldAction(session, record)
      break
  }
  return session
}
