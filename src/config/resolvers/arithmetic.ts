/** Numbers: the predecessor's resolvers, which leave out or zero what is no number (test/conformance/hydra). */
import * as Either from "effect/Either"
import { exactly, floorDiv, integer, roundedQuotient, toFloat, toInt } from "../../backend/numeric.ts"
import { pyStr } from "../../backend/python.ts"
import { isList, PyFloat, type Value } from "../../backend/Value.ts"
import { type Resolver, type Resolvers, single, wrong } from "./Resolver.ts"
import { truthy } from "./truthy.ts"

const total = (unit: number, step: (a: number, b: number) => number): Resolver => ({
  arity: [0, Infinity],
  run: (args) =>
    Either.right(
      new PyFloat(args.map(toFloat).filter((value) => value !== null).reduce(step, unit))
    )
})

const totalInt = (unit: bigint, step: (a: bigint, b: bigint) => bigint): Resolver => ({
  arity: [0, Infinity],
  run: (args) => Either.right(integer(args.map(toInt).filter((value) => value !== null).reduce(step, unit)))
})

type Pair = (a: Value, b: Value) => Value

const pairwise = (step: Pair): Resolver => ({
  arity: [2, 2],
  run: ([a = null, b = null], call) => {
    if (!isList(a)) return Either.right(step(a, b))
    // A list written in place is no number, and no list of the configuration either.
    if (call.fromConfig[0] !== true) return Either.right(step(null, b))
    return Either.right(a.map((item, index) => step(item, isList(b) ? b[index] ?? null : b)))
  }
})

const floats = (step: (a: number, b: number) => number): Pair => (a, b) => {
  const [x, y] = [toFloat(a), toFloat(b)]
  return new PyFloat(x === null || y === null ? 0 : step(x, y))
}

const ints = (step: (a: bigint, b: bigint) => bigint): Pair => (a, b) => {
  const [x, y] = [toInt(a), toInt(b)]
  return x === null || y === null ? 0 : integer(step(x, y))
}

/** A quotient rounded down; 0 for a division by zero. */
const divided = (a: bigint, b: bigint): bigint => (b === 0n ? 0n : floorDiv(a, b))

/** `round(a * b / unit) * unit`, halves to the even neighbour. */
const roundToUnit: Resolver = {
  arity: [3, 3],
  run: (args) => {
    const [a, b, unit] = args.map(toFloat)
    const product = typeof a === "number" && typeof b === "number" && typeof unit === "number" ? a * b / unit : NaN
    const whole = toInt(args[2] ?? null)
    return Number.isFinite(product) && whole !== null
      ? Either.right(integer(roundedQuotient(...exactly(product)) * whole))
      : wrong("it takes three numbers, of which the last is not zero")
  }
}

export const arithmetic: Resolvers = {
  "oc.mul": total(1, (a, b) => a * b),
  "oc.muli": totalInt(1n, (a, b) => a * b),
  "oc.add": total(0, (a, b) => a + b),
  "oc.addi": totalInt(0n, (a, b) => a + b),
  "oc.sub": pairwise(floats((a, b) => a - b)),
  "oc.subi": pairwise(ints((a, b) => a - b)),
  "oc.div": pairwise(floats((a, b) => (b === 0 ? 0 : a / b))),
  "oc.divi": pairwise(ints(divided)),
  "oc.cdivi": pairwise(ints((a, b) => -divided(-a, b))),
  "oc.mul_round_int": roundToUnit,
  "oc.sqrt": single((value) => {
    const number = toFloat(value)
    return number === null || number < 0
      ? wrong(`${pyStr(value)} has no root`)
      : Either.right(new PyFloat(Math.sqrt(number)))
  }),
  "oc.int": single((value) => {
    const number = value === null ? 0n : toInt(value)
    if (value instanceof PyFloat && number === null) return wrong(`${pyStr(value)} is no whole number`)
    return Either.right(number === null ? Number(truthy(value)) : integer(number))
  })
}
