import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import {
  environment,
  isRendered,
  type LaunchCommand,
  type LaunchError,
  type LaunchPoint,
  options,
  renderAt
} from "../launch.ts"
import { Text } from "../Text.ts"
import { torchrun, torchrunFields } from "../torchrun/torchrun.ts"
import { AnyMap, isList, type Value, type ValueMap } from "../Value.ts"

/**
 * Runs any command. Every text of `command`, `args`, `extra_cli_args` and `env` is a `{name}` template over the
 * point's names (`{output_dir}`, `{name}`, `{index}`, `{project}`, its parameters), rendered once.
 */
export const CommandBackend = Schema.Struct({
  class_name: Schema.Literal("CommandBackend"),
  command: Schema.NonEmptyArray(Text),
  /** Options by name, in this order: `key: value` gives `--key value`. The point's parameters win over them. */
  args: Schema.optionalWith(AnyMap, { default: () => ({}) }),
  extra_cli_args: Schema.optionalWith(Schema.Array(Text), { default: () => [] }),
  env: Schema.optionalWith(AnyMap, { default: () => ({}) }),
  ...torchrunFields
})

/** `torchrun`, `command`, `args` overlaid by the parameters, `extra_cli_args`. Parameters are data, never templates. */
export const launchCommand = (
  backend: typeof CommandBackend.Type,
  point: LaunchPoint
): Either.Either<LaunchCommand, LaunchError> =>
  Either.gen(function*() {
    const args = yield* renderValues(point, "backend.args", backend.args)
    return {
      argv: [
        ...yield* torchrun(backend),
        ...yield* renderTexts(point, "backend.command", backend.command),
        ...yield* options({ ...args, ...point.parameters }),
        ...yield* renderTexts(point, "backend.extra_cli_args", backend.extra_cli_args)
      ],
      env: environment(yield* renderValues(point, "backend.env", backend.env))
    }
  })

const renderTexts = (point: LaunchPoint, at: string, texts: ReadonlyArray<string>) =>
  Either.all(texts.map((text, index) => renderAt(point, `${at}[${index}]`, text)))

const renderValues = (point: LaunchPoint, at: string, values: ValueMap): Either.Either<ValueMap, LaunchError> => {
  const templates = Object.entries(values).filter(([, value]) => !isPlain(value))
  if (templates.length === 0) return Either.right(values)
  const rendered = Either.all(Object.fromEntries(
    templates.map(([key, value]) => [key, renderValue(point, `${at}.${key}`, value)])
  ))
  return Either.map(rendered, (rendered) => ({ ...values, ...rendered }))
}

/** Whether there is no text in it to fill in; so it is with most values of thousands of jobs. */
const isPlain = (value: Value): boolean =>
  typeof value === "string" ? isRendered(value) : !isList(value) || value.every(isPlain)

const renderValue = (point: LaunchPoint, at: string, value: Value): Either.Either<Value, LaunchError> => {
  if (typeof value === "string") return renderAt(point, at, value)
  if (isList(value)) return Either.all(value.map((item, index) => renderValue(point, `${at}[${index}]`, item)))
  return Either.right(value)
}
