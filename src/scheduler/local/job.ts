/** Jobs as the controller holds them in memory. */
import * as Effect from "effect/Effect"
import {
  dropEnvironment,
  isFinal,
  type JobSpec,
  type LocalStoreError,
  pending,
  readSpec,
  readState,
  taskKeys,
  type TaskState,
  writeState
} from "./store.ts"

export interface ControllerOptions {
  /** Absolute. */
  readonly dir: string
  /** How many tasks run at once. */
  readonly slots: number
  /** Seconds between TERM and KILL. */
  readonly graceSeconds: number
  /** It ends after so many seconds without unfinished jobs. */
  readonly idleSeconds: number
}

/** A job and its tasks, in the order in which they start. */
export interface Job {
  readonly id: number
  readonly spec: JobSpec
  readonly tasks: Map<string, TaskState>
  /** Whether `tasks` is ahead of the disk. */
  changed: boolean
}

/** Changes a task in memory. */
export const setTask = (job: Job, key: string, change: Partial<TaskState>): void => {
  job.tasks.set(key, { ...(job.tasks.get(key) ?? pending), ...change })
  job.changed = true
}

/** Writes a job's tasks down, if they changed. A job that is over on the disk has no environment there any more. */
export const flush = (dir: string, job: Job): Effect.Effect<void, LocalStoreError> =>
  Effect.gen(function*() {
    if (!job.changed) return
    if (isDone(job)) yield* dropEnvironment(dir, job.id)
    yield* writeState(dir, job.id, Object.fromEntries([...job.tasks].filter(([, task]) => task !== pending)))
    job.changed = false
  })

/** Reads a job from the disk; null if there is none of that id. */
export const load = (dir: string, id: number): Effect.Effect<Job | null, LocalStoreError> =>
  Effect.gen(function*() {
    const spec = yield* readSpec(dir, id)
    if (spec === null) return null
    const state = yield* readState(dir, id)
    const tasks = new Map(taskKeys(spec).map((key) => [key, state[key] ?? pending]))
    return { id, spec, tasks, changed: false }
  })

/** Whether no task can start or change any more. */
export const isDone = (job: Job): boolean => [...job.tasks.values()].every(isFinal)

/** Whether a task has a slot. */
export const isActive = ({ state }: TaskState): boolean => state === "RUNNING" || state === "COMPLETING"
