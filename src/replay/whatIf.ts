/**
 * What other rules would have done with the same facts. What a job would have done after the first decision about its
 * course that differs, nobody knows: its later facts are not used.
 */
import * as Schema from "effect/Schema"
import type { EventRecord, Fact, NewEvent } from "../event/EventRecord.ts"
import type { FactType } from "../event/events.ts"
import { partsOf, questionText } from "../event/Question.ts"
import { later } from "../event/time.ts"
import { type Rules } from "../rule/Context.ts"
import { Monitoring, pollSeconds } from "../rule/Monitoring.ts"
import { step } from "../rule/step.ts"
import { fold } from "../session/fold.ts"
import { emptySession, type Session } from "../session/Session.ts"
import { Counterparts } from "./counterparts.ts"
import { type Deed, deedsOf, runsOf } from "./course.ts"
import { type Outlook, outlookOf } from "./outlook.ts"
import type { ReadAgain } from "./readAgain.ts"
import { type Turn, turnsOf } from "./turns.ts"

/** Where the decisions about a job differ, at one fact. */
export interface Difference extends Outlook {
  readonly job: string
  readonly at: string
  /** Seq of the fact; null: a deadline that only the other rules have. */
  readonly fact: number | null
  readonly recorded: ReadonlyArray<Deed>
  readonly replayed: ReadonlyArray<Deed>
  /** Whether the job's later facts are not used: its course differs from here on. */
  readonly steers: boolean
}

/** A question that only the other rules ask: nobody knows the answer. */
export interface Unknown {
  readonly job: string
  readonly event: string
  readonly condition: string
  readonly question: string
}

export interface WhatIf {
  readonly recorded: ReadonlyArray<Deed>
  readonly replayed: ReadonlyArray<Deed>
  readonly diff: ReadonlyArray<Difference>
  readonly unknown: ReadonlyArray<Unknown>
}

/** Rules decided by, for all jobs alike. */
const under = (session: { -readonly [Key in keyof Session]: Session[Key] }, encoded: unknown): void => {
  session.rules = encoded
  session.ruleSets = session.ruleSets.map(() => encoded)
}

const kindOf = (timer: string): string => timer.slice(0, timer.includes(" ") ? timer.indexOf(" ") : undefined)

/** The job that a timer of a job's attempt is about. */
const jobOf = (timer: string): string => timer.split(" ").slice(1, -1).join(" ")

class Simulation {
  readonly recorded: Session = emptySession()
  readonly other: Session = emptySession()
  readonly deeds: { readonly recorded: Array<Deed>; readonly replayed: Array<Deed> } = { recorded: [], replayed: [] }
  readonly differences: Array<Omit<Difference, keyof Outlook>> = []
  /** Jobs whose course differs. */
  readonly parted = new Set<string>()
  private readonly same = new Counterparts()
  private readonly rules: Rules
  private readonly encoded: unknown
  private readonly matches: ReadAgain["matches"]
  /** Seconds within which a monitor sees that a deadline has passed. */
  private readonly period: number
  /** Whether a monitor was there to see deadlines pass. */
  private watched = false

  constructor(rules: Rules, matches: ReadAgain["matches"]) {
    this.rules = rules
    this.encoded = Schema.encodeSync(Monitoring)(rules.monitoring)
    this.matches = matches
    this.period = Math.max(1, pollSeconds(rules.monitoring))
  }

  /** A recorded turn, and the deadlines that passed before it. */
  take(turn: Turn): void {
    const { decisions, fact } = turn
    if (this.watched && fact.type !== "MonitorAttached") this.fireUntil(fact.at)
    const fed = this.translate(fact)
    for (const record of [fact, ...decisions]) fold(this.recorded, record)
    const decided = fed === null ? [] : this.decide(fed, fact)
    this.same.note(decisions, decided)
    this.compare(fact.at, fact.seq, decisions.flatMap(deedsOf), decided.flatMap(deedsOf))
    if (fact.type === "MonitorAttached") this.watched = true
    if (fact.type === "MonitorDetached") this.watched = false
  }

  /** The ends that would still have been judged, since nothing more was to be learned of them. */
  finish(): void {
    for (const [timer, { due }] of this.other.timers) {
      if (kindOf(timer) === "settle") this.fire(timer, due, 0)
    }
  }

  private decide(event: NewEvent<FactType>, { at, epoch }: Pick<Fact, "at" | "epoch">): ReadonlyArray<EventRecord> {
    const fact = { ...event, seq: this.other.seq + 1, at, epoch } as Fact
    const decided = step(this.other, this.rules, fact)
    under(this.other, this.encoded)
    return decided
  }

  /** The fact as the other session meets it; null if it does not. */
  private translate(fact: Fact): NewEvent<FactType> | null {
    if (fact.type === "TimerFired") {
      const timer = this.same.timer(fact.data.timer, this.recorded, this.other)
      const due = timer === null ? undefined : this.other.timers.get(timer)?.due
      const mine = timer !== null && due !== undefined && due <= fact.at && this.mayFire(timer)
      return mine ? { ...fact, data: { timer } } : null
    }
    if (fact.type === "RulesChanged" || (fact.job !== undefined && this.parted.has(fact.job))) return null
    const matches = fact.type === "LogRead" ? this.matches.get(fact.seq) : undefined
    if (fact.type === "LogRead" && matches !== undefined) return { ...fact, data: { ...fact.data, matches } }
    return this.same.fact(fact, this.recorded, this.other)
  }

  /** Whether a deadline may pass: of a job whose facts are not used, silence means nothing. */
  private mayFire(timer: string): boolean {
    const kind = kindOf(timer)
    if (kind === "submission" || kind === "submit" || kind.startsWith("condition")) return true
    const name = jobOf(timer)
    return !this.parted.has(name) || (kind === "settle" && this.other.jobs.get(name)?.live === false)
  }

  /** Whether a deadline tells something: of a question that nobody asked, its time limit does not. */
  private isKnown(timer: string): boolean {
    const [, part = 0] = /^condition(?:\.(\d+))? /.exec(timer) ?? []
    if (!timer.startsWith("condition")) return true
    const id = timer.slice(timer.indexOf(" ") + 1)
    const open = this.other.gates.get(id) ?? this.other.bindings.get(id)
    return open !== undefined && partsOf(open.asked)[Number(part)]?.question.kind === "delay"
  }

  /**
   * Deadlines that only the other session has, and that a monitor had surely seen by then. Of those which both have, the
   * journal tells when they were seen; of a lost job or submission only the scheduler could have told.
   */
  private fireUntil(at: string): void {
    const due = [...this.other.timers].filter(([timer, { due }]) =>
      !["submission", "missing"].includes(kindOf(timer)) && later(due, this.period) < at && this.mayFire(timer) &&
      this.isKnown(timer) &&
      ![...this.recorded.timers].some(([known, one]) => kindOf(known) === kindOf(timer) && one.due === due)
    ).sort(([, a], [, b]) => a.due < b.due ? -1 : a.due > b.due ? 1 : 0)
    for (const [timer, { due: moment }] of due) this.fire(timer, moment, this.period)
    // What a deadline leads to may set another that has passed too.
    if (due.length > 0) this.fireUntil(at)
  }

  /** The deadline passes, and is seen so many seconds later. */
  private fire(timer: string, due: string, seconds: number): void {
    if (this.other.timers.get(timer)?.due !== due) return
    const seen = later(due, seconds)
    const at = seen > this.other.at ? seen : this.other.at
    const decided = this.decide({ type: "TimerFired", data: { timer } }, { at, epoch: this.other.epoch })
    this.compare(at, null, [], decided.flatMap(deedsOf))
  }

  /** Notes what differs; a job whose course differs parts from its record. */
  private compare(at: string, fact: number | null, recorded: ReadonlyArray<Deed>, replayed: ReadonlyArray<Deed>): void {
    this.deeds.recorded.push(...recorded)
    this.deeds.replayed.push(...replayed)
    for (const job of new Set([...recorded, ...replayed].map((deed) => deed.job))) {
      if (this.parted.has(job)) continue
      const [was, would] = [recorded, replayed].map((deeds) => deeds.filter((deed) => deed.job === job))
      const keys = (deeds: ReadonlyArray<Deed> = []) => deeds.map(({ key }) => key).join("\n")
      if (keys(was) === keys(would)) continue
      const steering = (deeds: ReadonlyArray<Deed> = []) => deeds.filter((deed) => deed.steers)
      const steers = keys(steering(was)) !== keys(steering(would))
      this.differences.push({ job, at, fact, recorded: was ?? [], replayed: would ?? [], steers })
      if (steers) this.parted.add(job)
    }
  }
}

const unknownIn = ({ bindings }: Session, recorded: Session): ReadonlyArray<Unknown> =>
  [...bindings.values()].flatMap(({ asked, className, occurrence }) => {
    const question = questionText(asked.question)
    const wasOpen = [...recorded.bindings.values()].some((open) =>
      open.occurrence.job === occurrence.job && questionText(open.asked.question) === question
    )
    return wasOpen ? [] : [{ job: occurrence.job, event: occurrence.name, condition: className, question }]
  })

/** Decides on the facts of the records by `rules`; `matches`: those of log reads (by seq) that differ under them. */
export const whatIf = (
  records: ReadonlyArray<EventRecord>,
  rules: Rules,
  matches: ReadAgain["matches"]
): WhatIf => {
  const simulation = new Simulation(rules, matches)
  for (const turn of turnsOf(records)) simulation.take(turn)
  simulation.finish()
  const { deeds, differences, other, recorded } = simulation
  const runs = runsOf(records)
  return {
    ...deeds,
    diff: differences.map((difference) => ({
      ...difference,
      ...outlookOf(difference, deeds, runs.get(difference.job) ?? [], recorded)
    })),
    unknown: unknownIn(other, recorded)
  }
}
