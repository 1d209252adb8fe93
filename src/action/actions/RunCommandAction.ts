import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Number } from "../../backend/Value.ts"
import type { Outcome } from "../../event/Outcome.ts"
import { Commands } from "../../port/Commands.ts"

/**
 * Runs an argument vector, each element a template rendered to exactly one argument; no shell reads it. With `shell: true`
 * the command is a text for `sh`, in which each `{name}` becomes a quoted reference to an environment variable.
 * `cwd`: where it runs; the job's output directory if not given. `timeout_seconds`: it is killed then.
 */
export const RunCommandAction = Schema.Struct({
  class_name: Schema.Literal("RunCommandAction"),
  command: Schema.Union(Schema.NonEmptyArray(Schema.String), Schema.NonEmptyString),
  shell: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  /** Filled in when the command is rendered: the values that a shell command refers to. */
  env: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.String }), { default: () => ({}) }),
  cwd: Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null }),
  timeout_seconds: Schema.optionalWith(Number, { default: () => 600 })
})

/** Runs it; done with exit code 0, failed with any other. */
export const run = (
  action: typeof RunCommandAction.Type
): Effect.Effect<Outcome, never, Commands> =>
  Effect.gen(function*() {
    const commands = yield* Commands
    const result = yield* commands.run({
      argv: typeof action.command === "string" ? [action.command] : action.command,
      cwd: action.cwd,
      env: action.env,
      timeoutSeconds: action.timeout_seconds
    })
    return {
      status: result.exitCode === 0 ? "done" as const : "failed" as const,
      result: {
        exit_code: result.exitCode,
        stdout: result.stdout.slice(0, 1024),
        stderr: result.stderr.slice(0, 1024)
      }
    }
  }).pipe(
    Effect.catchTag("CommandFailedError", (error) =>
      Effect.succeed({ status: "failed" as const, result: { error: error.message } }))
  )
