/** What autoexp asks of a directory of Megatron checkpoints: `iter_0001000` below it, and the tracker file that names one. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** Megatron's name for the file that says which checkpoint is loaded. */
export const trackerName = "latest_checkpointed_iteration.txt"

export class CheckpointsError extends Schema.TaggedError<CheckpointsError>()("CheckpointsError", {
  path: Schema.String,
  message: Schema.String
}) {}

/** What is in the directory. */
export interface CheckpointsLook {
  /** What the tracker file says, without blanks around it; null: there is none. */
  readonly tracker: string | null
  readonly names: ReadonlyArray<string>
}

export class Checkpoints extends Context.Tag("autoexp/Checkpoints")<Checkpoints, {
  readonly look: (dir: string) => Effect.Effect<CheckpointsLook, CheckpointsError>
  /** Why the checkpoint of that name is not whole; null: nothing speaks against it. */
  readonly fault: (dir: string, name: string) => Effect.Effect<string | null, CheckpointsError>
  /** Gives it another name in the same directory; never one that is there. */
  readonly rename: (dir: string, from: string, to: string) => Effect.Effect<void, CheckpointsError>
  /** Writes the tracker file anew, by the rename of a new one. */
  readonly point: (dir: string, iteration: number) => Effect.Effect<void, CheckpointsError>
}>() {}
