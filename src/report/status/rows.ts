/** How each job stands, as one row; and what the jobs of each phase are together. */
import { later, secondsBetween } from "../../event/time.ts"
import { ranSeconds } from "../../session/attempts.ts"
import { secondsPerStep } from "../../session/counted.ts"
import type { Job } from "../../session/Job.ts"
import type { Session } from "../../session/Session.ts"
import { nodeCount } from "./nodes.ts"

/** A job; what nobody has told of is null. Times are ISO 8601 UTC. */
export interface StatusRow {
  readonly plan_id: string
  readonly name: string
  readonly index: number
  readonly stage: string
  /** `planned waiting submitting pending running ended`, and what it ended as. */
  readonly state: string
  readonly outcome: string | null
  /** Why it is so: how it ended, what it waits for, why it was restarted last. */
  readonly cause: string | null
  readonly attempts: number
  /** Of a chain: at which of its links it is, and how many it may have. */
  readonly link: number | null
  readonly links: number | null
  readonly restarts: number
  readonly step: number | null
  readonly best_step: number | null
  readonly total: number | null
  /** From 0 to 100. */
  readonly percent: number | null
  /** Steps in an hour, by the latest ones. */
  readonly rate: number | null
  readonly seconds_per_step: number | null
  /** `nan`, `inf` and `-inf` are texts. */
  readonly loss: number | string | null
  readonly best_loss: number | null
  readonly tokens: number | null
  readonly checkpoint: number | null
  readonly throughput: number | null
  readonly progress_at: string | null
  readonly ran_seconds: number
  readonly gpus: number | null
  readonly gpu_hours_used: number | null
  readonly gpu_hours_left: number | null
  /** When it will have done all its steps, if it goes on as it does; null unless it runs. */
  readonly ends_at: string | null
  /** How many it runs on, else how many it asks for. */
  readonly nodes: number | null
  readonly node_list: string | null
  readonly slurm_id: string | null
  readonly slurm_state: string | null
  readonly output_dir: string
  /** Bytes below its output directory; null unless they were asked for. */
  readonly storage_bytes: number | null
  readonly stalled: boolean
  readonly held: boolean
  readonly attention: string | null
  readonly updated: string
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits))

const causeOf = ({ attention, ending, held, outcome, restart, restarts, verdict, why }: Job): string | null => {
  if (outcome !== null) return why
  if (held !== null) return `held: ${held.reason}`
  if (attention !== null) return attention.reason
  if (ending !== null) return `is being ended: ${ending.why}`
  if (restart !== null) return `to be restarted: ${restart.reason}`
  if (verdict !== null) return verdict.why
  const last = restarts.at(-1)
  return last === undefined ? null : `restarted: ${last.reason}`
}

/** How the job stands at `now` (ISO 8601 UTC). */
export const rowOf = (session: Session, job: Job, now: string, storage: number | null = null): StatusRow => {
  const { counted, nodes, outcome, plan, slurm } = job
  const { best, bestLoss, checkpoint, loss, step, throughput, tokens, total } = counted
  const each = secondsPerStep(counted)
  const left = step === null || total === null ? null : Math.max(0, total - step.value)
  const gpus = plan.gpus ?? null
  const used = gpus === null ? null : gpus * ranSeconds(job, now) / 3600
  const seconds = left === null || each === null ? null : left * each
  // What has passed since the last step was told is no part of what is left, as far as it was not idle.
  const since = step === null ? 0 : Math.max(0, secondsBetween(step.at, now))
  const running = job.state === "running" && step?.attempt === job.attempt
  return {
    plan_id: session.planId,
    name: plan.name,
    index: plan.index,
    stage: plan.stage,
    state: job.state,
    outcome,
    cause: causeOf(job),
    attempts: job.attempt,
    link: plan.chain === undefined ? null : job.link,
    links: plan.chain?.links ?? null,
    restarts: job.restarts.length,
    step: step?.value ?? null,
    best_step: best?.value ?? null,
    total,
    percent: step === null || total === null || total === 0
      ? null
      : rounded(Math.min(100, 100 * step.value / total), 1),
    rate: each === null || each === 0 ? null : rounded(3600 / each, 1),
    seconds_per_step: each === null ? null : rounded(each, 3),
    loss: loss === null
      ? null
      : Number.isFinite(loss.value)
      ? loss.value
      : String(loss.value).replace("Infinity", "inf").replace("NaN", "nan"),
    best_loss: bestLoss?.value ?? null,
    tokens: tokens?.value ?? null,
    checkpoint: checkpoint?.value ?? null,
    throughput: throughput?.value ?? null,
    progress_at: step?.at ?? null,
    ran_seconds: rounded(ranSeconds(job, now), 0),
    gpus,
    gpu_hours_used: used === null ? null : rounded(used, 2),
    gpu_hours_left: outcome !== null ? 0 : gpus === null || seconds === null ? null : rounded(gpus * seconds / 3600, 2),
    ends_at: running && seconds !== null ? later(now, Math.max(0, seconds - since)) : null,
    nodes: nodeCount(nodes) ?? plan.nodes ?? null,
    node_list: nodes,
    slurm_id: slurm === null ? null : slurm.task === null ? slurm.id : `${slurm.id}_${slurm.task}`,
    slurm_state: job.slurmState,
    output_dir: plan.output_dir,
    storage_bytes: storage,
    stalled: job.stalled,
    held: job.held !== null,
    attention: job.attention?.reason ?? null,
    updated: job.lastUpdated
  }
}

/** The jobs of one phase of one session together. */
export interface PhaseRow {
  readonly plan_id: string
  readonly stage: string
  readonly jobs: number
  /** How many have each outcome or, without one, each state. */
  readonly states: Readonly<Record<string, number>>
  readonly attempts: number
  readonly restarts: number
  /** Of those whose total is known. */
  readonly percent: number | null
  /** Of those of which they are known. */
  readonly gpu_hours_used: number | null
  readonly gpu_hours_left: number | null
  readonly nodes: number | null
  readonly storage_bytes: number | null
  /** The latest of its jobs' that run. */
  readonly ends_at: string | null
  readonly attention: number
}

type Numbers = { [K in keyof StatusRow]: StatusRow[K] extends number | null ? K : never }[keyof StatusRow]

const sum = (rows: ReadonlyArray<StatusRow>, key: Numbers): number | null => {
  const known = rows.flatMap((row) => row[key] === null ? [] : [row[key]])
  return known.length === 0 ? null : rounded(known.reduce((total, value) => total + value, 0), 2)
}

const phaseOf = (
  rows: ReadonlyArray<StatusRow>,
  { plan_id, stage }: Pick<StatusRow, "plan_id" | "stage">
): PhaseRow => {
  const states: Record<string, number> = {}
  for (const { outcome, state } of rows) states[outcome ?? state] = (states[outcome ?? state] ?? 0) + 1
  const counted = rows.filter(({ total }) => total !== null)
  const total = sum(counted, "total") ?? 0
  const done = counted.reduce((steps, { step, total }) => steps + Math.min(step ?? 0, total ?? 0), 0)
  return {
    plan_id,
    stage,
    jobs: rows.length,
    states,
    attempts: sum(rows, "attempts") ?? 0,
    restarts: sum(rows, "restarts") ?? 0,
    percent: total === 0 ? null : rounded(100 * done / total, 1),
    gpu_hours_used: sum(rows, "gpu_hours_used"),
    gpu_hours_left: sum(rows, "gpu_hours_left"),
    nodes: sum(rows, "nodes"),
    storage_bytes: sum(rows, "storage_bytes"),
    ends_at: rows.flatMap(({ ends_at }) => ends_at ?? []).toSorted().at(-1) ?? null,
    attention: rows.filter(({ attention }) => attention !== null).length
  }
}

/** The rows of each phase of each session, phases in the order in which they first occur, with what they are together. */
export const phasesOf = (
  rows: ReadonlyArray<StatusRow>
): ReadonlyArray<{ readonly phase: PhaseRow; readonly rows: ReadonlyArray<StatusRow> }> => {
  const groups = new Map<string, Array<StatusRow>>()
  for (const row of rows) {
    const key = `${row.plan_id}\0${row.stage}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    return first === undefined ? [] : [{ phase: phaseOf(group, first), rows: group }]
  })
}
