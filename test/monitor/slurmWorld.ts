/** A small SLURM behind its five commands, with a ledger of what it accepted and faults as a test wants them. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { parseArraySpec } from "../../src/backend/slurm/arraySpec.ts"
import { CommandFailedError, type CommandResult, Commands } from "../../src/port/Commands.ts"
import { Scheduler, Schedulers } from "../../src/port/Scheduler.ts"
import { layer } from "../../src/scheduler/slurm/layer.ts"
import { type Answer, books, type Program, queue } from "../scheduler/support/scriptedSlurm.ts"
import { fixture } from "../slurm/support/fixtures.ts"
import { world } from "./world.ts"

export interface SlurmJob {
  /** `100`, or `100_3`. */
  readonly id: string
  readonly name: string
  state: string
  exit: string
  /** Whether squeue and sacct know it. */
  queued: boolean
  booked: boolean
}

type Fault = (real: () => CommandResult, args: ReadonlyArray<string>) => Answer

export const makeSlurm = () => {
  const jobs: Array<SlurmJob> = []
  const calls: Array<Program> = []
  const faults: Partial<Record<Program, Fault>> = {}
  let lastId = 99
  let cluster = "test"
  const done = (answer: Answer): CommandResult => ({ exitCode: 0, stdout: "", stderr: "", ...answer as object })
  const option = (args: ReadonlyArray<string>, name: string) =>
    args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3)

  const real: Record<Program, (args: ReadonlyArray<string>) => CommandResult> = {
    sbatch: (args) => {
      lastId += 1
      const spec = option(args, "array")
      const tasks = spec === undefined ? [null] : Either.getOrThrow(parseArraySpec(spec)).indices
      for (const task of tasks) {
        jobs.push({
          id: task === null ? `${lastId}` : `${lastId}_${task}`,
          name: option(args, "job-name") ?? "",
          state: "PENDING",
          exit: "0:0",
          queued: true,
          booked: true
        })
      }
      return done({ stdout: `${lastId}\n` })
    },
    squeue: () =>
      done(queue(...jobs.filter(({ queued }) => queued).map((job) => [job.id, job.state, job.name] as const))),
    sacct: () =>
      done(
        books(...jobs.filter(({ booked }) => booked).map((job) => [job.id, job.state, job.exit, job.name] as const))
      ),
    scancel: (args) => {
      const name = option(args, "name")
      for (const job of jobs) {
        if (args.includes(job.id) && (name === undefined || name === job.name)) {
          job.state = "CANCELLED"
          job.exit = "0:15"
        }
      }
      return done({})
    },
    scontrol: (args) =>
      args[0] === "show"
        ? done({ stdout: fixture("scontrol-config").replace(/^(ClusterName\s+= ).*$/m, `$1${cluster}`) })
        : done({ exitCode: 1, stderr: "slurm_load_jobs error: Invalid job id specified\n" })
  }

  const commands = Layer.succeed(Commands, {
    run: ({ argv }) =>
      Effect.suspend(() => {
        const [program, ...args] = argv as [Program, ...Array<string>]
        calls.push(program)
        const answer = faults[program]?.(() => real[program](args), args) ?? real[program](args)
        return answer === "hang"
          ? Effect.fail(new CommandFailedError({ command: argv, message: `${program} did not end in time` }))
          : Effect.succeed(done(answer))
      })
  })
  const schedulers = Layer.effect(
    Schedulers,
    Effect.map(Scheduler, (scheduler) => ({ of: () => Effect.succeed(scheduler) }))
  ).pipe(
    Layer.provide(layer({
      sbatch: ["sbatch"],
      squeue: ["squeue"],
      sacct: ["sacct"],
      scancel: ["scancel"],
      scontrol: ["scontrol"],
      minPollSeconds: 0,
      callsPerMinute: 600
    })),
    Layer.provide(commands)
  )
  return {
    jobs,
    calls,
    faults,
    /** From now on the commands are those of another cluster. */
    move: (to: string) => {
      cluster = to
    },
    /** The jobs of a planned job, oldest first. */
    of: (name: string) => jobs.filter((job) => job.name.startsWith(`${name}.`)),
    set: (job: SlurmJob | undefined, change: Partial<SlurmJob>) => {
      if (job !== undefined) Object.assign(job, change)
    },
    schedulers,
    world: Layer.merge(world({}), schedulers)
  }
}

export const down: Fault = () => ({
  exitCode: 1,
  stderr: "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n"
})
