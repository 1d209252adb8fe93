/** What autoexp asks of other programs. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The program could not be started, or did not end in time (it is killed then). */
export class CommandFailedError extends Schema.TaggedError<CommandFailedError>()("CommandFailedError", {
  command: Schema.Array(Schema.String),
  message: Schema.String
}) {}

export interface CommandResult {
  /** 128 + signal number if a signal ended it. */
  readonly exitCode: number
  /** At most the first 64 KiB of each stream, or `outputLimit` bytes. */
  readonly stdout: string
  readonly stderr: string
}

export class Commands extends Context.Tag("autoexp/Commands")<Commands, {
  /**
   * Runs an argument vector (never a shell string) with this process's environment plus `env` (null: without that
   * variable), kills its process group after `timeoutSeconds`. `streams: "own"` leaves it the terminal and this process's
   * streams, its process group included; `"errors"` sends all that it prints to standard error. Both collect nothing.
   */
  readonly run: (command: {
    readonly argv: ReadonlyArray<string>
    readonly cwd: string | null
    readonly env: Readonly<Record<string, string | null>>
    readonly timeoutSeconds: number
    readonly outputLimit?: number
    readonly streams?: "collected" | "own" | "errors"
  }) => Effect.Effect<CommandResult, CommandFailedError>
}>() {}
