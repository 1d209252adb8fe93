/** What all backends share: the command of one job, and how named values become options of it. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { ArgumentTables } from "./megatron/ArgumentTable.ts"
import { pyStr } from "./python.ts"
import { isList, isMap, type Value, type ValueMap } from "./Value.ts"

/** What one job runs. `argv` has at least one element; no element has met a shell. */
export interface LaunchCommand {
  readonly argv: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  /** Sentences for people: what may not be as it was meant. */
  readonly notes?: ReadonlyArray<string>
}

/** A backend's section and a point's parameters give no command. */
export class LaunchError extends Schema.TaggedError<LaunchError>()("LaunchError", {
  /** Where in the config: `backend.args.lr`, or the parameter's name. */
  at: Schema.String,
  message: Schema.String
}) {}

/** The sweep point that a command is built for. */
export interface LaunchPoint {
  /** What the sweep sets and the config does not know: options of the program that is launched. */
  readonly parameters: ValueMap
  /** A `{name}` template with the names of the point filled in, once. */
  readonly render: (template: string) => Either.Either<string, { readonly message: string }>
  /** Keys of all that the sweep sets at the point, the config's own included: what messages had better name. */
  readonly swept: ReadonlySet<string>
  /** What the job asks the scheduler for: nodes, tasks and GPUs, each on all nodes together. */
  readonly size: { readonly nodes: number; readonly tasks: number; readonly gpus: number }
  /** The `slurm.env` section's variables. */
  readonly env: Readonly<Record<string, string>>
  /** What Megatron's parsers take; null if they were not read, since no backend of the config is one of Megatron's. */
  readonly argumentTables: ArgumentTables | null
}

/** A template of the section, rendered; `at` is its place in the config. */
export const renderAt = (point: LaunchPoint, at: string, template: string): Either.Either<string, LaunchError> =>
  isRendered(template)
    ? Either.right(template)
    : Either.mapLeft(point.render(template), ({ message }) => new LaunchError({ at, message }))

/** Whether there is nothing to fill in. */
export const isRendered = (template: string): boolean => !template.includes("{") && !template.includes("}")

/**
 * `--key value` for each value, underscores of the key as dashes. `true` gives the bare flag, `false` and `null` give
 * nothing, a list gives the flag followed by its items (nothing if it is empty). A mapping has no such form.
 */
export const options = (values: ValueMap): Either.Either<ReadonlyArray<string>, LaunchError> => {
  const all: Array<string> = []
  for (const [key, value] of Object.entries(values)) {
    const words = option(key, value)
    if (Either.isLeft(words)) return words
    all.push(...words.right)
  }
  return Either.right(all)
}

/** Flags by their keys, which thousands of jobs have in common. */
const flags = new Map<string, string>()

const flagOf = (key: string): string => {
  const flag = flags.get(key) ?? `--${key.replaceAll("_", "-")}`
  flags.set(key, flag)
  return flag
}

const option = (key: string, value: Value): Either.Either<ReadonlyArray<string>, LaunchError> => {
  if (value === null || value === false) return Either.right([])
  if (key === "") return Either.left(new LaunchError({ at: key, message: "a value without a name is no option" }))
  const flag = flagOf(key)
  if (value === true) return Either.right([flag])
  if (!isList(value) && !isMap(value)) return Either.right([flag, pyStr(value)])
  const items = isList(value) ? value : [value]
  if (items.some((item) => isMap(item) || isList(item))) {
    return Either.left(new LaunchError({ at: key, message: `${pyStr(value)} is no value of the option ${flag}` }))
  }
  return Either.right(items.length === 0 ? [] : [flag, ...items.map(pyStr)])
}

/** Environment variables by their text; `null` leaves one out. */
export const environment = (env: ValueMap): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => value === null ? [] : [[name, pyStr(value)]]))
