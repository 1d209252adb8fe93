/**
 * A cluster on Effect's Clock, for tests: jobs pass through their states as the test's script says, the handle
 * `FakeCluster` tells what was asked of it and makes it fail on demand.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { type Awaited, parseDependency } from "../../backend/slurm/dependency.ts"
import {
  hasEntropy,
  type JobRef,
  type JobReport,
  Scheduler,
  SchedulerUnavailableError,
  type Submission,
  SubmissionRefusedError
} from "../../port/Scheduler.ts"
import { type Course, type CourseTask, iso, LIVE, onCourse } from "./course.ts"

export interface FakeOptions {
  /**
   * Courses by the beginning of the submission's name (`<job>.<attempt>.<nonce>`); the longest that fits counts. Of a
   * list, the first is for the first attempt, and the last also for all later ones.
   */
  readonly courses?: Readonly<Record<string, Course | ReadonlyArray<Course>>>
}

/** What the cluster was asked and did. */
export interface LedgerEntry {
  readonly what: "submit" | "cancel"
  /** Milliseconds of the Clock. */
  readonly at: number
  readonly name: string
  readonly id: string
  /** Of a submission: the array's indices. */
  readonly array: ReadonlyArray<number> | null
  /** Of a cancellation. */
  readonly task: number | null
  readonly script: string | null
  /** Of a submission: options of the submit command's own line. */
  readonly options: ReadonlyArray<string>
}

/** What a test says of a job. Start and end are filled in from the Clock. */
export type Change = Partial<Pick<JobReport, "state" | "exitCode" | "signal" | "reason" | "nodes">>

/** The test's handle on the cluster. */
export class FakeCluster extends Context.Tag("autoexp/FakeCluster")<FakeCluster, {
  /** Accepted submissions and all cancellations, oldest first. */
  readonly ledger: Effect.Effect<ReadonlyArray<LedgerEntry>>
  /** Sets the state of the attempt's tasks (of one, if `task` is given) from now on, whatever its course. */
  readonly set: (job: string, attempt: number, change: Change, task?: number) => Effect.Effect<void>
  /** The next submission is accepted, but its answer is lost. */
  readonly loseNextAnswer: Effect.Effect<void>
  /** The next submission is refused. */
  readonly refuseNext: (message: string) => Effect.Effect<void>
  /** The next submission fails before it is accepted. */
  readonly failNextSubmit: Effect.Effect<void>
  /** The next `count` queries (snapshots and lookups) fail. */
  readonly failQueries: (count: number) => Effect.Effect<void>
  /** The lists of nodes that submissions came with, and that waiting jobs were given later, oldest first. */
  readonly exclusions: Effect.Effect<ReadonlyArray<{ readonly name: string; readonly nodes: ReadonlyArray<string> }>>
  /** The cluster does not know the attempt any more. */
  readonly forget: (job: string, attempt: number) => Effect.Effect<void>
}>() {}

interface Task extends CourseTask {
  /** What it waits for in the queue. */
  readonly awaits: ReadonlyArray<Awaited>
  /** What the test or a cancellation said, instead of the course. */
  set: JobReport | null
}

const isOf = (name: string, job: string, attempt: number): boolean => name.startsWith(`${job}.${attempt}.`)

const courseOf = (courses: FakeOptions["courses"], name: string): Course => {
  const [prefix, course = {}] = Object.entries(courses ?? {})
    .filter(([prefix]) => name.startsWith(prefix))
    .sort(([a], [b]) => b.length - a.length)[0] ?? []
  if (prefix === undefined || !isList(course)) return isList(course) ? {} : course
  const attempt = Number(/\.(\d+)\.[^.]*$/.exec(name)?.[1] ?? 1)
  return course[Math.min(attempt, course.length) - 1] ?? {}
}
const isList = (course: Course | ReadonlyArray<Course>): course is ReadonlyArray<Course> => Array.isArray(course)

/** Where the task is at `now`, one of `tasks`, whose ends it may wait for. */
const reportOf = (tasks: ReadonlyArray<Task>, task: Task, now: number): JobReport => {
  if (task.set !== null) return task.set
  let submitted = task.submitted
  for (const { id, task: index } of task.awaits) {
    for (const other of tasks.filter((one) => one.id === id && (index === null || one.task === index))) {
      const { end, state } = reportOf(tasks, other, now)
      if (LIVE.has(state)) return onCourse({ ...task, submitted: Infinity }, now, "Dependency")
      submitted = Math.max(submitted, end === null ? 0 : Date.parse(end))
    }
  }
  return onCourse({ ...task, submitted }, now)
}

const changed = (before: JobReport, change: Change, now: number): JobReport => {
  const state = change.state ?? before.state
  const isLive = LIVE.has(state)
  return {
    ...before,
    exitCode: isLive ? null : before.exitCode ?? 0,
    nodes: state === "PENDING" ? null : before.nodes ?? "fake01",
    start: state === "PENDING" ? null : before.start ?? (state === "CANCELLED" ? null : iso(now)),
    end: isLive ? null : iso(now),
    ...change
  }
}

/** A fresh cluster, empty. Ids count from 1000. */
export const make = (options: FakeOptions = {}): Layer.Layer<Scheduler | FakeCluster> =>
  Layer.effectContext(Effect.sync(() => {
    const ledger: Array<LedgerEntry> = []
    let tasks: ReadonlyArray<Task> = []
    let nextId = 1000
    let submitFault: "lost" | "down" | { readonly refusal: string } | null = null
    let failingQueries = 0
    const calls = { sbatch: 0, squeue: 0, scancel: 0 }
    const exclusions: Array<{ readonly name: string; readonly nodes: ReadonlyArray<string> }> = []

    const submit = (submission: Submission) =>
      Effect.gen(function*() {
        calls.sbatch++
        const fault = submitFault
        submitFault = null
        if (fault === "down") {
          return yield* new SchedulerUnavailableError({
            command: "sbatch",
            message: "Unable to contact slurm controller"
          })
        }
        if (fault !== null && fault !== "lost") return yield* new SubmissionRefusedError({ message: fault.refusal })
        const at = yield* Clock.currentTimeMillis
        const { array, name, options: chosen = [], script } = submission
        const [dependency] = chosen.flatMap((option) => /^--dependency=(.*)$/.exec(option)?.[1] ?? [])
        const awaits = yield* Either.mapLeft(
          dependency === undefined ? Either.right([]) : parseDependency(dependency),
          (fault) => new SubmissionRefusedError({ message: `Batch job submission failed: ${fault}` })
        )
        const id = `${nextId++}`
        const excluded = chosen.find((option) => option.startsWith("--exclude="))
        if (excluded !== undefined) exclusions.push({ name, nodes: excluded.slice("--exclude=".length).split(",") })
        const course = courseOf(options.courses, name)
        tasks = [
          ...tasks,
          ...(array ?? [null]).map((task) => ({ name, id, task, course, awaits, submitted: at, set: null }))
        ]
        ledger.push({ what: "submit", at, name, id, array, task: null, script, options: chosen })
        if (fault === "lost") {
          return yield* new SchedulerUnavailableError({
            command: "sbatch",
            message: "Socket timed out on send/recv operation"
          })
        }
        return { id, cluster: "fake" }
      })

    const query = (isWanted: (task: Task) => boolean) =>
      Effect.gen(function*() {
        calls.squeue++
        if (failingQueries > 0) {
          failingQueries--
          return yield* new SchedulerUnavailableError({
            command: "squeue",
            message: "Unable to contact slurm controller"
          })
        }
        const now = yield* Clock.currentTimeMillis
        return tasks.filter(isWanted).map((task) => reportOf(tasks, task, now))
      })

    const isMeant = (task: Task, ref: JobRef): boolean =>
      task.name === ref.name && task.id === ref.id && (ref.task === null || task.task === ref.task)

    /** Sets all of `wanted` that are not over. */
    const change = (wanted: (task: Task) => boolean, to: Change, isForced: boolean) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        for (const task of tasks.filter(wanted)) {
          const before = reportOf(tasks, task, now)
          if (isForced || LIVE.has(before.state)) task.set = changed(before, to, now)
        }
      })

    const cancel = (job: JobRef) =>
      Effect.gen(function*() {
        calls.scancel++
        const at = yield* Clock.currentTimeMillis
        ledger.push({
          what: "cancel",
          at,
          name: job.name,
          id: job.id,
          array: null,
          task: job.task,
          script: null,
          options: []
        })
        yield* change((task) => isMeant(task, job), { state: "CANCELLED", reason: null }, false)
      })

    const exclude = (job: JobRef, nodes: ReadonlyArray<string>) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const waits = tasks.some((task) => isMeant(task, job) && reportOf(tasks, task, now).state === "PENDING")
        if (!waits) return { applied: false as const, message: "Job is no longer pending execution" }
        exclusions.push({ name: job.name, nodes })
        return { applied: true as const }
      })

    return Context.make(Scheduler, {
      kind: "fake",
      submit,
      search: (entropies) => query((task) => hasEntropy(task.name, entropies)),
      lookup: (names) => query((task) => names.includes(task.name)),
      snapshot: (jobs) =>
        Effect.map(query((task) => jobs.some((job) => isMeant(task, job))), (reports) => ({
          reports,
          unanswered: [],
          failure: null
        })),
      cancel,
      exclude,
      calls: Effect.sync(() => ({ ...calls }))
    }).pipe(Context.add(FakeCluster, {
      ledger: Effect.sync(() => [...ledger]),
      set: (job, attempt, to, index) =>
        change((task) => isOf(task.name, job, attempt) && (index === undefined || task.task === index), to, true),
      loseNextAnswer: Effect.sync(() => void (submitFault = "lost")),
      refuseNext: (refusal) => Effect.sync(() => void (submitFault = { refusal })),
      failNextSubmit: Effect.sync(() => void (submitFault = "down")),
      failQueries: (count) => Effect.sync(() => void (failingQueries = count)),
      exclusions: Effect.sync(() => [...exclusions]),
      forget: (job, attempt) => Effect.sync(() => void (tasks = tasks.filter(({ name }) => !isOf(name, job, attempt))))
    }))
  }))
