/** A look at a plan's scripts before anything of it is written or submitted. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as path from "node:path"
import { commandWords } from "../backend/slurm/commandWords.ts"
import { Commands } from "../port/Commands.ts"
import { Client } from "../scheduler/Client.ts"
import { PlanError } from "./PlanError.ts"
import { PlanIoError, type PlannedFile, type PlannedFiles } from "./PlannedFiles.ts"

/** What SLURM says of a script: when it could start, or that it could not be asked. */
export interface Advice {
  readonly script: string
  readonly says: string
}

/** Fails if bash cannot parse the script that stands at `file`; `script` is its name for messages. */
export const checkSyntax = (script: string, file: string): Effect.Effect<void, PlanError, Commands> =>
  Effect.gen(function*() {
    const commands = yield* Commands
    const { exitCode, stderr } = yield* commands.run({
      argv: ["bash", "-n", file],
      cwd: null,
      env: {},
      timeoutSeconds: 20
    }).pipe(Effect.mapError(({ message }) => PlanError.inFile(script, "", null, message)))
    if (exitCode !== 0) {
      const said = stderr.trim().replaceAll(file, script)
      yield* PlanError.inFile(script, "", null, `bash cannot parse it: ${said}`)
    }
  })

/** What a script asks of SLURM, apart from its own name and log. */
const asks = ({ text }: PlannedFile): string =>
  text.split("\n").filter((line) => /^#SBATCH (?!--(?:job-name|output|error|comment)=)/.test(line)).join("\n")

/** How sbatch says that nobody answered; measured with Slurm 22.05, `slurmctld` stopped, frozen, and without munge. */
const nobodyAnswered =
  /Unable to contact slurm controller|Socket timed out|Protocol authentication error|Could not establish a configuration/

/** Two tries of sbatch, each until its message time-out, which sites raise. */
const timeoutSeconds = 60

/** `sbatch --test-only`: null if there is no sbatch here. Fails with its words if it refuses the script. */
const askSbatch = (
  sbatch: ReadonlyArray<string>,
  script: string,
  file: string
): Effect.Effect<Advice | null, PlanError, Commands> =>
  Effect.gen(function*() {
    const commands = yield* Commands
    const answer = yield* commands.run({
      argv: [...sbatch, "--test-only", file],
      cwd: null,
      env: {},
      timeoutSeconds
    }).pipe(Effect.catchAll(({ message }) => Effect.succeed(message)))
    if (typeof answer === "string") {
      return /could not be started/.test(answer) ? null : { script, says: `sbatch could not be asked: ${answer}` }
    }
    const said = `${answer.stdout}\n${answer.stderr}`.replaceAll(file, script).split("\n")
      .map((line) => line.trim().replace(/^sbatch: (?:error: )?/, "")).filter((line) => line !== "").join("; ")
    if (answer.exitCode === 0) return { script, says: said }
    if (nobodyAnswered.test(said)) return { script, says: `sbatch could not be asked: ${said}` }
    return yield* PlanError.inFile(script, "", null, `sbatch refuses it: ${said}`)
  })

/**
 * Lets bash parse each script and, where jobs go to SLURM and it is there, `sbatch --test-only` judge each that asks for
 * something else than those before it. Nothing of the plan is written.
 */
export const checkPlan = (
  plan: PlannedFiles
): Effect.Effect<ReadonlyArray<Advice>, PlanError | PlanIoError, Commands | FileSystem.FileSystem> =>
  Effect.scoped(Effect.gen(function*() {
    const disk = yield* FileSystem.FileSystem
    const written = yield* Effect.gen(function*() {
      const folder = yield* disk.makeTempDirectoryScoped({ prefix: "autoexp-check-" })
      return yield* Effect.forEach(scriptsOf(plan), (script, at) => {
        const file = path.join(folder, `${at}.sbatch`)
        return Effect.as(disk.writeFileString(file, script.text), { script, file })
      })
    }).pipe(Effect.mapError(({ message }) => new PlanIoError({ path: "the temporary directory", message })))
    yield* Effect.forEach(written, ({ file, script }) => checkSyntax(script.path, file), {
      concurrency: 4,
      discard: true
    })
    const client = Schema.decodeUnknownOption(Client)(plan.manifest.scheduler.client)
    if (client._tag === "None" || client.value.class_name !== "SlurmClient") return []
    const sbatch = commandWords(client.value.submit_cmd ?? "sbatch") ?? ["sbatch"]
    const distinct = [...new Map(written.toReversed().map((each) => [asks(each.script), each])).values()].reverse()
    const advice = yield* Effect.forEach(distinct, ({ file, script }) => askSbatch(sbatch, script.path, file))
    return advice.filter((each) => each !== null)
  }))

/** As {@link checkSyntax}, each script of a plan that was written. */
export const checkScripts = (plan: PlannedFiles): Effect.Effect<void, PlanError, Commands> =>
  Effect.forEach(scriptsOf(plan), ({ path: script }) => checkSyntax(script, script), { concurrency: 4, discard: true })

/** The scripts that the plan writes: those of jobs that a session has already are there. */
const scriptsOf = ({ files, manifest }: PlannedFiles): ReadonlyArray<PlannedFile> => {
  const named = new Set(manifest.jobs.map(({ script }) => script))
  return files.filter((file) => named.has(file.path))
}
