/** Python's comparisons. */
import * as Either from "effect/Either"
import { PyFloat } from "../../backend/Value.ts"
import type { Comparator } from "./Expression.ts"
import { isList, itemsOf, keyOf, type Py, PyDict, PySet, PyTuple, typeName } from "./values.ts"

const numberOf = (value: Py): number | bigint | null => {
  if (typeof value === "boolean") return value ? 1n : 0n
  return value instanceof PyFloat ? value.value : typeof value === "bigint" ? value : null
}

const sequenceOf = (value: Py): ReadonlyArray<Py> | null =>
  isList(value) ? value : value instanceof PyTuple ? value.items : null

/** `a == b`. Numbers of different types compare by what they are, without rounding. */
export const equal = (a: Py, b: Py): boolean => {
  const [x, y] = [numberOf(a), numberOf(b)]
  // eslint-disable-next-line eqeqeq -- Of a bigint and a double, only == compares the numbers.
  if (x !== null && y !== null) return x == y
  const [items, others] = [sequenceOf(a), sequenceOf(b)]
  if (items !== null && others !== null) {
    return isList(a) === isList(b) && items.length === others.length &&
      items.every((item, at) => equal(item, others[at] ?? null))
  }
  if (a instanceof PyDict && b instanceof PyDict) {
    return a.entries.size === b.entries.size && [...a.entries].every(([key, [, value]]) => {
      const other = b.entries.get(key)
      return other !== undefined && equal(value, other[1])
    })
  }
  if (a instanceof PySet && b instanceof PySet) {
    return a.items.size === b.items.size && [...a.items.keys()].every((key) => b.items.has(key))
  }
  return a === b
}

/** Texts by the codes of their characters. */
const orderTexts = (a: string, b: string): number => {
  const [left, right] = [[...a], [...b]]
  const at = left.findIndex((char, index) => char !== right[index])
  if (at < 0) return left.length - right.length
  return (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? -1)
}

/** Below zero if `a` comes before `b`, NaN if neither does; null of what has no order. */
const order = (a: Py, b: Py): number | null => {
  const [x, y] = [numberOf(a), numberOf(b)]
  if (x !== null && y !== null) return x < y ? -1 : x > y ? 1 : Number.isNaN(x) || Number.isNaN(y) ? NaN : 0
  if (typeof a === "string" && typeof b === "string") return orderTexts(a, b)
  const [items, others] = [sequenceOf(a), sequenceOf(b)]
  if (items === null || others === null || isList(a) !== isList(b)) return null
  const at = items.findIndex((item, index) => index >= others.length || !equal(item, others[index] ?? null))
  if (at < 0) return items.length - others.length
  return at < others.length ? order(items[at] ?? null, others[at] ?? null) : 1
}

const contains = (item: Py, container: Py): Either.Either<boolean, string> => {
  if (typeof container === "string") {
    return typeof item === "string"
      ? Either.right(container.includes(item))
      : Either.left(`${typeName(item)} cannot be part of a text`)
  }
  if (container instanceof PyDict || container instanceof PySet) {
    const key = keyOf(item)
    const known = container instanceof PyDict ? container.entries : container.items
    return key === null ? Either.left(`${typeName(item)} cannot be a key`) : Either.right(known.has(key))
  }
  const items = itemsOf(container)
  return items === null
    ? Either.left(`${typeName(container)} has no parts to look for`)
    : Either.right(items.some((other) => equal(item, other)))
}

/** `a is b`, told by value: sharing of equal values is no property of a config. */
const same = (a: Py, b: Py): boolean =>
  typeof a === typeof b && (a instanceof PyFloat) === (b instanceof PyFloat) && equal(a, b)

/** The comparison's outcome; on the left half a sentence that says what cannot be compared. */
export const compare = (operator: Comparator, a: Py, b: Py): Either.Either<boolean, string> => {
  switch (operator) {
    case "==":
      return Either.right(equal(a, b))
    case "!=":
      return Either.right(!equal(a, b))
    case "is":
      return Either.right(same(a, b))
    case "is not":
      return Either.right(!same(a, b))
    case "in":
      return contains(a, b)
    case "not in":
      return Either.map(contains(a, b), (found) => !found)
    default: {
      const found = order(a, b)
      if (found === null) return Either.left(`${typeName(a)} and ${typeName(b)} have no order`)
      const less = operator === "<" || operator === "<="
      return Either.right((less ? found < 0 : found > 0) || (operator.length === 2 && found === 0))
    }
  }
}
