/** How SLURM writes what a line is about: `14`, `15_3`, `15_[3-4%2]`, `11+1`, `14.batch`, `99;cluster`. */
import * as Either from "effect/Either"
import { parseArraySpec } from "./arraySpec.ts"

/** Tasks of an array that one line speaks of: null if the job is no array, `rest` if the list was cut. */
export type Tasks = ReadonlySet<number> | "rest" | null

export interface JobId {
  /** Of the whole array or heterogeneous job. */
  readonly id: string
  readonly tasks: Tasks
  /** Of a heterogeneous job: the component, from 0; 0 for all others. */
  readonly component: number
  /** The step (`batch`, `extern`, `0`), null for the job itself. */
  readonly step: string | null
}

/** SLURM's number for "no task" (NO_VAL). */
const NO_TASK = 4_294_967_294

const tasksOf = (text: string | undefined): Tasks | undefined => {
  if (text === undefined) return null
  if (/^\d+$/.test(text)) return Number(text) === NO_TASK ? null : new Set([Number(text)])
  // A long list is cut with dots: which tasks the rest are, only the other lines tell.
  if (text.includes("...")) return "rest"
  const spec = parseArraySpec(text.replace(/^\[|\]$/g, ""))
  return Either.isRight(spec) ? new Set(spec.right.indices) : undefined
}

/** Reads `text`; null if it is no id of SLURM's. */
export const parseJobId = (text: string): JobId | null => {
  const match = /^(\d+)(?:_(\d+|\[[^\]]*\]?)|\+(\d+))?(?:\.([\w+]+))?(?:;[\w.-]+)?$/.exec(text.trim())
  if (match === null) return null
  const [, id = "", taskText, component, step] = match
  const tasks = tasksOf(taskText)
  return tasks === undefined ? null : { id, tasks, component: Number(component ?? 0), step: step ?? null }
}

/**
 * How exactly a line that names `tasks` is about `task`: 2 it alone or among others, 1 perhaps (a cut list, or an array
 * whose waiting tasks were all cancelled, of which squeue says the id alone), 0 no.
 */
export const covers = (tasks: Tasks, task: number | null): 0 | 1 | 2 => {
  if (tasks === "rest") return 1
  if (tasks === null) return task === null ? 2 : 1
  return task !== null && tasks.has(task) ? 2 : 0
}
