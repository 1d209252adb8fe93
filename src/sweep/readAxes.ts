/** The `axes` language of sweeps: a mapping is a product, a list alternatives. */
import * as Either from "effect/Either"
import { pyStr } from "../backend/python.ts"
import { isList, isMap, type Value, type ValueMap } from "../backend/Value.ts"
import { SweepError } from "./SweepPoint.ts"
import { choice, leaf, product, type Tree } from "./Tree.ts"

type Read = Either.Either<Tree, SweepError>

/**
 * A mapping is the product of its keys, of which the first varies slowest; a list of scalars is alternatives; a list of
 * mappings with one key each is the union of what they give; `null` sets nothing. Keys are joined by dots.
 */
export const readAxes = (axes: Value): Read => read(axes, [], "sweep.axes")

const read = (value: Value, path: ReadonlyArray<string>, place: string): Read => {
  if (isMap(value)) return readProduct(value, path, place)
  if (isList(value)) return readUnion(value, path, place)
  return Either.right(leaf(value === null ? {} : { [path.join(".")]: value }))
}

const readProduct = (axes: ValueMap, path: ReadonlyArray<string>, place: string): Read =>
  Either.map(
    Either.all(Object.entries(axes).map(([key, axis]) => read(axis, [...path, key], `${place}.${key}`))),
    product
  )

const readUnion = (items: ReadonlyArray<Value>, path: ReadonlyArray<string>, place: string): Read => {
  const fail = (message: string) => Either.left(new SweepError({ at: place, message }))
  if (items.length === 0) return fail("the list is empty, so the sweep has no points")
  const maps = items.filter((item) => isMap(item) && Object.keys(item).length === 1)
  if (maps.length === items.length) {
    return Either.map(
      Either.all(maps.map((item, index) => read(item, path, `${place}[${index}]`))),
      (alternatives) => choice(place, [], alternatives)
    )
  }
  const wrong = items.find((item) => item === null || isMap(item) || isList(item))
  if (wrong !== undefined) {
    return fail(
      `the items of a list are either all scalars or all mappings with one key, and this is neither: ${pyStr(wrong)}`
    )
  }
  const key = path.join(".")
  return Either.right(choice(place, [key], items.map((item) => leaf({ [key]: item }))))
}
