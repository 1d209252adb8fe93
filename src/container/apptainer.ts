/** `ContainerRuntime` by Apptainer or Singularity, whose command lines are the same here. Source: Apptainer user guide 1.4. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type CommandResult, Commands } from "../port/Commands.ts"
import { ContainerRuntime, ContainerRuntimeError, type ImageCommand } from "../port/ContainerRuntime.ts"

/** What the runtime ends with if it could not start the command, besides a line that begins with FATAL. */
const couldNotStart = 255

/** 16 MiB, in bytes: a large parser as JSON. */
const outputLimit = 16 * 2 ** 20

/** The runtime's arguments that run `argv` in an image. */
export const execArguments = (
  { argv, binds, env, image, options, pwd }: Pick<ImageCommand, "argv" | "binds" | "env" | "image" | "options" | "pwd">
): ReadonlyArray<string> => [
  "exec",
  ...options,
  ...binds.flatMap((bind) => ["--bind", bind]),
  ...pwd === null ? [] : ["--pwd", pwd],
  image,
  // By the image's own env: `--env` splits values at commas and evaluates "$" in them.
  ...Object.keys(env).length === 0 ? [] : ["env", ...Object.entries(env).map(([name, value]) => `${name}=${value}`)],
  ...argv
]

/** The runtime's own words, without the colours and the level before them. */
const fatal = (stderr: string): string | null => {
  const [, message] = stderr.match(/FATAL:\s+(.*)/) ?? []
  return message ?? null
}

/** @param runtime The program: a name on PATH, or a path. */
export const layer = (runtime: string): Layer.Layer<ContainerRuntime, never, Commands> =>
  Layer.effect(
    ContainerRuntime,
    Effect.map(Commands, (commands) => {
      const call = (
        args: ReadonlyArray<string>,
        more: {
          readonly timeoutSeconds: number
          readonly outputLimit?: number
          readonly streams?: "collected" | "own" | "errors"
        }
      ): Effect.Effect<CommandResult, ContainerRuntimeError> =>
        Effect.mapError(
          commands.run({ argv: [runtime, ...args], cwd: null, env: {}, ...more }),
          ({ message }) =>
            new ContainerRuntimeError({
              runtime,
              message: message.includes("ENOENT")
                ? "it is not installed here, or not on PATH; container.runtime or --container-cmd names another"
                : message
            })
        )
      return {
        name: runtime,
        version: Effect.flatMap(call(["--version"], { timeoutSeconds: 30 }), ({ exitCode, stderr, stdout }) =>
          exitCode === 0
            ? Effect.succeed(stdout.trim())
            : new ContainerRuntimeError({
              runtime,
              message: `${runtime} --version ended with ${exitCode}: ${stderr.trim()}`
            })),
        exec: (command) =>
          Effect.flatMap(
            call(execArguments(command), {
              timeoutSeconds: command.timeoutSeconds,
              outputLimit,
              streams: command.terminal ? "own" : "collected"
            }),
            (result) => {
              const message = result.exitCode === couldNotStart ? fatal(result.stderr) : null
              return message === null ? Effect.succeed(result) : new ContainerRuntimeError({ runtime, message })
            }
          ),
        build: ({ options, source, target, timeoutSeconds }) =>
          Effect.map(
            call(["build", ...options, target, source], { timeoutSeconds, streams: "errors" }),
            ({ exitCode }) =>
              exitCode
          )
      }
    })
  )
