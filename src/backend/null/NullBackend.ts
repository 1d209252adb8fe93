import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { environment, type LaunchCommand, type LaunchError, type LaunchPoint, options } from "../launch.ts"
import { Text } from "../Text.ts"
import { AnyMap } from "../Value.ts"

/** Runs a fixed command with the point's parameters as options: for trying a sweep out. */
export const NullBackend = Schema.Struct({
  class_name: Schema.Literal("NullBackend"),
  base_command: Schema.optionalWith(Schema.NonEmptyArray(Text), { default: () => ["echo"] as const }),
  extra_cli_args: Schema.optionalWith(Schema.Array(Text), { default: () => [] }),
  env: Schema.optionalWith(AnyMap, { default: () => ({}) })
})

/** `base_command`, the parameters, `extra_cli_args`. */
export const launchNull = (
  backend: typeof NullBackend.Type,
  point: LaunchPoint
): Either.Either<LaunchCommand, LaunchError> =>
  Either.map(options(point.parameters), (parameters) => ({
    argv: [...backend.base_command, ...parameters, ...backend.extra_cli_args],
    env: environment(backend.env)
  }))
