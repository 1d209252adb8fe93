/** What an expression works on: Python's values. Whole numbers are bigints here, so that none is ever cut. */
import * as Either from "effect/Either"
import { integer } from "../../backend/numeric.ts"
import { pyRepr, pyStr } from "../../backend/python.ts"
import { PyFloat, type Value, type ValueMap } from "../../backend/Value.ts"

export type Py = null | boolean | bigint | string | PyFloat | ReadonlyArray<Py> | PyTuple | PyDict | PySet

export class PyTuple {
  readonly items: ReadonlyArray<Py>
  constructor(items: ReadonlyArray<Py>) {
    this.items = items
  }
}

/** By `keyOf`. */
export class PyDict {
  readonly entries: ReadonlyMap<string, readonly [key: Py, value: Py]>
  constructor(entries: ReadonlyMap<string, readonly [Py, Py]>) {
    this.entries = entries
  }
}

/** By `keyOf`. */
export class PySet {
  readonly items: ReadonlyMap<string, Py>
  constructor(items: ReadonlyMap<string, Py>) {
    this.items = items
  }
}

export const isList = (value: Py): value is ReadonlyArray<Py> => Array.isArray(value)

/** What identifies a value as a key: equal values have one. Null for what cannot be a key (lists, dicts, sets). */
export const keyOf = (value: Py): string | null => {
  if (typeof value === "string") return `s${value}`
  if (value === null) return "None"
  if (typeof value === "boolean") return `n${value ? 1 : 0}`
  if (typeof value === "bigint") return `n${value}`
  if (value instanceof PyFloat) {
    return Number.isInteger(value.value) ? `n${BigInt(value.value)}` : `n${value.value}`
  }
  if (!(value instanceof PyTuple)) return null
  const keys = value.items.map(keyOf)
  return keys.includes(null) ? null : `t${JSON.stringify(keys)}`
}

/** The name of a value's type, as sentences say it. */
export const typeName = (value: Py): string => {
  if (value === null) return "None"
  if (value instanceof PyFloat) return "a float"
  if (value instanceof PyTuple) return "a tuple"
  if (value instanceof PyDict) return "a dict"
  if (value instanceof PySet) return "a set"
  switch (typeof value) {
    case "string":
      return "a text"
    case "bigint":
      return "an int"
    case "boolean":
      return "a bool"
    default:
      return "a list"
  }
}

/** A set of the values, each once. On the left half a sentence. */
export const setOf = (values: ReadonlyArray<Py>): Either.Either<PySet, string> => {
  const known = new Map<string, Py>()
  for (const value of values) {
    const key = keyOf(value)
    if (key === null) return Either.left(`${typeName(value)} cannot be in a set`)
    if (!known.has(key)) known.set(key, value)
  }
  return Either.right(new PySet(known))
}

/** A dict of the entries, the last of equal keys winning. On the left half a sentence. */
export const dictOf = (entries: ReadonlyArray<readonly [Py, Py]>): Either.Either<PyDict, string> => {
  const known = new Map<string, readonly [Py, Py]>()
  for (const [key, value] of entries) {
    const id = keyOf(key)
    if (id === null) return Either.left(`${typeName(key)} cannot be a key`)
    known.set(id, [known.get(id)?.[0] ?? key, value])
  }
  return Either.right(new PyDict(known))
}

export const truthy = (value: Py): boolean => {
  if (value instanceof PyFloat) return value.value !== 0
  const size = sizeOf(value)
  return size === null ? Boolean(value) : size > 0
}

/** `len(value)`; null of what has none. */
export const sizeOf = (value: Py): number | null => {
  if (typeof value === "string") return [...value].length
  if (isList(value)) return value.length
  if (value instanceof PyTuple) return value.items.length
  if (value instanceof PyDict) return value.entries.size
  return value instanceof PySet ? value.items.size : null
}

/** More than anything may weigh. */
const HEAVIEST = 2 ** 40

const weights = new WeakMap<object, number>()

/**
 * What writing the value out costs: its items, and theirs, and the characters of texts. A list that stands in it many
 * times counts as often, but is looked at once.
 */
export const weightOf = (value: Py): number => {
  if (typeof value === "string") return value.length
  if (typeof value !== "object" || value === null) return 1
  const known = weights.get(value)
  if (known !== undefined) return known
  const items = value instanceof PyDict ? [...value.entries.values()].flat() : itemsOf(value) ?? []
  const weight = Math.min(HEAVIEST, items.reduce<number>((sum, item) => sum + weightOf(item), items.length + 1))
  weights.set(value, weight)
  return weight
}

/** What iterating over a value gives; null of what cannot be iterated. */
export const itemsOf = (value: Py): ReadonlyArray<Py> | null => {
  if (typeof value === "string") return [...value]
  if (isList(value)) return value
  if (value instanceof PyTuple) return value.items
  if (value instanceof PyDict) return [...value.entries.values()].map(([key]) => key)
  return value instanceof PySet ? [...value.items.values()] : null
}

/** A config value. */
export const fromValue = (value: Value): Py => {
  if (typeof value === "number") return BigInt(value)
  if (value === null || typeof value !== "object" || value instanceof PyFloat) return value
  if (Array.isArray(value)) return value.map(fromValue)
  return new PyDict(new Map(Object.entries(value).map(([key, item]) => [`s${key}`, [key, fromValue(item)]])))
}

/** The value as a config holds it: a tuple as a list, a dict's keys as texts. On the left half a sentence. */
export const toValue = (value: Py): Either.Either<Value, string> => {
  if (typeof value === "bigint") return Either.right(integer(value))
  if (value instanceof PySet) return Either.left("a set is no config value; make it a list by sorted(…)")
  if (value instanceof PyTuple) return toValue(value.items)
  if (isList(value)) return Either.all(value.map(toValue))
  if (!(value instanceof PyDict)) return Either.right(value)
  return Either.map(
    Either.all(
      [...value.entries.values()].map(([key, item]) =>
        Either.map(toValue(item), (read): readonly [string, Value] => [str(key), read])
      )
    ),
    (entries): ValueMap => Object.fromEntries(entries)
  )
}

/** `repr(value)`. */
export const repr = (value: Py): string => {
  if (typeof value === "bigint") return value.toString()
  if (isList(value)) return `[${value.map(repr).join(", ")}]`
  if (value instanceof PyTuple) return `(${value.items.map(repr).join(", ")}${value.items.length === 1 ? "," : ""})`
  if (value instanceof PyDict) {
    return `{${[...value.entries.values()].map(([key, item]) => `${repr(key)}: ${repr(item)}`).join(", ")}}`
  }
  if (!(value instanceof PySet)) return pyRepr(value)
  return value.items.size === 0 ? "set()" : `{${[...value.items.values()].map(repr).join(", ")}}`
}

/** `str(value)`. */
export const str = (value: Py): string =>
  typeof value === "object" && value !== null && !(value instanceof PyFloat) ? repr(value) : pyStr(value)
