/** Leads single tasks through their states: start, time limit, cancellation, end. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ChildProcess } from "node:child_process"
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs"
import { constants } from "node:os"
import { join } from "node:path"
import { type ControllerOptions, flush, type Job, setTask } from "./job.ts"
import { livenessOf, type Member, membersOf, nodeName, signalAll } from "./processes.ts"
import {
  attempt,
  isFinal,
  type LocalStoreError,
  pending,
  readClaim,
  readEnvironment,
  readExit,
  type Run,
  runDir,
  type TaskState
} from "./store.ts"
import { marker, placesOf, rawId, startWrapper } from "./task.ts"

const iso = (millis: number): string => new Date(millis).toISOString()

/** Local time without a zone, as slurmstepd prints it. */
const stamp = (millis: number): string =>
  iso(millis - new Date(millis).getTimezoneOffset() * 60_000).slice(0, "2026-11-23T03:12:07".length)

/** The signal Slurm reports of a job whose script could not be started at all. */
const LAUNCH_FAILURE = 53

const ending = (code: number, signal: number): Partial<TaskState> => {
  if (code === 0 && signal === 0) return { state: "COMPLETED", reason: null, exitCode: 0, signal: null }
  const reason = signal === LAUNCH_FAILURE
    ? "JobLaunchFailure"
    : signal > 0
    ? `RaisedSignal:${signal}`
    : "NonZeroExitCode"
  return { state: "FAILED", reason, exitCode: code, signal: signal === 0 ? null : signal }
}

const STOPPED = {
  timeout: { state: "TIMEOUT", reason: "TimeLimit", exitCode: 0 },
  cancel: { state: "CANCELLED", reason: null, exitCode: 0 }
} as const

const CAUSES = { timeout: " DUE TO TIME LIMIT", cancel: "", requeue: " DUE TO JOB REQUEUE" } as const

type Step = Effect.Effect<void, LocalStoreError>

/** Every step may be repeated after a crash at any point. */
export const makeSupervisor = ({ dir, graceSeconds }: ControllerOptions) => {
  /** Wrappers that this process started and that are gone. */
  const ended = new WeakSet<ChildProcess>()
  const wrappers = new Map<string, ChildProcess>()
  /** Runs that this process has sent TERM. */
  const told = new Set<string>()

  const taskOf = (job: Job, key: string): TaskState => job.tasks.get(key) ?? pending
  const runOf = (job: Job, key: string): Run => ({ id: job.id, key, restarts: taskOf(job, key).restarts })

  const launch = (job: Job, run: Run): Step =>
    Effect.gen(function*() {
      const env = yield* readEnvironment(dir, job.id)
      const child = yield* startWrapper(dir, job.spec, run, env)
      wrappers.set(runDir(dir, run), child)
      for (const event of ["exit", "error"]) child.once(event, () => ended.add(child))
    })

  const finish = (job: Job, key: string, at: number, change: Partial<TaskState>) => {
    wrappers.delete(runDir(dir, runOf(job, key)))
    setTask(job, key, { ...change, end: iso(at), stop: null })
  }

  /** Back into the queue as a run of its own. */
  const again = (job: Job, key: string) => {
    wrappers.delete(runDir(dir, runOf(job, key)))
    setTask(job, key, { ...pending, restarts: taskOf(job, key).restarts + 1 })
  }

  const start = (job: Job, key: string): Step =>
    Effect.gen(function*() {
      const run = runOf(job, key)
      const now = yield* Clock.currentTimeMillis
      yield* attempt(() => mkdirSync(runDir(dir, run), { recursive: true, mode: 0o700 }))
      // A controller that was killed in between may have started it: then its claim stands there.
      if ((yield* readClaim(dir, run)) === null) yield* launch(job, run)
      setTask(job, key, { state: "RUNNING", reason: null, start: iso(now) })
    }).pipe(Effect.catchAll((error) =>
      Effect.gen(function*() {
        yield* Effect.logError(`job ${job.id} task ${key} cannot be started: ${error.message}`)
        finish(job, key, yield* Clock.currentTimeMillis, ending(0, LAUNCH_FAILURE))
      })
    ))

  const terminate = (job: Job, run: Run): Step =>
    Effect.gen(function*() {
      told.add(runDir(dir, run))
      // Claiming an unclaimed run keeps a wrapper that is just starting from running it.
      const claim = yield* attempt(() => writeFileSync(join(runDir(dir, run), "claim"), "", { flag: "wx" })).pipe(
        Effect.orElse(() => Effect.void),
        Effect.zipRight(readClaim(dir, run))
      )
      const members = yield* membersOf(marker(dir, run), claim?.leader ?? null)
      yield* signalAll(members, "SIGCONT")
      // The wrapper first: it must know that this is a stop before its script ends.
      const isWrapper = ({ pid }: Member) => pid === claim?.leader?.pid
      yield* signalAll(members.filter(isWrapper), "SIGTERM")
      yield* signalAll(members.filter((member) => !isWrapper(member)), "SIGTERM")
      yield* Effect.logInfo(`job ${job.id} task ${run.key}: TERM to ${members.length} processes`)
    })

  const stop = (job: Job, key: string, cause: "timeout" | "cancel" | "requeue"): Step =>
    Effect.gen(function*() {
      const at = yield* Clock.currentTimeMillis
      const run = runOf(job, key)
      setTask(job, key, {
        state: "COMPLETING",
        reason: cause === "timeout" ? "TimeLimit" : null,
        stop: { cause, at }
      })
      yield* flush(dir, job)
      const line = `slurmstepd: error: *** JOB ${rawId(job.spec, run)} ON ${nodeName()} CANCELLED AT ${stamp(at)}` +
        `${CAUSES[cause]} ***\n`
      yield* attempt(() => appendFileSync(placesOf(job.spec, run).error, line)).pipe(Effect.ignore)
      yield* terminate(job, run)
    })

  /** KILL to all that is left of a run; whether nothing was left. */
  const sweep = (run: Run): Effect.Effect<boolean, LocalStoreError> =>
    Effect.gen(function*() {
      const claim = yield* readClaim(dir, run)
      const members = yield* membersOf(marker(dir, run), claim?.leader ?? null)
      yield* signalAll(members, "SIGKILL")
      return members.length === 0
    })

  const advanceStop = (job: Job, key: string, { at, cause }: NonNullable<TaskState["stop"]>): Step =>
    Effect.gen(function*() {
      const run = runOf(job, key)
      const now = yield* Clock.currentTimeMillis
      const claim = yield* readClaim(dir, run)
      const isOver = now - at >= graceSeconds * 1000
      const left = yield* membersOf(marker(dir, run), claim?.leader ?? null)
      if (left.length > 0) {
        if (isOver) yield* signalAll(left, "SIGKILL")
        return
      }
      if (cause === "requeue") again(job, key)
      else finish(job, key, now, { ...STOPPED[cause], signal: null })
    })

  const warn = (job: Job, key: string): Step =>
    Effect.gen(function*() {
      const { warning } = job.spec.directives
      if (warning === null) return
      const run = runOf(job, key)
      setTask(job, key, { warned: true })
      yield* flush(dir, job)
      const claim = yield* readClaim(dir, run)
      const leader = claim?.leader ?? null
      const members = yield* membersOf(marker(dir, run), leader)
      const number = /^\d+$/.test(warning.signal)
        ? Number(warning.signal)
        : Object.entries(constants.signals).find(([name]) => name === `SIG${warning.signal}`)?.[1]
      if (number === undefined) return
      yield* signalAll(
        members.filter((member) => (warning.batch ? member.parent === leader?.pid : member.step)),
        number
      )
    })

  const advance = (job: Job, key: string): Step =>
    Effect.gen(function*() {
      const task = taskOf(job, key)
      const run = runOf(job, key)
      const claim = yield* readClaim(dir, run)
      if (task.stop !== null) {
        if (!told.has(runDir(dir, run))) yield* terminate(job, run)
        return yield* advanceStop(job, key, task.stop)
      }
      if (claim === null) {
        const child = wrappers.get(runDir(dir, run))
        if (child === undefined) return yield* start(job, key)
        if (ended.has(child) && (yield* readClaim(dir, run)) === null) {
          finish(job, key, yield* Clock.currentTimeMillis, ending(0, LAUNCH_FAILURE))
        }
        return
      }
      const isAlive = claim.leader !== null && (yield* livenessOf(claim.leader)) === "alive"
      const exit = yield* readExit(dir, run)
      if (exit !== null) {
        if (yield* sweep(run)) {
          finish(job, key, exit.at, { start: iso(claim.at), ...ending(exit.code, exit.signal) })
        }
        return
      }
      const now = yield* Clock.currentTimeMillis
      if (!isAlive) {
        // The wrapper alone may have been killed: what nobody supervises must not run beside a next attempt.
        if (!(yield* sweep(run))) return
        yield* Effect.logWarning(`job ${job.id} task ${key}: its processes are gone without an exit status`)
        if (job.spec.directives.requeue) again(job, key)
        else finish(job, key, now, { state: "NODE_FAIL", reason: "NodeDown", exitCode: 0, signal: null })
        return
      }
      if (task.start !== iso(claim.at)) setTask(job, key, { start: iso(claim.at) })
      const { timeLimit, warning } = job.spec.directives
      if (timeLimit === null) return
      const left = claim.at + timeLimit * 1000 - now
      if (left <= 0) yield* stop(job, key, "timeout")
      else if (warning !== null && !task.warned && left <= warning.seconds * 1000) yield* warn(job, key)
    })

  const cancel = (job: Job, key: string): Step =>
    Effect.gen(function*() {
      const task = taskOf(job, key)
      if (isFinal(task) || task.stop !== null) return
      if (task.state === "PENDING") {
        finish(job, key, yield* Clock.currentTimeMillis, { ...STOPPED.cancel, signal: null })
        return
      }
      // Ended by itself before the request was read: that is how it ended.
      if ((yield* readExit(dir, runOf(job, key))) === null) yield* stop(job, key, "cancel")
    })

  const requeue = (job: Job, key: string): Step =>
    Effect.gen(function*() {
      const task = taskOf(job, key)
      if (isFinal(task)) again(job, key)
      else if (task.state !== "PENDING" && task.stop === null) yield* stop(job, key, "requeue")
    })

  return { start, advance, cancel, requeue }
}
