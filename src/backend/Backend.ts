/** Every backend there is. A new one is a folder and a line in each list below; docs/backends.md tells how. */
import type * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { CommandBackend, launchCommand } from "./command/CommandBackend.ts"
import type { LaunchCommand, LaunchError, LaunchPoint } from "./launch.ts"
import { launchMegatron, MegatronBackend, MegatronROCmBackend } from "./megatron/MegatronBackend.ts"
import { launchNull, NullBackend } from "./null/NullBackend.ts"

/** The `backend` section: what a job runs. */
export const Backend = Schema.Union(NullBackend, CommandBackend, MegatronBackend, MegatronROCmBackend)
export type Backend = typeof Backend.Type

/** The command of one sweep point. */
export const launch = (backend: Backend, point: LaunchPoint): Either.Either<LaunchCommand, LaunchError> => {
  switch (backend.class_name) {
    case "NullBackend":
      return launchNull(backend, point)
    case "CommandBackend":
      return launchCommand(backend, point)
    case "MegatronBackend":
    case "AutoMegatronBackend":
    case "MegatronROCmBackend":
    case "AutoMegatronROCmBackend":
      return launchMegatron(backend, point)
  }
}
