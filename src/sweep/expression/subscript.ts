/** `value[index]` and `value[start:end:step]`. On the left always half a sentence. */
import * as Either from "effect/Either"
import { isList, itemsOf, keyOf, type Py, PyDict, PyTuple, repr, typeName } from "./values.ts"

type Result = Either.Either<Py, string>

/** What can be indexed by place. */
const sequence = (value: Py): ReadonlyArray<Py> | null =>
  typeof value === "string" || isList(value) || value instanceof PyTuple ? itemsOf(value) : null

/** The item at a place, counted from the end below zero; of a dict the value of a key. */
export const itemAt = (holder: Py, index: Py): Result => {
  if (holder instanceof PyDict) {
    const entry = holder.entries.get(keyOf(index) ?? "")
    return entry === undefined ? Either.left(`the dict has no key ${repr(index)}`) : Either.right(entry[1])
  }
  const items = sequence(holder)
  if (items === null) return Either.left(`${typeName(holder)} cannot be indexed`)
  if (typeof index !== "bigint" && typeof index !== "boolean") {
    return Either.left(`an index is a whole number, not ${typeName(index)}`)
  }
  const item = items.at(Number(index))
  return item === undefined || Number(index) < -items.length
    ? Either.left(`there is no item ${index}: there are ${items.length}`)
    : Either.right(item)
}

/** The part between two places, by steps; null for what is not given. */
export const partOf = (holder: Py, bounds: ReadonlyArray<Py>): Result => {
  const items = sequence(holder)
  if (items === null) return Either.left(`${typeName(holder)} has no parts`)
  const wrong = bounds.find((bound) => bound !== null && typeof bound !== "bigint" && typeof bound !== "boolean")
  if (wrong !== undefined) return Either.left(`parts are given by whole numbers, not by ${typeName(wrong)}`)
  const [start = null, end = null, given = null] = bounds
  const step = given === null ? 1 : Number(given)
  if (step === 0) return Either.left("the step is zero")
  const { length } = items
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1]
  const clamp = (bound: Py, otherwise: number) => {
    if (bound === null) return otherwise
    const place = Number(bound) < 0 ? Number(bound) + length : Number(bound)
    return Math.min(high, Math.max(low, place))
  }
  const from = clamp(start, step > 0 ? low : high)
  const to = clamp(end, step > 0 ? high : low)
  const part: Array<Py> = []
  for (let at = from; step > 0 ? at < to : at > to; at += step) part.push(items[at] ?? null)
  return Either.right(typeof holder === "string" ? part.join("") : isList(holder) ? part : new PyTuple(part))
}
