/** Which points are phases of one experiment, what each needs of the others, and the order that follows. */
import * as Either from "effect/Either"
import { didYouMean } from "../backend/nearest.ts"
import { isList, isMap, type Value } from "../backend/Value.ts"
import { siblings } from "./siblings.ts"
import { type Expansion, isFilteredOut, SweepError, type SweepPoint } from "./SweepPoint.ts"

/** What points need of each other. */
export interface Phases {
  /** By the index of a point in `order`: the index of its sibling of each stage that its parameters refer to. */
  readonly needs: ReadonlyMap<number, ReadonlyMap<string, number>>
  /**
   * Indices of all points that are jobs, or that jobs need: those without needs first, then generation by generation.
   * A point that a filter has left out is among them only if another needs it.
   */
  readonly order: ReadonlyArray<number>
}

/**
 * The phases among the points of a sweep, whose stages `stageOf` tells. A parameter refers to a sibling by
 * `${sibling.STAGE.…}`. Fails where no point, or more than one, can be meant, and where phases need each other.
 */
export const phases = (
  expansion: Expansion,
  stageOf: (point: SweepPoint) => string
): Either.Either<Phases, SweepError> =>
  Either.gen(function*() {
    const { points } = expansion
    const find = siblings(expansion, stageOf)
    const byIndex = new Map(points.map((point) => [point.index, point]))
    const stages = new Set(points.map(stageOf))
    const needs = new Map<number, ReadonlyMap<string, number>>()
    const wanted = points.filter((point) => !isFilteredOut(point))
    for (const point of wanted) {
      const own = new Map<string, number>()
      for (const [stage, key] of references(point)) {
        const [sibling, another] = find(point, stage)
        if (sibling === undefined) return yield* missing(point, stageOf(point), key, stage, stages)
        if (another !== undefined) return yield* ambiguous(point, stageOf(point), key, stage, find(point, stage))
        own.set(stage, sibling.index)
      }
      for (const index of own.values()) {
        const needed = byIndex.get(index)
        // Points that were left out are looked at only here; a loop that grows while it runs sees them too.
        if (needed !== undefined && isFilteredOut(needed) && !needs.has(index)) {
          needs.set(index, new Map())
          wanted.push(needed)
        }
      }
      needs.set(point.index, own)
    }
    const way = (cycle: ReadonlyArray<number>) => circular(cycle.flatMap((index) => byIndex.get(index) ?? []), stageOf)
    return { needs, order: yield* Either.mapLeft(ordered(needs), way) }
  })

const reference = /(?:\$\{|oc\.select:)\s*sibling\.([^.\s{}[\],:$]+)/g

/** The stages that a point refers to, each with the first key that does. */
const references = ({ parameters }: SweepPoint): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  const visit = (value: Value, key: string): void => {
    if (typeof value === "string") {
      if (!value.includes("sibling.")) return
      for (const [, stage = ""] of value.matchAll(reference)) if (!found.has(stage)) found.set(stage, key)
    } else if (isList(value)) { for (const item of value) visit(item, key) }
    else if (isMap(value)) { for (const item of Object.values(value)) visit(item, key) }
  }
  for (const [key, value] of Object.entries(parameters)) visit(value, key)
  return found
}

const describe = (point: SweepPoint | undefined, stageOf: (point: SweepPoint) => string): string => {
  const stage = point === undefined ? "" : stageOf(point)
  return `point ${point?.index}${stage === "" ? "" : ` (stage ${stage})`}`
}

const refers = ({ index }: SweepPoint, own: string, key: string, stage: string): string =>
  `"${key}" of ${
    describe({ index, parameters: {}, choices: new Map(), filters: [] }, () => own)
  } refers to sibling.${stage}`

const failOf = ({ parameters }: SweepPoint, key: string, message: string) =>
  Either.left(new SweepError({ at: "sweep", message, parameter: { key, value: parameters[key] ?? null } }))

const missing = (point: SweepPoint, own: string, key: string, stage: string, stages: ReadonlySet<string>) => {
  const start = refers(point, own, key, stage)
  if (own === stage) return failOf(point, key, `${start}, which is the point itself`)
  if (stages.has(stage)) {
    return failOf(
      point,
      key,
      `${start}, but no point with that stage is its sibling: each differs in more than the stage`
    )
  }
  const known = [...stages].filter((name) => name !== "" && name !== own)
  return failOf(point, key, `${start}, but no point has that stage; ${didYouMean(stage, known)}`)
}

const ambiguous = (
  point: SweepPoint,
  own: string,
  key: string,
  stage: string,
  found: ReadonlyArray<SweepPoint>
) => {
  const shown = found.slice(0, 5).map(({ index }) => `point ${index}`).join(", ")
  const more = found.length > 5 ? ` and ${found.length - 5} more` : ""
  return failOf(
    point,
    key,
    `${refers(point, own, key, stage)}, which may be any of ${shown}${more}; ` +
      "vary the same keys in both stages, or put what they share into a group of its own"
  )
}

/** Told where the first of them refers to the second. */
const circular = (way: ReadonlyArray<SweepPoint>, stageOf: (point: SweepPoint) => string): SweepError => {
  const [first, second] = way
  const message = `these need each other: ${way.map((point) => describe(point, stageOf)).join(" -> ")}; ` +
    "one of them has to do without"
  const key = first === undefined || second === undefined ? undefined : references(first).get(stageOf(second))
  return key === undefined
    ? new SweepError({ at: "sweep", message })
    : new SweepError({ at: "sweep", message, parameter: { key, value: first?.parameters[key] ?? null } })
}

type Needs = ReadonlyMap<number, ReadonlyMap<string, number>>

/**
 * Generation by generation, each in the order in which the one before releases its points; left: a way round among those
 * that need each other.
 */
const ordered = (needs: Needs): Either.Either<ReadonlyArray<number>, ReadonlyArray<number>> => {
  const dependants = new Map<number, Array<number>>()
  const open = new Map<number, number>()
  const indices = [...needs.keys()].sort((a, b) => a - b)
  for (const index of indices) {
    const own = new Set(needs.get(index)?.values())
    open.set(index, own.size)
    for (const need of own) {
      const released = dependants.get(need)
      if (released === undefined) dependants.set(need, [index])
      else released.push(index)
    }
  }
  const order = indices.filter((index) => open.get(index) === 0)
  for (const index of order) {
    for (const dependant of dependants.get(index) ?? []) {
      const left = (open.get(dependant) ?? 0) - 1
      open.set(dependant, left)
      if (left === 0) order.push(dependant)
    }
  }
  if (order.length === indices.length) return Either.right(order)
  return Either.left(cycle(needs, new Set(indices.filter((index) => (open.get(index) ?? 0) > 0))))
}

/** A way that ends where it begins, among points that all need another of them. */
const cycle = (needs: Needs, stuck: ReadonlySet<number>): ReadonlyArray<number> => {
  const path = new Set<number>()
  let [next] = stuck
  while (next !== undefined && !path.has(next)) {
    path.add(next)
    next = [...needs.get(next)?.values() ?? []].find((index) => stuck.has(index))
  }
  const all = [...path]
  return next === undefined ? all : [...all.slice(all.indexOf(next)), next]
}
