/** The `axes` language of sweeps: which points there are. */
import * as Either from "effect/Either"
import { pyStr } from "../backend/python.ts"
import { isList, isMap, type Value, type ValueMap } from "../backend/Value.ts"
import { SweepError } from "./SweepPoint.ts"

/** More points than any scheduler takes: a slip in the axes, told before it fills the memory. */
const MAX_POINTS = 100_000

type Alternatives = Either.Either<ReadonlyArray<ValueMap>, SweepError>

const fail = (path: ReadonlyArray<string>, message: string) =>
  Either.left(new SweepError({ at: ["sweep", "axes", ...path].join("."), message }))

/**
 * All points of `axes`, in order. A mapping is the product of its keys, of which the first varies slowest; a list of
 * scalars is alternatives; a list of mappings with one key each is the union of what they give; `null` sets nothing.
 * Absent or empty axes give one point; axes that leave no point are an error that names the empty axis.
 */
export const expandAxes = (
  axes: Value,
  baseValues: ValueMap
): Either.Either<ReadonlyArray<{ readonly index: number; readonly parameters: ValueMap }>, SweepError> =>
  Either.map(
    alternatives(axes, []),
    (points) => points.map((parameters, index) => ({ index, parameters: { ...baseValues, ...parameters } }))
  )

const alternatives = (value: Value, path: ReadonlyArray<string>): Alternatives => {
  if (isMap(value)) return product(value, path)
  if (isList(value)) return union(value, path)
  return Either.right([value === null ? {} : { [path.join(".")]: value }])
}

const product = (axes: ValueMap, path: ReadonlyArray<string>): Alternatives =>
  Either.gen(function*() {
    let points: ReadonlyArray<ValueMap> = [{}]
    for (const [key, axis] of Object.entries(axes)) {
      const next = yield* alternatives(axis, [...path, key])
      if (points.length * next.length > MAX_POINTS) return yield* tooMany([...path, key])
      points = points.flatMap((point) => next.map((more) => ({ ...point, ...more })))
    }
    return points
  })

const union = (items: ReadonlyArray<Value>, path: ReadonlyArray<string>): Alternatives =>
  Either.gen(function*() {
    if (items.length === 0) return yield* fail(path, "the list is empty, so the sweep has no points")
    if (items.length > MAX_POINTS) return yield* tooMany(path)
    const maps = items.filter((item) => isMap(item) && Object.keys(item).length === 1)
    if (maps.length === items.length) {
      const all = (yield* Either.all(maps.map((item) => alternatives(item, path)))).flat()
      return all.length > MAX_POINTS ? yield* tooMany(path) : all
    }
    const wrong = items.find((item) => item === null || isMap(item) || isList(item))
    if (wrong === undefined) return items.map((item) => ({ [path.join(".")]: item }))
    return yield* fail(
      path,
      `the items of a list are either all scalars or all mappings with one key, and this is neither: ${pyStr(wrong)}`
    )
  })

const tooMany = (path: ReadonlyArray<string>) => fail(path, `the sweep has more than ${MAX_POINTS} points`)
