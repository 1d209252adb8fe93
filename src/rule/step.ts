/**
 * The decider: what follows from a fact. Pure but for the session it is given, which it folds on as it decides, so that
 * the second of five error lines already sees the restart that the first one decided.
 */
import * as Either from "effect/Either"
import { type Binding, eventAction, renderAction } from "../action/actions.ts"
import type { RestartAction } from "../action/actions/RestartAction.ts"
import { judge } from "../action/conditions.ts"
import type { ValueMap } from "../backend/Value.ts"
import type { EventRecord, Fact, NewEvent } from "../event/EventRecord.ts"
import type { DecisionType, EventData } from "../event/events.ts"
import { endedStates, fold } from "../session/fold.ts"
import { eventKey, type Job, type Occurrence, type Session } from "../session/Session.ts"
import { classify } from "./classify.ts"
import { metadataOf, variablesOf } from "./metadata.ts"
import type { Mode, Monitoring } from "./Monitoring.ts"
import { later, secondsBetween } from "./time.ts"

/** The rules in force, by the names that facts and bindings use. */
export interface Rules {
  readonly monitoring: Monitoring
  readonly log: ReadonlyMap<string, Monitoring["log_events"][number]>
  readonly state: ReadonlyMap<Mode, Monitoring["state_events"][number]>
}

export const rulesOf = (monitoring: Monitoring): Rules => ({
  monitoring,
  log: new Map(monitoring.log_events.map((rule) => [rule.name, rule])),
  state: new Map(monitoring.state_events.map((rule) => [rule.name, rule]))
})

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
  fold(session, fact)
  const decider = new Decider(session, rules, fact, reserved)
  decider.decide()
  return decider.decisions
}

class Decider {
  readonly decisions: Array<EventRecord<DecisionType>> = []
  private readonly session: Session
  private readonly rules: Rules
  private readonly fact: Fact
  private readonly reserved: ReadonlySet<number>
  private roomChanged = false

  constructor(session: Session, rules: Rules, fact: Fact, reserved: ReadonlySet<number>) {
    this.session = session
    this.rules = rules
    this.fact = fact
    this.reserved = reserved
  }

  decide(): void {
    const { fact } = this
    switch (fact.type) {
      case "MonitorAttached":
        this.takeStock()
        break
      case "OperatorRequested":
        this.answer(fact.data)
        break
      case "SubmissionRefused":
        this.refuse(fact.data)
        break
      case "SubmissionUnanswered":
        this.emit({ type: "SubmissionDoubted", data: { nonce: fact.data.nonce, why: fact.data.message } })
        break
      case "SubmissionNotFound":
        this.missSubmission(fact.data.nonce)
        break
      case "JobStateChanged":
        this.followState(fact.data.to)
        break
      case "LogRead":
        this.readMatches(fact.data)
        break
      case "ConditionObserved":
        this.resume(fact.data.binding)
        break
      case "TimerFired":
        this.fire(fact.data.timer)
        break
      default:
        break
    }
    if (this.roomChanged) this.submitWaiting()
  }

  /** Adds a decision, folded at once; returns its seq. */
  private emit(event: NewEvent<DecisionType>, job?: Job, cause: number = this.fact.seq): number {
    let seq = this.session.seq + 1
    while (this.reserved.has(seq)) seq += 1
    const record: EventRecord<DecisionType> = {
      ...event,
      ...(job === undefined ? {} : { job: job.plan.name, attempt: job.attempt }),
      cause,
      seq,
      at: this.fact.at,
      epoch: this.fact.epoch
    }
    fold(this.session, record)
    this.decisions.push(record)
    return seq
  }

  private job(name: string | undefined): Job | undefined {
    return name === undefined ? undefined : this.session.jobs.get(name)
  }

  /** The job as it is now, after what was decided since `job` was looked up. */
  private now(job: Job): Job {
    return this.session.jobs.get(job.plan.name) ?? job
  }

  private setTimer(timer: string, seconds: number, job?: Job, from: string = this.fact.at): void {
    this.emit({ type: "TimerSet", data: { timer, due: later(from, seconds) } }, job)
  }

  // --- a monitor takes over -------------------------------------------------------------------------------------------

  /** What the monitor before this one left half done. */
  private takeStock(): void {
    for (const { doubted, nonce } of [...this.session.submissions.values()]) {
      if (!doubted) {
        this.emit({
          type: "SubmissionDoubted",
          data: { nonce, why: "the monitor ended before it recorded the scheduler's answer" }
        })
      }
    }
    for (const { action, id, job } of [...this.session.actions.values()]) {
      if (mayRepeat(action.class_name)) continue
      this.emit({ type: "ActionInterrupted", data: { action_id: id, why: interrupted } }, this.job(job))
    }
    for (const { action, claimedBy, job, queueId, status } of [...this.session.queue.values()]) {
      if (status !== "running" || claimedBy?.role !== "monitor") continue
      if (mayRepeat(action.class_name)) {
        this.emit({ type: "QueueReleased", data: { queue_id: queueId, why: interrupted } }, this.job(job))
      } else {
        const outcome = { status: "failed" as const, result: { error: interrupted } }
        this.emit({ type: "QueueFinished", data: { queue_id: queueId, outcome } }, this.job(job))
      }
    }
  }

  // --- requests -------------------------------------------------------------------------------------------------------

  private answer({ actor, request, request_id }: EventData<"OperatorRequested">): void {
    const refuse = (why: string) => {
      this.emit({ type: "RequestRefused", data: { request_id, why } })
    }
    if (request.kind === "submit") {
      this.roomChanged = true
      return
    }
    const entry = this.session.queue.get(request.queue_id)
    if (entry === undefined) return refuse(`there is no queue entry ${request.queue_id}`)
    const { job, queueId: queue_id, status } = entry
    const about = this.job(job)
    switch (request.kind) {
      case "queue_retry":
        if (status === "running") return refuse(`queue entry ${queue_id} is running`)
        this.emit({ type: "QueueReleased", data: { queue_id, why: `asked for by ${actor.user}@${actor.host}` } }, about)
        return
      case "queue_remove":
        if (status === "running") return refuse(`queue entry ${queue_id} is running`)
        this.emit({ type: "QueueRemoved", data: { queue_id } }, about)
        return
      case "claim":
        if (status !== "queued") return refuse(`queue entry ${queue_id} is ${status}, not queued`)
        this.emit({ type: "QueueClaimed", data: { queue_id, actor } }, about)
        return
      case "result":
        if (status !== "running") return refuse(`queue entry ${queue_id} is ${status}, not running`)
        this.emit({ type: "QueueFinished", data: { queue_id, outcome: request.outcome } }, about)
        return
    }
  }

  // --- submissions ----------------------------------------------------------------------------------------------------

  private refuse({ message, nonce }: EventData<"SubmissionRefused">): void {
    for (const name of this.session.submissions.get(nonce)?.jobs ?? []) {
      const job = this.job(name)
      if (job !== undefined) this.finish(job, "failed", `the scheduler refused it: ${message}`)
    }
  }

  private missSubmission(nonce: string): void {
    const submission = this.session.submissions.get(nonce)
    if (submission === undefined) return
    if (submission.settled || this.session.settleSeconds === 0) {
      this.emit({ type: "SubmissionLost", data: { nonce } })
      this.roomChanged = true
    } else {
      this.setTimer(`submission ${nonce}`, this.session.settleSeconds)
    }
  }

  /** Submits what waits, as far as `max_jobs` leaves room: tasks of one array script and attempt together. */
  private submitWaiting(): void {
    let room = this.session.maxJobs ?? Infinity
    const waiting: Array<Job> = []
    for (const job of this.session.jobs.values()) {
      if (job.state === "submitting" || job.live) room -= 1
      else if (job.state === "waiting" || (job.restart !== null && job.verdict !== null && job.outcome === null)) {
        waiting.push(job)
      }
    }
    const groups = new Map<string, Array<Job>>()
    for (const job of waiting.slice(0, Math.max(0, room))) {
      const key = job.plan.array ? `${job.plan.script}\0${job.attempt}` : job.plan.name
      groups.set(key, [...groups.get(key) ?? [], job])
    }
    for (const group of groups.values()) this.intend(group)
  }

  private intend(group: ReadonlyArray<Job>): void {
    const [first] = group
    if (first === undefined) return
    const attempt = first.attempt + 1
    const nonce = `${this.session.entropy}${(this.session.seq + 1).toString(36)}`
    const base = first.plan.array ? `${this.session.project}-array` : first.plan.name
    const single = group.length === 1 ? first : undefined
    this.emit(
      {
        type: "SubmissionIntended",
        ...(single === undefined ? {} : { job: single.plan.name }),
        attempt,
        data: {
          nonce,
          name: `${base}.${attempt}.${nonce}`,
          script: first.plan.script,
          jobs: group.map(({ plan }) => plan.name),
          array: first.plan.array ? group.map(({ plan }) => plan.index) : null
        }
      },
      undefined,
      first.restart?.seq
    )
  }

  // --- states ---------------------------------------------------------------------------------------------------------

  private followState(to: string): void {
    const job = this.job(this.fact.job)
    if (job === undefined || this.fact.attempt !== job.attempt) return
    if (to === "MISSING") {
      if (this.session.settleSeconds === 0) this.lose(job)
      else this.setTimer(`missing ${key(job)}`, this.session.settleSeconds, job)
    } else if (endedStates.has(to)) {
      this.setTimer(`settle ${key(job)}`, this.rules.monitoring.log_settle_seconds, job)
    } else if (job.state === "running") {
      this.watchSilence(job)
    }
  }

  private watchSilence(job: Job): void {
    const threshold = this.rules.monitoring.inactivity_threshold_seconds
    const timer = `idle ${key(job)}`
    if (threshold !== null && !this.session.timers.has(timer)) this.setTimer(timer, threshold, job)
  }

  private lose(job: Job): void {
    this.emit({ type: "JobLost", data: {} }, job)
    if (job.restart === null) {
      const reason = "the scheduler lost the job"
      this.emit({ type: "RestartDecided", data: { event: "lost", reason, budget: null } }, job)
    }
    this.roomChanged = true
  }

  private fire(timer: string): void {
    const [kind = "", ...rest] = timer.split(" ")
    const attempt = Number(rest.at(-1))
    const job = this.job(rest.slice(0, -1).join(" "))
    if (kind === "condition") return this.timeOut(rest.join(" "))
    if (job === undefined || job.attempt !== attempt || job.outcome !== null) return
    if (kind === "idle") this.judgeSilence(job)
    if (kind === "settle") this.judgeEnd(job)
    if (kind === "missing" && job.slurmState === "MISSING") this.lose(job)
  }

  private judgeSilence(job: Job): void {
    const threshold = this.rules.monitoring.inactivity_threshold_seconds
    if (threshold === null || job.state !== "running" || job.activeAt === null || job.restart !== null) return
    const silent = secondsBetween(job.activeAt, this.fact.at)
    if (silent < threshold) return this.setTimer(`idle ${key(job)}`, threshold, job, job.activeAt)
    const metadata = { stall_seconds: Math.floor(silent), stall_threshold_seconds: threshold, reason: "inactivity_timeout" }
    for (const rule of this.rules.monitoring.log_events) {
      if (rule.pattern_type === "inactivity") {
        this.raise(job, rule.name, "inactivity", rule, { ...rule.metadata, ...metadata })
      }
    }
    this.raiseState(job, "stall", { ...metadata, error_type: "stall" })
  }

  private judgeEnd(job: Job): void {
    const settle = this.rules.monitoring.log_settle_seconds
    if (job.activeAt !== null && secondsBetween(job.activeAt, this.fact.at) < settle) {
      return this.setTimer(`settle ${key(job)}`, settle, job, job.activeAt)
    }
    const { metadata, mode, outcome, why } = classify(job)
    this.emit({ type: "JobClassified", data: { mode, outcome, why, metadata } }, job)
    if (job.restart === null) this.raiseState(job, mode, metadata)
    this.settle(job)
  }

  /** Ends a judged job, unless a restart is decided or still waits for its conditions. */
  private settle(job: Job): void {
    const now = this.now(job)
    if (now.verdict === null || now.outcome !== null) return
    if (now.restart !== null) {
      this.roomChanged = true
      return
    }
    for (const binding of this.session.bindings.values()) {
      const { occurrence } = binding
      const bound = this.bindingsOf(occurrence)[binding.position]
      const restarts = bound !== undefined && eventAction(bound).action.class_name === "RestartAction"
      if (restarts && occurrence.job === now.plan.name && occurrence.attempt === now.attempt) return
    }
    this.finish(now, now.verdict.outcome, now.verdict.why)
  }

  private finish(job: Job, outcome: NonNullable<Job["outcome"]>, why: string): void {
    this.emit({ type: "JobFinished", data: { outcome, why } }, job)
    for (const { asked, className, condition, id, occurrence } of [...this.session.bindings.values()]) {
      if (occurrence.job !== job.plan.name || asked.waitsAfterJob) continue
      this.emit(
        { type: "ConditionFailed", data: { binding: id, condition, class_name: className, why: "the job has ended" } },
        job
      )
    }
    this.roomChanged = true
  }

  // --- events and their bindings --------------------------------------------------------------------------------------

  private readMatches({ matches }: EventData<"LogRead">): void {
    const job = this.job(this.fact.job)
    if (job === undefined) return
    if (job.state === "running" && !job.stalled) this.watchSilence(job)
    for (const match of matches) {
      const rule = this.rules.log.get(match.rule)
      if (match.line === undefined || rule === undefined) continue
      const reader = { ...this.now(job), attempt: this.fact.attempt ?? job.attempt }
      this.raise(reader, rule.name, "log", rule, { ...rule.metadata, ...match.groups })
    }
  }

  private raiseState(job: Job, mode: Mode, metadata: ValueMap): void {
    const rule = this.rules.state.get(mode)
    const bound = rule ?? { state: null, actions: [], metadata: {} }
    this.raise(this.now(job), mode, "state", bound, { ...bound.metadata, ...metadata })
  }

  private raise(
    job: Job,
    name: string,
    source: Occurrence["source"],
    rule: Pick<Monitoring["log_events"][number], "state" | "actions">,
    metadata: ValueMap
  ): void {
    const known = this.session.events.get(eventKey(job.plan.name, job.attempt, name))
    const seq = this.emit({
      type: "EventRaised",
      data: {
        event_id: known?.eventId ?? `e${this.nextSeq()}`,
        name,
        source,
        count: (known?.count ?? 0) + 1,
        state: rule.state?.class_name ?? null,
        metadata
      }
    }, job)
    const occurrence = this.session.occurrences.get(seq)
    if (occurrence === undefined) return
    for (const position of rule.actions.keys()) this.bind(occurrence, position, 0, seq)
  }

  private nextSeq(): number {
    let seq = this.session.seq + 1
    while (this.reserved.has(seq)) seq += 1
    return seq
  }

  private bindingsOf({ name, source }: Occurrence): ReadonlyArray<typeof Binding.Type> {
    const rule = source === "state"
      ? [...this.rules.state.values()].find((state) => state.name === name)
      : this.rules.log.get(name)
    return rule?.actions ?? []
  }

  /** Goes on with a binding at one of its conditions; acts once all have passed. */
  private bind(occurrence: Occurrence, position: number, from: number, cause: number): void {
    const job = this.job(occurrence.job)
    const bound = this.bindingsOf(occurrence)[position]
    if (job === undefined || bound === undefined) return
    const { action, conditions, mode } = eventAction(bound)
    const binding = `${occurrence.seq}.${position}`
    const metadata = variablesOf(this.session, job, occurrence)
    let last = cause
    for (const [index, condition] of conditions.entries()) {
      if (index < from) continue
      const { class_name } = condition
      const verdict = judge(condition, { attempt: job.attempt, metadata })
      if (verdict.verdict === "pass") {
        const data = { binding, condition: index, class_name, why: verdict.why }
        last = this.emit({ type: "ConditionPassed", data }, job, last)
      } else if (verdict.verdict === "fail") {
        const data = { binding, condition: index, class_name, why: verdict.why }
        this.emit({ type: "ConditionFailed", data }, job, last)
        return
      } else {
        const { asked } = verdict
        this.emit({ type: "ConditionWaiting", data: { binding, condition: index, class_name, asked } }, job, last)
        if (asked.timeoutSeconds !== null) this.setTimer(`condition ${binding}`, asked.timeoutSeconds, job)
        return
      }
    }
    const skip = (why: string) => {
      const data = { binding, event_id: occurrence.eventId, class_name: action.class_name, why }
      this.emit({ type: "ActionSkipped", data }, job, last)
    }
    if (action.class_name === "RestartAction") return this.restart(job, occurrence, action, skip, last)
    const rendered = Either.getOrElse(renderAction(action, metadata), (error) => {
      skip(error.message)
      return null
    })
    if (rendered === null) return
    const event_id = occurrence.eventId
    if (rendered.class_name === "LogAction" || rendered.class_name === "LogMessageAction") {
      this.emit({ type: "ActionLogged", data: { binding, event_id, message: rendered.message } }, job, last)
      return
    }
    const complete = rendered.class_name === "RunCommandAction"
      ? { ...rendered, cwd: rendered.cwd ?? job.plan.output_dir }
      : rendered
    const id = this.nextSeq()
    if (mode === "queue") {
      const data = { queue_id: `q${id}`, binding, event_id, event: occurrence.name, action: complete }
      this.emit({ type: "ActionQueued", data }, job, last)
    } else {
      this.emit({ type: "ActionStarted", data: { action_id: `a${id}`, binding, event_id, action: complete } }, job, last)
    }
  }

  /** The answer to a binding's question was yes. */
  private resume(id: string): void {
    const open = this.session.bindings.get(id)
    if (open === undefined) return
    const { className: class_name, condition, occurrence, position } = open
    const job = this.job(occurrence.job)
    const why = "the answer is yes"
    const seq = this.emit({ type: "ConditionPassed", data: { binding: id, condition, class_name, why } }, job)
    this.bind(occurrence, position, condition + 1, seq)
    if (job !== undefined) this.settle(job)
  }

  private timeOut(id: string): void {
    const open = this.session.bindings.get(id)
    if (open === undefined) return
    const job = this.job(open.occurrence.job)
    const why = `no within ${open.asked.timeoutSeconds} s`
    this.emit({
      type: "ConditionFailed",
      data: { binding: id, condition: open.condition, class_name: open.className, why }
    }, job)
    if (job !== undefined) this.settle(job)
  }

  private restart(
    job: Job,
    { attempt, metadata, name }: Occurrence,
    action: typeof RestartAction.Type,
    skip: (why: string) => void,
    cause: number
  ): void {
    if (attempt !== job.attempt || job.outcome !== null) return skip(`attempt ${attempt} is over`)
    if (job.restart !== null) return skip(`a restart after attempt ${attempt} is decided already`)
    const max = action.max_restarts
    const used = job.restarts.filter((restart) => restart.cause === name).length
    if (max !== null && used >= max) {
      const why = `the restart budget of ${name} is spent (${used} of ${max})`
      skip(why)
      this.emit({ type: "AttentionNeeded", data: { why } }, job, cause)
      return
    }
    const budget = max === null ? null : { before: max - used, after: max - used - 1 }
    const reason = action.reason || metadataOf(metadata, "reason") || name
    const seq = this.emit({ type: "RestartDecided", data: { event: name, reason, budget } }, job, cause)
    if (job.live && job.slurm !== null) {
      this.emit({ type: "CancelDecided", data: { slurm_id: job.slurm.id, why: `restart: ${reason}` } }, job, seq)
    }
  }
}

const interrupted = "its monitor ended while it was under way, and whether it took effect is not known"

/** Whether an action does no more when it is done twice. A follow-up's plan id derives from its action's. */
const mayRepeat = (className: string): boolean => className === "RunAutoexpAction"

const key = (job: Job): string => `${job.plan.name} ${job.attempt}`
