/** Every backend there is. A new one is a file and a line in each list below. */
import type * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { CommandBackend, launchCommand } from "./CommandBackend.ts"
import type { LaunchCommand, LaunchError, LaunchPoint } from "./launch.ts"
import { launchNull, NullBackend } from "./NullBackend.ts"

/** The `backend` section: what a job runs. */
export const Backend = Schema.Union(NullBackend, CommandBackend)
export type Backend = typeof Backend.Type

/** The command of one sweep point. */
export const launch = (backend: Backend, point: LaunchPoint): Either.Either<LaunchCommand, LaunchError> => {
  switch (backend.class_name) {
    case "NullBackend":
      return launchNull(backend, point)
    case "CommandBackend":
      return launchCommand(backend, point)
  }
}
