/** How often a job may still be restarted: restarts are counted in the journal, progress gives them back. */
import type { RestartAction } from "../action/actions/RestartAction.ts"
import type { Budget } from "../event/terms.ts"
import type { Job, Restart } from "../session/Job.ts"
import { declaredCheckpoints, declaredSteps } from "../session/progress.ts"
import type { Session } from "../session/Session.ts"
import { progressCounts } from "./behaviour.ts"
import type { Rules } from "./Context.ts"
import type { LogEvent } from "./Monitoring.ts"

type Action = typeof RestartAction.Type

/** The log events that tell of progress under these rules, and the names that what they tell goes by. */
const progressEvents = (
  { behaviour }: Pick<Session, "behaviour">,
  { log, monitoring }: Rules,
  action: Pick<Action, "progress">
): { readonly events: ReadonlyArray<string>; readonly told: ReadonlyArray<string> } => {
  const named = action.progress ?? monitoring.restarts.progress
  if (named !== null) return { events: named, told: named }
  const namesOf = (rules: ReadonlyArray<LogEvent>) => rules.map(({ name }) => name)
  const all = [...log.values()]
  const declared = behaviour < progressCounts ? [] : all.filter(({ progress }) => progress !== null)
  const checkpoints = namesOf(declared.filter(({ progress }) => progress?.checkpoint !== undefined))
  if (checkpoints.length > 0) return { events: checkpoints, told: [declaredCheckpoints] }
  const steps = namesOf(declared.filter(({ progress }) => (progress?.step ?? progress?.tokens) !== undefined))
  if (steps.length > 0) return { events: steps, told: [declaredSteps] }
  const kinds = namesOf(all.filter(({ metadata: { kind } }) => kind === "checkpoint" || kind === "progress"))
  return { events: kinds, told: kinds }
}

/**
 * Whether the attempt came further than any before it: a number that one of the events tells has grown beyond its best.
 * Null if nobody can tell: there is no such event, it is switched off, or nothing was read of the attempt's files.
 */
export const progressOf = (
  session: Pick<Session, "behaviour" | "patternsOff">,
  rules: Rules,
  job: Job,
  action: Pick<Action, "progress">
): boolean | null => {
  const { events, told } = progressEvents(session, rules, action)
  if (told.some((name) => job.progressed.advanced.includes(name))) return true
  const off = new Set([...session.patternsOff.values()].map(({ rule }) => rule))
  const looked = events.filter((name) => rules.log.has(name) && !off.has(name))
  return looked.length === 0 || !job.progressed.read ? null : false
}

/** What a restart would be charged for. */
export interface Charge {
  readonly rule: string
  readonly fingerprint: string | null
  readonly progress: boolean | null
}

/** Restarts that count: decided by rules. */
const charged = (restarts: ReadonlyArray<Restart>): ReadonlyArray<Restart> =>
  restarts.filter(({ rule }) => rule !== null)

/** Restarts that count since an operator began anew, and since the job last made progress, this one's attempt included. */
export const restartsSince = ({ budgetFrom, restarts }: Job, { progress }: Charge): ReadonlyArray<Restart> => {
  const all = restarts.slice(budgetFrom)
  const refilled = progress === true ? all.length : all.findLastIndex((one) => one.progress === true)
  return charged(all.slice(Math.max(0, refilled)))
}

/** Each limit there is, with what is left of it before and after one more restart. A limit is spent if `after` < 0. */
export const budgetsOf = (rules: Rules, job: Job, action: Action, charge: Charge): ReadonlyArray<Budget> => {
  const { restarts } = rules.monitoring
  const since = restartsSince(job, charge)
  const perFingerprint = action.max_per_fingerprint ?? restarts.max_per_fingerprint
  const noProgress = action.max_no_progress ?? restarts.max_no_progress
  const budget = (kind: Budget["kind"], max: number | null, used: number): ReadonlyArray<Budget> =>
    max === null ? [] : [{ kind, max, before: Math.max(0, max - used), after: max - used - 1 }]
  return [
    ...budget("rule", action.max_restarts, since.filter(({ rule }) => rule === charge.rule).length),
    ...charge.fingerprint === null
      ? []
      : budget("fingerprint", perFingerprint, since.filter((one) => one.fingerprint === charge.fingerprint).length),
    ...charge.progress === false
      ? budget("no_progress", noProgress, since.filter(({ progress }) => progress === false).length)
      : [],
    ...budget("total", restarts.max_restarts, charged(job.restarts.slice(job.budgetFrom)).length)
  ]
}

/** Why a spent budget allows no restart. */
export const spentText = ({ before, kind, max }: Budget, { fingerprint, rule }: Charge): string => {
  const used = `${max - before} of ${max}`
  switch (kind) {
    case "rule":
      return `the restart budget of ${rule.replace(/^state /, "")} is spent (${used})`
    case "fingerprint":
      return `the restart budget of this failure is spent (${used}): ${fingerprint}`
    case "no_progress":
      return `the restarts without progress are spent (${used})`
    case "total":
      return `the restart budget of the job is spent (${used})`
  }
}
