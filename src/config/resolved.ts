/** A composed configuration with its interpolations resolved, as far as they can be. */
import { isList, isMap, type Value, type ValueMap } from "../backend/Value.ts"
import type { Path } from "./decode.ts"
import { type MapNode, type Node, setOwn } from "./Node.ts"
import type { Problem } from "./Problem.ts"
import type { Resolution } from "./resolve.ts"
import { failed } from "./walk.ts"

export interface Resolved {
  readonly values: ValueMap
  readonly problems: ReadonlyArray<Problem>
  /** Whether a value is `???`, or holds one. */
  readonly missing: boolean
  /** Where a value is missing, since it could not be resolved: null stands for it. */
  readonly unknown: ReadonlyArray<Path>
}

const holdsMissing = (value: Value): boolean =>
  value === "???" ||
  (isList(value) ? value.some(holdsMissing) : isMap(value) && Object.values(value).some(holdsMissing))

/** All of `root` that can be resolved, so that one mistake does not hide the others. */
export const resolveAsFar = (root: MapNode, resolution: Resolution): Resolved => {
  const unknown: Array<Path> = []
  const map = (node: MapNode, path: Path): ValueMap => {
    const record: Record<string, Value> = {}
    for (const { key, node: item } of node.entries.values()) setOwn(record, key.text, value(item, [...path, key.text]))
    return record
  }
  const value = (node: Node, path: Path): Value => {
    const whole = resolution.value(node)
    if (whole !== failed) return whole
    if (node.kind === "map") return map(node, path)
    if (node.kind === "list") return node.items.map((item, index) => value(item, [...path, index]))
    unknown.push(path)
    return null
  }
  const values = map(root, [])
  const missing = (resolution.missing || Object.values(values).includes("???")) && holdsMissing(values)
  return { values, problems: resolution.problems, missing, unknown }
}
