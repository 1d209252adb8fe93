/** The program around every command: signals, exit codes, errors on standard error. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as path from "node:path"
import * as Screen from "../report/Screen.ts"
import { clean } from "../report/width.ts"
import { type Failure, tell } from "./failure.ts"
import { handlers } from "./handlers.ts"
import { Invocation } from "./Invocation.ts"
import { normalise } from "./normalise.ts"
import type { CommandName, Given } from "./spec.ts"

/** Everything of a command that is not its own: from the words to the exit code. */
export const command: Effect.Effect<number, Failure, Screen.Screen | Invocation> = Effect.gen(function*() {
  const { argv, version } = yield* Invocation
  const screen = yield* Screen.Screen
  const asked = yield* normalise(argv)
  if (asked.kind === "version") return yield* Effect.as(screen.out(`${version}\n`), 0)
  if (asked.kind === "help") {
    const { helpPage } = yield* Effect.promise(() => import("./help.ts"))
    return yield* Effect.as(screen.out(helpPage(asked.words)), 0)
  }
  const { parse } = yield* Effect.promise(() => import("./parse.ts"))
  return yield* handle(asked.name, yield* parse(asked))
})

const handle = <Name extends CommandName>(name: Name, given: Given<Name>) =>
  Effect.flatMap(Effect.promise(handlers[name]), (handler) => handler(given))

/** Warnings and notes of the program itself, which are no output of a command. */
const logger = Logger.make(({ logLevel, message }) => {
  const words = Array.isArray(message) ? message : [message]
  const text = words.map((word) => typeof word === "string" ? word : JSON.stringify(word)).join(" ")
  process.stderr.write(`autoexp: ${logLevel.label.toLowerCase()}: ${clean(text)}\n`)
})

/** Number of each signal that ends the program in order: what is watched is let go of, and goes on. */
const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const
const SIGPIPE = 13

/** Runs the command line of this process and ends it. */
export const run = (version: string): void => {
  const [script = "", ...argv] = process.argv.slice(1)
  const program = [process.execPath, path.resolve(script)]
  const json = argv.includes("--json")
  const debug = argv.includes("--debug")
  const fiber = Effect.runFork(
    command.pipe(
      Effect.provide(Layer.mergeAll(
        Screen.layer,
        Layer.succeed(Invocation, { version, program, argv, env: process.env, cwd: process.cwd() }),
        Logger.replace(Logger.defaultLogger, logger),
        Logger.minimumLogLevel(debug ? LogLevel.Debug : LogLevel.Info)
      ))
    )
  )
  // A fiber that waits for another fiber alone would not keep the process.
  const alive = setInterval(() => {}, 2 ** 30)
  let stoppedBy: number | null = null
  const stop = (signal: number) => {
    stoppedBy ??= signal
    fiber.unsafeInterruptAsFork(fiber.id())
  }
  // Only the first of each: a second Ctrl-C ends a program that hangs in its clean-up.
  for (const [name, number] of Object.entries(signals)) process.once(name, () => stop(number))
  // Nobody reads any more (`autoexp … | head`).
  process.stdout.on("error", () => stop(SIGPIPE))
  process.stderr.on("error", () => stop(SIGPIPE))
  fiber.addObserver((exit) => {
    clearInterval(alive)
    const told = Exit.match(exit, {
      onSuccess: (exitCode) => ({ exitCode, text: "" }),
      onFailure: (cause) =>
        Cause.isInterruptedOnly(cause)
          ? { exitCode: 128 + (stoppedBy ?? signals.SIGINT), text: "" }
          : tell(cause, { json, debug })
    })
    // The callback comes when all that was written before has left the process.
    process.stderr.write(told.text, () => process.stdout.write("", () => process.exit(told.exitCode)))
  })
}
