/** What holds of all sweeps, whatever is nested in what. */
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { isMap, type ValueMap } from "../../src/backend/Value.ts"
import { pointKey } from "../../src/sweep/identity.ts"
import { jobNames } from "../../src/sweep/names.ts"
import { expanded, parameters, phasesOf } from "./sweeping.ts"

interface Sized {
  readonly group: ValueMap
  readonly size: number
}

const list = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 3 })
const key = fc.constantFrom("a", "b", "c", "d", "e.f")
const config = fc.dictionary(key, fc.integer(), { maxKeys: 2 })

const times = (numbers: ReadonlyArray<number>) => numbers.reduce((all, number) => all * number, 1)
const plus = (numbers: ReadonlyArray<number>) => numbers.reduce((all, number) => all + number, 0)

/** Groups nested at will, each with the number of points it stands for by the laws. */
const { group } = fc.letrec<{ group: Sized; leaf: Sized; nested: Sized }>((tie) => ({
  leaf: fc.oneof(
    fc.dictionary(key, list, { maxKeys: 3 }).map((params) => ({
      group: { params },
      size: times(Object.values(params).map(({ length }) => length))
    })),
    fc.array(config, { minLength: 1, maxLength: 3 }).map((configs) => ({ group: { configs }, size: configs.length })),
    fc.array(fc.dictionary(key, list, { maxKeys: 2 }), { minLength: 1, maxLength: 2 }).map((grids) => ({
      group: { grids },
      size: plus(grids.map((grid) => times(Object.values(grid).map(({ length }) => length))))
    })),
    fc.array(fc.tuple(fc.integer(), fc.integer()), { minLength: 1, maxLength: 3 }).map((rows) => ({
      group: { type: "zip", params: { a: rows.map(([a]) => a), b: rows.map(([, b]) => b) } },
      size: rows.length
    })),
    fc.integer({ min: 1, max: 3 }).map((samples) => ({
      group: { type: "random", samples, params: { a: { uniform: [0, 1] } } },
      size: samples
    }))
  ),
  nested: fc.tuple(
    fc.constantFrom("product", "list"),
    fc.array(tie("group"), { minLength: 1, maxLength: 3 }),
    config,
    fc.boolean()
  ).map(([type, inner, defaults, asConfigs]) => {
    const groups = inner.map((one) => one.group)
    const sizes = inner.map(({ size }) => size)
    if (asConfigs) return { group: { configs: groups, defaults }, size: plus(sizes) }
    return { group: { type, groups, defaults }, size: type === "list" ? plus(sizes) : times(sizes) }
  }),
  group: fc.oneof({ maxDepth: 3, withCrossShrink: true }, tie("leaf"), tie("nested"))
}))

const groups = fc.array(group, { minLength: 1, maxLength: 3 }).filter((all) =>
  times(all.map(({ size }) => size)) < 2000
)
const type = fc.constantFrom("product", "list")

const sizes = (type: string, all: ReadonlyArray<Sized>) =>
  type === "list" ? plus(all.map(({ size }) => size)) : times(all.map(({ size }) => size))
const sweepOf = (type: string, all: ReadonlyArray<Sized>) => ({ type, groups: all.map(({ group }) => group) })

/** `value` with the keys of all mappings that are read by name in the opposite order, and with descriptions. */
const rewritten = (group: ValueMap): ValueMap => {
  const entries = Object.entries(group).map(([key, value]) => {
    if (!Array.isArray(value) || (key !== "groups" && key !== "configs")) return [key, value] as const
    return [key, value.map((item) => rewrittenItem(item))] as const
  })
  return { description: "what it is for", ...Object.fromEntries(entries.toReversed()) }
}
const rewrittenItem = (item: ValueMap): ValueMap =>
  ["groups", "configs", "params", "grids"].some((kind) => kind in item)
    ? rewritten(item)
    : Object.fromEntries(Object.entries(item).toReversed())

describe("whatever is nested in what", () => {
  it("products multiply and lists add", () => {
    fc.assert(fc.property(type, groups, (type, all) => {
      const { points } = expanded(sweepOf(type, all))
      expect(points.length).toBe(sizes(type, all))
      expect(points.map(({ index }) => index)).toEqual(points.map((_, at) => at))
    }))
  })

  it("no two points took the same choices", () => {
    fc.assert(fc.property(type, groups, (type, all) => {
      const { places, points } = expanded(sweepOf(type, all))
      const ways = points.map(({ choices }) => [...choices].map(String).join(";"))
      expect(new Set(ways).size).toBe(points.length)
      for (const { choices } of points) for (const place of choices.keys()) expect(places.has(place)).toBe(true)
    }))
  })

  it("a product has each point of the one with each of the other, the last varying fastest", () => {
    fc.assert(fc.property(group, group, (a, b) => {
      fc.pre(a.size * b.size < 2000)
      const [first, second] = [a, b].map((one) => expanded(sweepOf("product", [one])).points)
      const ways = expanded(sweepOf("product", [a, b])).points.map(({ parameters }) =>
        Object.keys(parameters).toSorted()
      )
      expect(ways).toEqual(
        first?.flatMap((one) =>
          second?.map((two) =>
            [...new Set([...Object.keys(one.parameters), ...Object.keys(two.parameters)])].toSorted()
          )
        )
      )
    }))
  })

  it("a list has the points of the one, then those of the other", () => {
    fc.assert(fc.property(group, group, (a, b) => {
      const random = JSON.stringify([a, b]).includes("random")
      fc.pre(!random)
      expect(parameters(sweepOf("list", [a, b]))).toEqual(
        [a, b].flatMap((one) => parameters(sweepOf("list", [one])))
      )
    }))
  })

  it("descriptions and the order of keys in a group change neither order nor values", () => {
    fc.assert(fc.property(type, groups, (type, all) => {
      const edited = { description: "again", groups: all.map(({ group }) => rewritten(group)), type }
      expect(parameters(edited).map(pointKey)).toEqual(parameters(sweepOf(type, all)).map(pointKey))
    }))
  })

  it("a filter changes no index and no value", () => {
    fc.assert(fc.property(type, groups, fc.integer({ min: 1, max: 5 }), (type, all, filtered) => {
      const whole = sweepOf(type, all)
      const some = whole.groups.map((group, at) => (at % filtered === 0 ? { ...group, filter: "${late}" } : group))
      const strip = (sweep: object) => expanded(sweep).points.map(({ index, parameters }) => [index, parameters])
      expect(strip({ ...whole, groups: some, filter: "1 == 1" })).toEqual(strip(whole))
    }))
  })

  it("a base value is there unless something sets the key, and never more than that", () => {
    fc.assert(fc.property(type, groups, (type, all) => {
      const base_values = { a: "base", z: "base" }
      const before = parameters(sweepOf(type, all))
      expect(parameters({ ...sweepOf(type, all), base_values }).map(pointKey)).toEqual(
        before.map((point) => pointKey({ ...base_values, ...point }))
      )
    }))
  })

  it("names with an index are unique", () => {
    fc.assert(fc.property(type, groups, (type, all) => {
      const { points } = expanded(sweepOf(type, all))
      const names = Either.getOrThrow(
        jobNames("{project}_{index}", points.map((point) => ({ ...point, project: "p" })))
      )
      expect(new Set(names).size).toBe(points.length)
    }))
  })

  it("each decay finds the stable point of its own experiment", () => {
    fc.assert(fc.property(type, groups, fc.boolean(), (type, all, first) => {
      fc.pre(sizes(type, all) < 500)
      const stages = {
        type: "list",
        configs: [
          { stage: "stable" },
          { params: { extra: [1, 2] }, defaults: { stage: "decay", load: "${sibling.stable.out}" } }
        ]
      }
      const rest = sweepOf(type, all)
      const sweep = { type: "product", groups: first ? [stages, rest] : [rest, stages] }
      const { points } = expanded(sweep)
      const { needs, order } = Either.getOrThrow(phasesOf(sweep))
      expect(order.length).toBe(points.length)
      for (const [index, own] of needs) {
        const point = points[index]
        expect([...own.keys()]).toEqual(point?.parameters["stage"] === "decay" ? ["stable"] : [])
        for (const sibling of own.values()) {
          expect(order.indexOf(sibling)).toBeLessThan(order.indexOf(index))
          const { extra: _, load: __, stage: ___, ...mine } = point?.parameters ?? {}
          const { stage: ____, ...theirs } = points[sibling]?.parameters ?? {}
          expect(pointKey(mine)).toBe(pointKey(theirs))
        }
      }
    }))
  })
})

describe("a sweep of many points", () => {
  it("expands and finds its phases: 2,000 points of 3 stages", () => {
    const configs = [
      { stage: "stable" },
      { stage: "decay", load: "${sibling.stable.out}" },
      { stage: "eval", load: "${sibling.decay.out}" }
    ]
    const grid = { a: Array.from({ length: 40 }, (_, at) => at), b: Array.from({ length: 50 }, (_, at) => at) }
    const sweep = { type: "product", groups: [{ params: grid }, { configs }] }
    const { order } = Either.getOrThrow(phasesOf(sweep))
    expect(order).toHaveLength(6000)
    expect(order.slice(2000, 2003)).toEqual([1, 4, 7])
    expect(isMap(expanded(sweep).points[5999]?.parameters)).toBe(true)
  })

  it("may set thousands of keys, as a product of each one's only value", () => {
    const params = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`k${at}`, [at]]))
    expect(Object.keys(parameters({ type: "product", groups: [{ params }] })[0] ?? {})).toHaveLength(5000)
  })
})
