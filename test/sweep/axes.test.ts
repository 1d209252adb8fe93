import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as fs from "node:fs"
import { describe, expect, it } from "vitest"
import type { Value, ValueMap } from "../../src/backend/Value.ts"
import { jobNames } from "../../src/sweep/names.ts"
import { typed } from "../conformance/typed.ts"
import { mistake, points as pointsOf } from "./sweeping.ts"

type Types = Readonly<Record<string, string>>

interface Case {
  readonly name: string
  readonly sweep: {
    readonly axes: unknown
    readonly base_values?: unknown
    readonly name_template?: string
    readonly filter?: unknown
  }
  readonly sweep_types?: Types
  readonly types?: Types
  readonly project: { readonly name: string }
  readonly expected?: { readonly points: unknown; readonly names?: ReadonlyArray<string> }
  readonly name_error?: unknown
  readonly error?: { readonly kind: string }
}

const cases: ReadonlyArray<Case> = JSON.parse(
  fs.readFileSync(new URL("../conformance/sweep/seed.json", import.meta.url), "utf8")
)

/** What the recorded software does and this one does not, on purpose. */
const otherwise: Readonly<Record<string, string>> = {
  empty_list_axis: "a sweep left empty is an error",
  name_collides: "two jobs of one name are an error",
  output_dir_normalized: "a name with / is an error",
  output_dir_absolute_name: "a name with / is an error",
  output_dir_parent: "a name with .. is an error",
  name_int_format_spec_fails: "{index:04d} works: values keep their type",
  name_float_format_spec_fails: "{a:.2f} works: values keep their type",
  name_format_spec_on_strings: "{a:5} of a number is filled on its left: values keep their type"
}
/** Interpolation is resolved when the config is loaded, before there are axes. */
const byConfig = ["interpolation_inside_axes", "interpolation_to_sibling_axis"]

const asMap = (value: unknown): ValueMap => value as ValueMap

const expandAxes = (axes: Value, base_values: ValueMap) => pointsOf({ axes, base_values })

const expand = (recorded: Case) => {
  const sweep = asMap(typed(recorded.sweep, recorded.sweep_types ?? {}))
  return expandAxes(sweep["axes"] ?? null, asMap(sweep["base_values"] ?? {}))
}

describe("recorded sweeps", () => {
  const recorded = cases.filter(({ name, sweep }) => !("filter" in sweep) && !byConfig.includes(name))

  it.each(recorded.filter(({ name }) => name !== "empty_list_axis"))("give the same points: $name", (it) => {
    const points = expand(it)
    if (it.error !== undefined) expect(Either.isLeft(points)).toBe(true)
    else expect(points).toEqual(Either.right(asMap(typed(it.expected, it.types ?? {}))["points"]))
  })

  it.each(recorded.filter(({ error, name }) => error === undefined && !(name in otherwise)))(
    "give the same names: $name",
    (it) => {
      const names = Either.flatMap(
        expand(it),
        (points) =>
          jobNames(
            it.sweep.name_template ?? "{project}_{index}",
            points.map((point) => ({ ...point, project: it.project.name }))
          )
      )
      if (it.name_error !== undefined) expect(Either.isLeft(names)).toBe(true)
      else expect(names).toEqual(Either.right(it.expected?.names))
    }
  )

  it("keep the order of a point's keys", () => {
    const points = Either.getOrThrow(expandAxes({ a: [1], z: 2 }, { k: 0, a: 0 }))
    expect(points.map(({ parameters }) => Object.keys(parameters))).toEqual([["k", "a", "z"]])
  })
})

describe("a sweep that leaves no point", () => {
  it("is an error that names the empty axis", () => {
    expect(mistake({ axes: { lr: [1], opt: { wd: [] } } })).toBe(
      "sweep.axes.opt.wd: the list is empty, so the sweep has no points"
    )
  })

  it("is not one without axes, which has one point", () => {
    for (const axes of [null, {}]) {
      expect(expandAxes(axes, { x: 1 })).toEqual(Either.right([{ index: 0, parameters: { x: 1 } }]))
    }
  })
})

describe("a sweep of absurd size", () => {
  it("is refused before it is made", () => {
    const axis = Array.from({ length: 1000 }, (_, index) => index)
    expect(mistake({ axes: { a: axis, b: axis, c: axis, d: axis } })).toBe(
      "sweep.axes: the sweep has 1000000000000 points, which is more than 100000"
    )
  })
})

const axis = fc.array(fc.integer(), { minLength: 1, maxLength: 4 })

describe("sizes", () => {
  it("multiply over the keys of a mapping", () => {
    fc.assert(fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), axis, { maxKeys: 4 }), (axes) => {
      const points = Either.getOrThrow(expandAxes(axes, {}))
      expect(points.length).toBe(Object.values(axes).reduce((size, { length }) => size * length, 1))
      expect(points.map(({ index }) => index)).toEqual(points.map((_, at) => at))
      for (const { parameters } of points) expect(Object.keys(parameters)).toEqual(Object.keys(axes))
    }))
  })

  it("add over a list of mappings", () => {
    fc.assert(fc.property(fc.array(axis, { minLength: 1, maxLength: 5 }), (lists) => {
      const points = Either.getOrThrow(expandAxes({ g: lists.map((values, at) => ({ [`k${at}`]: values })) }, {}))
      expect(points.map(({ parameters }) => parameters)).toEqual(
        lists.flatMap((values, at) => values.map((value) => ({ [`g.k${at}`]: value })))
      )
    }))
  })

  it("are kept whatever the values: the first key varies slowest", () => {
    fc.assert(fc.property(axis, axis, (a, b) => {
      expect(Either.getOrThrow(expandAxes({ a, b }, {})).map(({ parameters }) => [parameters["a"], parameters["b"]]))
        .toEqual(a.flatMap((x) => b.map((y) => [x, y])))
    }))
  })
})
