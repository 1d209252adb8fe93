/** Runs Megatron-LM: arguments by their names in its own parser, checked against what that parser takes. */
import * as Either from "effect/Either"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import { environment, type LaunchCommand, LaunchError, type LaunchPoint, options, renderAt } from "../launch.ts"
import { didYouMean } from "../nearest.ts"
import { Text } from "../Text.ts"
import { torchrun, torchrunFields } from "../torchrun/torchrun.ts"
import { Any, AnyMap, isList, isMap, type Value } from "../Value.ts"
import type { ArgumentTable, ArgumentTables } from "./ArgumentTable.ts"
import { conflicts, lacking } from "./consistency.ts"
import { serialise } from "./serialise.ts"
import {
  given,
  type Setting,
  type Settings,
  settingsOfWords,
  typed,
  unknownArgument,
  withoutConveniences
} from "./settings.ts"
import { worldSize } from "./worldSize.ts"

const bool = (value: boolean) => Schema.optionalWith(Schema.Boolean, { default: () => value })
const block = Schema.optionalWith(Schema.NullOr(AnyMap), { default: () => null })

const fields = {
  /** The program, cut at its blanks, such as `python pretrain_gpt.py`. */
  launcher_script: Schema.optionalWith(Text, { default: () => "scripts/run_megatron.sh" }),
  env: Schema.optionalWith(AnyMap, { default: () => ({}) }),
  /** Words that follow all others, as they are. */
  extra_cli_args: Schema.optionalWith(Schema.Array(Text), { default: () => [] }),
  ...torchrunFields,
  /** Whether values that are the parser's own defaults are left out. */
  differential_cmd: bool(true),
  /** The Megatron whose arguments these are; null: core_r0.13.0, or that of the image. */
  megatron_version: Schema.optionalWith(Schema.NullOr(Text), { default: () => null }),
  /** Whether arguments that the parser does not know are passed on, as `--name value`. */
  allow_unknown_args: bool(false),
  /** Whether arguments must go together by Megatron's own rules. */
  check_consistency: bool(true)
}

const anyArgument = Schema.Record({ key: Schema.String, value: Any })

/** On NVIDIA's GPUs. Keys besides these are arguments too, and win over those of `megatron`. */
export const MegatronBackend = Schema.Struct(
  { class_name: Schema.Literal("MegatronBackend", "AutoMegatronBackend"), ...fields, megatron: block },
  anyArgument
)

/** The same on AMD's GPUs, with arguments in `megatron_rocm`. */
export const MegatronROCmBackend = Schema.Struct(
  { class_name: Schema.Literal("MegatronROCmBackend", "AutoMegatronROCmBackend"), ...fields, megatron_rocm: block },
  anyArgument
)

type Section = typeof MegatronBackend.Type | typeof MegatronROCmBackend.Type

const fieldNames = [...Object.keys(fields), "class_name", "megatron", "megatron_rocm"]

/**
 * torchrun if it is asked for, `launcher_script`, the arguments, and `extra_cli_args`. On the left the first fault, with
 * the others in its message.
 */
export const launchMegatron = (section: Section, point: LaunchPoint): Either.Either<LaunchCommand, LaunchError> =>
  Either.gen(function*() {
    const tables = yield* Either.fromNullable(
      point.argumentTables,
      () => new LaunchError({ at: "backend.class_name", message: "Megatron's arguments were not read for this plan" })
    )
    const table = yield* tableOf(section, tables)
    const script = yield* fill(point, "backend.launcher_script", section.launcher_script)
    const extras = yield* Either.all(
      section.extra_cli_args.map((word, at) => fill(point, `backend.extra_cli_args[${at}]`, word))
    )
    const env = yield* Either.all(
      Record.map(environment(section.env), (text, name) => fill(point, `backend.env.${name}`, text))
    )
    const { faults, known, unknown } = typed(table, yield* settingsOf(section, table, point))
    const refused = section.allow_unknown_args
      ? []
      : unknown.map(([key, setting]) => unknownArgument(key, setting, table, tables, fieldNames))
    yield* allWell([...refused, ...faults])
    const checked = {
      table,
      settings: new Map([...known, ...settingsOfWords(table, extras, "backend.extra_cli_args")]),
      world: worldSize(section, script, { ...point.env, ...env }, point),
      isSwept: (at: string) => [...point.swept].some((key) => at === key || at.startsWith(`${key}.`))
    }
    if (section.check_consistency) yield* allWell(conflicts(checked))
    const values = new Map([...known].map(([dest, { value }]) => [dest, value] as const))
    return {
      argv: [
        ...yield* torchrun(section),
        ...script.split(/\s+/).filter((word) => word !== ""),
        ...serialise(table, values, !section.differential_cmd),
        ...yield* options(Object.fromEntries(unknown.map(([key, { value }]) => [key, value]))),
        ...extras
      ],
      env,
      notes: lacking(checked).map((dest) => `Megatron needs ${dest}, and nothing of the config gives it`)
    }
  })

const tableOf = (
  { megatron_version: version }: Section,
  tables: ArgumentTables
): Either.Either<ArgumentTable, LaunchError> => {
  const names = tables.map(({ name }) => name)
  return Either.fromNullable(
    version === null ? tables[0] : tables.find(({ name }) => name === version),
    () => {
      const message = `there are no arguments of Megatron "${version}"; ${didYouMean(version ?? "", names)}`
      return new LaunchError({ at: "backend.megatron_version", message })
    }
  )
}

/** What the section and the sweep give, texts filled in. */
const settingsOf = (
  section: Section,
  table: ArgumentTable,
  point: LaunchPoint
): Either.Either<Settings, LaunchError> =>
  Either.gen(function*() {
    const name = "megatron_rocm" in section ? "megatron_rocm" : "megatron"
    const args = section[name] ?? {}
    const extras = Record.filter(section, (_, key) => !fieldNames.includes(key))
    const own = given(table, {
      block: isMap(args) ? args : {},
      blockAt: `backend.${name}`,
      extras,
      parameters: point.parameters
    })
    const settings = new Map<string, Setting>()
    for (const [key, setting] of own) {
      const { at, value } = setting
      // Parameters are data, never templates.
      settings.set(key, {
        ...setting,
        value: Object.hasOwn(point.parameters, at) ? value : yield* fillAll(point, at, value)
      })
    }
    return section.class_name.startsWith("Auto") ? yield* withoutConveniences(settings) : settings
  })

/** A `{name}` by itself: braces of regular expressions, JSON and the shell are none. */
const placeholder = /(?<![\\$][pP]?|[{])\{[A-Za-z_]\w*(?:\.\w+)*(?:![rsa])?(?::[^{}]*)?\}(?!\})/g

/** The text with each `{name}` of the point filled in, once; any other brace stays. */
const fill = (point: LaunchPoint, at: string, text: string): Either.Either<string, LaunchError> =>
  Either.gen(function*() {
    const found = text.includes("{") ? text.match(placeholder) ?? [] : []
    const filled = new Map<string, string>()
    for (const each of found) filled.set(each, yield* renderAt(point, at, each))
    return text.replace(placeholder, (each) => filled.get(each) ?? each)
  })

const fillAll = (point: LaunchPoint, at: string, value: Value): Either.Either<Value, LaunchError> => {
  if (typeof value === "string") return fill(point, at, value)
  return isList(value) ? Either.all(value.map((item) => fillAll(point, at, item))) : Either.right(value)
}

/** An error if anything is wrong: the first, which names up to four others. */
const allWell = ([first, ...rest]: ReadonlyArray<LaunchError>): Either.Either<void, LaunchError> => {
  if (first === undefined) return Either.void
  const others = rest.slice(0, 4).map(({ at, message }) => `also ${at}: ${message}`)
  const more = rest.length > 4 ? [`and ${rest.length - 4} more`] : []
  return Either.left(new LaunchError({ at: first.at, message: [first.message, ...others, ...more].join("; ") }))
}
