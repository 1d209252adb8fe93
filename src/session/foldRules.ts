/** What records make of the rules in force. */
import type { EventRecord } from "../event/EventRecord.ts"
import type { Occurrence } from "./entries.ts"
import type { Job } from "./Job.ts"
import type { Session } from "./Session.ts"

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** The encoded `monitoring` section that a job is under. */
export const sectionOf = (session: Session, { plan: { rule_set } }: Job): unknown =>
  rule_set === null ? session.rules : session.ruleSets[rule_set] ?? session.rules

const keyOf = (setting: string): string => setting.slice(0, setting.indexOf("="))

/** Overrides with further ones, of which each takes the place of what was set of its key. */
export const withSettings = (
  settings: ReadonlyArray<string>,
  further: ReadonlyArray<string>
): ReadonlyArray<string> => [
  ...new Map([...settings, ...further].map((setting) => [keyOf(setting), setting])).values()
]

/** What was raised before goes on under the rules that raised it. */
const keepRules = (session: Session): void => {
  const kept = (occurrence: Occurrence): Occurrence => {
    const job = session.jobs.get(occurrence.job)
    return occurrence.rules !== null || job === undefined
      ? occurrence
      : { ...occurrence, rules: sectionOf(session, job) }
  }
  for (const [seq, occurrence] of session.occurrences) session.occurrences.set(seq, kept(occurrence))
  for (const [id, binding] of session.bindings) {
    session.bindings.set(id, { ...binding, occurrence: kept(binding.occurrence) })
  }
}

export const foldRules = (
  session: Mutable<Session>,
  record: EventRecord<"RulesChanged" | "RulesUnreadable" | "RulesReadable">
): void => {
  const { at: since, seq } = record
  session.rulesUnreadable = record.type === "RulesUnreadable"
    ? { since, seq, message: record.data.message }
    : null
  if (record.type !== "RulesChanged") return
  const { changed, jobs, rule_sets, rules } = record.data
  keepRules(session)
  session.rules = rules
  session.ruleSets = rule_sets
  session.rulesChanged = { since, seq, changed }
  for (const [name, job] of session.jobs) {
    const rule_set = jobs[name] ?? null
    if (rule_set !== job.plan.rule_set) session.jobs.set(name, { ...job, plan: { ...job.plan, rule_set } })
  }
}
