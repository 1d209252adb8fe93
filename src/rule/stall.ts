/** How long a job may go without progress, by what its rules declare and by what it has shown so far. */
import type { Counted } from "../session/counted.ts"
import { secondsPerStep, usualGap } from "../session/counted.ts"
import type { Job } from "../session/Job.ts"
import type { Session } from "../session/Session.ts"
import { progressCounts } from "./behaviour.ts"
import type { Rules } from "./Context.ts"
import type { LogEvent, Monitoring } from "./Monitoring.ts"

/** Since when there has been no progress, and for how many seconds there may be none. */
export interface Patience {
  readonly since: string
  readonly seconds: number
}

const tells = ({ progress }: LogEvent): boolean =>
  (progress?.step ?? progress?.tokens ?? progress?.checkpoint) !== undefined

/** Whether progress, and not output alone, says that the jobs under these rules are alive. */
export const stallsByProgress = (
  { behaviour, patternsOff }: Pick<Session, "behaviour" | "patternsOff">,
  { log, monitoring }: Rules
): boolean => {
  if (behaviour < progressCounts || monitoring.stall.by === "output") return false
  const off = new Set([...patternsOff.values()].map(({ rule }) => rule))
  return [...log.values()].some((rule) => tells(rule) && !off.has(rule.name))
}

/** Seconds without progress while the job goes at its usual pace. */
const usual = ({ factor }: Monitoring["stall"], counted: Counted, threshold: number): number => {
  const again = counted.pace.redo * (secondsPerStep(counted) ?? 0)
  // What it has to do again since it fell back is no stall, once.
  return Math.max(threshold, factor * (usualGap(counted) ?? 0)) + factor * again
}

/** What the job is granted at present; null: it never stalls, or does not run. */
export const patienceOf = ({ log, monitoring }: Rules, job: Job): Patience | null => {
  const { inactivity_threshold_seconds, stall } = monitoring
  const threshold = stall.seconds ?? inactivity_threshold_seconds
  const { counted: { learnt, pace } } = job
  const from = job.runningAt
  if (threshold === null || from === null) return null
  const ordinary = usual(stall, job.counted, threshold)
  const startup = stall.startup_seconds ?? Math.max(2 * threshold, 2 * (learnt.startup ?? 0))
  if (pace.advancedAt === null) return { since: from, seconds: startup }
  // After a single telling nobody knows how long it takes to the next one.
  const known = usualGap(job.counted) !== null
  const unknown = known ? ordinary : Math.max(ordinary, startup)
  const isTold = [...log.values()].some(({ progress }) => progress?.saving !== undefined)
  const saves = isTold ? pace.savingAt !== null : stall.checkpoint_seconds !== null
  if (!saves) return { since: pace.advancedAt, seconds: unknown }
  const saving = stall.checkpoint_seconds ?? 2 * (learnt.saving ?? threshold)
  const since = pace.savingAt !== null && pace.savingAt > pace.advancedAt ? pace.savingAt : pace.advancedAt
  return { since, seconds: Math.max(unknown, saving) }
}
