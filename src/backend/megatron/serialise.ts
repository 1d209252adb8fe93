/** Arguments as words of a command line that the parser reads back as the same. */
import * as Either from "effect/Either"
import { pyStr } from "../python.ts"
import { isList, type Value } from "../Value.ts"
import type { Argument, ArgumentTable } from "./ArgumentTable.ts"
import { argumentValue, isSameValue } from "./argumentValue.ts"

/** What the parser has where the command line says nothing, as a value of the argument's type; null for none. */
export const defaultOf = (argument: Argument): Value => {
  const given = argument.default
  const isPlain = (value: unknown): value is string | number | boolean =>
    ["string", "number", "boolean"].includes(typeof value)
  const value = Array.isArray(given) ? given.filter(isPlain) : isPlain(given) ? given : null
  if (value === null || argument.action !== "store") return typeof value === "boolean" ? value : null
  if (!Array.isArray(value) && argument.nargs !== null) return value
  return Either.getOrElse(argumentValue(argument, value), () => null)
}

/** The default of all that have that `dest`: that of the first one. */
export const defaultAt = (table: ArgumentTable, dest: string): Value => {
  const [first] = table.byDest.get(dest) ?? []
  return first === undefined ? null : defaultOf(first)
}

const wordsOf = (all: ReadonlyArray<Argument>, value: Value): ReadonlyArray<string> => {
  const flagOf = (action: Argument["action"]) => all.find((argument) => argument.action === action)?.flags
  const pair = flagOf("boolean_optional")
  const flags = typeof value !== "boolean"
    ? undefined
    : value
    ? flagOf("store_true") ?? pair
    : flagOf("store_false") ?? pair?.slice(1)
  if (typeof value === "boolean") return flags?.slice(0, 1) ?? []
  const [flag = ""] = all[0]?.flags ?? []
  if (isList(value)) return value.length === 0 ? [] : [flag, ...value.map(pyStr)]
  return [flag, pyStr(value)]
}

/**
 * The words of `values` (by `dest`, each as {@link argumentValue} gives it), in their order. What equals the parser's
 * default is left out, unless `all`: then defaults are written too, also of arguments that are not given, as far as every
 * parser has them and the command line can say them.
 */
export const serialise = (
  table: ArgumentTable,
  values: ReadonlyMap<string, Value>,
  all: boolean
): ReadonlyArray<string> => {
  const written = all ? new Map([...defaults(table), ...values]) : values
  return [...written].flatMap(([dest, value]) => {
    const found = table.byDest.get(dest) ?? []
    const isStored = found[0]?.action === "store"
    return value === null || (!all || !isStored) && isSameValue(value, defaultAt(table, dest))
      ? []
      : wordsOf(found, value)
  })
}

const defaults = (table: ArgumentTable): ReadonlyArray<readonly [string, Value]> =>
  table.arguments
    .filter(({ action, conditional, default_from_env: variable }) =>
      action === "store" && conditional === null && variable === null
    )
    .map((argument) => [argument.dest, defaultOf(argument)] as const)
    .filter(([, value]) => value !== null)
