/** What autoexp asks of the program that starts commands in images and builds images. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { CommandResult } from "./Commands.ts"

/** The runtime cannot be started, or cannot start the image. */
export class ContainerRuntimeError extends Schema.TaggedError<ContainerRuntimeError>()("ContainerRuntimeError", {
  runtime: Schema.String,
  message: Schema.String
}) {}

/** A command inside an image (a file, or a directory with a root file system). */
export interface ImageCommand {
  readonly image: string
  readonly argv: ReadonlyArray<string>
  /** `SRC[:DST[:ro]]` each. */
  readonly binds: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  /** The directory to start in; null: as the runtime chooses. */
  readonly pwd: string | null
  /** Options of the runtime's `exec` besides. */
  readonly options: ReadonlyArray<string>
  readonly timeoutSeconds: number
  /** Whether its streams are this program's own; its result then holds no output. */
  readonly terminal: boolean
}

export interface ImageBuild {
  /** What comes to be: an image file, or a directory with `--sandbox` among the options. */
  readonly target: string
  /** A definition file, or an image. */
  readonly source: string
  readonly options: ReadonlyArray<string>
  readonly timeoutSeconds: number
}

export class ContainerRuntime extends Context.Tag("autoexp/ContainerRuntime")<ContainerRuntime, {
  /** `apptainer`, `singularity`, or what else was configured. */
  readonly name: string
  /** As `--version` prints it. */
  readonly version: Effect.Effect<string, ContainerRuntimeError>
  /** Runs a command; any exit code of its own is a result. */
  readonly exec: (command: ImageCommand) => Effect.Effect<CommandResult, ContainerRuntimeError>
  /** Builds; what it prints goes to standard error as it comes. Returns its exit code. */
  readonly build: (build: ImageBuild) => Effect.Effect<number, ContainerRuntimeError>
}>() {}
