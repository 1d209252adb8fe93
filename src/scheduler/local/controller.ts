/**
 * The local cluster's slurmctld: starts queued tasks where slots are free, enforces time limits, carries out
 * cancellations, and writes down how tasks end. All it knows is in the directory, so that the next one goes on where a
 * killed one stopped; tasks do not notice.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { acquire, release } from "./controllerLock.ts"
import { type ControllerOptions, flush, isActive, isDone, type Job, load } from "./job.ts"
import { scontrol } from "./standins/scontrol.ts"
import { srun } from "./standins/srun.ts"
import { task as taskWrapper } from "./standins/task.ts"
import {
  attempt,
  dropRequest,
  isFinal,
  jobDir,
  jobIds,
  type LocalStoreError,
  readRequests,
  type Request,
  sweepAside
} from "./store.ts"
import { makeSupervisor } from "./supervisor.ts"

const POLL = "100 millis"

const install = (dir: string) =>
  attempt(() => {
    mkdirSync(join(dir, "bin"), { recursive: true, mode: 0o700 })
    for (
      const [path, text] of [["bin/srun", srun(process.execPath)], ["bin/scontrol", scontrol], [
        "task.sh",
        taskWrapper
      ]] as const
    ) {
      writeFileSync(join(dir, `${path}.tmp`), text)
      chmodSync(join(dir, `${path}.tmp`), 0o700)
      renameSync(join(dir, `${path}.tmp`), join(dir, path))
    }
  })

/** Runs the directory's jobs as the holder of the lock, until there has been none for `idleSeconds`. */
const serve = (options: ControllerOptions) =>
  Effect.gen(function*() {
    const { dir, idleSeconds, slots } = options
    const supervisor = makeSupervisor(options)
    const jobs = new Map<number, Job>()
    const known = new Set<number>()

    let lastError = ""
    /** A full disk or the like passes; what could not be done is tried again, and told once. */
    const guarded = <E extends { readonly message: string }>(step: Effect.Effect<void, E>) =>
      Effect.catchAll(step, (error) => {
        if (error.message === lastError) return Effect.void
        lastError = error.message
        return Effect.logError(lastError)
      })

    const loadNew = Effect.gen(function*() {
      for (const id of yield* jobIds(dir)) {
        if (known.has(id)) continue
        known.add(id)
        const job = yield* load(dir, id).pipe(
          Effect.tapError((error) => Effect.logError(`job ${id} cannot be read and is passed over: ${error.message}`)),
          Effect.orElseSucceed(() => null)
        )
        if (job !== null && !isDone(job)) jobs.set(id, job)
      }
    })

    const handle = (request: Request) =>
      Effect.gen(function*() {
        const job = jobs.get(request.id)
        if (job === undefined || isDone(job)) return
        for (const key of job.tasks.keys()) {
          if (request.key !== "all" && request.key !== key) continue
          yield* request.what === "cancel" ? supervisor.cancel(job, key) : supervisor.requeue(job, key)
        }
        yield* flush(dir, job)
      })

    /** Whether what the job waits for is over; a job that nobody knows is. */
    const mayStart = ({ spec: { directives: { awaits = [] } } }: Job): boolean =>
      awaits.every(({ id, task }) => {
        const other = jobs.get(Number(id))
        return other === undefined ||
          [...other.tasks].every(([key, state]) => (task !== null && key !== `${task}`) || isFinal(state))
      })

    const startPending = Effect.gen(function*() {
      const active = (job: Job) => [...job.tasks.values()].filter(isActive).length
      const ordered = [...jobs.values()].sort((a, b) => a.id - b.id)
      let free = slots - ordered.reduce((sum, job) => sum + active(job), 0)
      for (const job of ordered) {
        if (!mayStart(job)) continue
        let allowed = (job.spec.directives.array?.limit ?? Infinity) - active(job)
        for (const [key, task] of job.tasks) {
          if (free <= 0) return
          if (allowed <= 0) break
          if (task.state !== "PENDING") continue
          yield* supervisor.start(job, key)
          allowed--
          free--
        }
      }
    })

    const tick = Effect.gen(function*() {
      // Requests before jobs: the job of a request read here is then known.
      const requests = yield* readRequests(dir)
      yield* loadNew
      yield* Effect.forEach(requests, handle)
      for (const job of jobs.values()) {
        for (const [key, task] of job.tasks) {
          if (isActive(task)) yield* guarded(supervisor.advance(job, key))
        }
      }
      yield* startPending
      for (const job of jobs.values()) {
        yield* flush(dir, job)
        if (isDone(job)) jobs.delete(job.id)
      }
      yield* Effect.forEach(requests, (request) => dropRequest(dir, request))
    })

    let idleSince = yield* Clock.currentTimeMillis
    for (;;) {
      yield* guarded(tick)
      const now = yield* Clock.currentTimeMillis
      if (jobs.size > 0) idleSince = now
      if (now - idleSince >= idleSeconds * 1000) return
      yield* Effect.sleep(POLL)
    }
  })

/**
 * Runs the directory's controller in this process; ends at once if a living one has it. Whoever submits looks for a
 * living controller after its rename, and this one looks for jobs once more after its release: none is missed.
 */
export const runController = (options: ControllerOptions): Effect.Effect<void, LocalStoreError> =>
  Effect.gen(function*() {
    const { dir } = options
    for (;;) {
      const right = yield* acquire(dir)
      if (right === null) return
      yield* Effect.logInfo(`controller ${right} starts, ${options.slots} slots`)
      yield* install(dir)
      yield* sweepAside(dir)
      yield* serve(options)
      yield* release(dir, right)
      yield* Effect.logInfo(`controller ${right} ends: nothing to do`)
      const left = yield* Effect.filter(
        yield* jobIds(dir),
        (id) => Effect.map(load(dir, id), (job) => job !== null && !isDone(job)).pipe(Effect.orElseSucceed(() => false))
      )
      if (left.length === 0 && (yield* readRequests(dir)).length === 0) return
      yield* Effect.logInfo(`unfinished: ${left.map((id) => jobDir(dir, id)).join(" ")}`)
    }
  })
