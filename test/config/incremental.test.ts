import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import type { Value, ValueMap } from "../../src/backend/Value.ts"
import { merging } from "../../src/config/compose.ts"
import { Ground, type PointSetting } from "../../src/config/Ground.ts"
import { setKey } from "../../src/config/merge.ts"
import { fromValue, type MapNode, names } from "../../src/config/Node.ts"
import { Resolution } from "../../src/config/resolve.ts"
import { resolveAsFar } from "../../src/config/resolved.ts"

const surroundings = { environment: {}, timestring: "", configDir: "/conf", read: () => null }
const origin = { source: "point", key: "test" } as const

/** Numbers from 0 to 1, the same ones for the same seed. */
const numbers = (seed: number) => () => {
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed / 2147483648
}

class Generator {
  readonly random: () => number
  constructor(seed: number) {
    this.random = numbers(seed)
    for (let skipped = 0; skipped < 5; skipped++) this.random()
  }

  below(n: number): number {
    return Math.floor(this.random() * n)
  }

  pick<A>(items: ReadonlyArray<A>, otherwise: A): A {
    return items[this.below(items.length)] ?? otherwise
  }

  /** A path that is likely to be there. */
  path(): string {
    const parts = Array.from({ length: 1 + this.below(3) }, () => this.pick(["a", "b", "c", "d"], "a"))
    return parts.join(".")
  }

  interpolation(paths: ReadonlyArray<string>): string {
    const path = this.pick(paths, this.path())
    const other = this.pick(paths, this.path())
    return this.pick([
      `\${${path}}`,
      `\${${path}}`,
      `t-\${${path}}-\${${other}}`,
      `\${.${this.pick(["a", "b", "c", "d"], "a")}}`,
      `\${..${this.pick(["a", "b", "c", "d"], "a")}}`,
      `\${oc.select:${path},none}`,
      `\${oc.select:${this.path()},none}`,
      `\${oc.mul:2,\${${path}}}`,
      `\${${this.pick(["a", "b", "c"], "a")}.\${key}}`,
      `\${oc.if:\${${path}},\${${other}},\${oc.select:${this.path()},0}}`,
      "${index}",
      "${stage}/${index}",
      "${oc.select:sibling.s.a,alone}",
      "${oc.select:list.0}"
    ], "${index}")
  }

  value(depth: number, paths: ReadonlyArray<string>): Value {
    const kind = this.below(10)
    if (depth > 0 && kind < 4) return this.map(depth, paths)
    if (kind < 7) return this.interpolation(paths)
    if (kind === 7) return [this.below(5), this.interpolation(paths), { a: this.below(5), b: "${.a}" }]
    return this.pick<Value>([1, 2, "text", null, true, "b"], 1)
  }

  map(depth: number, paths: ReadonlyArray<string>): ValueMap {
    const keys = ["a", "b", "c", "d"].filter(() => this.random() < 0.6)
    return Object.fromEntries(keys.map((key) => [key, this.value(depth - 1, paths)]))
  }
}

const pathsOf = (value: Value, path: string): ReadonlyArray<string> =>
  typeof value !== "object" || value === null
    ? [path]
    : [path, ...Object.entries(value).flatMap(([key, item]: [string, Value]) => pathsOf(item, `${path}.${key}`))]

const rootOf = (value: ValueMap): MapNode => {
  const node = fromValue(value, origin)
  return node.kind === "map" ? node : expect.unreachable()
}

/** A configuration without mistakes: what cannot be resolved in a random one is made plain. */
const configuration = (generator: Generator): ValueMap => {
  const draft: ValueMap = {
    key: "b",
    list: [1, "${a}"],
    ...Object.fromEntries(["a", "b", "c", "d"].map((key) => [key, generator.map(2, [])]))
  }
  const paths = Object.entries(draft).flatMap(([key, value]) => pathsOf(value, key))
  let config: ValueMap = {
    key: "b",
    list: [1, generator.interpolation(paths)],
    ...Object.fromEntries(["a", "b", "c", "d"].map((key) => [key, generator.map(2, paths)]))
  }
  for (let round = 0; round < 20; round++) {
    const { resolved } = new Ground(rootOf(config), new Set(Object.keys(config)), surroundings)
    if (resolved.problems.length === 0) return config
    config = plain(config, resolved.unknown.map((path) => path.join(".")), "")
  }
  return { key: "b", list: [] }
}

const plain = <A extends Value>(value: A, wrong: ReadonlyArray<string>, path: string): A => {
  if (typeof value !== "object" || value === null) return wrong.includes(path) ? "plain" as A : value
  const entries = Object.entries(value).map(([key, item]: [string, Value]) =>
    [key, plain(item, wrong, path === "" ? key : `${path}.${key}`)] as const
  )
  return (Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries)) as unknown as A
}

/** The values at a point by composing the whole anew and resolving all of it. */
const fromScratch = (config: ValueMap, point: PointSetting) => {
  const problems: Array<never> = []
  const { index, parameters, siblings, stage } = point
  const settings = Object.entries<Value>({ index, stage, sibling: siblings, ...parameters })
  const root = settings.reduce(
    (node, [key, value]) =>
      Either.getOrThrow(setKey(node, key, fromValue(value, origin), merging(surroundings, problems))),
    rootOf(config)
  )
  return resolveAsFar(root, new Resolution(root, surroundings))
}

const pointOf = (generator: Generator, config: ValueMap): PointSetting => {
  const paths = Object.entries(config).flatMap(([key, value]) => pathsOf(value, key))
  const keys = Array.from(
    { length: 1 + generator.below(5) },
    () =>
      generator.random() < 0.7
        ? generator.pick(paths, "a")
        : generator.pick(["new", "a.new", "b.c.new", "e", "key"], "e")
  )
  return {
    index: generator.below(3),
    stage: generator.pick(["", "s"], ""),
    parameters: Object.fromEntries(keys.map((key) => [key, generator.value(2, paths)])),
    siblings: generator.random() < 0.5 ? {} : { s: { a: generator.below(9) } }
  }
}

/** Why a point cannot be at all, which merging tells: a key in a list that there is not. */
const settable = (config: ValueMap, point: PointSetting): boolean => {
  try {
    fromScratch(config, point)
    return true
  } catch {
    return false
  }
}

const kinds = (problems: ReadonlyArray<{ readonly kind: string; readonly message: string }>) =>
  problems.filter(({ kind }) => kind !== "interpolation_cycle").map(({ message }) => message.replace(/ \(set .*$/, ""))
    .sort()

describe("a point that is resolved only where it differs", () => {
  it("is what composing and resolving all of it gives, for any configuration and any points", () => {
    const counts = { resolved: 0, failing: 0, refused: 0 }
    for (let seed = 1; seed <= 400; seed++) {
      const generator = new Generator(seed)
      const config = configuration(generator)
      const ground = new Ground(rootOf(config), new Set(Object.keys(config)), surroundings)
      expect(ground.resolved.problems).toEqual([])
      for (let nth = 0; nth < 6; nth++) {
        const point = pointOf(generator, config)
        const about = JSON.stringify({ seed, nth, config, point })
        const made = ground.at(point)
        if (!settable(config, point)) {
          counts.refused++
          expect(Either.isLeft(made), about).toBe(true)
          continue
        }
        const { resolved } = Either.getOrThrowWith(made, (found) => new Error(JSON.stringify([found, about])))
        const whole = fromScratch(config, point)
        counts[whole.problems.length > 0 ? "failing" : "resolved"]++
        const wanted = Object.fromEntries(Object.entries(whole.values).filter(([key]) => key in config))
        if (whole.problems.length === 0) {
          expect(resolved.problems, about).toEqual([])
          expect(resolved.values, about).toEqual(wanted)
          // The order of keys too.
          expect(JSON.stringify(resolved.values)).toBe(JSON.stringify(wanted))
        } else {
          expect(kinds(resolved.problems), about).toEqual(kinds(whole.problems))
          expect(resolved.problems.length > 0, about).toBe(true)
        }
      }
    }
    expect(counts.resolved).toBeGreaterThan(500)
    expect(counts.failing).toBeGreaterThan(100)
  })

  it("shares with other points what is the same", () => {
    const config = {
      kept: { x: { y: [1, "${other.z}"] } },
      other: { z: 1 },
      swept: { lr: 1, min: "${.lr}", deep: { a: 1 } }
    }
    const ground = new Ground(rootOf(config), new Set(names(rootOf(config))), surroundings)
    const at = (lr: number) =>
      Either.getOrThrow(ground.at({ index: 0, stage: "", parameters: { "swept.lr": lr }, siblings: {} })).resolved
        .values
    const [first, second] = [at(2), at(3)] as const
    expect(first["kept"]).toBe(second["kept"])
    expect(first["kept"]).toBe(ground.resolved.values["kept"])
    expect((first["swept"] as ValueMap)["deep"]).toBe((second["swept"] as ValueMap)["deep"])
    expect([first["swept"], second["swept"]]).toEqual([2, 3].map((lr) => ({ lr, min: lr, deep: { a: 1 } })))
  })
})
