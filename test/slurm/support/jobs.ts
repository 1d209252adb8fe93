/** Jobs handed to the real cluster through the `Scheduler` port, as the monitor does. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Schedule from "effect/Schedule"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as LiveCommands from "../../../src/monitor/LiveCommands.ts"
import { type JobRef, type JobReport, type Scheduler, Schedulers, type Snapshot } from "../../../src/port/Scheduler.ts"
import { layer } from "../../../src/scheduler/live.ts"
import { until } from "./commands.ts"

type Port = typeof Scheduler.Service

let made = 0

/** A scheduler of its own with these settings, and a folder for scripts; one for each test file. */
export const makeJobs = (client: Readonly<Record<string, unknown>> = {}) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "jobs-"))
  const runtime = ManagedRuntime.make(Layer.provide(layer, LiveCommands.layer))

  /** What the port answers, or its error. A call that it puts off to spare SLURM is made again. */
  const ask = <A, E extends { readonly _tag: string }>(question: (scheduler: Port) => Effect.Effect<A, E>) =>
    runtime.runPromise(
      Effect.flatMap(
        Schedulers,
        (schedulers) =>
          schedulers.of({ class_name: "SlurmClient", min_poll_seconds: 0, calls_per_minute: 100_000, ...client })
      ).pipe(
        Effect.orDie,
        Effect.flatMap((scheduler) =>
          question(scheduler).pipe(
            Effect.retry({
              while: (error) => error._tag === "SchedulerBusyError" && !("failure" in error && error.failure),
              schedule: Schedule.spaced("200 millis")
            }),
            Effect.either
          )
        )
      )
    )

  const answer = async <A, E extends { readonly _tag: string }>(
    question: (scheduler: Port) => Effect.Effect<A, E>
  ): Promise<A> => Either.getOrThrowWith(await ask(question), (error) => new Error(`${JSON.stringify(error)}`))

  const named = (job: string, attempt = 1) => {
    const nonce = `n${process.pid}x${String(made += 1).padStart(4, "0")}`
    return { name: `${job}.${attempt}.${nonce}`, nonce }
  }

  /** A submission of a script with these lines; `options` are `#SBATCH` words. */
  const submission = (
    lines: string,
    options: ReadonlyArray<string> = [],
    array: ReadonlyArray<number> | null = null
  ) => {
    const { name, nonce } = named("job")
    const script = path.join(folder, `${name}.sbatch`)
    const directives = [`--output=${folder}/%x-%j.out`, "--time=10", ...options].map((option) => `#SBATCH ${option}`)
    fs.writeFileSync(script, ["#!/bin/bash", ...directives, lines, ""].join("\n"))
    return { script, name, nonce, array }
  }

  /** Submits such a script, which must be accepted. */
  const submit = async (lines: string, options: ReadonlyArray<string> = []): Promise<JobRef> => {
    const job = submission(lines, options)
    const { id } = await answer((scheduler) => scheduler.submit(job))
    return { name: job.name, id, task: null }
  }

  /** Submits an array of such a script; its tasks. */
  const submitArray = async (lines: string, tasks: ReadonlyArray<number>, options: ReadonlyArray<string> = []) => {
    const job = submission(lines, options, tasks)
    const { id } = await answer((scheduler) => scheduler.submit(job))
    return tasks.map((task): JobRef => ({ name: job.name, id, task }))
  }

  const look = (jobs: ReadonlyArray<JobRef>) => ask((scheduler) => scheduler.snapshot(jobs))

  /** Whether a look at jobs left them all open, as it must while SLURM does not answer. */
  const leavesOpen = (look: Either.Either<Snapshot, unknown>): boolean =>
    Either.isLeft(look) || (look.right.reports.length === 0 && look.right.unanswered.length > 0)

  /** What is said of jobs, none of which is left open. */
  const snapshot = (jobs: ReadonlyArray<JobRef>): Promise<ReadonlyArray<JobReport>> =>
    until("a whole answer", async () => {
      const { reports, unanswered } = await answer((scheduler) => scheduler.snapshot(jobs))
      return unanswered.length === 0 ? reports : null
    })

  const lookup = (name: string) =>
    ask((scheduler) => scheduler.lookup([name], new Date(Date.now() - 3_600_000).toISOString()))

  /** What the scheduler says of one job once `holds`. */
  const when = (job: JobRef, holds: (report: JobReport) => boolean, seconds = 60): Promise<JobReport> => {
    let last: ReadonlyArray<JobReport> = []
    return until("a state of a job", async () => {
      last = (await answer((scheduler) => scheduler.snapshot([job]))).reports
      return last.find(holds) ?? null
    }, seconds).catch((error) => {
      throw new Error(`${String(error)}; last seen: ${JSON.stringify(last)}`)
    })
  }

  return {
    folder,
    ask,
    answer,
    submission,
    submit,
    submitArray,
    look,
    leavesOpen,
    snapshot,
    when,
    /** What the scheduler says of one job once it is in this state. */
    whenIn: (job: JobRef, state: string, seconds = 60) => when(job, (report) => report.state === state, seconds),
    lookup: async (name: string) =>
      Either.getOrThrowWith(await lookup(name), (error) => new Error(JSON.stringify(error))),
    askLookup: lookup,
    cancel: (job: JobRef) => answer((scheduler) => scheduler.cancel(job)),
    remove: async () => {
      await runtime.dispose()
      fs.rmSync(folder, { recursive: true })
    }
  }
}
