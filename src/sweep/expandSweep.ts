/** The points of a `sweep` section, in whichever language it is written. */
import * as Either from "effect/Either"
import { isList, isMap, type Value, type ValueMap } from "../backend/Value.ts"
import { type Filter, filtering } from "./filters.ts"
import { filtersOf } from "./groupParts.ts"
import { parametersBy } from "./parameters.ts"
import { readAxes } from "./readAxes.ts"
import { readGrids, readGroups } from "./readGroups.ts"
import type { Sweep } from "./Sweep.ts"
import { type Expansion, isFilteredOut, SweepError, type SweepPoint } from "./SweepPoint.ts"
import { MAX_POINTS, placesOf, product, sizeOf, type Tree, walk } from "./Tree.ts"

/** What decides which points there are. */
export type SweepSettings = Omit<Sweep, "name_template" | "store_sweep_json" | "class_name" | "description">

/**
 * All points of `sweep`, in order, at most 100,000 of them. Of `axes`, points that the filter leaves out are gone, and
 * the others counted anew; of `groups` and `grids` they stay, for others to refer to. Fails where the section cannot be
 * read, where a filter has no value, and where filters leave nothing, unless `allow_empty`: then the base values alone
 * are the one point.
 */
export const expandSweep = (sweep: SweepSettings): Either.Either<Expansion, SweepError> =>
  Either.gen(function*() {
    const notes: Array<string> = []
    const { language, tree } = yield* read(sweep, (text) => notes.push(text))
    const size = sizeOf(tree)
    if (size > MAX_POINTS) {
      return yield* fail(`sweep.${language}`, `the sweep has ${size} points, which is more than ${MAX_POINTS}`)
    }
    const all = yield* pointsOf(tree, sweep)
    const kept = all.filter((point) => !isFilteredOut(point))
    if (kept.length === 0) {
      if (sweep.allow_empty) return { points: [basePoint(sweep)], places: new Map(), notes }
      const what = typeof sweep.filter === "string" ? `"${sweep.filter}" keeps` : "the filters keep"
      return yield* fail(
        "sweep.filter",
        `${what} none of the sweep's ${all.length} points; with sweep.allow_empty=true base_values alone are one`
      )
    }
    const points = language === "axes" ? kept.map((point, index) => ({ ...point, index })) : all
    return { points, places: placesOf(tree), notes }
  })

const fail = (at: string, message: string) => Either.left(new SweepError({ at, message }))

const baseValues = (sweep: SweepSettings): ValueMap => ({ ...sweep.defaults, ...sweep.base_values })

const basePoint = (sweep: SweepSettings): SweepPoint => ({
  index: 0,
  parameters: baseValues(sweep),
  choices: new Map(),
  filters: []
})

const languages = ["axes", "groups", "grids"] as const

const isEmpty = (value: Value, language: string): boolean =>
  value === null || (isMap(value) && Object.keys(value).length === 0) ||
  (language !== "axes" && isList(value) && value.length === 0)

interface Reading {
  readonly language: (typeof languages)[number]
  readonly tree: Tree
}

const read = (sweep: SweepSettings, note: (text: string) => void): Either.Either<Reading, SweepError> =>
  Either.gen(function*() {
    const { seed, samples, type } = sweep
    const given = languages.filter((language) => !isEmpty(sweep[language], language))
    const [language = "axes", second] = given
    if (second !== undefined) {
      return yield* fail(
        `sweep.${second}`,
        `a sweep has only one of ${languages.join(", ")}, and this has ${language} too`
      )
    }
    if (language === "groups" && type === null) {
      note("sweep.groups has no effect without sweep.type: this is one point. Add type: product or type: list")
      return { language, tree: product([]) }
    }
    if (language !== "groups" && type !== null) {
      note(`sweep.type has no effect ${given.length === 0 ? "without sweep.groups: this is one point" : "here"}`)
    }
    if (language === "groups") {
      const drawing = { samples, seed: seed ?? 0 }
      return { language, tree: yield* readGroups(sweep.groups, "sweep", type, drawing, note) }
    }
    return {
      language,
      tree: language === "axes" ? yield* readAxes(sweep.axes) : yield* readGrids(sweep.grids, "sweep.grids", note)
    }
  })

const pointsOf = (tree: Tree, sweep: SweepSettings): Either.Either<ReadonlyArray<SweepPoint>, SweepError> =>
  Either.gen(function*() {
    const parametersOf = parametersBy(baseValues(sweep), sweep.list_composition)
    const own = yield* filtersOf(sweep.filter, "sweep.filter")
    const found: Array<Omit<SweepPoint, "filters"> & { readonly asked: ReadonlyArray<Filter> }> = []
    walk(tree, ({ choices, steps }) => {
      const asked = steps.flatMap((step) => (step.kind === "opens" ? step.group.filters : []))
      found.push({
        index: found.length,
        parameters: parametersOf(steps),
        choices: new Map(choices),
        asked: [...own, ...asked]
      })
    })
    const judge = filtering()
    const points: Array<SweepPoint> = []
    for (const { asked, ...point } of found) {
      points.push({ ...point, filters: yield* judge(asked, point.parameters) })
    }
    return points
  })
