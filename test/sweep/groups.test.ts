import * as Either from "effect/Either"
import * as fs from "node:fs"
import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { isMap, type Value, type ValueMap } from "../../src/backend/Value.ts"
import { typed } from "../conformance/typed.ts"
import { edgesOf, expand, expanded, mistake, parameters, phasesOf, points } from "./sweeping.ts"

type Types = Readonly<Record<string, string>>

interface Recorded {
  readonly points: ReadonlyArray<{ readonly index: number; readonly parameters: ValueMap }>
  readonly dependencies?: ReadonlyArray<readonly [number, number]>
  readonly order?: ReadonlyArray<number>
}

interface Case {
  readonly name: string
  readonly mode: "expand" | "resolve"
  readonly sweep?: ValueMap
  readonly sweep_types?: Types
  readonly types?: Types
  readonly expected?: Recorded
  readonly files?: Readonly<Record<string, string>>
  readonly config_name?: string
  readonly expanded?: Recorded
  readonly error?: { readonly kind: string }
}

const cases: ReadonlyArray<Case> = JSON.parse(
  fs.readFileSync(new URL("../conformance/sweep/groups.json", import.meta.url), "utf8")
)

/** Where ours expands otherwise than what was recorded, on purpose, and to what; worked out by hand. */
const otherwise: Readonly<
  Record<string, { readonly why: string; readonly points?: ReadonlyArray<object>; readonly error?: string }>
> = {
  base_values_overwrite_in_product: {
    why: "a base value is overlaid by whatever group sets the key, first or last",
    points: [{ lr: 0.1, bs: 8 }, { lr: 0.2, bs: 8 }]
  },
  group_defaults_leak_over_earlier_group: {
    why: "a group's default does not overwrite what an earlier group chose",
    points: [{ a: 1, b: 5 }, { a: 2, b: 5 }]
  },
  list_composition_with_base_values: {
    why: "the base value counts once, not once for each group",
    points: [{ plugins: "base", a: 1, b: 2 }]
  },
  params_empty_list: {
    why: "a sweep that an empty list leaves without points is a mistake",
    error: "sweep.groups[0].params.a: the list is empty, so the sweep has no points"
  },
  configs_empty: {
    why: "the same",
    error: "sweep.groups[0].configs: the list is empty, so the sweep has no points"
  },
  groups_wins_over_params: {
    why: "params and configs beside groups are a mistake, not dropped in silence",
    error:
      "sweep.groups[0]: a group has only one of params, configs, grids or groups, and this has params and configs " +
      "and groups"
  },
  unknown_group_type: { why: "zip has become a type", points: [{ a: 1 }] }
}

const sweepOf = ({ sweep, sweep_types }: Case): object => typed(sweep, sweep_types ?? {}) as ValueMap

const numbered = (all: ReadonlyArray<object>) =>
  all.map((point, index) => ({ index, parameters: typed(point, {}) as ValueMap }))

const expandCases = cases.filter(({ mode }) => mode === "expand")

describe("recorded groups", () => {
  it.each(expandCases.filter(({ name }) => !(name in otherwise)))("expand to the same points: $name", (it) => {
    const found = points(sweepOf(it))
    if (it.error !== undefined) expect(Either.isLeft(found)).toBe(true)
    else {
      const recorded = (typed(it.expected, it.types ?? {}) as ValueMap)["points"] as ReadonlyArray<ValueMap>
      expect(Either.getOrThrow(found)).toEqual(recorded.map(({ index, parameters }) => ({ index, parameters })))
      expect(Either.getOrThrow(found).map(({ parameters }) => Object.keys(parameters))).toEqual(
        recorded.map(({ parameters }) => Object.keys(parameters as ValueMap))
      )
    }
  })

  it.each(expandCases.filter(({ name }) => name in otherwise))("expand otherwise, on purpose: $name", (it) => {
    const wanted = otherwise[it.name]
    if (wanted?.error !== undefined) expect(mistake(sweepOf(it))).toBe(wanted.error)
    else expect(points(sweepOf(it))).toEqual(Either.right(numbered(wanted?.points ?? [])))
  })
})

/** Where phases are found otherwise than recorded. Null: a mistake, of which the text is tested below. */
const phasesOtherwise: Readonly<
  Record<string, { readonly why: string; readonly edges: ReadonlyArray<object> | null }>
> = {
  stage_nested_config_groups: {
    why: "siblings are found at any depth; the recorded tool found none and then failed",
    edges: [[0, 1], [0, 2], [3, 4], [3, 5]]
  },
  stage_missing_sibling: { why: "an unknown stage is told before anything is resolved", edges: null },
  stage_prefix_match: {
    why: "a stage is referred to by its whole name; recorded as an edge that then failed",
    edges: null
  },
  filter_false: { why: "a sweep left empty by its filter is a mistake", edges: null },
  group_filter_ignored_on_list_groups: { why: "a group's filter counts whatever its type", edges: null }
}

/** The section as it is when the config is resolved: what was left for the point is in plain view. */
const revealed = (value: Value): Value => {
  if (typeof value === "string") return value.replace(/\\+\$\{/g, "${")
  if (Array.isArray(value)) return value.map(revealed)
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revealed(item)])) : value
}

const sectionOf = ({ config_name, files = {} }: Case): object => {
  const config = parse(files[`${config_name}.yaml`] ?? "") as { readonly sweep?: Value }
  return revealed(config.sweep ?? {}) as ValueMap
}

describe("recorded phases", () => {
  const resolveCases = cases.filter(({ expanded, mode }) => mode === "resolve" && expanded !== undefined)

  it.each(resolveCases.filter(({ error, name }) => !(name in phasesOtherwise) && error?.kind !== "resolve:cycle"))(
    "are found in the same order: $name",
    (it) => {
      const sweep = sectionOf(it)
      const found = expanded(sweep)
      expect(found.points.map(({ index, parameters }) => [index, ...Object.keys(parameters)])).toEqual(
        it.expanded?.points.map(({ index, parameters }) => [index, ...Object.keys(parameters)])
      )
      expect(Either.getOrThrow(phasesOf(sweep)).order).toEqual(it.expanded?.order)
      expect(new Set(edgesOf(sweep).map(String))).toEqual(new Set(it.expanded?.dependencies?.map(String)))
    }
  )

  it.each(cases.filter(({ name }) => name in phasesOtherwise))("are found otherwise, on purpose: $name", (it) => {
    const wanted = phasesOtherwise[it.name]?.edges ?? null
    if (wanted === null) expect(Either.isLeft(phasesOf(sectionOf(it)))).toBe(true)
    else expect(edgesOf(sectionOf(it))).toEqual(wanted)
  })
})

describe("a nesting the recorded tool failed on", () => {
  it("lists two groups at the top", () => {
    const sweep = { type: "list", groups: [{ params: { lr: [1, 2] } }, { params: { bs: [3], lr: [4] } }] }
    expect(parameters(sweep)).toEqual([{ lr: 1 }, { lr: 2 }, { bs: 3, lr: 4 }])
  })

  it("multiplies a product within a product", () => {
    const sweep = {
      type: "product",
      groups: [{ groups: [{ params: { lr: [1, 2] } }, { params: { bs: [3, 4] } }] }, { params: { name: ["c"] } }]
    }
    expect(parameters(sweep)).toEqual([
      { lr: 1, bs: 3, name: "c" },
      { lr: 1, bs: 4, name: "c" },
      { lr: 2, bs: 3, name: "c" },
      { lr: 2, bs: 4, name: "c" }
    ])
  })

  it("filters at each level, groups of lists too, and keeps the indices", () => {
    const sweep = {
      type: "list",
      groups: [
        { type: "list", filter: "lr != 2", configs: [{ lr: 1 }, { lr: 2 }] },
        { type: "list", groups: [{ filter: false, params: { lr: [3] } }, { params: { lr: [4, 5] } }] }
      ],
      filter: "lr != 5"
    }
    expect(expanded(sweep).points.map(({ filters, index, parameters }) => [index, parameters["lr"], filters])).toEqual([
      [0, 1, []],
      [1, 2, [false]],
      [2, 3, [false]],
      [3, 4, []],
      [4, 5, [false]]
    ])
  })

  it("lets a filter see the whole point, whichever group it stands in", () => {
    const sweep = {
      type: "product",
      groups: [{ filter: "lr * bs < 8", params: { lr: [1, 2] } }, { params: { bs: [3, 4] } }]
    }
    expect(expanded(sweep).points.map(({ filters }) => filters)).toEqual([[], [], [], [false]])
  })
})

describe("what a point sets", () => {
  const base = { type: "product", base_values: { lr: 9, bs: 9, k: 9 } }

  it("is base values, overlaid by defaults, overlaid by what groups choose, whatever their order", () => {
    const groups = [{ params: { lr: [1, 2] } }, { defaults: { lr: 5, bs: 6 }, params: { n: [3] } }]
    const wanted = [{ lr: 1, bs: 6, k: 9, n: 3 }, { lr: 2, bs: 6, k: 9, n: 3 }]
    expect(parameters({ ...base, groups })).toEqual(wanted)
    expect(parameters({ ...base, groups: groups.toReversed() })).toEqual(wanted)
  })

  it("takes the inner of two defaults, and the later of two choices", () => {
    const inner = { defaults: { lr: 2, bs: 2 }, configs: [{ bs: 3 }] }
    expect(parameters({ type: "product", groups: [{ defaults: { lr: 1, bs: 1, k: 1 }, groups: [inner] }] })).toEqual([
      { lr: 2, bs: 3, k: 1 }
    ])
    expect(parameters({ type: "product", groups: [{ configs: [{ a: 1 }] }, { configs: [{ a: 2 }] }] })).toEqual([
      { a: 2 }
    ])
  })

  it("keeps a chosen mapping whole although a later default reaches into it", () => {
    const groups = [{ configs: [{ opt: { lr: 1 } }] }, { defaults: { "opt.lr": 5 }, params: { n: [1] } }]
    const [point = {}] = parameters({ type: "product", base_values: { "opt.lr": 7 }, groups })
    expect(Object.entries(point)).toEqual([["opt.lr", 5], ["opt", { lr: 1 }], ["n", 1]])
  })

  it("takes defaults of the whole sweep as base values, which win over them", () => {
    expect(parameters({ defaults: { a: 1, b: 1 }, base_values: { b: 2 } })).toEqual([{ a: 1, b: 2 }])
  })
})

describe("a composed key", () => {
  const composed = (groups: ReadonlyArray<object>, base_values = {}) =>
    parameters({ type: "product", list_composition: ["p"], base_values, groups }).map(({ p }) => p)

  it("has the values of all groups in order, after the base value", () => {
    expect(composed([{ params: { p: ["a", "b"] } }, { configs: [{ p: ["c", "d"] }] }], { p: "base" })).toEqual([
      ["base", "a", "c", "d"],
      ["base", "b", "c", "d"]
    ])
  })

  it("has a group's default only where nothing in the group sets it, and once", () => {
    const inner = { groups: [{ params: { n: [1] } }, { configs: [{ m: 1 }] }] }
    expect(composed([{ params: { p: ["a"] } }, { defaults: { p: "d" }, ...inner }])).toEqual([["a", "d"]])
    expect(composed([{ defaults: { p: "d" }, groups: [{ params: { p: ["a"] } }, { configs: [{ p: "b" }] }] }])).toEqual(
      [
        ["a", "b"]
      ]
    )
  })
})

describe("zip", () => {
  it("takes the first values together, then the second", () => {
    expect(parameters({ type: "product", groups: [{ type: "zip", params: { a: [1, 2], b: [3, 4] } }] })).toEqual([
      { a: 1, b: 3 },
      { a: 2, b: 4 }
    ])
  })

  it("lines groups up, at the top too, and multiplies with others", () => {
    const zip = { type: "zip", groups: [{ params: { a: [1, 2] } }, { configs: [{ b: 3 }, { b: 4, c: 5 }] }] }
    expect(parameters(zip)).toEqual([{ a: 1, b: 3 }, { a: 2, b: 4, c: 5 }])
    expect(parameters({ type: "product", groups: [zip, { params: { d: [0, 1] } }] })).toHaveLength(4)
  })

  it("needs equal lengths", () => {
    expect(mistake({ type: "product", groups: [{ type: "zip", params: { a: [1, 2], b: [3] } }] })).toBe(
      "sweep.groups[0].params: zip needs equal lengths: a has 2, b has 1"
    )
    expect(mistake({ type: "zip", groups: [{ params: { a: [1, 2] } }, { configs: [{ b: 1 }] }] })).toBe(
      "sweep.groups: zip needs equal lengths: group 0 has 2, group 1 has 1"
    )
  })
})

describe("grids", () => {
  it("are products, one after the other, at the top or in a group", () => {
    const grids = [{ a: [1, 2], b: [3] }, { a: [4] }]
    const wanted = [{ a: 1, b: 3 }, { a: 2, b: 3 }, { a: 4 }]
    expect(parameters({ grids })).toEqual(wanted)
    expect(parameters({ type: "product", groups: [{ grids }] })).toEqual(wanted)
  })
})

describe("what is told", () => {
  const group = (value: unknown) => mistake({ type: "product", groups: [{ params: { a: [1] } }, value] })

  it("is each mistake with its place", () => {
    expect(group({ params: { lr: 5 } })).toBe("sweep.groups[1].params.lr: the values are a list, as in [5]")
    expect(group({ parms: { lr: [5] } })).toMatch(
      /^sweep\.groups\[1\]\.parms: a group has no key "parms"; did you mean/
    )
    expect(group({ type: "prod", params: {} })).toMatch(/^sweep\.groups\[1\]\.type: 'prod' is not product, list, /)
    expect(group({ filter: 3, params: {} })).toMatch(/^sweep\.groups\[1\]\.filter: a filter is true, false or /)
    expect(group({ configs: [{ groups: [{ configs: [4] }] }] })).toBe(
      "sweep.groups[1].configs[0].groups[0].configs[0]: a config is a mapping of what a point sets, not 4"
    )
    expect(group({ params: { lr: { uniform: [0, 1] } } })).toMatch(/^sweep\.groups\[1\]\.params\.lr: only a group of /)
    expect(group({ type: "zip", configs: [{ a: 1 }] })).toMatch(
      /^sweep\.groups\[1\]\.type: zip lines up params or groups/
    )
    expect(mistake({ axes: { a: [1] }, groups: [{ params: {} }] })).toMatch(/^sweep\.groups: a sweep has only one of /)
  })

  it("is a filter that has no value, with its place and the point", () => {
    expect(group({ filter: "b > 1", params: { c: [2] } })).toMatch(
      /^sweep\.groups\[1\]\.filter: "b > 1" is wrong at column 1, for the point a=1, c=2: /
    )
  })

  it("is what has no effect", () => {
    expect(expanded({ groups: [{ params: { a: [1, 2] } }] }).notes).toEqual([
      "sweep.groups has no effect without sweep.type: this is one point. Add type: product or type: list"
    ])
    expect(expanded({ type: "product", groups: [{ params: { a: { x: 1 } } }] }).notes[0]).toMatch(
      /^sweep\.groups\[0\]\.params\.a is a mapping/
    )
    expect(expanded({ type: "product", groups: [{ params: { a: [1] } }] }).notes).toEqual([])
  })

  it("is a sweep that filters leave empty, unless it may be", () => {
    const sweep = { type: "product", base_values: { k: 1 }, groups: [{ filter: false, params: { a: [1, 2] } }] }
    expect(mistake(sweep)).toBe(
      "sweep.filter: the filters keep none of the sweep's 2 points; with sweep.allow_empty=true base_values alone are one"
    )
    expect(parameters({ ...sweep, allow_empty: true })).toEqual([{ k: 1 }])
  })

  it("is an absurd size, before it is made", () => {
    const list = Array.from({ length: 1000 }, (_, index) => index)
    const params = { a: list, b: list, c: list, d: list }
    for (const type of ["product", "zip"]) {
      expect(mistake({ type, groups: [{ params }, { params }] })).toMatch(/ points, which is more than 100000$/)
    }
    expect(mistake({ type: "random", samples: 1e9, groups: [{ params }] })).toBe(
      "sweep.samples: samples must be from 1 to 100000, not 1000000000"
    )
    expect(expanded({ type: "random", samples: 3, groups: [{ params }] }).points).toHaveLength(3)
  })
})

describe("a filter that only the resolved point can answer", () => {
  const groups = [{ filter: "x == 2", configs: [{ x: 1, y: 1 }, { x: 2, y: "${oc.add:1,1}" }] }]
  const filters = (filter: unknown) =>
    Either.map(expand({ type: "product", groups, filter }), (all) => all.points.map((point) => point.filters))

  it("is left to it, with what it cannot know yet", () => {
    expect(filters("${oc.gt:${x},1}")).toEqual(Either.right([[false], ["${oc.gt:${x},1}"]]))
    expect(filters("y == 2")).toEqual(Either.right([[false], ["y == 2"]]))
  })
})
