/** What deciding on one fact needs: the session as it is by now, the rules, and a way to decide. */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { EventRecord, Fact, NewEvent } from "../event/EventRecord.ts"
import type { DecisionType } from "../event/events.ts"
import type { PlannedJob } from "../event/PlannedJob.ts"
import type { JobOutcome, Mode } from "../event/terms.ts"
import { later } from "../event/time.ts"
import type { Occurrence } from "../session/entries.ts"
import { fold } from "../session/fold.ts"
import type { Job } from "../session/Job.ts"
import type { Session } from "../session/Session.ts"
import { Monitoring } from "./Monitoring.ts"

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

const decode = Schema.decodeUnknownEither(Monitoring)
const decoded = new WeakMap<object, Either.Either<Rules, string>>()

/** The rules of an encoded `monitoring` section, or why they cannot be read. One section is decoded once. */
export const decodeRules = (encoded: unknown): Either.Either<Rules, string> => {
  const known = Predicate.isObject(encoded) ? decoded.get(encoded) : undefined
  if (known !== undefined) return known
  const rules = Either.mapBoth(decode(encoded), { onLeft: ({ message }) => message, onRight: rulesOf })
  if (Predicate.isObject(encoded)) decoded.set(encoded, rules)
  return rules
}

/** The rules of a session that its journal tells. */
export const rulesInForce = (session: Session): Rules => Either.getOrElse(decodeRules(session.rules), () => noRules)

const noRules = rulesOf(Monitoring.make({}))

/** The rules that a job is under: those of its own set, else `base`, the session's. */
export const rulesFor = (session: Session, base: Rules, { rule_set }: PlannedJob): Rules => {
  const set = rule_set === null ? undefined : session.ruleSets[rule_set]
  return set === undefined ? base : Either.getOrElse(decodeRules(set), () => base)
}

/** The decision as what would have been done, if it is one that is done. */
const withheld = (event: NewEvent<DecisionType>): NewEvent<DecisionType> => {
  switch (event.type) {
    case "RestartDecided":
      return { ...event, data: { ...event.data, would: true } }
    case "CancelDecided":
      return { ...event, data: { ...event.data, would: true } }
    case "EndDecided":
      return { ...event, data: { ...event.data, would: true } }
    case "NodesExcluded":
      return { ...event, data: { ...event.data, would: true } }
    case "ActionStarted":
      return { ...event, data: { ...event.data, would: true } }
    case "ActionQueued":
      return { ...event, data: { ...event.data, would: true } }
    default:
      return event
  }
}

export class Context {
  readonly decisions: Array<EventRecord<DecisionType>> = []
  readonly session: Session
  readonly fact: Fact
  /** Jobs that stand otherwise just now, and the seqs of the records that say so: others may wait for that. */
  readonly moved: Array<{ readonly job: string; readonly seq: number }> = []
  /** Ends of jobs that actions asked for, with the seqs of the records that say so: once the fact is decided. */
  readonly ordered: Array<{
    readonly job: string
    readonly end: "finish" | "cancel"
    readonly why: string
    readonly seq: number
  }> = []
  /** How many events were published because of each occurrence that was seen, by its seq. */
  readonly published = new Map<number, number>()
  /** Whether a job may be submitted now that could not before. */
  roomChanged = false
  private readonly base: Rules
  private readonly reserved: ReadonlySet<number>

  constructor(session: Session, rules: Rules, fact: Fact, reserved: ReadonlySet<number>) {
    this.session = session
    this.base = rules
    this.fact = fact
    this.reserved = reserved
  }

  /** The seq that the next decision will have: ids are made of it. */
  nextSeq(): number {
    let seq = this.session.seq + 1
    while (this.reserved.has(seq)) seq += 1
    return seq
  }

  /** Whether anything may be done about the job: not while it is only observed. */
  acts(job: Job): boolean {
    return this.session.observer !== this.fact.epoch && this.rules(job).monitoring.act
  }

  /** Adds a decision, folded at once; returns its seq. Its cause is the fact, unless another record is named. */
  emit(event: NewEvent<DecisionType>, job?: Job, cause: number = this.fact.seq): number {
    const seq = this.nextSeq()
    const record: EventRecord<DecisionType> = {
      ...(job === undefined || this.acts(job) ? event : withheld(event)),
      ...(job === undefined ? {} : { job: job.plan.name }),
      ...(job === undefined || job.attempt === 0 ? {} : { attempt: job.attempt }),
      cause,
      seq,
      at: this.fact.at,
      epoch: this.fact.epoch
    }
    fold(this.session, record)
    this.decisions.push(record)
    return seq
  }

  /** The job of that name as it is by now, after what has been decided. */
  job(name: string | undefined): Job | undefined {
    return name === undefined ? undefined : this.session.jobs.get(name)
  }

  /** The rules that the job is under. */
  rules(job: Job): Rules {
    return rulesFor(this.session, this.base, job.plan)
  }

  /** The rules that an event of the job was raised under. */
  rulesAt(job: Job, { rules }: Occurrence): Rules {
    return rules === null ? this.rules(job) : Either.getOrElse(decodeRules(rules), () => this.rules(job))
  }

  /** How the job of that name ended: null while it has not, undefined if there is none. */
  endOf(name: string): { readonly outcome: JobOutcome; readonly why: string | null } | null | undefined {
    const job = this.job(name)
    if (job === undefined) return undefined
    return job.outcome === null ? null : { outcome: job.outcome, why: job.why }
  }

  now(job: Job): Job {
    return this.job(job.plan.name) ?? job
  }

  /** Sets a timer `seconds` after `from` (the fact's time if not given). */
  setTimer(timer: string, seconds: number, job?: Job, from: string = this.fact.at): void {
    this.emit({ type: "TimerSet", data: { timer, due: later(from, seconds) } }, job)
  }
}

/** Name of a timer about the job's present attempt. */
export const timerOf = (kind: "idle" | "settle" | "missing" | "links" | "overrun" | "restart", job: Job): string =>
  `${kind} ${job.plan.name} ${job.attempt}`
