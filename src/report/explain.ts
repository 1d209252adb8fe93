/** Why a job is where it is: sentences, each with the records that say so. */
import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import { eventAction } from "../action/actions.ts"
import type { EventRecord } from "../event/EventRecord.ts"
import { isFact } from "../event/EventRecord.ts"
import { questionText } from "../event/Question.ts"
import type { Budget } from "../event/terms.ts"
import { budgetsOf, progressOf } from "../rule/budget.ts"
import { decodeRules, rulesFor } from "../rule/Context.ts"
import type { Job } from "../session/Job.ts"
import { excludedView } from "../session/nodes.ts"
import type { Session } from "../session/Session.ts"
import { chainText, waitsFor } from "../session/view.ts"
import { wouldOf } from "../session/would.ts"
import { auditEntries } from "./audit/entries.ts"
import { sentence } from "./happenings.ts"

/** One sentence, and the seqs of the records that it rests on, the latest first. */
export interface Statement {
  readonly about:
    | "state"
    | "attention"
    | "waiting"
    | "restart"
    | "no_restart"
    | "action"
    | "condition"
    | "changes"
    | "nodes"
    | "would"
    | "rules"
  readonly text: string
  readonly evidence: ReadonlyArray<number>
}

export interface Explanation {
  readonly job: string
  readonly state: Job["state"]
  readonly outcome: Job["outcome"]
  readonly attempt: number
  readonly statements: ReadonlyArray<Statement>
  /** What each rule that restarts the job has left. */
  readonly budgets: ReadonlyArray<{ readonly rule: string } & Omit<Budget, "after">>
}

/** The record and what led to it, up to the fact that began it. */
const chain = (bySeq: ReadonlyMap<number, EventRecord>, from: EventRecord): ReadonlyArray<number> => {
  const seqs = [from.seq]
  let record: EventRecord | undefined = from
  while (record !== undefined && !isFact(record)) {
    record = record.cause === undefined ? undefined : bySeq.get(record.cause)
    if (record !== undefined) seqs.push(record.seq)
  }
  return seqs
}

const budgetText = ({ after, before, kind, max }: Budget): string =>
  `${kind.replace("_", " ")}: ${before} of ${max} left before, ${after} after`

const restartText = ({ attempt = 0, data }: EventRecord<"RestartDecided">): string => {
  const { budgets, by, event, fingerprint, progress, reason } = data
  if (by === "chain") return `attempt ${attempt} is followed by the ${reason}`
  const who = by === "operator" ? "an operator asked for it" : by === "lost" ? "the scheduler lost it" : `rule ${event}`
  return [
    `restarted after attempt ${attempt}, because ${who}: ${reason}`,
    ...(fingerprint === null ? [] : [`failure: ${fingerprint}`]),
    ...(by !== "rule"
      ? []
      : [progress === null ? "progress unknown" : progress ? "it had made progress" : "it had made no progress"]),
    ...budgets.map(budgetText)
  ].join("; ")
}

const stateText = (job: Job): string => {
  const { attempt, outcome, slurmState, state, why } = job
  return outcome !== null
    ? `ended as ${outcome} after ${attempt === 1 ? "1 attempt" : `${attempt} attempts`}: ${why ?? ""}`
    : `${state}, attempt ${attempt}${slurmState === null ? "" : `, ${slurmState} for the scheduler`}${
      job.plan.chain === undefined ? "" : `; ${chainText(job)}`
    }`
}

/** What holds the job back now. */
const waiting = (session: Session, job: Job): ReadonlyArray<string> => {
  if (job.outcome !== null) return []
  const { doubted, held, restart, state, verdict } = job
  const what = waitsFor(session, job)
  return [
    ...(restart !== null && verdict === null ? ["its restart waits for the end of the attempt before"] : []),
    ...(doubted ? ["the scheduler is asked once more whether the attempt before has ended"] : []),
    ...(what !== null ? [`waits for ${what}`] : held !== null && state !== "waiting" ? [`held: ${held.reason}`] : []),
    ...[...session.bindings.values()].filter(({ occurrence }) => occurrence.job === job.plan.name).map((open) =>
      `${open.className} of ${open.occurrence.name} waits for ${questionText(open.asked.question)}`
    )
  ]
}

/** What a job that nothing holds back goes by. */
const waitsForNothing = ({ outcome, state }: Job): string =>
  outcome !== null
    ? "waits for nothing: it has ended"
    : state === "planned"
    ? "waits for `autoexp submit`: nobody has asked for its submission"
    : state === "ended"
    ? "waits until its log is quiet, to judge its end"
    : "waits for nothing but the scheduler"

type ConditionRecord = EventRecord<"ConditionPassed" | "ConditionWaiting" | "ConditionFailed">

const isCondition = (record: EventRecord): record is ConditionRecord =>
  record.type === "ConditionPassed" || record.type === "ConditionWaiting" || record.type === "ConditionFailed"

/** What the condition is about, by the event that its binding `<seq>.<position>` belongs to; a job's gate names itself. */
const askedBy = (bySeq: ReadonlyMap<number, EventRecord>, binding: string): string => {
  const raised = /^\d+\.\d+$/.test(binding) ? bySeq.get(Number.parseInt(binding, 10)) : undefined
  return raised?.type === "EventRaised" ? raised.data.name : binding
}

const conditionText = (bySeq: ReadonlyMap<number, EventRecord>, record: ConditionRecord): string => {
  const { binding, class_name, condition } = record.data
  const said = record.type === "ConditionWaiting"
    ? `waits for ${questionText(record.data.asked.question)}`
    : `${record.type === "ConditionPassed" ? "passed" : "failed"}: ${record.data.why}`
  return `condition ${condition + 1} of ${askedBy(bySeq, binding)} (${class_name}) ${said}`
}

/** Of each condition that was asked in the present attempt, the last word. */
const lastWords = (records: ReadonlyArray<EventRecord>, attempt: number): ReadonlyArray<ConditionRecord> => {
  const words = new Map<string, ConditionRecord>()
  for (const record of records) {
    if (!isCondition(record) || (record.attempt ?? 0) !== attempt) continue
    const key = `${record.data.binding} ${record.data.condition}`
    words.delete(key)
    words.set(key, record)
  }
  return [...words.values()]
}

const budgetsNow = (session: Session, job: Job): Explanation["budgets"] => {
  const base = decodeRules(session.rules)
  if (Either.isLeft(base)) return []
  const rules = rulesFor(session, base.right, job.plan)
  const { log_events, state_events } = rules.monitoring
  const bound = [
    ...log_events.map(({ actions, name }) => ({ actions, name, source: "log" as const })),
    ...state_events.map(({ actions, name }) => ({ actions, name, source: "state" as const }))
  ]
  return bound.flatMap(({ actions, name, source }) =>
    actions.flatMap((one) => {
      const { action } = eventAction(one)
      if (action.class_name !== "RestartAction") return []
      const rule = source === "state" ? `state ${name}` : name
      const fingerprint = job.error ?? job.restarts.at(-1)?.fingerprint ?? null
      const progress = job.outcome === null ? progressOf(session, rules, job, action) : false
      return budgetsOf(rules, job, action, { rule, fingerprint, progress }).map(({ before, kind, max }) => ({
        rule: name,
        kind,
        max,
        before
      }))
    })
  )
}

/** Of sentences that say the same, the last one, and how often it was said. */
const onceEach = (statements: ReadonlyArray<Statement>): ReadonlyArray<Statement> =>
  Object.values(Arr.groupBy(statements, ({ about, text }) => `${about} ${text}`)).map((same) => {
    const one = Arr.lastNonEmpty(same)
    return same.length === 1 ? one : { ...one, text: `${one.text} (${same.length} times)` }
  })

/** Actions other than restarts that were taken or skipped. */
const actionsOf = (records: ReadonlyArray<EventRecord>, name: string): ReadonlyArray<Statement> =>
  auditEntries(records).filter(({ action, job }) =>
    job === name && action.endsWith("Action") && action !== "RestartAction"
  )
    .map(({ action, attempt, cause, error, event, output, reason, status }) => {
      const said = [...new Set([reason, output, error])].filter((one) => one !== null && one !== "" && one !== event)
      const words = said.length === 0 ? "" : `: ${said.join("; ")}`
      return {
        about: "action",
        text: `${action} of ${event ?? "nothing"} in attempt ${attempt ?? 0} ${status}${words}`,
        evidence: cause
      }
    })

/** That nothing ever asked for a restart is an answer too. */
const neverAsked = ({ outcome, why }: Job): string =>
  outcome === null || outcome === "success"
    ? "never restarted: nothing has asked for it"
    : `not restarted: no rule asks for that after ${why ?? outcome}`

/** All that there is to say of the job, what counts now first; null if the session has no such job. */
export const explain = (
  session: Session,
  records: ReadonlyArray<EventRecord>,
  name: string
): Explanation | null => {
  const job = session.jobs.get(name)
  if (job === undefined) return null
  const bySeq = new Map(records.map((record) => [record.seq, record]))
  const own = records.filter((record) => record.job === name)
  const last = (...types: ReadonlyArray<EventRecord["type"]>) => own.findLast(({ type }) => types.includes(type))
  const because = (record: EventRecord | undefined) => record === undefined ? [] : chain(bySeq, record)
  const held = last("EndDoubted", "JobHeld", "RestartDecided", "ConditionWaiting", "OperatorRequested")
  const state = because(
    job.outcome === null ? last("JobStateChanged", "JobSubmitted", "SubmissionIntended") : last("JobFinished")
  )
  const waits = waiting(session, job)
  const restarts = own.flatMap((record): ReadonlyArray<Statement> => {
    if (wouldOf(record) !== null) {
      return [{ about: "would", text: sentence(record) ?? "", evidence: because(record) }]
    }
    if (record.type === "RestartDecided") {
      return [{ about: "restart", text: restartText(record), evidence: because(record) }]
    }
    if (record.type === "RestartDropped") {
      return [{ about: "no_restart", text: sentence(record) ?? "", evidence: because(record) }]
    }
    if (record.type !== "ActionSkipped" || record.data.class_name !== "RestartAction") return []
    return [{
      about: "no_restart",
      text: `not restarted after attempt ${record.attempt ?? 0}: ${record.data.why}`,
      evidence: because(record)
    }]
  })
  const statements: ReadonlyArray<Statement> = [
    { about: "state", text: stateText(job), evidence: state },
    ...(job.attention === null ? [] : [{
      about: "attention" as const,
      text: `needs attention: ${job.attention.reason}; decide by \`autoexp job ack|restart|cancel\``,
      evidence: because(last("AttentionNeeded"))
    }]),
    ...waits.map((text) => ({
      about: "waiting" as const,
      text,
      evidence: text.includes("restarts pause") && session.breakerOpen !== null
        ? [session.breakerOpen.seq]
        : because(held)
    })),
    ...(waits.length > 0 ? [] : [{ about: "waiting" as const, text: waitsForNothing(job), evidence: state }]),
    ...onceEach(restarts),
    ...(restarts.length > 0 ? [] : [{ about: "no_restart" as const, text: neverAsked(job), evidence: state }]),
    ...onceEach(actionsOf(records, name)),
    ...lastWords(own, job.attempt).map((record) => ({
      about: "condition" as const,
      text: conditionText(bySeq, record),
      evidence: because(record)
    })),
    ...(session.rulesChanged === null ? [] : [{
      about: "rules" as const,
      text: `the rules are not those of the plan: ${session.rulesChanged.changed.join(", ")} changed last, ` +
        session.rulesChanged.since,
      evidence: [session.rulesChanged.seq]
    }]),
    ...(session.rulesUnreadable === null ? [] : [{
      about: "rules" as const,
      text: `the rules were edited, but cannot be read, so the old ones stay: ${session.rulesUnreadable.message}`,
      evidence: [session.rulesUnreadable.seq]
    }]),
    ...(job.outcome !== null ? [] : excludedView(session).map(({ node, reason, session: other, until }) => ({
      about: "nodes" as const,
      text: `stays away from ${node} until ${until}${other === null ? "" : `, as session ${other} does`}: ${reason}`,
      evidence: [session.excluded.get(node)?.seq ?? []].flat()
    }))),
    ...(job.changes === null ? [] : [{
      about: "changes" as const,
      text: `submitted with ${JSON.stringify(job.changes)} until that is acknowledged`,
      evidence: because(own.findLast((record) => record.type === "RestartDecided" && record.data.changes !== undefined))
    }])
  ]
  return {
    job: name,
    state: job.state,
    outcome: job.outcome,
    attempt: job.attempt,
    statements,
    budgets: budgetsNow(session, job)
  }
}
