/** `autoexp sweep-entry`: what a task of an array script runs. The task stands for its command: exit code and all. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { constants } from "node:os"
import { entryCommand, readSweepEntry } from "../../plan/sweepFile.ts"
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
    const { env: ours } = yield* Invocation
    const entry = yield* readSweepEntry(given.sweep, given.index)
    const { argv, env } = entryCommand(entry, ours)
    if (!given["dry-run"]) return yield* become(argv, { ...ours, ...env })
    yield* given.json
      ? printJson({ index: entry.index, name: entry.name, argv, env })
      : printLines([...Object.entries(env).map(([name, value]) => `${name}=${value}`), argv.join(" ")])
    return 0
  }).pipe(Effect.provide(NodeFileSystem.layer))
