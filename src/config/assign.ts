/** Many keys of a configuration set at once, which is what a sweep's point does. */
import * as Either from "effect/Either"
import { type Merging, setKey } from "./merge.ts"
import { type Entry, isInterpolated, type MapNode, mapOf, type Node } from "./Node.ts"

class Assignment {
  /** Entries of mappings that were made here, which nobody else has seen yet. */
  private readonly own = new Map<MapNode, Map<string, Entry>>()

  private owned(map: MapNode): readonly [MapNode, Map<string, Entry>] {
    const known = this.own.get(map)
    if (known !== undefined) return [map, known]
    const entries = new Map(map.entries)
    const mine = { ...map, entries }
    this.own.set(mine, entries)
    return [mine, entries]
  }

  /** `map` with the node at a path of mappings; null where nodes have to be merged. */
  put(map: MapNode, path: ReadonlyArray<string>, node: Node, at = 0): MapNode | null {
    const name = path[at] ?? ""
    const found = map.entries.get(name)
    const item = at + 1 === path.length ? this.last(found?.node, node) : this.inner(found?.node, path, node, at + 1)
    if (item === null) return null
    const [mine, entries] = this.owned(map)
    entries.set(name, { key: { text: name, type: "str" }, node: item, origin: found?.origin ?? node.origin })
    return mine
  }

  private last(found: Node | undefined, node: Node): Node | null {
    const merges = found !== undefined && found.kind !== "scalar" && !isInterpolated(found) && node.kind !== "scalar"
    return merges && !(found.kind === "list" && node.kind === "list") ? null : node
  }

  private inner(found: Node | undefined, path: ReadonlyArray<string>, node: Node, at: number): Node | null {
    const inner = found === undefined || found.kind === "scalar" ? mapOf([], node.origin) : found
    return inner.kind === "map" ? this.put(inner, path, node, at) : null
  }
}

/** `root` with the nodes at dotted keys, one after the other, as `setKey` sets them; what cannot be set is noted. */
export const assign = (
  root: MapNode,
  changes: ReadonlyArray<readonly [key: string, node: Node]>,
  merging: Merging
): MapNode => {
  const assignment = new Assignment()
  return changes.reduce((map, [key, node]) => {
    const put = assignment.put(map, key.includes("/") ? [key] : key.split("."), node)
    if (put !== null) return put
    const set = setKey(map, key, node, merging)
    if (Either.isRight(set)) return set.right
    merging.problems.push(set.left)
    return map
  }, root)
}
