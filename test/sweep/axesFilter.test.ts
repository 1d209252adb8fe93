import * as Either from "effect/Either"
import * as fs from "node:fs"
import { describe, expect, it } from "vitest"
import { pyStr } from "../../src/backend/python.ts"
import type { Value, ValueMap } from "../../src/backend/Value.ts"
import { typed } from "../conformance/typed.ts"
import { mistake, points as sweepPoints } from "./sweeping.ts"

type Types = Readonly<Record<string, string>>

interface Case {
  readonly name: string
  readonly sweep: ValueMap
  readonly sweep_types?: Types
  readonly types?: Types
  readonly expected?: { readonly points: unknown }
}

const cases: ReadonlyArray<Case> = JSON.parse(
  fs.readFileSync(new URL("../conformance/sweep/seed.json", import.meta.url), "utf8")
)

/** What the recorded software does and this one does not, on purpose; of what works here, which points there are. */
const otherwise: Readonly<Record<string, { readonly why: string; readonly points?: ReadonlyArray<ValueMap> }>> = {
  filter_string_methods: { why: "texts have no methods here" },
  filter_dict_get: { why: "mappings have no methods here" },
  filter_lambda_argument: { why: "there are no functions of one's own" },
  filter_dotted_key_via_locals: { why: "there is no locals()" },
  filter_generator_sees_no_axis: {
    why: "the point's names are known everywhere",
    points: [{ k: 10n, a: 1n }, { k: 10n, a: 2n }]
  },
  filter_dotted_key_unreachable: { why: "dotted names work", points: [{ k: 10n, "model.layers": 4n }] }
}
/** A filter that keeps nothing is an error, unless it may. */
const empty = ["filter_always_false", "filter_removes_all", "filter_empty_string", "filter_yaml_int"]

const settings = ({ sweep, sweep_types }: Case, allow_empty = false) => {
  const { axes = null, base_values, filter = null } = typed(sweep, sweep_types ?? {}) as ValueMap
  return {
    axes,
    base_values: (base_values ?? {}) as ValueMap,
    filter: filter === null ? null : pyStr(filter),
    allow_empty
  }
}

const recorded = cases.filter(({ sweep }) => "filter" in sweep)
const expected = ({ expected, types }: Case): Value =>
  (typed(expected ?? {}, types ?? {}) as ValueMap)["points"] ?? null
const message = (sweep: object): string => mistake({ axes: { a: [1, 2], s: "x" }, ...sweep }).replace(/^[^:]*: /, "")

describe("a recorded filter", () => {
  it.each(recorded.filter(({ name }) => !(name in otherwise) && !empty.includes(name)))(
    "keeps the same points, or is wrong as well: $name",
    (it) => {
      const points = sweepPoints(settings(it))
      if (it.expected === undefined) expect(Either.isLeft(points)).toBe(true)
      else expect(points).toEqual(Either.right(expected(it)))
    }
  )

  it.each(recorded.filter(({ name }) => name in otherwise))("is read otherwise, on purpose: $name", (it) => {
    const points = sweepPoints(settings(it))
    const wanted = otherwise[it.name]?.points
    if (wanted === undefined) expect(Either.isLeft(points)).toBe(true)
    else {
      const plain = Either.getOrThrow(points).map(({ parameters }) => Object.entries(parameters))
      expect(plain.map((entries) => entries.map(([key, value]) => [key, pyStr(value)]))).toEqual(
        wanted.map((parameters) => Object.entries(parameters).map(([key, value]) => [key, pyStr(value)]))
      )
    }
  })

  it.each(recorded.filter(({ name }) => empty.includes(name)))("may keep nothing only if asked for: $name", (it) => {
    expect(Either.flip(sweepPoints(settings(it)))).toEqual(
      Either.right(expect.objectContaining({ at: "sweep.filter", message: expect.stringContaining("keeps none of") }))
    )
    expect(sweepPoints(settings(it, true))).toEqual(Either.right(expected(it)))
  })
})

describe("a wrong filter", () => {
  it("says where and for which point", () => {
    expect(message({ filter: "a > 1 or a < s" })).toMatch(
      /^"a > 1 or a < s" is wrong at column \d+, for the point a=1, s=x: .*\.$/
    )
    expect(message({ filter: "a >" })).toMatch(/^"a >" is wrong at column 4, /)
    expect(message({ filter: "aa > 1" })).toContain("aa")
  })

  it("reaches nothing of this machine", () => {
    for (const filter of ["__import__('os').getcwd()", "a.constructor", "().__class__", "open('/etc/passwd')"]) {
      expect(message({ filter })).toMatch(/is wrong at column \d+, /)
    }
  })

  it("that keeps nothing says how many points there were", () => {
    expect(message({ filter: "a > 99" })).toBe(
      "\"a > 99\" keeps none of the sweep's 2 points; with sweep.allow_empty=true base_values alone are one"
    )
  })

  it("does not hide an empty axis", () => {
    expect(message({ axes: { a: [] }, filter: "a > 1", allow_empty: true })).toContain("the list is empty")
  })
})
