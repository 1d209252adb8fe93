/** How configurations are laid over each other. Source: OmegaConf 2.3 `_map_merge`, `OmegaConf.update`; Hydra 1.3. */
import * as Either from "effect/Either"
import { nearest } from "../backend/nearest.ts"
import { pyRepr } from "../backend/python.ts"
import {
  type Entry,
  isInterpolated,
  isMissing,
  type MapNode,
  mapOf,
  names,
  type Node,
  toValue,
  withEntry
} from "./Node.ts"
import { type Override, partOrigin } from "./overrides.ts"
import { type Origin, type Problem, problemAt } from "./Problem.ts"

/** The part that an interpolated node stands for in the configuration so far, null if it is none. */
export type Expand = (root: MapNode, node: Node) => Node | null

export interface Merging {
  readonly problems: Array<Problem>
  readonly expand: Expand
}

const word = (node: Node): string => (node.kind === "map" ? "mapping" : node.kind)

const copyMap = (map: MapNode): MapNode => ({
  ...map,
  entries: new Map([...map.entries].map(([id, entry]) => [id, { ...entry, node: copy(entry.node) }]))
})

/** A copy that shares no node with the original, since a node stands at one place of a tree. */
export const copy = (node: Node): Node => {
  if (node.kind === "map") return copyMap(node)
  return node.kind === "list" ? { ...node, items: node.items.map(copy) } : { ...node }
}

/**
 * `over` laid over `base`: mappings merge, lists and scalars replace, `???` replaces nothing.
 * `at` is the dotted path; `strict` refuses keys that `base` does not have.
 */
const mergeNode = (base: Node, over: Node, root: MapNode, at: string, merging: Merging): Node => {
  if (over.kind === "scalar") return isMissing(over) ? base : over
  const under = isInterpolated(base) ? merging.expand(root, base) : base
  if (under === null || under.kind === "scalar") return over
  if (under.kind !== over.kind) {
    merging.problems.push(
      problemAt(
        over.origin,
        "merge_error",
        `A ${word(over)} cannot be laid over the ${word(under)} that is at ${at || "the top"}.`
      )
    )
    return base
  }
  if (under.kind === "list" || over.kind === "list") return over
  return mergeMap(under === base ? under : copyMap(under), over, root, at, merging)
}

/** As `mergeNode`, of mappings. */
export const mergeMap = (base: MapNode, over: MapNode, root: MapNode, at: string, merging: Merging): MapNode => {
  const entries = new Map(base.entries)
  for (const [id, entry] of over.entries) {
    const known = entries.get(id)
    const path = at === "" ? entry.key.text : `${at}.${entry.key.text}`
    entries.set(
      id,
      known === undefined ? entry : { ...known, node: mergeNode(known.node, entry.node, root, path, merging) }
    )
  }
  return { ...base, entries }
}

type Changed = Either.Either<Node, Problem>

interface Change {
  readonly override: Override
  readonly value: Node
  /** Whether new keys may appear. */
  readonly open: boolean
  readonly root: MapNode
  readonly merging: Merging
}

/** Where the key's part at `index` was written, as far as the change was written as an override. */
const placeOf = ({ override, value }: Change, index: number): Origin =>
  value.origin.source === "override" ? partOrigin(override, index) : value.origin

const noMatch = (
  { override }: Change,
  name: string,
  node: Node,
  place: Origin
): Either.Either<never, Problem> => {
  const known = names(node)
  const near = nearest(name, known)
  const help = near.length > 0 ? `did you mean "${near.join("\" or \"")}"?` : "there is no such key."
  return Either.left(problemAt(
    place,
    "override_no_match",
    `The override "${override.text}" changes nothing: ${help} To add a key, write +${override.text}`,
    near
  ))
}

/** A key of a mapping that refuses new keys must be there, also within the value. */
const newKey = (node: Node, value: Node): readonly [Node, Entry] | null => {
  if (node.kind !== "map" || value.kind !== "map") return null
  for (const [id, entry] of value.entries) {
    const known = node.entries.get(id)
    if (known === undefined) return [node, entry]
    const inner = newKey(known.node, entry.node)
    if (inner !== null) return inner
  }
  return null
}

const setLast = (node: Node | undefined, name: string, change: Change): Changed => {
  if (node === undefined || isInterpolated(node) || node.kind === "scalar" || change.value.kind === "scalar") {
    return Either.right(change.value)
  }
  const extra = change.open ? null : newKey(node, change.value)
  if (extra !== null) return noMatch(change, extra[1].key.text, extra[0], extra[1].origin)
  const problems: Array<Problem> = []
  const merged = mergeNode(node, change.value, change.root, name, { ...change.merging, problems })
  const problem = problems[0]
  return problem === undefined ? Either.right(merged) : Either.left(problem)
}

const setPath = (node: Node, path: ReadonlyArray<string>, change: Change, index = 0): Changed => {
  const [name = "", ...rest] = path
  const place = placeOf(change, index)
  const down = (found: Node | undefined): Changed => {
    if (rest.length === 0) return setLast(found, name, change)
    const inner = found === undefined || found.kind === "scalar" ? mapOf([], change.value.origin) : found
    return setPath(inner, rest, change, index + 1)
  }
  if (node.kind === "list") {
    const found = /^\d+$/.test(name) ? node.items[Number(name)] : undefined
    if (found === undefined) {
      const kind = change.override.kind === "delete" ? "type_error" : "merge_error"
      const message = `The override "${change.override.text}" finds no "${name}" in a list of ${node.items.length}.`
      return Either.left(problemAt(place, kind, message))
    }
    return Either.map(down(found), (item) => ({ ...node, items: node.items.with(Number(name), item) }))
  }
  if (node.kind === "scalar") return noMatch(change, name, node, place)
  const found = node.entries.get(name)
  if (found === undefined && !change.open) return noMatch(change, name, node, place)
  return Either.map(down(found?.node), (item) => withEntry(node, { text: name, type: "str" }, item, place))
}

const at = (node: Node, path: ReadonlyArray<string>): Node | undefined => {
  const [name, ...rest] = path
  if (name === undefined) return node
  const inner = node.kind === "map"
    ? node.entries.get(name)?.node
    : node.kind === "list"
    ? node.items[Number(name)]
    : undefined
  return inner === undefined ? undefined : at(inner, rest)
}

const without = (node: Node, path: ReadonlyArray<string>): Node => {
  const [name = "", ...rest] = path
  if (node.kind !== "map") return node
  const entries = new Map<string, Entry>(node.entries)
  const entry = entries.get(name)
  if (entry === undefined) return node
  if (rest.length === 0) entries.delete(name)
  else entries.set(name, { ...entry, node: without(entry.node, rest) })
  return { ...node, entries }
}

const remove = (root: MapNode, override: Override, path: ReadonlyArray<string>): Changed => {
  const found = at(root, path)
  const value = found === undefined ? null : toValue(found)
  if (found === undefined || value === null) {
    return Either.left(
      problemAt(
        partOrigin(override, 0),
        "delete_no_match",
        `The override "${override.text}" deletes nothing: there is no ${override.key}.`
      )
    )
  }
  const wanted = override.value === null ? null : toValue(override.value)
  if (wanted !== null && pyRepr(wanted) !== pyRepr(value)) {
    return Either.left(problemAt(
      override.value?.origin ?? null,
      "delete_no_match",
      `The override "${override.text}" deletes nothing: ${override.key} is ${pyRepr(value)}, not ${pyRepr(wanted)}.`
    ))
  }
  if (at(root, path.slice(0, -1))?.kind === "list") {
    const message = `The override "${override.text}" cannot delete from a list.`
    return Either.left(problemAt(partOrigin(override, 0), "type_error", message))
  }
  return Either.right(without(root, path))
}

/** The configuration with one override applied. */
export const applyOverride = (root: MapNode, override: Override, merging: Merging): Either.Either<MapNode, Problem> => {
  const path = override.key.includes("/") ? [override.key] : override.key.split(".")
  if (override.kind === "delete") return Either.map(remove(root, override, path), (node) => node as MapNode)
  const { value } = override
  if (value === null) return Either.right(root)
  const found = at(root, path)
  if (override.kind === "add" && value.kind === "scalar" && found !== undefined && toValue(found) !== null) {
    return Either.left(problemAt(
      partOrigin(override, 0),
      "append_exists",
      `The override "${override.text}" adds a key that is there already; write ${override.text.slice(1)} to change it.`
    ))
  }
  const change: Change = { override, value, open: override.kind !== "change", root, merging }
  return Either.map(setPath(root, path, change), (node) => node as MapNode)
}

/** The configuration with the value at a dotted key replaced, or added. */
export const setKey = (root: MapNode, key: string, value: Node, merging: Merging): Either.Either<MapNode, Problem> =>
  applyOverride(root, { kind: "force", key, package: null, value, text: `++${key}`, column: 3 }, merging)
