/** A configuration as its single values, each with its path. */
import { isList, isMap, type Value } from "../backend/Value.ts"
import type { Path } from "./decode.ts"
import { showJson } from "./show.ts"

/** A scalar, or a mapping or list without content. */
export interface Leaf {
  readonly path: Path
  readonly value: Value
}

/** All leaves in their order. */
export const leaves = (value: Value, path: Path = []): ReadonlyArray<Leaf> => {
  const inner = isList(value)
    ? value.flatMap((item, index) => leaves(item, [...path, index]))
    : isMap(value)
    ? Object.entries(value).flatMap(([key, item]) => leaves(item, [...path, key]))
    : []
  return inner.length > 0 || path.length === 0 ? inner : [{ path, value }]
}

/** The path as one text, different for different paths: `sweep.axes["backend.args.lr"][0]`. */
export const leafName = (path: Path): string =>
  path.map((part, index) =>
    typeof part === "number"
      ? `[${part}]`
      : /[.[\]"]|^$/.test(part)
      ? `[${JSON.stringify(part)}]`
      : index === 0
      ? part
      : `.${part}`
  ).join("")

/** One line that tells values of different types apart: `1`, `1.0`, `"1"`. */
export const leafText = (value: Value): string => showJson(value).trimEnd()

/** A leaf that is not the same in both; undefined where there is none. */
export interface Difference {
  readonly name: string
  readonly a: Value | undefined
  readonly b: Value | undefined
}

/** What differs, in the order of `a`, then what only `b` has. The order of keys makes no difference. */
export const differences = (a: Value, b: Value): ReadonlyArray<Difference> => {
  const [before, after] = [a, b].map((value) =>
    new Map(leaves(value).map((leaf) => [leafName(leaf.path), leaf.value] as const))
  )
  if (before === undefined || after === undefined) return []
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const difference = { name, a: before.get(name), b: after.get(name) }
    const [left, right] = [difference.a, difference.b].map((value) => (value === undefined ? "" : leafText(value)))
    return left === right ? [] : [difference]
  })
}
