/**
 * `autoexp sweep-entry`: what a task of an array script runs, or a person without a scheduler. It stands for the point's
 * command: exit code and all.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { constants } from "node:os"
import * as path from "node:path"
import { byHand } from "../../plan/byHand.ts"
import { quoteData } from "../../plan/shell.ts"
import { entryCommand, readSweep, readSweepEntry } from "../../plan/sweepFile.ts"
import type { Handler } from "../Handler.ts"
import { Invocation } from "../Invocation.ts"
import { printJson, printLines } from "../print.ts"
import { usage, type UsageError } from "../UsageError.ts"

// SLURM sends these to all processes of a step, the command included; they must not end (USR2) or debug (USR1) this one.
const passedOver = ["SIGUSR1", "SIGUSR2", "SIGCONT"] as const

/** Runs the command on this process's streams; its exit code, or 128 + the signal that ended it. */
const become = (
  [program = "", ...args]: ReadonlyArray<string>,
  env: Readonly<Record<string, string | undefined>>
): Effect.Effect<number, UsageError> =>
  Effect.async<number, UsageError>((resume) => {
    for (const signal of passedOver) process.on(signal, () => {})
    const child = spawn(program, args, { stdio: "inherit", env: { ...env } })
    const ended = new Promise<void>((resolve) => {
      child.once("error", (error) => {
        resume(usage(`${program} could not be started: ${error.message}`))
        resolve()
      })
      child.once("exit", (code, signal) => {
        resume(Effect.succeed(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
        resolve()
      })
    })
    return Effect.promise(() => {
      child.kill("SIGTERM")
      return ended
    })
  })

export const sweepEntry: Handler<"sweep-entry"> = (given) =>
  Effect.gen(function*() {
    const { cwd, env: ours } = yield* Invocation
    const file = path.resolve(cwd, given.sweep)
    const entry = yield* readSweepEntry(file, given.index)
    // In a task of an array its script has claimed the attempt and set all that is to be set.
    const isTask = ours["AUTOEXP_INDEX"] === `${entry.index}` && ours["SLURM_ARRAY_TASK_ID"] !== undefined
    if (isTask && !given["dry-run"]) {
      const { argv, env } = entryCommand(entry, ours)
      return yield* become(argv, { ...ours, ...env })
    }
    const { exports, script } = yield* byHand(file, yield* readSweep(file), entry, ours)
    if (!given["dry-run"]) return yield* become(["bash", "-c", script], ours)
    const { index, name, output_dir } = entry
    const { argv } = entryCommand(entry, ours)
    yield* given.json
      ? printJson({ index, name, output_dir, cwd, argv, env: entry.env, exports: Object.fromEntries(exports), script })
      : printLines([`cd ${quoteData(cwd)}`, script.trimEnd()])
    return 0
  }).pipe(Effect.provide(NodeFileSystem.layer))
