/** Python's arithmetic, and what its operators do to texts and lists. On the left always half a sentence. */
import * as Either from "effect/Either"
import { floorDiv, toFloat } from "../../backend/numeric.ts"
import { power } from "../../backend/power.ts"
import { PyFloat } from "../../backend/Value.ts"
import type { BinaryOperator } from "./Expression.ts"
import { formatPercent } from "./formatPercent.ts"
import { isList, type Py, PySet, PyTuple, sizeOf, typeName } from "./values.ts"

type Result = Either.Either<Py, string>

/** Bits of a whole number, items of a list, characters of a text: more is a slip, told before it fills the memory. */
const MAX_BITS = 10_000
export const MAX_ITEMS = 100_000

const intOf = (value: Py): bigint | null =>
  typeof value === "boolean" ? BigInt(value) : typeof value === "bigint" ? value : null

const isNumber = (value: Py): value is boolean | bigint | PyFloat =>
  typeof value === "boolean" || typeof value === "bigint" || value instanceof PyFloat

const bits = (value: bigint): number => value.toString(16).length * 4

const bounded = (value: bigint): Result =>
  bits(value) > MAX_BITS ? Either.left("the number is too large") : Either.right(value)

const overflow = "the number is too large for a float"

const floated = (value: number, ...from: ReadonlyArray<number>): Result =>
  !Number.isFinite(value) && from.every(Number.isFinite) ? Either.left(overflow) : Either.right(new PyFloat(value))

/** The double nearest to `a / b`, which neither number need fit into. */
const quotient = (a: bigint, b: bigint): number => {
  if (bits(a) <= 48 && bits(b) <= 48) return Number(a) / Number(b)
  const shift = Math.max(0, bits(b) - bits(a) + 128)
  const [numerator, denominator] = b < 0n ? [-a, -b] : [a, b]
  const scaled = numerator << BigInt(shift)
  // A last bit that says "and something more", so that rounding sees no tie where there is none.
  const sticky = scaled % denominator === 0n ? 0n : 1n
  return Number(((scaled / denominator) << 1n) + (numerator < 0n ? -sticky : sticky)) / 2 ** (shift + 1)
}

/** Python's `//` and `%` of floats. Source: CPython's `float_divmod`. */
const floatDivMod = (a: number, b: number): readonly [number, number] => {
  let rest = a % b
  let whole = (a - rest) / b
  if (rest !== 0 && b < 0 !== rest < 0) {
    rest += b
    whole -= 1
  }
  if (rest === 0) rest = b < 0 ? -0 : 0
  const floor = Math.floor(whole)
  return [whole === 0 ? (1 / (a / b) < 0 ? -0 : 0) : whole - floor > 0.5 ? floor + 1 : floor, rest]
}

const intPower = (a: bigint, b: bigint): Result => {
  if (b < 0n) return floatPower(Number(a), Number(b))
  const small = a >= -1n && a <= 1n
  if (!small && Number(b) * (bits(a) - 3) > MAX_BITS) return Either.left("the number is too large")
  return bounded(small && b > 2n ? a ** (b % 2n + 2n) : a ** b)
}

const floatPower = (a: number, b: number): Result => {
  if (a === 0 && b < 0) return Either.left("zero has no negative power")
  const result = power(a, b)
  return Number.isNaN(result) && !Number.isNaN(a) && !Number.isNaN(b)
    ? Either.left("the result is no real number")
    : floated(result, a, b)
}

const shift = (a: bigint, b: bigint, left: boolean): Result => {
  if (b < 0n) return Either.left("a shift cannot be negative")
  if (!left) return Either.right(a >> (b > BigInt(MAX_BITS) ? BigInt(MAX_BITS) : b))
  if (a === 0n) return Either.right(a)
  return b > BigInt(MAX_BITS) ? Either.left("the number is too large") : bounded(a << b)
}

const ints = (operator: BinaryOperator, a: bigint, b: bigint): Result => {
  if ((operator === "/" || operator === "//" || operator === "%") && b === 0n) return Either.left("division by zero")
  switch (operator) {
    case "+":
      return bounded(a + b)
    case "-":
      return bounded(a - b)
    case "*":
      return bounded(a * b)
    case "/":
      return floated(quotient(a, b))
    case "//":
      return Either.right(floorDiv(a, b))
    case "%":
      return Either.right(a - floorDiv(a, b) * b)
    case "**":
      return intPower(a, b)
    case "&":
      return Either.right(a & b)
    case "|":
      return Either.right(a | b)
    case "^":
      return Either.right(a ^ b)
    case "<<":
      return shift(a, b, true)
    case ">>":
      return shift(a, b, false)
  }
}

const floats = (operator: BinaryOperator, a: number, b: number): Result => {
  if ((operator === "/" || operator === "//" || operator === "%") && b === 0) return Either.left("division by zero")
  switch (operator) {
    case "+":
      return Either.right(new PyFloat(a + b))
    case "-":
      return Either.right(new PyFloat(a - b))
    case "*":
      return Either.right(new PyFloat(a * b))
    case "/":
      return Either.right(new PyFloat(a / b))
    case "//":
      return Either.right(new PyFloat(floatDivMod(a, b)[0]))
    case "%":
      return Either.right(new PyFloat(floatDivMod(a, b)[1]))
    case "**":
      return floatPower(a, b)
    default:
      return Either.left(`"${operator}" is for whole numbers, not for a float`)
  }
}

const repeat = (value: Py, count: bigint): Result | null => {
  if (typeof value !== "string" && !isList(value) && !(value instanceof PyTuple)) return null
  const size = BigInt(sizeOf(value) ?? 0)
  // Nothing, repeated however often, is nothing.
  const times = count < 0n || size === 0n ? 0n : count
  if (times * size > BigInt(MAX_ITEMS)) return Either.left("the result is too long")
  const again = <A>(items: ReadonlyArray<A>) => Array.from({ length: Number(times) }, () => items).flat()
  if (typeof value === "string") return Either.right(value.repeat(Number(times)))
  return Either.right(value instanceof PyTuple ? new PyTuple(again(value.items)) : again(value))
}

const joined = (a: Py, b: Py): Py | undefined => {
  if (typeof a === "string" && typeof b === "string") return a + b
  if (isList(a) && isList(b)) return [...a, ...b]
  return a instanceof PyTuple && b instanceof PyTuple ? new PyTuple([...a.items, ...b.items]) : undefined
}

const sets = (operator: BinaryOperator, a: PySet, b: PySet): PySet | undefined => {
  const of = (...from: ReadonlyArray<ReadonlyMap<string, Py>>) => new PySet(new Map(from.flatMap((map) => [...map])))
  const only = (from: PySet, keep: (key: string) => boolean) => new Map([...from.items].filter(([key]) => keep(key)))
  switch (operator) {
    case "|":
      return of(a.items, b.items)
    case "&":
      return of(only(a, (key) => b.items.has(key)))
    case "-":
      return of(only(a, (key) => !b.items.has(key)))
    case "^":
      return of(only(a, (key) => !b.items.has(key)), only(b, (key) => !a.items.has(key)))
    default:
      return undefined
  }
}

/** `a operator b`. */
export const operate = (operator: BinaryOperator, a: Py, b: Py): Result => {
  const [x, y] = [intOf(a), intOf(b)]
  if (x !== null && y !== null) {
    return typeof a === "boolean" && typeof b === "boolean" && /^[&|^]$/.test(operator)
      ? Either.map(ints(operator, x, y), Boolean)
      : ints(operator, x, y)
  }
  if (isNumber(a) && isNumber(b)) {
    const [left, right] = [toFloat(a), toFloat(b)]
    if (left === null || right === null) return Either.left(overflow)
    const large = (value: Py, as: number) => !(value instanceof PyFloat) && !Number.isFinite(as)
    return large(a, left) || large(b, right) ? Either.left(overflow) : floats(operator, left, right)
  }
  if (operator === "%" && typeof a === "string") return formatPercent(a, b)
  if (operator === "*") {
    const repeated = y !== null ? repeat(a, y) : x !== null ? repeat(b, x) : null
    if (repeated !== null) return repeated
  }
  const result = operator === "+"
    ? joined(a, b)
    : a instanceof PySet && b instanceof PySet
    ? sets(operator, a, b)
    : undefined
  if (result !== undefined && (sizeOf(result) ?? 0) > MAX_ITEMS) return Either.left("the result is too long")
  return result === undefined
    ? Either.left(`"${operator}" does not fit ${typeName(a)} and ${typeName(b)}`)
    : Either.right(result)
}

/** `-a`, `+a`, `~a`. */
export const sign = (operator: "-" | "+" | "~", a: Py): Result => {
  const whole = intOf(a)
  if (whole !== null) return Either.right(operator === "-" ? -whole : operator === "+" ? whole : ~whole)
  if (!(a instanceof PyFloat) || operator === "~") return Either.left(`"${operator}" does not fit ${typeName(a)}`)
  return Either.right(operator === "-" ? new PyFloat(-a.value) : a)
}
