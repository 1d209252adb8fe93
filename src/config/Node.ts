/** A configuration before its interpolations are resolved: a tree that remembers where each part was written. */
import { PyFloat, type Value, type ValueMap } from "../backend/Value.ts"
import type { Origin } from "./Problem.ts"

export type Scalar = null | boolean | number | bigint | string | PyFloat

export interface ScalarNode {
  readonly kind: "scalar"
  readonly value: Scalar
  readonly origin: Origin
}

export interface ListNode {
  readonly kind: "list"
  readonly items: ReadonlyArray<Node>
  readonly origin: Origin
}

/** A key keeps its Python type: `${o.2}` and `o.2=` reach a text key only, never the number 2. */
export interface Key {
  readonly text: string
  readonly type: "str" | "int" | "float" | "bool"
}

export interface Entry {
  readonly key: Key
  readonly node: Node
  /** Where the key was written first. */
  readonly origin: Origin
}

export interface MapNode {
  readonly kind: "map"
  /** By `keyId`, in the order in which they were written. */
  readonly entries: ReadonlyMap<string, Entry>
  readonly origin: Origin
}

export type Node = ScalarNode | ListNode | MapNode

/** The key's place in `MapNode.entries`: text keys by their own text; to Python `1`, `1.0` and `True` are one key. */
export const keyId = ({ text, type }: Key): string =>
  type === "str" ? text : `\0${type === "bool" ? Number(text === "True") : type === "float" ? Number(text) : text}`

export const scalar = (value: Scalar, origin: Origin): ScalarNode => ({ kind: "scalar", value, origin })

/** `???`: a value that must be given elsewhere. */
export const isMissing = (node: Node): boolean => node.kind === "scalar" && node.value === "???"

export const isInterpolated = (node: Node): node is ScalarNode & { readonly value: string } =>
  node.kind === "scalar" && typeof node.value === "string" && node.value.includes("${")

/** The entry that a name reaches: a text key of a map, an index of a list. */
export const child = (node: Node, name: string): Node | undefined => {
  if (node.kind === "map") return node.entries.get(name)?.node
  if (node.kind === "list" && /^\d+$/.test(name)) return node.items[Number(name)]
  return undefined
}

/** The keys of a mapping; none of anything else. */
export const names = (node: Node): ReadonlyArray<string> =>
  node.kind === "map" ? [...node.entries.values()].map(({ key }) => key.text) : []

/** `map` with the entry set; an existing key keeps its place and origin, a new one has `origin`. */
export const withEntry = (map: MapNode, key: Key, node: Node, origin: Origin): MapNode => {
  const entries = new Map(map.entries)
  const id = keyId(key)
  entries.set(id, { key, node, origin: entries.get(id)?.origin ?? origin })
  return { ...map, entries }
}

export const mapOf = (entries: Iterable<Entry>, origin: Origin): MapNode => ({
  kind: "map",
  entries: new Map([...entries].map((entry) => [keyId(entry.key), entry])),
  origin
})

/** A tree of plain values, all of it from one origin. */
export const fromValue = (value: Value, origin: Origin): Node => {
  if (value === null || typeof value !== "object" || value instanceof PyFloat) return scalar(value, origin)
  if (Array.isArray(value)) {
    return { kind: "list", items: value.map((item: Value) => fromValue(item, origin)), origin }
  }
  return mapOf(
    Object.entries(value).map(([text, item]) => ({
      key: { text, type: "str" },
      node: fromValue(item, origin),
      origin
    })),
    origin
  )
}

/** Sets a key of a record that is being made; `__proto__` becomes a key like any other. */
export const setOwn = (record: Record<string, Value>, key: string, value: Value): void => {
  if (key === "__proto__") {
    Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true })
  } else record[key] = value
}

/** The values as they were written, interpolations included. */
export const toValue = (node: Node): Value => {
  switch (node.kind) {
    case "scalar":
      return node.value
    case "list":
      return node.items.map(toValue)
    case "map":
      return toMap(node)
  }
}

export const toMap = (node: MapNode): ValueMap => {
  const record: Record<string, Value> = {}
  for (const { key, node: item } of node.entries.values()) setOwn(record, key.text, toValue(item))
  return record
}
