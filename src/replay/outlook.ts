/** What a different decision would have meant, as far as it can be known: a kind, and bounds on what it saves. */
import { secondsBetween } from "../event/time.ts"
import type { Session } from "../session/Session.ts"
import type { Deed, Run } from "./course.ts"

/** GPU-hours saved (negative: lost), between `least` and `most`; null: without a bound that is known. */
export interface Bounds {
  readonly least: number | null
  readonly most: number | null
}

export interface Outlook {
  /** What became of a restart; `other`: the difference is none in restarts. */
  readonly change: "restart added" | "restart avoided" | "restart earlier" | "restart later" | "other"
  /** For how many seconds it would have been earlier or later. */
  readonly seconds: number | null
  /** Null: nothing is known, since the plan did not say how many GPUs the job has, or nothing would be saved or lost. */
  readonly gpu_hours: Bounds | null
}

interface Parting {
  readonly job: string
  readonly at: string
  readonly recorded: ReadonlyArray<Deed>
  readonly replayed: ReadonlyArray<Deed>
  readonly steers: boolean
}

const isRestart = ({ type }: Deed): boolean => type === "RestartDecided"

/** The restart of that attempt among a job's deeds from `at` on. */
const restartOf = (deeds: ReadonlyArray<Deed>, { at, job }: Parting, attempt: number): Deed | undefined =>
  deeds.find((deed) => deed.job === job && isRestart(deed) && deed.at >= at && (deed.attempt ?? 1) === attempt)

const hoursAfter = (at: string, until: string, { end, start }: Run): number => {
  const from = start > at ? start : at
  return Math.max(0, secondsBetween(from, end ?? until)) / 3600
}

/**
 * What a difference means. A restart throws away at most what its attempt had run, and spares at most what the attempt
 * went on to run; one that is avoided spares at most what later attempts ran, and costs what nobody knows if the attempt
 * was alive. `runs`: when the job's attempts ran; `session`: as recorded.
 */
export const outlookOf = (
  parting: Parting,
  deeds: { readonly recorded: ReadonlyArray<Deed>; readonly replayed: ReadonlyArray<Deed> },
  runs: ReadonlyArray<Run>,
  session: Session
): Outlook => {
  const none: Outlook = { change: "other", seconds: null, gpu_hours: null }
  if (!parting.steers) return none
  const { at, job: name } = parting
  const job = session.jobs.get(name)
  const attempt = [...parting.recorded, ...parting.replayed].find(isRestart)?.attempt ??
    [...parting.recorded, ...parting.replayed][0]?.attempt ?? 1
  const was = restartOf(deeds.recorded, parting, attempt)
  const would = restartOf(deeds.replayed, parting, attempt)
  if (was === undefined && would === undefined) return none
  const gpus = job?.plan.gpus
  const bounds = (least: number | null, most: number | null): Bounds | null =>
    gpus === undefined ? null : {
      least: least === null ? null : least * gpus,
      most: most === null ? null : most * gpus
    }
  const until = session.at
  const run = runs.findLast((run) => run.attempt === attempt)
  const left = run === undefined ? 0 : hoursAfter(at, until, run)
  const past = run === undefined || run.start > at ? 0 : secondsBetween(run.start, at) / 3600
  const spent = runs.filter((run) => run.attempt > attempt).reduce((sum, run) => sum + hoursAfter(at, until, run), 0)
  // One that was cancelled would have gone on; one that ended by itself would have done so in any case.
  const alive = run !== undefined && (run.end === null || run.state === "CANCELLED")
  if (would !== undefined && was === undefined) {
    const succeeded = job?.outcome === "success"
    return {
      change: "restart added",
      seconds: null,
      gpu_hours: succeeded ? bounds(-past, 0) : bounds(null, left)
    }
  }
  if (would === undefined) {
    return { change: "restart avoided", seconds: null, gpu_hours: bounds(alive ? null : 0, spent) }
  }
  const seconds = secondsBetween(would.at, was?.at ?? would.at)
  return seconds >= 0
    ? { change: "restart earlier", seconds, gpu_hours: bounds(0, Math.min(left, seconds / 3600)) }
    : { change: "restart later", seconds: -seconds, gpu_hours: bounds(alive ? seconds / 3600 : 0, 0) }
}

/** The sums of the bounds; null where one of them is not known. */
export const sumOf = (all: ReadonlyArray<Bounds>): Bounds => {
  const sum = (values: ReadonlyArray<number | null>): number | null =>
    values.reduce<number | null>((total, value) => total === null || value === null ? null : total + value, 0)
  return { least: sum(all.map(({ least }) => least)), most: sum(all.map(({ most }) => most)) }
}
