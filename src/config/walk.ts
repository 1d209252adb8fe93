/** The way from one node of a configuration to another by names. Source: OmegaConf 2.3 `select_node`. */
import { isList, isMap, type Value } from "../backend/Value.ts"
import { child, isInterpolated, names, type Node } from "./Node.ts"

/** Something that could not be resolved, of which a problem is noted already. */
export const failed = Symbol("failed")
export type Failed = typeof failed

/**
 * What an interpolation stands for: a part of the configuration, or a value that a resolver made. A list of the latter
 * can be entered; a mapping only if it is `enterable`, else it is a leaf.
 */
export type Target = { readonly node: Node } | { readonly value: Value; readonly enterable?: boolean }

/** Where the way ends: at a target, at a `scalar` that holds no names, or `inside` a part that lacks the name. */
export type Found =
  | Target
  | Failed
  | { readonly scalar: string; readonly name: string }
  | { readonly inside: string; readonly name: string; readonly known: ReadonlyArray<string> }

const innerValue = (value: Value, name: string, enterable: boolean): Value | undefined => {
  if (isList(value)) return /^\d+$/.test(name) ? value[Number(name)] : undefined
  return isMap(value) && enterable && Object.hasOwn(value, name) ? value[name] : undefined
}

/** Called with each node whose content decides where the way leads: all of it, or what it has of that name. */
export type Look = (node: Node, name: string | null) => void

/** Follows `keys` from `start`, which stands at `path`; `enter` says what an interpolated node on the way stands for. */
export const walk = (
  start: Node,
  path: string,
  keys: ReadonlyArray<string>,
  enter: (node: Node) => Target | Failed,
  look: Look
): Found => {
  const [name, ...rest] = keys
  if (name === undefined) {
    look(start, null)
    return { node: start }
  }
  if (start.kind === "scalar") {
    look(start, name)
    return { scalar: path, name }
  }
  const at = child(start, name)
  if (at === undefined) {
    look(start, name)
    return { inside: path, name, known: names(start) }
  }
  if (isInterpolated(at)) look(at, null)
  const target = enter(at)
  if (target === failed) return failed
  const further = path === "" ? name : `${path}.${name}`
  return "node" in target
    ? walk(target.node, further, rest, enter, look)
    : walkValue(target.value, target.enterable === true, further, rest)
}

const walkValue = (value: Value, enterable: boolean, path: string, keys: ReadonlyArray<string>): Found => {
  const [name, ...rest] = keys
  if (name === undefined) return { value, enterable }
  const inner = innerValue(value, name, enterable)
  if (inner !== undefined) return walkValue(inner, true, `${path}.${name}`, rest)
  return enterable && isMap(value) ? { inside: path, name, known: Object.keys(value) } : { scalar: path, name }
}
