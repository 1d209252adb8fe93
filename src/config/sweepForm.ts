/** What is special about texts in the `sweep` section: when each of their interpolations is resolved. */
import { isList, isMap, type Value, type ValueMap } from "../backend/Value.ts"
import { pointForm, revealed } from "../sweep/pointForm.ts"
import { pathText } from "./decode.ts"
import { fromValue, type MapNode, type Node } from "./Node.ts"
import { originIn } from "./origins.ts"
import type { Problem } from "./Problem.ts"
import { Resolution } from "./resolve.ts"
import type { Surroundings } from "./resolvers/Resolver.ts"
import { failed } from "./walk.ts"

/** `node` in which `$${…}` is no interpolation until the points are made. */
const deferredIn = (node: Node): Node => {
  switch (node.kind) {
    case "scalar":
      return typeof node.value === "string" && node.value.includes("$${")
        ? { ...node, value: pointForm(node.value) }
        : node
    case "list":
      return { ...node, items: node.items.map(deferredIn) }
    case "map":
      return {
        ...node,
        entries: new Map([...node.entries].map(([id, entry]) => [id, { ...entry, node: deferredIn(entry.node) }]))
      }
  }
}

/** `root` with its sweep's `$${…}` left for the points. */
export const deferred = (root: MapNode): MapNode => {
  const sweep = root.entries.get("sweep")
  return sweep === undefined
    ? root
    : { ...root, entries: new Map(root.entries).set("sweep", { ...sweep, node: deferredIn(sweep.node) }) }
}

const holdsInterpolation = (value: Value): boolean =>
  typeof value === "string"
    ? value.includes("${")
    : isList(value)
    ? value.some(holdsInterpolation)
    : isMap(value) && Object.values(value).some(holdsInterpolation)

/**
 * The resolved sweep as its points are made of it. Interpolations that an escape left in a mapping of `params` are resolved
 * against that mapping, as the predecessor does; then `$${…}` becomes `${…}`.
 */
export const sweepValue = (
  sweep: Value,
  root: Node,
  surroundings: Surroundings,
  problems: Array<Problem>
): Value => {
  const params = (value: Value, path: ReadonlyArray<string | number>): Value => {
    if (!isMap(value) || !holdsInterpolation(value)) return value
    const origin = originIn(root, path) ?? { source: "point", key: "sweep" }
    const node = fromValue(value, origin)
    const resolution = new Resolution(node, surroundings)
    const resolved = resolution.value(node)
    if (resolved !== failed) return resolved
    problems.push(...resolution.problems.map((problem) => ({
      ...problem,
      message:
        `${
          problem.message.replace(/^In /, `In ${pathText(path)}.`)
        } What one backslash defers in \`params\` is resolved against \`params\`; ` +
        "$${…} is of the point."
    })))
    return value
  }
  const group = (value: Value, path: ReadonlyArray<string | number>): Value => {
    if (isList(value)) return value.map((item, index) => group(item, [...path, index]))
    if (!isMap(value)) return value
    const changed: ValueMap = Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        const at = [...path, key]
        if (key === "params") return [key, params(item, at)]
        if (key === "grids" && isList(item)) return [key, item.map((grid, index) => params(grid, [...at, index]))]
        return [key, key === "groups" || key === "configs" ? group(item, at) : item]
      })
    )
    return changed
  }
  return revealed(group(sweep, ["sweep"]))
}
