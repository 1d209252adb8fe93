/** The arguments that a point gives to Megatron: by the config's block, by extra keys beside it, and by the sweep. */
import * as Either from "effect/Either"
import { LaunchError } from "../launch.ts"
import { didYouMean } from "../nearest.ts"
import { toFloat } from "../numeric.ts"
import { pyRepr } from "../python.ts"
import { isList, type Value, type ValueMap } from "../Value.ts"
import type { Argument, ArgumentTable, ArgumentTables } from "./ArgumentTable.ts"
import { argumentValue } from "./argumentValue.ts"
import { defaultAt } from "./serialise.ts"

/** A value, and where in the config, or by which parameter, it is given. */
export interface Setting {
  readonly value: Value
  readonly at: string
  /** Whether it stands in the block, where lists are written as lists. */
  readonly isBlock?: boolean
}

export type Settings = ReadonlyMap<string, Setting>

/** Where arguments are given, the later over the earlier. */
export interface Sources {
  /** `backend.megatron` or `backend.megatron_rocm`, and the place of it. */
  readonly block: ValueMap
  readonly blockAt: string
  /** Other keys of the section. */
  readonly extras: ValueMap
  /** What the sweep sets and the config does not know. */
  readonly parameters: ValueMap
}

/** `megatron.tokenizer-type` of a sweep is `tokenizer_type`. */
const parameterName = (key: string): string => key.replace(/^megatron\./, "").replaceAll("-", "_")

/**
 * All that is given, in the order in which it is written: the block in the parser's order (with the places of arguments
 * that have a default), then what only the others give. Null takes a value away; `aux` is a note of the config's author.
 */
export const given = (table: ArgumentTable, { block, blockAt, extras, parameters }: Sources): Settings => {
  const all = new Map<string, Setting>()
  for (const [key, value] of Object.entries(block)) {
    if (key !== "aux") all.set(key, { value, at: `${blockAt}.${key}`, isBlock: true })
  }
  for (const [key, value] of Object.entries(extras)) all.set(key, { value, at: `backend.${key}` })
  for (const [key, value] of Object.entries(parameters)) all.set(parameterName(key), { value, at: key })
  const first = table.arguments.flatMap(({ dest }) => (block[dest] ?? defaultAt(table, dest)) === null ? [] : [dest])
  const order = new Set([...first, ...Object.keys(block), ...all.keys()])
  return new Map([...order].flatMap((key) => {
    const setting = all.get(key)
    return setting === undefined || setting.value === null ? [] : [[key, setting] as const]
  }))
}

/** Keys that stand for others. */
export const conveniences = ["train_tokens", "lr_decay_fraction"] as const

const numberAt = (settings: Settings, key: string): number | null => {
  const setting = settings.get(key)
  const value = setting === undefined ? null : toFloat(setting.value)
  return value !== null && Number.isFinite(value) && value > 0 ? value : null
}

/**
 * `train_tokens` as `train_iters`, rounded up; `lr_decay_fraction` as that part of `train_samples`, else of `train_iters`;
 * and the decay's length as that of a WSD schedule that has none of its own.
 */
export const withoutConveniences = (settings: Settings): Either.Either<Settings, LaunchError> =>
  Either.gen(function*() {
    const all = new Map(settings)
    const fail = (key: string, message: string) =>
      Either.left(new LaunchError({ at: settings.get(key)?.at ?? key, message }))
    const tokens = settings.get("train_tokens")
    if (tokens !== undefined) {
      const count = numberAt(settings, "train_tokens")
      const [length, batch] = [numberAt(settings, "seq_length"), numberAt(settings, "global_batch_size")]
      if (count === null) {
        return yield* fail("train_tokens", `train_tokens must be a number above zero, not ${pyRepr(tokens.value)}`)
      }
      if (length === null || batch === null) {
        return yield* fail(
          "train_tokens",
          "train_tokens needs seq_length and global_batch_size, to make iterations of it"
        )
      }
      all.delete("train_tokens")
      all.set("train_iters", { value: Math.ceil(count / (length * batch)), at: tokens.at })
    }
    const fraction = settings.get("lr_decay_fraction")
    if (fraction !== undefined) {
      const part = numberAt(settings, "lr_decay_fraction")
      if (part === null || part > 1) {
        const message = `lr_decay_fraction must be above 0 and at most 1, not ${pyRepr(fraction.value)}`
        return yield* fail("lr_decay_fraction", message)
      }
      const unit = all.has("train_samples") ? "samples" : "iters"
      const whole = numberAt(all, `train_${unit}`)
      if (whole === null) {
        return yield* fail("lr_decay_fraction", "lr_decay_fraction needs train_samples, train_iters or train_tokens")
      }
      all.delete("lr_decay_fraction")
      all.set(`lr_decay_${unit}`, { value: Math.trunc(whole * part), at: fraction.at })
    }
    for (const unit of ["iters", "samples"]) {
      const decay = all.get(`lr_decay_${unit}`)
      if (decay !== undefined && !all.has(`lr_wsd_decay_${unit}`)) all.set(`lr_wsd_decay_${unit}`, decay)
    }
    return all
  })

/** Arguments of a table by their types, those that it does not know, and what is wrong with the others. */
export interface Typed {
  readonly known: Settings
  readonly unknown: ReadonlyArray<readonly [key: string, setting: Setting]>
  readonly faults: ReadonlyArray<LaunchError>
}

/** Whether the argument has lists alone for values, and this is none. */
const isUnlisted = ({ default: given, nargs }: Argument, value: Value): boolean =>
  nargs !== null && nargs !== "?" && (given === null || isList(given)) && !isList(value)

export const typed = (table: ArgumentTable, settings: Settings): Typed => {
  const known = new Map<string, Setting>()
  const unknown: Array<readonly [string, Setting]> = []
  const faults: Array<LaunchError> = []
  for (const [dest, setting] of settings) {
    const [argument] = table.byDest.get(dest) ?? []
    if (argument === undefined) unknown.push([dest, setting])
    else if (setting.isBlock === true && isUnlisted(argument, setting.value)) {
      const message = `${dest} takes a list: write [${pyRepr(setting.value)}], not ${pyRepr(setting.value)}`
      faults.push(new LaunchError({ at: setting.at, message }))
    } else {
      Either.match(argumentValue(argument, setting.value), {
        onLeft: (why) => faults.push(new LaunchError({ at: setting.at, message: `${dest} ${why}` })),
        onRight: (value) => known.set(dest, { ...setting, value })
      })
    }
  }
  return { known, unknown, faults }
}

/** Why Megatron does not know a key, and what would fit. `fields`: keys of the section that are no arguments. */
export const unknownArgument = (
  key: string,
  { at }: Setting,
  table: ArgumentTable,
  tables: ArgumentTables,
  fields: ReadonlyArray<string>
): LaunchError => {
  const flag = table.byFlag.get(`--${key.replaceAll("_", "-")}`) ?? table.byFlag.get(`--${key}`)
  const other = tables.find((each) => each !== table && each.byDest.has(key))
  const isConvenience = conveniences.some((each) => each === key)
  const hint = isConvenience
    ? "AutoMegatronBackend and AutoMegatronROCmBackend take it"
    : flag !== undefined
    ? `that is how its option is spelled; write ${flag.dest}${flag.action === "store_false" ? ": false" : ""}`
    : other !== undefined
    ? `Megatron ${other.name} has it (backend.megatron_version)`
    : didYouMean(key, at.startsWith("backend.") ? [...table.byDest.keys(), ...fields] : table.byDest.keys())
  const names = at.startsWith("backend.") ? "" : " A parameter that only names jobs is metadata.NAME."
  return new LaunchError({
    at,
    message:
      `Megatron ${table.name} has no argument "${key}"; ${hint}${names} --allow-unknown-args passes it on unchecked.`
  })
}

/**
 * What words of a command line set, those that the parser would refuse left out: the last one of each `dest`. Words that
 * no flag asks for say nothing here.
 */
export const settingsOfWords = (table: ArgumentTable, words: ReadonlyArray<string>, at: string): Settings => {
  const found = new Map<string, Setting>()
  words.forEach((word, index) => {
    const equals = word.indexOf("=")
    const flag = equals < 0 ? word : word.slice(0, equals)
    const argument = table.byFlag.get(flag)
    if (argument === undefined) return
    const rest = words.slice(index + 1)
    const end = rest.findIndex((next) => /^--/.test(next))
    const values = equals >= 0 ? [word.slice(equals + 1)] : end < 0 ? rest : rest.slice(0, end)
    const { action, dest, flags, nargs } = argument
    const value: Value = action === "store"
      ? nargs === null ? values[0] ?? null : values
      : action === "store_true" || action === "boolean_optional" && flag === flags[0]
    const read = value === null ? Either.left("") : argumentValue(argument, value)
    if (Either.isRight(read)) found.set(dest, { value: read.right, at })
  })
  return found
}
