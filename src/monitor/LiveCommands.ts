/** `Commands` as processes of this machine, each in a process group of its own. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type ChildProcess, spawn } from "node:child_process"
import { constants } from "node:os"
import { CommandFailedError, type CommandResult, Commands } from "../port/Commands.ts"

const outputBound = 64 * 1024

/** How long after the program's end its last output is waited for. */
const drainMillis = 500

/** Node's own bound, in milliseconds: 24 days. */
const longestTimer = 2 ** 31 - 1

const kill = (child: ChildProcess, group: boolean): void => {
  if (child.pid === undefined) return
  try {
    process.kill(group ? -child.pid : child.pid, "SIGKILL")
  } catch {
    // It has ended already.
  }
}

/** Collects at most the bound; what comes after is read and dropped, so that the program is not held up. */
const collect = (stream: NodeJS.ReadableStream | null, bound: number): () => string => {
  const chunks: Array<Buffer> = []
  let bytes = 0
  stream?.on("data", (chunk: Buffer) => {
    if (bytes < bound) chunks.push(chunk.subarray(0, bound - bytes))
    bytes += chunk.length
  })
  return () => Buffer.concat(chunks).toString("utf8")
}

const environment = (env: Readonly<Record<string, string | null>>): NodeJS.ProcessEnv => {
  const all = { ...process.env }
  for (const [name, value] of Object.entries(env)) {
    if (value === null) delete all[name]
    else all[name] = value
  }
  return all
}

const stdio = { collected: ["ignore", "pipe", "pipe"], own: [0, 1, 2], errors: ["ignore", 2, 2] } as const

const run: (typeof Commands.Service)["run"] = (
  { argv, cwd, env, outputLimit = outputBound, streams = "collected", timeoutSeconds }
) =>
  Effect.async<CommandResult, CommandFailedError>((resume) => {
    const [program = "", ...args] = argv
    const unfit = argv.findIndex((text) => text.includes("\0"))
    if (unfit >= 0) {
      const message =
        `argument ${unfit} of ${JSON.stringify(program)} holds a NUL character, which no program can be ` +
        `given: ${JSON.stringify(argv[unfit]).slice(0, 200)}`
      return resume(new CommandFailedError({ command: argv, message }))
    }
    const [name] = Object.entries(env).find(([, text]) => text?.includes("\0")) ?? []
    if (name !== undefined) {
      const message =
        `the value ${JSON.stringify(env[name]).slice(0, 200)} holds a NUL character, which no program can ` +
        "be given"
      return resume(new CommandFailedError({ command: argv, message }))
    }
    const fail = (message: string) => {
      clearTimeout(timer)
      resume(new CommandFailedError({ command: argv, message }))
    }
    // A group of its own could not read from the terminal, and would not hear Ctrl-C.
    const group = streams !== "own"
    const child = spawn(program, args, {
      ...(cwd === null ? {} : { cwd }),
      env: environment(env),
      detached: group,
      stdio: [...stdio[streams]]
    })
    const stdout = collect(child.stdout, outputLimit)
    const stderr = collect(child.stderr, outputLimit)
    // Not a time-out of Effect's: that waits for what it may not interrupt, such as a submission.
    const timer = setTimeout(() => {
      kill(child, group)
      fail(`${program} did not end within ${timeoutSeconds} s and was killed`)
    }, Math.min(timeoutSeconds * 1000, longestTimer))
    child.on("error", (error) => fail(`${program} could not be started: ${error.message}`))
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(timer)
      resume(Effect.succeed({
        exitCode: code ?? 128 + (signal === null ? 0 : constants.signals[signal]),
        stdout: stdout(),
        stderr: stderr()
      }))
    }
    child.on("close", end)
    // A process that it left behind may hold the streams open for as long as it likes.
    child.on("exit", (code, signal) => setTimeout(() => end(code, signal), drainMillis).unref())
    return Effect.sync(() => {
      clearTimeout(timer)
      kill(child, group)
    })
  })

export const layer: Layer.Layer<Commands> = Layer.succeed(Commands, { run })
