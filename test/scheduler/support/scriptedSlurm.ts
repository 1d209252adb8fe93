/** SLURM's commands as a script of answers, with a ledger of what was asked. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { sacctOptions, squeueFormat } from "../../../src/backend/slurm/answers.ts"
import { CommandFailedError, type CommandResult, Commands } from "../../../src/port/Commands.ts"
import { Scheduler } from "../../../src/port/Scheduler.ts"
import { layer, type SlurmOptions } from "../../../src/scheduler/slurm/layer.ts"
import { fixture } from "../../slurm/support/fixtures.ts"

export type Program = "sbatch" | "squeue" | "sacct" | "scancel" | "scontrol"
export interface Asked {
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string | null>>
  readonly timeoutSeconds: number
}
/** `hang`: it does not end in time. */
export type Answer = Partial<CommandResult> | "hang"

export const controllerDown: Answer = {
  exitCode: 1,
  stderr: "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n"
}
export const accountingDown: Answer = {
  exitCode: 1,
  stderr: "sacct: error: Problem talking to the database: Connection refused\n"
}

/** A line of squeue: id, state, name. */
export const queue = (...rows: ReadonlyArray<readonly [id: string, state: string, name: string]>): Answer => ({
  stdout: [
    "JOBID|STATE|REASON|NODELIST|SUBMIT_TIME|START_TIME|END_TIME|NAME".split("|"),
    ...rows.map(([id, state, name]) => [
      id,
      state,
      "None",
      "n1",
      "2026-11-23T10:00:00",
      "2026-11-23T10:00:01",
      "2026-11-23T11:00:01",
      name
    ])
  ].map((fields) => `\u001e${fields.join("\u001f")}\u001f\n`).join("")
})

/** A line of sacct: id, state, exit code, name. */
export const books = (
  ...rows: ReadonlyArray<readonly [id: string, state: string, exit: string, name: string]>
): Answer => ({
  stdout: [
    "JobID|State|ExitCode|Submit|Start|End|NodeList|Reason|JobName".split("|"),
    ...rows.map(([id, state, exit, name]) => [
      id,
      state,
      exit,
      "2026-11-23T10:00:00",
      "2026-11-23T10:00:01",
      "2026-11-23T10:30:00",
      "n1",
      "None",
      name
    ])
  ].map((fields) => `${fields.join("\u001f")}\n`).join("")
})

export const noAccounts: Answer = {
  stdout: fixture("scontrol-config").replace(/^(AccountingStorageType\s+= ).*$/m, "$1(null)")
}

/** What a cluster is asked for its features. */
const config: Answer = { stdout: fixture("scontrol-config") }

/** A SLURM whose commands answer as `answers` say; the test changes them as it goes. */
export const scripted = (options: Partial<SlurmOptions> = {}) => {
  const asked: Array<Asked> = []
  const answers: Record<Program, Answer | ((args: ReadonlyArray<string>) => Answer)> & { features: Answer } = {
    features: config,
    sbatch: { stdout: "100\n" },
    squeue: queue(),
    sacct: books(),
    scancel: {},
    scontrol: { exitCode: 1, stderr: "slurm_load_jobs error: Invalid job id specified\n" }
  }
  const commands = Layer.succeed(Commands, {
    run: ({ argv, env, timeoutSeconds }) =>
      Effect.suspend(() => {
        const [program = "", ...args] = argv
        asked.push({ program, args, env, timeoutSeconds })
        const isConfig = program === "scontrol" && args[0] === "show"
        const scriptedAnswer = isConfig ? answers.features : answers[program as Program]
        const answer = typeof scriptedAnswer === "function" ? scriptedAnswer(args) : scriptedAnswer
        return answer === "hang"
          ? Effect.fail(
            new CommandFailedError({ command: argv, message: `${program} did not end within 60 s and was killed` })
          )
          : Effect.succeed({ exitCode: 0, stdout: "", stderr: "", ...answer })
      })
  })
  const names = (from = 0) => asked.slice(from).map(({ args, program }) => (args[0] === "show" ? "features" : program))
  const live = layer({
    sbatch: ["sbatch"],
    squeue: ["squeue"],
    sacct: ["sacct"],
    scancel: ["scancel"],
    scontrol: ["scontrol"],
    minPollSeconds: 0,
    callsPerMinute: 60,
    ...options
  }).pipe(Layer.provide(commands))
  return {
    answers,
    asked,
    names,
    /** Runs the body against it. */
    run: <A, E>(body: (scheduler: Scheduler["Type"]) => Effect.Effect<A, E>) =>
      Effect.provide(Effect.flatMap(Scheduler, body), live)
  }
}

export { sacctOptions, squeueFormat }
