/** The functions that expressions may call. A new one is a line in `functions`. */
import * as Either from "effect/Either"
import { exactly, roundedQuotient, scaled, toFloat, toInt } from "../../backend/numeric.ts"
import { PyFloat } from "../../backend/Value.ts"
import { compare } from "./compare.ts"
import { MAX_ITEMS, operate } from "./operate.ts"
import { itemsOf, type Py, PyTuple, repr, setOf, sizeOf, str, truthy, typeName } from "./values.ts"

type Result<A = Py> = Either.Either<A, string>

interface PyFunction {
  /** Least and greatest number of arguments. */
  readonly arity: readonly [number, number]
  /** Arguments that can be given by name, each with its place among all of them; -1 for those with a name only. */
  readonly named?: Readonly<Record<string, number>>
  /** On the left half a sentence. */
  readonly run: (args: ReadonlyArray<Py>, named: Readonly<Record<string, Py>>) => Result
}

const items = (value: Py): Result<ReadonlyArray<Py>> => {
  const found = itemsOf(value)
  return found === null ? Either.left(`${typeName(value)} has no items`) : Either.right(found)
}

const one = (run: (value: Py) => Result): PyFunction => ({ arity: [1, 1], run: ([value = null]) => run(value) })

const ofItems = (run: (items: ReadonlyArray<Py>) => Result): PyFunction => ({
  arity: [0, 1],
  run: ([value]) => Either.flatMap(value === undefined ? Either.right([]) : items(value), run)
})

const toInteger = (value: Py): Result => {
  if (value instanceof PyFloat && !Number.isFinite(value.value)) return Either.left(`${str(value)} is no whole number`)
  const whole = isScalar(value) ? toInt(value) : null
  return whole === null ? Either.left(`${repr(value)} is no whole number`) : Either.right(whole)
}

const isScalar = (value: Py): value is null | boolean | bigint | string | PyFloat =>
  typeof value !== "object" || value === null || value instanceof PyFloat

const toFloating = (value: Py): Result => {
  const number = isScalar(value) ? toFloat(value) : null
  return number === null ? Either.left(`${repr(value)} is no number`) : Either.right(new PyFloat(number))
}

const wholeOf = (value: Py): Result<bigint> =>
  typeof value === "bigint"
    ? Either.right(value)
    : typeof value === "boolean"
    ? Either.right(BigInt(value))
    : Either.left(`${repr(value)} is no whole number`)

/** Halves go to the even neighbour, decided on the exact value of the double. */
const round = (value: Py, digits: Py): Result =>
  Either.gen(function*() {
    const places = digits === null ? null : Number(yield* wholeOf(digits))
    if (value instanceof PyFloat) {
      const { value: number } = value
      if (places === null) {
        return Number.isFinite(number)
          ? roundedQuotient(...exactly(number))
          : yield* Either.left(`${str(value)} is no whole number`)
      }
      if (!Number.isFinite(number) || number === 0 || places > 323) return value
      if (places < -308) return new PyFloat(number < 0 ? -0 : 0)
      const size = Number(`${scaled(Math.abs(number), places)}e${-places}`)
      return new PyFloat(number < 0 ? -size : size)
    }
    if (typeof value !== "bigint" && typeof value !== "boolean") {
      return yield* Either.left(`${typeName(value)} cannot be rounded`)
    }
    const whole = BigInt(value)
    if (places === null || places >= 0) return whole
    if (places < -4000) return 0n
    const unit = 10n ** BigInt(-places)
    return roundedQuotient(whole, unit) * unit
  })

/** `min` and `max`: of one value's items, or of the values. */
const extreme = (operator: "<" | ">"): PyFunction => ({
  arity: [1, Infinity],
  named: { default: -1 },
  run: (args, named) =>
    Either.gen(function*() {
      const [first = null, ...rest] = args.length === 1 ? yield* items(args[0] ?? null) : args
      if (args.length === 1 && sizeOf(args[0] ?? null) === 0) {
        return named["default"] ?? (yield* Either.left("there is nothing to choose from"))
      }
      let best = first
      for (const value of rest) if (yield* compare(operator, value, best)) best = value
      return best
    })
})

const sum: PyFunction = {
  arity: [1, 2],
  named: { start: 1 },
  run: ([value = null, start = 0n]) =>
    Either.gen(function*() {
      if (typeof start === "string") return yield* Either.left("texts cannot be summed up")
      let total: Py = start
      for (const item of yield* items(value)) total = yield* operate("+", total, item)
      return total
    })
}

const sorted: PyFunction = {
  arity: [1, 1],
  named: { reverse: -1 },
  run: ([value = null], named) =>
    Either.gen(function*() {
      const values = [...yield* items(value)]
      let fault: string | null = null
      const before = (a: Py, b: Py): boolean => {
        const found = compare("<", a, b)
        if (Either.isLeft(found)) fault = found.left
        return Either.isRight(found) && found.right
      }
      const way = truthy(named["reverse"] ?? null) ? -1 : 1
      values.sort((a, b) => (before(a, b) ? -way : before(b, a) ? way : 0))
      return fault === null ? values : yield* Either.left(fault)
    })
}

const range: PyFunction = {
  arity: [1, 3],
  run: (args) =>
    Either.gen(function*() {
      const [a = 0n, b, step = 1n] = yield* Either.all(args.map(wholeOf))
      const [start, end] = b === undefined ? [0n, a] : [a, b]
      if (step === 0n) return yield* Either.left("the step is zero")
      const span = step > 0n ? end - start : start - end
      const size = step > 0n ? step : -step
      const count = span <= 0n ? 0n : (span + size - 1n) / size
      if (count > BigInt(MAX_ITEMS)) return yield* Either.left(`the range has more than ${MAX_ITEMS} items`)
      return Array.from({ length: Number(count) }, (_, at) => start + BigInt(at) * step)
    })
}

const length = one((value) => {
  const size = sizeOf(value)
  return size === null ? Either.left(`${typeName(value)} has no length`) : Either.right(BigInt(size))
})

export const functions: Readonly<Record<string, PyFunction>> = {
  abs: one((value) =>
    value instanceof PyFloat
      ? Either.right(new PyFloat(Math.abs(value.value)))
      : Either.map(wholeOf(value), (whole) => (whole < 0n ? -whole : whole))
  ),
  all: ofItems((values) => Either.right(values.every(truthy))),
  any: ofItems((values) => Either.right(values.some(truthy))),
  bool: { arity: [0, 1], run: ([value = null]) => Either.right(truthy(value)) },
  divmod: {
    arity: [2, 2],
    run: ([a = null, b = null]) =>
      Either.gen(function*() {
        return new PyTuple([yield* operate("//", a, b), yield* operate("%", a, b)])
      })
  },
  float: { arity: [0, 1], run: ([value = 0n]) => toFloating(value) },
  int: { arity: [0, 1], run: ([value = 0n]) => toInteger(value) },
  len: length,
  list: ofItems(Either.right),
  max: extreme(">"),
  min: extreme("<"),
  range,
  repr: one((value) => Either.right(repr(value))),
  round: { arity: [1, 2], named: { ndigits: 1 }, run: ([value = null, digits = null]) => round(value, digits) },
  set: ofItems(setOf),
  sorted,
  str: { arity: [0, 1], run: ([value = ""]) => Either.right(str(value)) },
  sum,
  tuple: ofItems((values) => Either.right(new PyTuple(values)))
}
