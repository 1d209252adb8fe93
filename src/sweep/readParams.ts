/** `params` of a group: keys, and for each the list of its values, or the range that its values are drawn from. */
import * as Either from "effect/Either"
import { didYouMean } from "../backend/nearest.ts"
import { pyRepr } from "../backend/python.ts"
import { isMap, PyFloat, type Value } from "../backend/Value.ts"
import { type Checked, fail, items, mapping } from "./groupParts.ts"
import { pick, type Random, randomOf } from "./random.ts"
import { choice, leaf, product, taken, type Tree } from "./Tree.ts"

const ranges = ["uniform", "log_uniform", "choice"]

/** Every combination of the keys' values, the last key varying fastest. A mapping stands for its keys, as ever. */
export const readParams = (content: Value, place: string, note: (text: string) => void): Checked<Tree> =>
  Either.gen(function*() {
    const parts: Array<Tree> = []
    for (const [key, value] of Object.entries(yield* mapping(content, place))) {
      const values = yield* valuesOf(value, `${place}.${key}`, note)
      parts.push(choice(`${place}.${key}`, [key], values.map((item) => leaf({ [key]: item }))))
    }
    return product(parts)
  })

const valuesOf = (value: Value, at: string, note: (text: string) => void): Checked<ReadonlyArray<Value>> => {
  if (isMap(value) && ranges.some((range) => Object.hasOwn(value, range))) {
    return fail(at, "only a group of type: random can draw values from a range")
  }
  if (isMap(value)) {
    note(`${at} is a mapping, of which the keys are the values that are swept; write a list to sweep whole values`)
    return items(Object.keys(value), at)
  }
  return listed(value, at)
}

const listed = (value: Value, at: string): Checked<ReadonlyArray<Value>> =>
  Array.isArray(value) ? items(value, at) : fail(at, `the values are a list, as in [${pyRepr(value)}]`)

/** The first values of all keys together, then the second ones, and so on. */
export const readZip = (content: Value, place: string): Checked<Tree> =>
  Either.gen(function*() {
    const columns = Object.entries(yield* mapping(content, place))
    const lists = yield* Either.all(columns.map(([key, value]) => listed(value, `${place}.${key}`)))
    yield* sameLengths(columns.map(([key], at) => [key, lists[at]?.length ?? 0]), place)
    const rows = (lists[0] ?? []).map((_, row) =>
      leaf(Object.fromEntries(columns.map(([key], at) => [key, lists[at]?.[row] ?? null])))
    )
    return rows.length === 0 ? product([]) : choice(place, columns.map(([key]) => key), rows)
  })

/** Fails if what a `zip` lines up is not all of one length. */
export const sameLengths = (lengths: ReadonlyArray<readonly [name: string, length: number]>, at: string) => {
  const [[first, length] = ["", 0]] = lengths
  const other = lengths.find(([, size]) => size !== length)
  return other === undefined
    ? Either.void
    : fail(at, `zip needs equal lengths: ${first} has ${length}, ${other[0]} has ${other[1]}`)
}

/** `samples` points, in each of which every key has a value of its own drawing. */
export const drawParams = (
  content: Value,
  place: string,
  seed: number,
  samples: number
): Checked<ReadonlyArray<Tree>> =>
  Either.gen(function*() {
    const keys = Object.entries(yield* mapping(content, place))
    const draws = yield* Either.all(keys.map(([key, value]) => drawer(value, `${place}.${key}`, seed)))
    const whole = choice(place, keys.map(([key]) => key), [])
    return Array.from({ length: samples }, (_, sample) =>
      taken(whole, sample, leaf(Object.fromEntries(keys.map(([key], at) => [key, draws[at]?.() ?? null])))))
  })

const drawer = (value: Value, at: string, seed: number): Checked<() => Value> =>
  Either.gen(function*() {
    const random = randomOf(`${seed} ${at}`)
    if (!isMap(value)) return oneOf(random, yield* listed(value, at))
    const [[range = "", of] = [], more] = Object.entries(value)
    if (more !== undefined || of === undefined || !ranges.includes(range)) {
      const message = `a range has one of the keys ${ranges.join(", ")}; ${didYouMean(range, ranges)}`
      return yield* fail(at, message)
    }
    if (range === "choice") return oneOf(random, yield* listed(of, `${at}.choice`))
    const [low, high] = yield* bounds(of, `${at}.${range}`)
    if (range === "uniform") return () => new PyFloat(low + random() * (high - low))
    if (low <= 0) return yield* fail(`${at}.${range}`, "the bounds of log_uniform are above 0")
    const [from, to] = [Math.log(low), Math.log(high)]
    return () => new PyFloat(Math.min(high, Math.max(low, Math.exp(from + random() * (to - from)))))
  })

const oneOf = (random: Random, values: ReadonlyArray<Value>) => () => values[pick(random, values)] ?? null

const bounds = (value: Value, at: string): Checked<readonly [number, number]> =>
  Either.flatMap(listed(value, at), (list) => {
    const [low, high, more] = list.map((item) => (item instanceof PyFloat ? item.value : item))
    return typeof low === "number" && typeof high === "number" && more === undefined && low < high &&
        Number.isFinite(high - low)
      ? Either.right([low, high] as const)
      : fail(at, `a range is two numbers, the smaller first, not ${pyRepr(value)}`)
  })
