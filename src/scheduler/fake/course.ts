/** How the jobs of a fake cluster go: a function of the time alone. */
import type { JobReport } from "../../port/Scheduler.ts"

/** How one attempt goes. */
export interface Course {
  /** Seconds from the submission to the start (default 0). */
  readonly runAfterSeconds?: number
  /** Seconds from the start to the end; null: it runs until it is cancelled or set (default). */
  readonly endAfterSeconds?: number | null
  /** How it ends: a long state word of SLURM (default `COMPLETED`). */
  readonly state?: string
  readonly exitCode?: number
  readonly signal?: number
  readonly reason?: string
}

/** A job or array task on its course. */
export interface CourseTask {
  readonly name: string
  readonly id: string
  readonly task: number | null
  readonly course: Course
  /** Milliseconds of the Clock. */
  readonly submitted: number
}

/** States of jobs that are not over. */
export const LIVE: ReadonlySet<string> = new Set([
  "PENDING",
  "CONFIGURING",
  "RUNNING",
  "COMPLETING",
  "SUSPENDED",
  "REQUEUED",
  "STAGE_OUT",
  "RESIZING"
])

export const iso = (millis: number): string => new Date(millis).toISOString()

/** When it starts and ends, in milliseconds of the Clock. */
export const timesOf = ({ course, submitted }: CourseTask): { readonly start: number; readonly end: number } => {
  const start = submitted + (course.runAfterSeconds ?? 0) * 1000
  const lasts = course.endAfterSeconds ?? null
  return { start, end: lasts === null ? Infinity : start + lasts * 1000 }
}

/** Where the task is at `now`; `waits`: what squeue gives as the reason while it waits. */
export const onCourse = (task: CourseTask, now: number, waits = "Resources"): JobReport => {
  const { course, id, name } = task
  const { end, start } = timesOf(task)
  const base = {
    name,
    id,
    task: task.task,
    exitCode: null,
    signal: null,
    reason: null,
    nodes: null,
    start: null,
    end: null
  }
  if (now < start) return { ...base, state: "PENDING", reason: waits }
  const started = { ...base, nodes: "fake01", start: iso(start) }
  if (now < end) return { ...started, state: "RUNNING" }
  return {
    ...started,
    state: course.state ?? "COMPLETED",
    exitCode: course.exitCode ?? 0,
    signal: course.signal ?? null,
    reason: course.reason ?? null,
    end: iso(end)
  }
}
