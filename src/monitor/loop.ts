/** The monitor: observe, append, decide, act, publish; and again, until nothing is left to wait for. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { EventRecord, NewEvent } from "../event/EventRecord.ts"
import type { FactType } from "../event/events.ts"
import type { Actor } from "../event/terms.ts"
import type { Commands } from "../port/Commands.ts"
import { Files } from "../port/Files.ts"
import type { FollowUps } from "../port/FollowUps.ts"
import type { FencedError, Journal, JournalIoError } from "../port/Journal.ts"
import type { RulesAnswer, RuleSource } from "../port/RuleSource.ts"
import { Scheduler } from "../port/Scheduler.ts"
import { decodeRules, type Rules, rulesFor, rulesInForce } from "../rule/Context.ts"
import { type Detector, makeDetector } from "../rule/detect.ts"
import { pollSeconds } from "../rule/Monitoring.ts"
import { type Job } from "../session/Job.ts"
import { toUpdate } from "../session/nodes.ts"
import { toCancel, toClaim, toConfirm, toLookUp, toRun, toSubmit, unwantedLinks } from "../session/pending.ts"
import { isFinished, type Session } from "../session/Session.ts"
import { isObserved } from "../session/would.ts"
import { makeAsker } from "./askCommands.ts"
import { makeFileAsker } from "./askFiles.ts"
import { makeGateWriter } from "./gateFile.ts"
import { type Held, recordedNow } from "./held.ts"
import { inboxFacts } from "./inbox.ts"
import { makeWorkerWatch } from "./lostWorkers.ts"
import { makeRuleWatch } from "./newRules.ts"
import { confirmEnds, observeJobs, observeSubmitTimer, observeTimers } from "./observe.ts"
import { patientFiles } from "./patientFiles.ts"
import { perform } from "./perform.ts"
import { projectNodesFacts } from "./projectNodes.ts"
import { makePatientPublisher } from "./publish.ts"
import { observeLogs, type ReadingRules } from "./readLogs.ts"
import { recover } from "./recover.ts"
import { cancel, cancelLink, excludeNodes, lookUp, submit } from "./submissions.ts"

/** What a monitor needs of the world. */
export type Services = Journal | Scheduler | Files | Commands | FollowUps | RuleSource

type Failure = FencedError | JournalIoError
type Facts = ReadonlyArray<NewEvent<FactType>>

export interface WatchOptions {
  /** Whether this monitor executes queued actions itself. */
  readonly worker: boolean
  /** Decides and records, and acts on nothing: what would have been done is recorded as that. */
  readonly observeOnly: boolean
  /** One cycle, what it began included, then stop: of follow-ups too. */
  readonly once: boolean
  /** Stop when this holds although the session is not finished: once all is submitted. */
  readonly until: (session: Session) => boolean
  readonly toolVersion: string
  readonly actor: Actor
  /** Requests of the one who starts it, recorded as soon as it is attached. */
  readonly requests: ReadonlyArray<NewEvent<"OperatorRequested">>
  /** Called with every batch of records right after it became durable. */
  readonly onRecords: (records: ReadonlyArray<EventRecord>, session: Session) => Effect.Effect<void>
  /** Watches a follow-up session to its end and returns its status; null: it goes on after the one cycle asked for. */
  readonly watchFollowUp: (planId: string) => Effect.Effect<string | null>
}

/** How many queued actions run at once. */
const workers = 2

/** How long the first cycle waits for what the configs say of the rules. */
const rulesSeconds = 10

/** How long a monitor that was asked for one cycle waits for the first answer of the commands that it asks. */
const firstAnswerSeconds = 5

const pollSecondsOf = ({ monitoring }: Rules): number => pollSeconds(monitoring)

/** Requests, outcomes and new decisions are seen within this many seconds, whatever the poll interval is. */
const tickSeconds = 0.25

/** A monitor that has nothing to record learns within this many seconds that another one has taken the session. */
const newestSeconds = 5

/** Attaches to a session that is held, and watches it until it is finished or `until` holds. Always detaches. */
export const watch = (
  held: Held,
  options: WatchOptions
): Effect.Effect<void, Failure, Services | Scope.Scope> =>
  Effect.gen(function*() {
    const { session } = held
    const scheduler = yield* Scheduler
    const reading = new WeakMap<Rules, ReadingRules>()
    const readingRules = (job: Job): ReadingRules => {
      const rules = rulesFor(session, rulesInForce(session), job.plan)
      const known = reading.get(rules)
      if (known !== undefined) return known
      const made = {
        detect: Either.getOrElse(makeDetector(rules.monitoring), (): Detector => []),
        settleSeconds: rules.monitoring.log_settle_seconds
      }
      reading.set(rules, made)
      return made
    }
    const publisher = makePatientPublisher(held.place)
    /** Not of a session that another one has taken over: its files tell more than is known here. */
    const publish = Effect.zipRight(held.assertNewest, Effect.suspend(() => publisher(session, held.head())))
    const gates = makeGateWriter()
    const lostWorkers = makeWorkerWatch(held.place)
    const outcomes = yield* Queue.unbounded<NewEvent<FactType>>()
    const asker = yield* makeAsker(session, (fact) => Queue.offer(outcomes, fact))
    const fileAsker = yield* makeFileAsker(session, (fact) => Queue.offer(outcomes, fact))
    const ruleWatch = makeRuleWatch(session)
    const said = yield* Queue.unbounded<RulesAnswer>()
    const underWay = new Set<string>()
    let running = 0
    /** Whether the scheduler was to be asked for more than its limit on calls allowed. */
    let spared = false
    const callsBefore = yield* scheduler.calls

    /** Whether anything may be done about the job: not while it is only observed. */
    const mayAct = (name: string): boolean => {
      const job = session.jobs.get(name)
      return job === undefined || !isObserved(session, job)
    }

    const record = (facts: Facts) =>
      Effect.flatMap(
        held.record(facts),
        (records) => records.length === 0 ? Effect.void : options.onRecords(records, session)
      )

    /** Starts `effect` beside the loop, once for each id; its fact is recorded by the loop. */
    const beside = <R>(id: string, effect: Effect.Effect<NewEvent<FactType> | null, never, R>) =>
      underWay.has(id) ? Effect.void : Effect.suspend(() => {
        underWay.add(id)
        const told = Effect.flatMap(effect, (fact) => fact === null ? Effect.void : Queue.offer(outcomes, fact))
        return Effect.asVoid(Effect.forkScoped(told))
      })

    /** An action beside the loop: one that was begun is waited for, even by a monitor that was asked for one cycle. */
    const action = <R>(id: string, effect: Effect.Effect<NewEvent<FactType> | null, never, R>) =>
      underWay.has(id) ? Effect.void : Effect.zipRight(
        held.assertNewest,
        Effect.suspend(() => {
          running += 1
          return beside(id, Effect.ensuring(effect, Effect.sync(() => running -= 1)))
        })
      )

    /** Asks the configs beside the loop, since a file system that hangs answers nobody. */
    let askingRules = false
    const askRules = Effect.suspend(() => {
      if (askingRules) return Effect.void
      askingRules = true
      const asked = Effect.flatMap(ruleWatch.ask, (answer) => Queue.offer(said, answer))
      return Effect.asVoid(Effect.forkScoped(Effect.ensuring(asked, Effect.sync(() => askingRules = false))))
    })

    const takeRules = (answers: Iterable<RulesAnswer>) =>
      Effect.forEach(answers, (answer) => Effect.suspend(() => record(ruleWatch.take(answer))), { discard: true })

    const startActions = Effect.gen(function*() {
      for (const { action: what, attempt, id, job, seq } of toRun(session).filter(({ job }) => mayAct(job))) {
        yield* action(
          id,
          Effect.map(perform(held.place.stateDir, session, what, id, job), (outcome) => ({
            type: "ActionFinished" as const,
            job,
            attempt,
            cause: seq,
            data: { action_id: id, outcome }
          }))
        )
      }
      for (const { planId, seq, status } of session.followUps.values()) {
        if (status !== null) continue
        yield* (options.once ? action : beside)(
          planId,
          Effect.map(options.watchFollowUp(planId), (ended) =>
            ended === null ? null : {
              type: "FollowUpEnded" as const,
              cause: seq,
              data: { plan_id: planId, status: ended }
            })
        )
      }
    })

    const ownWorker = { ...options.actor, role: "monitor" as const }

    /** Claims queued actions as far as there is room, and runs what it claimed. */
    const work = Effect.gen(function*() {
      const claimed = [...session.queue.values()].filter(({ claimedBy, status }) =>
        status === "running" && claimedBy?.role === "monitor"
      ).length
      const claims = toClaim(session, yield* recordedNow).filter(({ job }) =>
        mayAct(job)
      ).slice(0, Math.max(0, workers - claimed))
      yield* record(claims.map(({ attempts, job, queueId }) => ({
        type: "OperatorRequested" as const,
        job,
        data: {
          request_id: `claim ${queueId} ${attempts + 1}`,
          actor: ownWorker,
          request: { kind: "claim" as const, queue_id: queueId, lease: `${session.epoch}-${queueId}-${attempts + 1}` }
        }
      })))
      for (const entry of session.queue.values()) {
        const { action: what, attempts, claimedBy, claimSeq, job, lease, queueId, status } = entry
        if (status !== "running" || claimedBy?.role !== "monitor" || claimSeq === null) {
          continue
        }
        const id = `${queueId} ${attempts}`
        yield* action(
          id,
          Effect.map(perform(held.place.stateDir, session, what, queueId, job), (outcome) => ({
            type: "OperatorRequested" as const,
            job,
            cause: claimSeq,
            data: {
              request_id: `result ${id}`,
              actor: ownWorker,
              request: { kind: "result" as const, queue_id: queueId, outcome, ...(lease === null ? {} : { lease }) }
            }
          }))
        )
      }
    })

    /** Asks the scheduler for what is decided, until nothing new follows from its answers. */
    const schedule: Effect.Effect<void, Failure, Services | Scope.Scope> = Effect.gen(function*() {
      let acted = true
      let answers = true
      spared = false
      while (acted) {
        acted = false
        yield* gates(session)
        for (const submission of toSubmit(session).filter(({ jobs }) => jobs.every(mayAct))) {
          if (!answers) break
          if (!session.submissions.has(submission.nonce)) continue
          yield* held.assertNewest
          const facts: Facts = yield* Effect.uninterruptible(Effect.tap(submit(session, submission), record))
          acted = true
          // A scheduler that does not answer is asked again next cycle, not once for each job.
          answers = facts.some(({ type }) => type === "JobSubmitted" || type === "SubmissionRefused")
          spared = spared || facts.length === 0
        }
        const confirmed = yield* confirmEnds(session, toConfirm(session))
        yield* record(confirmed)
        acted = acted || confirmed.some(({ type }) => type === "EndConfirmed")
        for (const unwanted of unwantedLinks(session).filter(({ job, taken }) => !taken && mayAct(job.plan.name))) {
          const facts = yield* cancelLink(session, unwanted)
          yield* record(facts)
          spared = spared || facts.length === 0
        }
        for (const job of toCancel(session).filter(({ plan }) => mayAct(plan.name))) {
          yield* held.assertNewest
          const facts = yield* cancel(session, job)
          yield* record(facts)
          acted = acted || facts.some(({ type }) => type === "CancelAnswered")
          spared = spared || facts.length === 0
        }
      }
      for (const outdated of toUpdate(session).filter(({ job }) => mayAct(job.plan.name))) {
        const facts = yield* excludeNodes(session, outdated)
        yield* record(facts)
        if (facts.some(({ type }) => type === "NodesUpdated")) continue
        // It spares itself, or does not answer: nor would it for the others.
        spared = spared || facts.length === 0
        break
      }
      yield* asker.ask
      yield* fileAsker.ask
    })

    /** Effects of what is decided. */
    const act: Effect.Effect<void, Failure, Services | Scope.Scope> = Effect.gen(function*() {
      yield* schedule
      yield* record(yield* lookUp(session, toLookUp(session)))
      yield* startActions
      if (options.worker) yield* work
    })

    const observe = Effect.gen(function*() {
      yield* record(yield* recover(session))
      yield* record(projectNodesFacts(held.place, session, yield* recordedNow))
      const { facts, missing } = yield* observeJobs(session)
      yield* record(facts)
      const at = yield* recordedNow
      yield* observeLogs(session, readingRules, at, "all", record)
      const lost = yield* lostWorkers(session)
      yield* record(lost.map(({ entry: { claimSeq, job, queueId: queue_id }, why }) => ({
        type: "WorkerLost" as const,
        job,
        ...(claimSeq === null ? {} : { cause: claimSeq }),
        data: { queue_id, why }
      })))
      yield* record(observeTimers(session, at, missing))
    })

    /** Logs that are too long for one turn are read on between two cycles. */
    const catchUp = Effect.flatMap(recordedNow, (at) => observeLogs(session, readingRules, at, "behind", record))

    const news = Effect.gen(function*() {
      const finished = yield* Queue.takeAll(outcomes)
      const { discard, facts } = yield* inboxFacts(held.place, session)
      yield* record([...finished, ...facts, ...observeSubmitTimer(session, yield* recordedNow)])
      yield* discard
      yield* takeRules(yield* Queue.takeAll(said))
      if (ruleWatch.isOutdated()) yield* askRules
    })

    /** Lets what was begun come to its end, and every gate have an answer, if that is given soon. */
    const awaitActions = Effect.gen(function*() {
      let waited = 0
      let heard = false
      const awaited = () => running > 0 || (asker.unheard() + fileAsker.unheard() > 0 && waited < firstAnswerSeconds)
      while (awaited() || (yield* Queue.size(outcomes)) > 0) {
        yield* Effect.sleep(`${tickSeconds * 1000} millis`)
        waited += tickSeconds
        const allHeard = fileAsker.unheard() === 0
        yield* news
        // What a file's answer leads to belongs to the cycle in which it was asked.
        yield* heard ? schedule : act
        heard = allHeard
        yield* publish
      }
    })

    const periodOf = (sets: ReadonlyArray<unknown>) =>
      Math.max(
        tickSeconds,
        Math.min(
          pollSecondsOf(rulesInForce(session)),
          ...sets.map((set) => Either.match(decodeRules(set), { onLeft: () => Infinity, onRight: pollSecondsOf }))
        )
      )

    const isOver = () => options.once || isFinished(session, options.worker) || options.until(session)

    const loop = Effect.gen(function*() {
      for (;;) {
        const period = periodOf(session.ruleSets)
        yield* askRules
        yield* held.assertNewest
        yield* observe
        yield* act
        yield* publish
        if (isOver()) return yield* awaitActions
        let waited = 0
        while (waited < period) {
          yield* Effect.sleep(`${tickSeconds * 1000} millis`)
          waited += tickSeconds
          if (waited % newestSeconds === 0) yield* held.assertNewest
          const before = session.seq
          yield* catchUp
          yield* fileAsker.passed(tickSeconds)
          yield* news
          if (session.seq === before && spared) yield* schedule
          if (session.seq === before) continue
          yield* act
          yield* publish
          if (isOver()) return yield* awaitActions
        }
      }
    })

    const detach = (reason: string) =>
      Effect.gen(function*() {
        const calls = yield* scheduler.calls
        const made = Object.fromEntries(
          Object.entries(calls).map(([name, count]) => [name, count - (callsBefore[name] ?? 0)])
        )
        yield* record([{ type: "MonitorDetached", data: { reason, calls: made } }])
        yield* publish
      }).pipe(Effect.catchAll((error) => Effect.logDebug(`detached without a record: ${error.message}`)))

    yield* record([{
      type: "MonitorAttached",
      data: {
        actor: options.actor,
        tool_version: options.toolVersion,
        ...(options.observeOnly ? { observe_only: true } : {})
      }
    }])
    const begin = Effect.gen(function*() {
      yield* askRules
      const first = yield* Effect.timeoutOption(Queue.take(said), `${rulesSeconds} seconds`)
      yield* takeRules(Option.toArray(first))
      yield* record(options.requests.filter(({ data }) => !session.requests.has(data.request_id)))
    })
    const files = yield* patientFiles(yield* Files)
    yield* Effect.onExit(Effect.provideService(Effect.andThen(begin, loop), Files, files), (exit) =>
      detach(
        Exit.isSuccess(exit) ?
          (isFinished(session, options.worker) ? "finished" : "asked to") :
          Exit.isInterrupted(exit)
          ? "interrupted"
          : "failed"
      ))
  })
