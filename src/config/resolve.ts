/**
 * Interpolations resolved, once and eagerly, over a whole configuration. What a `${…}` yields is never read again.
 * Source: OmegaConf 2.3, and what it answered (test/conformance/hydra).
 */
import * as Either from "effect/Either"
import { didYouMean, nearest } from "../backend/nearest.ts"
import { pyStr } from "../backend/python.ts"
import { isList, isMap, type Value, type ValueMap } from "../backend/Value.ts"
import type { Again, Read } from "./dependents.ts"
import {
  type Argument,
  type Interpolation,
  type NodeInterpolation,
  parseArgument,
  parseText,
  type Parts
} from "./interpolation.ts"
import { isInterpolated, isMissing, type MapNode, type Node, type ScalarNode, setOwn, toValue } from "./Node.ts"
import { type Problem, problemAt } from "./Problem.ts"
import { resolvers } from "./resolvers.ts"
import type { Surroundings } from "./resolvers/Resolver.ts"
import { Tree } from "./Tree.ts"
import { type Failed, failed, type Found, type Target, walk } from "./walk.ts"

/** Where an interpolation stands. */
interface Site {
  readonly node: ScalarNode & { readonly value: string }
}

/** A resolution of which another one is a variation, and the nodes of it that must be resolved again. */
interface Before {
  readonly resolution: Resolution
  readonly again: Again
}

/** One pass over one configuration; each node is resolved once, and each problem noted once. */
export class Resolution {
  readonly root: Node
  readonly surroundings: Surroundings
  readonly tree: Tree
  readonly problems: Array<Problem> = []
  /** Whether a value may be `???`, or hold one. */
  missing = false
  /** What each interpolation depended on. */
  readonly reads: Array<Read> = []
  private readonly before: Before | null
  private readonly values = new Map<Node, Value | Failed>()
  private readonly targets = new Map<Node, Target | Failed>()
  private readonly open = new Set<Node>()

  constructor(root: Node, surroundings: Surroundings, tree = new Tree(root), before: Before | null = null) {
    this.root = root
    this.surroundings = surroundings
    this.tree = tree
    this.before = before
  }

  /** Gives a node its value, whatever it holds. An interpolation that has one can be entered like a mapping. */
  define(node: Node, value: Value): void {
    this.values.set(node, value)
    this.targets.set(node, { value, enterable: true })
  }

  private knownValue(node: Node): Value | Failed | undefined {
    const own = this.values.get(node)
    if (own !== undefined || this.before === null || this.before.again.has(node)) return own
    return this.before.resolution.values.get(node)
  }

  private knownTarget(node: Node): Target | Failed | undefined {
    const own = this.targets.get(node)
    if (own !== undefined || this.before === null || this.before.again.has(node)) return own
    return this.before.resolution.targets.get(node)
  }

  private fail({ node }: Site, kind: string, message: string, suggestions: ReadonlyArray<string> = []): Failed {
    this.problems.push(problemAt(node.origin, kind, `In ${this.tree.path(node)}: ${message}`, suggestions))
    return failed
  }

  /** The node's value with everything in it resolved; `failed` if a problem was noted. */
  value(node: Node): Value | Failed {
    if (node.kind === "scalar" && !isInterpolated(node)) return node.value
    const known = this.knownValue(node)
    if (known !== undefined) return known
    if (this.open.has(node)) return this.cycle(node)
    this.open.add(node)
    const value = node.kind === "scalar" ? this.scalarValue(node) : this.containerValue(node)
    this.open.delete(node)
    this.values.set(node, value)
    return value
  }

  private scalarValue(node: Node): Value | Failed {
    const target = this.target(node)
    if (target === failed) return failed
    const value = "node" in target ? this.value(target.node) : target.value
    if (value !== failed && (isMap(value) || isList(value))) this.missing = true
    return value
  }

  private containerValue(node: Node): Value | Failed {
    let whole = true
    const resolve = (item: Node): Value => {
      const value = this.value(item)
      if (value === "???") this.missing = true
      if (value !== failed) return value
      whole = false
      return null
    }
    if (node.kind === "list") {
      const items = node.items.map(resolve)
      return whole ? items : failed
    }
    if (node.kind !== "map") return failed
    const old = this.tree.predecessor(node)
    const value = old === undefined ? undefined : this.before?.resolution.values.get(old.node)
    if (old === undefined || value === undefined || value === failed || !isMap(value)) {
      // Records made so are quick to copy.
      const record = Object.fromEntries(
        Array.from(node.entries.values(), (entry) => [entry.key.text, resolve(entry.node)])
      )
      return whole ? record : failed
    }
    // Most entries are as they were, and to take over all of them at once is quick.
    const record: Record<string, Value> = { ...value }
    for (const id of new Set([...old.differing, ...this.before?.again.get(old.node) ?? []])) {
      const entry = node.entries.get(id)
      if (entry !== undefined) setOwn(record, entry.key.text, resolve(entry.node))
    }
    return whole ? record : failed
  }

  private cycle(node: Node): Failed {
    const chain = [...this.open]
    const cycle = chain.slice(chain.indexOf(node)).filter((item) => item.kind === "scalar").map((item) =>
      this.tree.path(item)
    )
    const site = chain.findLast((item) => item.kind === "scalar") ?? node
    const first = cycle[0] ?? this.tree.path(node)
    this.problems.push(
      problemAt(site.origin, "interpolation_cycle", `These values need each other: ${[...cycle, first].join(" -> ")}.`)
    )
    return failed
  }

  /** What a node is once it is no interpolation any more. */
  private target(node: Node): Target | Failed {
    if (!isInterpolated(node)) return { node }
    const known = this.knownTarget(node)
    if (known !== undefined) return known
    const target = this.evaluate({ node })
    this.targets.set(node, target)
    return target
  }

  /** As `target`, for nodes met on the way to another: a node that is being resolved already closes a cycle. */
  private enter(node: Node): Target | Failed {
    if (!isInterpolated(node) || this.knownTarget(node) !== undefined) return this.target(node)
    if (this.open.has(node)) return this.cycle(node)
    this.open.add(node)
    const target = this.target(node)
    this.open.delete(node)
    return target
  }

  private evaluate(site: Site): Target | Failed {
    const parts = parseText(site.node.value)
    if (Either.isLeft(parts)) {
      const { offset, what } = parts.left
      const { value } = site.node
      return this.fail(site, "interpolation_syntax", `"${value}" cannot be read at column ${offset + 1}: ${what}.`)
    }
    const only = parts.right[0]
    if (parts.right.length === 1 && typeof only === "object") return this.interpolation(only, site)
    const text = this.text(parts.right, site)
    return text === failed ? failed : { value: text }
  }

  private text(parts: Parts, site: Site): string | Failed {
    let text = ""
    for (const part of parts) {
      if (typeof part === "string") {
        text += part
        continue
      }
      const target = this.interpolation(part, site)
      if (target === failed) return failed
      // A container prints as it was written, its own interpolations unresolved.
      text += pyStr("node" in target ? toValue(target.node) : target.value)
    }
    return text
  }

  private interpolation(interpolation: Interpolation, site: Site): Target | Failed {
    if (interpolation.kind === "node") {
      const keys = this.keys(interpolation, site)
      return keys === failed ? failed : this.select(interpolation.dots, keys, interpolation.text, site)
    }
    const [only] = interpolation.name
    const name = typeof only === "string" && interpolation.name.length === 1
      ? only
      : this.text(interpolation.name.flatMap((part, index) => (index === 0 ? [part] : [".", part])), site)
    if (name === failed) return failed
    const resolver = Object.hasOwn(resolvers, name) ? resolvers[name] : undefined
    if (resolver === undefined) {
      const known = Object.keys(resolvers)
      return this.fail(
        site,
        "unsupported_resolver",
        `There is no resolver "${name}"; ${didYouMean(name, known)}`,
        nearest(name, known)
      )
    }
    const args: Array<Value> = []
    for (const argument of interpolation.args) {
      const value = this.argument(argument, site)
      if (value === failed) return failed
      args.push(value)
    }
    const [least, most] = resolver.arity
    if (args.length < least || args.length > most) {
      const wanted = least === most ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`
      return this.fail(site, "resolver_error", `${interpolation.text} takes ${wanted} arguments, not ${args.length}.`)
    }
    const { configDir, environment, read, timestring } = this.surroundings
    const result = resolver.run(args, {
      configDir,
      environment,
      read,
      timestring,
      fromConfig: interpolation.args.map((argument) => argument.kind === "alone"),
      select: (key) => this.selectText(key, site),
      decode: (text) => this.decode(text, site)
    })
    if (Either.isLeft(result)) {
      return result.left === null ? failed : this.fail(site, "resolver_error", `${interpolation.text}: ${result.left}.`)
    }
    return { value: result.right, enterable: resolver.enterable === true }
  }

  private argument(argument: Argument, site: Site): Value | Failed {
    switch (argument.kind) {
      case "literal":
        return argument.value
      case "alone": {
        const target = this.interpolation(argument.interpolation, site)
        return target === failed ? failed : "node" in target ? this.value(target.node) : target.value
      }
      case "text":
        return this.text(argument.parts, site)
      case "list": {
        const items = argument.items.map((item) => this.argument(item, site))
        return items.includes(failed) ? failed : items.filter((item) => item !== failed)
      }
      case "map": {
        const record: Record<string, Value> = {}
        for (const [key, item] of argument.entries) {
          const value = this.argument(item, site)
          if (value === failed) return failed
          setOwn(record, key.text, value)
        }
        return record
      }
    }
  }

  private keys(interpolation: NodeInterpolation, site: Site): ReadonlyArray<string> | Failed {
    const path: Array<string> = []
    for (const key of interpolation.keys) {
      if (typeof key === "string") {
        path.push(key)
        continue
      }
      const target = this.interpolation(key, site)
      if (target === failed) return failed
      const value = "node" in target ? this.value(target.node) : target.value
      if (value === failed) return failed
      if (typeof value !== "string") {
        return this.fail(
          site,
          "interpolation_resolution",
          `${key.text} names a key in ${interpolation.text}, so it must be a text, not ${pyStr(value)}.`
        )
      }
      path.push(...value.split("."))
    }
    return path
  }

  /** The node that `dots` and `keys` lead to, seen from `site`; a missing one is a problem. */
  private select(dots: number, keys: ReadonlyArray<string>, text: string, site: Site): Target | Failed {
    const found = this.walk(dots, keys, site)
    if (found === failed || "value" in found) return found
    if ("scalar" in found) {
      const message = `${text} looks for "${found.name}" in ${found.scalar}, which is no mapping and no list.`
      return this.fail(site, "interpolation_resolution", message)
    }
    if ("inside" in found) {
      const { inside, known, name } = found
      if (inside === "" && name === "sibling") {
        const message = `${text} has a value at a sweep's point only; in \`sweep\` write $${text}`
        return this.fail(site, "interpolation_key", message)
      }
      const where = inside === "" ? "" : ` in ${inside}`
      const message = `${text} finds no "${name}"${where}; ${didYouMean(name, known)}`
      return this.fail(site, "interpolation_key", message, nearest(name, known))
    }
    const path = this.tree.path(found.node)
    if (isMissing(found.node)) {
      return this.fail(site, "interpolation_missing_value", `${text} needs ${path}, which is ???.`)
    }
    return found.node.kind !== "scalar" && this.tree.above(site.node).includes(found.node)
      ? this.fail(site, "interpolation_cycle", `${text} stands within ${path || "itself"}.`)
      : found
  }

  private walk(dots: number, keys: ReadonlyArray<string>, site: Site): Found {
    const start = dots === 0 ? this.root : this.tree.above(site.node)[dots - 1]
    if (start === undefined) return { inside: "", name: `${".".repeat(dots)}${keys.join(".")}`, known: [] }
    return walk(start, this.tree.path(start), keys, (node) => this.enter(node), (node, name) => {
      if (this.before === null) this.reads.push({ site: site.node, node, name })
    })
  }

  /** The value at a key given as text (`a.b`, `.b`, `a[0]`) : null if there is none. */
  private selectText(key: string, site: Site): Either.Either<{ readonly value: Value } | null, null> {
    const dots = /^\.*/.exec(key)?.[0].length ?? 0
    const path = key.slice(dots).replace(/\[([^\]]*)\]/g, ".$1").split(".").filter((name) => name !== "")
    const found = this.walk(dots, path, site)
    if (found === failed) return Either.left(null)
    if ("value" in found) return Either.right({ value: found.value })
    if (!("node" in found) || isMissing(found.node)) return Either.right(null)
    const value = this.value(found.node)
    return value === failed ? Either.left(null) : Either.right({ value })
  }

  private decode(text: string, site: Site): Either.Either<Value, string | null> {
    return Either.flatMap(
      Either.mapLeft(parseArgument(text), ({ what }) => `"${text}" cannot be read: ${what}`),
      (argument) => {
        const value = this.argument(argument, site)
        return value === failed ? Either.left(null) : Either.right(value)
      }
    )
  }

  /** The mapping or list that an interpolation stands for, to merge into; null if it is none or cannot be resolved. */
  container(node: Node): Node | null {
    const target = this.enter(node)
    return target !== failed && "node" in target && target.node.kind !== "scalar" ? target.node : null
  }
}

/** All of the configuration resolved; on the left every problem there is. */
export const resolveConfig = (
  root: MapNode,
  surroundings: Surroundings
): Either.Either<ValueMap, ReadonlyArray<Problem>> => {
  const resolution = new Resolution(root, surroundings)
  const value = resolution.value(root)
  return value !== failed && isMap(value) ? Either.right(value) : Either.left(resolution.problems)
}
