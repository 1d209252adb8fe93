/**
 * The local cluster: a `Scheduler` whose jobs are processes of this host. Submissions and answers go through files in
 * its directory; a detached controller process runs the jobs, and is started again whenever a call finds work and no
 * living one.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { closeSync, existsSync, openSync, readFileSync } from "node:fs"
import { userInfo } from "node:os"
import { join } from "node:path"
import {
  hasEntropy,
  type JobRef,
  type JobReport,
  Scheduler,
  SchedulerUnavailableError,
  type Submission,
  SubmissionRefusedError
} from "../../port/Scheduler.ts"
import { isHeld } from "./controllerLock.ts"
import { parseDirectives } from "./directives.ts"
import { nodeName } from "./processes.ts"
import {
  accept,
  attempt,
  BATCH,
  isFinal,
  jobIds,
  type JobSpec,
  type JobState,
  LocalStoreError,
  pending,
  putRequest,
  readSpec,
  readState,
  taskKeys
} from "./store.ts"
import { arrayTask, CLUSTER } from "./task.ts"

export interface LocalOptions {
  /** Absolute; made at the first submission. */
  readonly dir: string
  /** How many tasks run at once. A controller that runs already keeps the number it was started with. */
  readonly slots: number
  /** Command that starts a controller; directory, slots, grace and idle seconds are added. */
  readonly controller: ReadonlyArray<string>
  /** Seconds between TERM and KILL (default 2; Slurm's KillWait is 30). */
  readonly graceSeconds?: number
  /** Seconds without unfinished jobs after which the controller ends (default 10). */
  readonly idleSeconds?: number
}

/** How long a started controller may take to load before another one is started. */
const START_MILLIS = 5000

/** All that a controller needs of its starter's environment; secrets stay out of a daemon. */
const KEPT = ["PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR"]

/** Makes sure that a living controller runs the directory; fails if the last one started here failed. */
const makeEnsure = (options: LocalOptions): Effect.Effect<void, LocalStoreError> => {
  const { controller, dir, graceSeconds = 2, idleSeconds = 10, slots } = options
  const log = join(dir, "controller.log")
  /** When the controller was started that this process has not seen end. */
  let startedAt = -Infinity
  let failure: string | null = null

  const start = attempt(() => {
    const [program = "", ...args] = [...controller, dir, slots, graceSeconds, idleSeconds].map(String)
    const output = openSync(log, "a", 0o600)
    const child = spawn(program, args, {
      cwd: "/",
      detached: true,
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => KEPT.includes(name))),
      stdio: ["ignore", output, output]
    })
    closeSync(output)
    child.once("error", (error) => failure = error.message)
    child.once("exit", (code) => {
      startedAt = -Infinity
      // 0: another one has the directory. Null: it was killed, which says nothing about the next.
      if (code !== 0 && code !== null) failure = `it ended with exit code ${code}`
    })
    child.unref()
  })

  return Effect.gen(function*() {
    if (yield* isHeld(dir)) return
    if (failure !== null) {
      const message = `the local cluster's controller does not start: ${failure}; see ${log}`
      failure = null
      return yield* new LocalStoreError({ message })
    }
    const now = yield* Clock.currentTimeMillis
    if (now - startedAt < START_MILLIS) return
    startedAt = now
    yield* start
  })
}

const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    return process.env["USER"] ?? "unknown"
  }
}

/** Why a pending task does not run, as squeue would say. */
const whyPending = (spec: JobSpec, state: JobState): string => {
  const limit = spec.directives.array?.limit ?? Infinity
  const running = Object.values(state).filter((task) => task.state === "RUNNING" || task.state === "COMPLETING").length
  if (running >= limit) return "JobArrayTaskLimit"
  return (spec.directives.awaits ?? []).length > 0 ? "Dependency" : "Resources"
}

const report = (id: number, spec: JobSpec, state: JobState, key: string): JobReport => {
  const { end, exitCode, reason, signal, start, state: word } = state[key] ?? pending
  return {
    name: spec.name,
    id: `${id}`,
    task: arrayTask(key),
    state: word,
    exitCode,
    signal,
    reason: word === "PENDING" ? whyPending(spec, state) : reason,
    nodes: start === null ? null : nodeName(),
    start,
    end
  }
}

const keyOf = (task: number | null): string => (task === null ? BATCH : `${task}`)

const make = (options: LocalOptions): Scheduler["Type"] => {
  const { dir } = options
  const ensure = makeEnsure(options)
  const calls = { sbatch: 0, squeue: 0, scancel: 0 }
  /** Specs never change. */
  const specs = new Map<number, JobSpec>()

  const specOf = (id: number) =>
    Effect.gen(function*() {
      const spec = specs.get(id) ?? (yield* readSpec(dir, id))
      if (spec !== null) specs.set(id, spec)
      return spec
    })

  /** Runs `query` as one call of `command`. */
  const called = <A>(command: keyof typeof calls, query: Effect.Effect<A, LocalStoreError>) =>
    Effect.suspend(() => {
      calls[command]++
      return query
    }).pipe(Effect.mapError(({ message }) => new SchedulerUnavailableError({ command, message })))

  const tasksOf = (id: number, name: string, isWanted: (key: string) => boolean) =>
    Effect.gen(function*() {
      const spec = yield* specOf(id)
      if (spec === null || spec.name !== name) return []
      const state = yield* readState(dir, id)
      const keys = taskKeys(spec)
      if (keys.some((key) => !isFinal(state[key] ?? pending))) yield* ensure
      return keys.filter(isWanted).map((key) => report(id, spec, state, key))
    })

  const submit = (submission: Submission) =>
    Effect.gen(function*() {
      const script = yield* attempt(() => readFileSync(submission.script, "utf8")).pipe(
        Effect.mapError(() =>
          new SubmissionRefusedError({ message: `sbatch: error: Unable to open file ${submission.script}` })
        )
      )
      const directives = yield* parseDirectives(script, submission.options).pipe(
        Either.mapLeft((fault) => new SubmissionRefusedError({ message: `sbatch: error: ${fault}` }))
      )
      if (submission.array?.length === 0) {
        return yield* new SubmissionRefusedError({
          message: "sbatch: error: Batch job submission failed: Invalid job array specification"
        })
      }
      const id = yield* called(
        "sbatch",
        Effect.gen(function*() {
          if (!existsSync("/proc/self/stat")) {
            return yield* new LocalStoreError({ message: "the local cluster needs Linux's /proc" })
          }
          const submittedAt = new Date(yield* Clock.currentTimeMillis).toISOString()
          const accepted = yield* accept(dir, {
            spec: {
              name: submission.name,
              comment: submission.nonce,
              submitDir: process.cwd(),
              umask: process.umask(),
              user: userName(),
              submittedAt,
              directives: {
                ...directives,
                array: submission.array === null
                  ? directives.array
                  : {
                    indices: [...new Set(submission.array)].sort((a, b) => a - b),
                    limit: directives.array?.limit ?? null
                  }
              }
            },
            script,
            env: Object.fromEntries(
              Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
            ),
            unique: randomUUID()
          })
          // It is queued: a controller that does not start is for the next query to tell.
          yield* Effect.ignore(ensure)
          return accepted
        })
      )
      return { id: `${id}`, cluster: CLUSTER }
    })

  const namedBy = (isWanted: (name: string) => boolean) =>
    called(
      "squeue",
      Effect.flatMap(jobIds(dir), (ids) =>
        Effect.map(
          Effect.forEach(ids, (id) =>
            Effect.flatMap(specOf(id), (spec) =>
              spec !== null && isWanted(spec.name)
                ? tasksOf(id, spec.name, () => true)
                : Effect.succeed([]))),
          (reports) => reports.flat()
        ))
    )

  const lookup = (names: ReadonlyArray<string>) => namedBy((name) => names.includes(name))
  const search = (entropies: ReadonlyArray<string>) => namedBy((name) => hasEntropy(name, entropies))

  const snapshot = (jobs: ReadonlyArray<JobRef>) =>
    called(
      "squeue",
      Effect.gen(function*() {
        const wanted = new Map<string, { readonly id: number; readonly name: string; readonly keys: Set<string> }>()
        for (const { id, name, task } of jobs) {
          const entry = wanted.get(`${id} ${name}`) ?? { id: Number(id), name, keys: new Set() }
          wanted.set(`${id} ${name}`, entry)
          entry.keys.add(keyOf(task))
        }
        // A plain reference to an array means all of its tasks.
        const reports = yield* Effect.forEach(wanted.values(), ({ id, keys, name }) =>
          tasksOf(id, name, (key) => keys.has(key) || keys.has(BATCH)))
        return { reports: reports.flat(), unanswered: [], failure: null }
      })
    )

  const cancel = (job: JobRef) =>
    called(
      "scancel",
      Effect.gen(function*() {
        const reports = yield* tasksOf(Number(job.id), job.name, (key) => job.task === null || key === keyOf(job.task))
        if (reports.every(({ end }) => end !== null)) return
        yield* putRequest(dir, {
          id: Number(job.id),
          key: job.task === null ? "all" : keyOf(job.task),
          what: "cancel"
        })
        yield* ensure
      })
    )

  return {
    kind: "local",
    submit,
    lookup,
    search,
    snapshot,
    cancel,
    // It has one node, which is this host.
    exclude: () => Effect.succeed({ applied: true }),
    calls: Effect.sync(() => ({ ...calls }))
  }
}

/** The local cluster in `options.dir`. */
export const layer = (options: LocalOptions): Layer.Layer<Scheduler> => Layer.sync(Scheduler, () => make(options))

/**
 * `scontrol requeue`: puts all tasks of a job, running or ended, back into the queue as new runs. Nothing happens to a
 * job whose tasks have all ended: its environment is forgotten, as SLURM forgets jobs after MinJobAge.
 */
export const requeue = (options: LocalOptions, id: string): Effect.Effect<void, SchedulerUnavailableError> =>
  putRequest(options.dir, { id: Number(id), key: "all", what: "requeue" }).pipe(
    Effect.zipRight(makeEnsure(options)),
    Effect.mapError(({ message }) => new SchedulerUnavailableError({ command: "scontrol requeue", message }))
  )
