/** The points of a sweep in the order of their phases: each with its own config, identity, name and places. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Record from "effect/Record"
import { pyStr } from "../backend/python.ts"
import { formatArrayIndices } from "../backend/slurm/arraySpec.ts"
import { isList, isMap, type Value, type ValueMap } from "../backend/Value.ts"
import { holdsAt } from "../config/holdsAt.ts"
import { leafName } from "../config/leaves.ts"
import type { Loaded, PointLoaded } from "../config/load.ts"
import type { ConfigError } from "../config/Problem.ts"
import { expandSweep } from "../sweep/expandSweep.ts"
import { formatTemplate } from "../sweep/format.ts"
import { distinctNames, jobName, nameVariables } from "../sweep/names.ts"
import { phases } from "../sweep/phases.ts"
import { isFilteredOut, type SweepError, type SweepPoint } from "../sweep/SweepPoint.ts"
import { type Assigned, assignKnown, type KnownJob } from "./growth.ts"
import { identityOf } from "./identity.ts"
import { withoutOverridden } from "./overridden.ts"
import { type JobPlaces, jobPlaces, type PlanPlace } from "./places.ts"
import { PlanError } from "./PlanError.ts"
import { settingPath } from "./settingPath.ts"

/** A point with all that is known of its job before its command and its script. */
export interface PlannedPoint extends JobPlaces {
  /** Position in the sweep. */
  readonly place: number
  /** The job's index: the same, unless the plan grows a session. */
  readonly index: number
  readonly name: string
  /** "" for none. */
  readonly stage: string
  readonly identity: string
  readonly loaded: PointLoaded
  /** The phases that it refers to, by their stages. */
  readonly siblings: ReadonlyMap<string, PlannedPoint>
  /** Whether the sweep's filters keep it; if not, it is only there for others to refer to. */
  readonly kept: boolean
}

/** The points of a plan. */
export interface PlannedPoints {
  /** Those that are jobs of this plan, by their indices. */
  readonly points: ReadonlyArray<PlannedPoint>
  /** Jobs of the session that grows which the sweep no longer has. */
  readonly gone: ReadonlyArray<KnownJob>
  /** Sentences for people. */
  readonly notes: ReadonlyArray<string>
}

export interface PointOptions extends PlanPlace {
  /** Indices of the jobs to plan, null for all. */
  readonly subset: ReadonlyArray<number> | null
  /** Jobs of the session that grows, null for none. */
  readonly known: ReadonlyArray<KnownJob> | null
}

type Planned<A> = Either.Either<A, PlanError | ConfigError>

type Walked<A> = Effect.Effect<A, PlanError | ConfigError>

/** How many points are resolved at a stretch: about a tenth of a second. */
const atStretch = 50

/** Lets timers and files have their turn: whoever composes a large sweep again may be watching it. */
const pause = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

const sweepError = ({ at, message }: SweepError) => PlanError.at(at, message)

/** The error with the place in the section where the parameter at fault is set, as far as it is found there. */
const phaseError = (loaded: Loaded) => ({ at, message, parameter }: SweepError) => {
  const path = parameter === undefined ? null : settingPath(loaded.resolved["sweep"] ?? null, parameter, ["sweep"])
  return PlanError.at(path === null ? at : leafName(path), message)
}

const stageOf = ({ parameters }: Pick<SweepPoint, "parameters">): string => {
  const stage = parameters["stage"] ?? null
  return stage === null ? "" : pyStr(stage)
}

/** All points of the sweep that this plan makes jobs of; each is resolved after the phases that it refers to. */
export const plannedPoints = (loaded: Loaded, options: PointOptions): Walked<PlannedPoints> =>
  Effect.gen(function*() {
    const { known, subset } = options
    const expansion = yield* Either.mapLeft(expandSweep(loaded.config.sweep), sweepError)
    const { keys, notes, original, points } = withoutOverridden(expansion.points, loaded.sets)
    const { needs, order } = yield* Either.mapLeft(phases({ ...expansion, points }, stageOf), phaseError(loaded))
    const byPlace = new Map(points.map((point) => [point.index, point]))
    const graph: Graph = {
      unswept: keys,
      order: [...new Set(order.map(original))].flatMap((place) => byPlace.get(place) ?? []),
      needs: (place) => [...needs.get(place) ?? []].map(([stage, other]) => [stage, original(other)])
    }
    const there = graph.order.filter((point) => !isFilteredOut(point)).map(({ index }) => index)
    if (known === null && subset !== null) yield* checkSubset(subset, there)
    const first = yield* walk(loaded, known === null && subset !== null ? closure(graph, subset) : graph, options)
    const { gone, places } = known === null ? { gone: [], places: undefined } : assignKnown(first, known)
    const found = places === undefined ? first : yield* walk(loaded, graph, options, places)
    const all = found.filter(({ kept }) => kept).sort((a, b) => a.index - b.index)
    const kept = all.length > 0 ? all : yield* basePoint(loaded, options)
    yield* Either.mapLeft(distinctNames(kept.map((point) => ({ name: point.name, point: named(point) }))), sweepError)
    if (subset !== null) yield* checkSubset(subset, kept.map(({ index }) => index))
    return {
      points: subset === null ? kept : kept.filter(({ index }) => subset.includes(index)),
      gone,
      notes: [...expansion.notes, ...notes]
    }
  })

const named = (
  { index, loaded, stage }: Pick<PlannedPoint, "index" | "loaded" | "stage">,
  unswept: ReadonlyArray<string> = []
) => ({
  index,
  stage,
  parameters: unswept.length === 0 ? loaded.parameters : {
    ...Object.fromEntries(unswept.flatMap((key) => {
      const value = key.split(".").reduce<Value>((at, part) => isMap(at) ? at[part] ?? null : null, loaded.resolved)
      return value === null ? [] : [[key, value]]
    })),
    ...loaded.parameters
  },
  project: loaded.config.project.name
})

/** Points, each after those that it needs. */
interface Graph {
  /** Parameters that the command line sets instead: templates may name them all the same. */
  readonly unswept: ReadonlyArray<string>
  readonly order: ReadonlyArray<SweepPoint>
  readonly needs: (place: number) => ReadonlyArray<readonly [stage: string, place: number]>
}

/** The chosen points, and those that they need. */
const closure = ({ needs, order, unswept }: Graph, chosen: ReadonlyArray<number>): Graph => {
  const wanted = new Set(chosen)
  for (const { index } of order.toReversed()) {
    if (wanted.has(index)) needs(index).forEach(([, place]) => wanted.add(place))
  }
  return { unswept, needs, order: order.filter(({ index }) => wanted.has(index)) }
}

const checkSubset = (subset: ReadonlyArray<number>, there: ReadonlyArray<number>): Either.Either<void, PlanError> => {
  const fail = (message: string) =>
    Either.left(new PlanError({ at: null, file: null, line: null, column: null, message }))
  const all = new Set(there)
  const missing = subset.filter((index) => !all.has(index))
  if (missing.length > 0) {
    return fail(`the sweep has no point ${formatArrayIndices(missing)}; it has ${formatArrayIndices(there)}`)
  }
  return subset.length === 0 ? fail("the subset chooses no point") : Either.void
}

const walk = (
  loaded: Loaded,
  { needs, order, unswept }: Graph,
  options: PointOptions,
  places: ReadonlyMap<number, Assigned> = new Map()
): Walked<ReadonlyArray<PlannedPoint>> =>
  Effect.gen(function*() {
    const done = new Map<number, PlannedPoint>()
    for (const [at, point] of order.entries()) {
      if (at % atStretch === atStretch - 1) yield* pause
      const siblings = needs(point.index).flatMap(([stage, place]) => {
        const sibling = done.get(place)
        return sibling === undefined ? [] : [[stage, sibling] as const]
      })
      const assigned = places.get(point.index) ?? { index: point.index, name: null }
      done.set(point.index, yield* plannedPoint(loaded, point, new Map(siblings), unswept, assigned, options))
    }
    return [...done.values()]
  })

const plannedPoint = (
  { at, config }: Loaded,
  point: SweepPoint,
  siblings: PlannedPoint["siblings"],
  unswept: ReadonlyArray<string>,
  { index, name: given }: Assigned,
  plan: PlanPlace
): Planned<PlannedPoint> =>
  Either.gen(function*() {
    const { filters, parameters: written } = point
    const views = Object.fromEntries([...siblings].map(([stage, sibling]) => [stage, viewOf(sibling)]))
    const loaded = yield* at({ index, stage: stageOf(point), parameters: written, siblings: views })
    const stage = stageOf(loaded)
    const holds = yield* Either.all(filters.map((filter) => holdsAt(loaded, filter)))
    const about = named({ index, stage, loaded }, unswept)
    const name = given ?? (yield* Either.mapLeft(jobName(config.sweep.name_template, about), sweepError))
    const identities = new Map([...siblings].map(([stage, { identity }]) => [stage, identity]))
    return {
      ...yield* jobPlaces(loaded.config, name, nameVariables(about), plan),
      place: point.index,
      index,
      name,
      stage,
      identity: identityOf({ written, resolved: loaded.parameters, siblings: identities }),
      loaded,
      siblings,
      kept: holds.every((held) => held)
    }
  })

/** What is run when the filters keep nothing, if that is allowed. */
const basePoint = (loaded: Loaded, options: PointOptions): Walked<ReadonlyArray<PlannedPoint>> => {
  const { allow_empty: allowed, base_values: base, defaults } = loaded.config.sweep
  const point = { index: 0, parameters: { ...defaults, ...base }, choices: new Map<string, number>(), filters: [] }
  return allowed
    ? walk(loaded, { unswept: [], order: [point], needs: () => [] }, options)
    : PlanError.at(
      "sweep.filter",
      "the filters keep none of the sweep's points; with sweep.allow_empty=true base_values alone are one"
    )
}

const views = new WeakMap<PlannedPoint, ValueMap>()

/**
 * What `${sibling.STAGE.…}` finds of a point: its parameters, its config, and where its job stands. Templates of its
 * backend stand there as its job gets them.
 */
const viewOf = (point: PlannedPoint): ValueMap => {
  const { index, loaded, logPath, name, outputDir, stage } = point
  const known = views.get(point)
  if (known !== undefined) return known
  const { sweep: _, ...config } = loaded.resolved
  const others = Object.entries(loaded.others).reduce((view, [key, value]) => within(view, key.split("."), value), {})
  const view: ValueMap = {
    ...others,
    ...config,
    backend: rendered(config["backend"] ?? null, point.variables),
    parameters: loaded.parameters,
    index,
    stage,
    name,
    output_dir: outputDir,
    log_path: logPath,
    log_path_current: `${outputDir}/current.log`
  }
  views.set(point, view)
  return view
}

/** Texts filled in with what they may name; their braces are doubled, since whoever refers to them renders them too. */
const rendered = (value: Value, variables: ValueMap): Value => {
  if (isList(value)) return value.map((item) => rendered(item, variables))
  if (isMap(value)) return Record.map(value, (item) => rendered(item, variables))
  if (typeof value !== "string" || !/[{}]/.test(value)) return value
  return Either.match(formatTemplate(value, variables), {
    // It is no template, or the job's own launch tells what is wrong with it.
    onLeft: () => value,
    onRight: (text) => text.replaceAll(/[{}]/g, "$&$&")
  })
}

const within = (map: ValueMap, [key = "", ...rest]: ReadonlyArray<string>, value: Value): ValueMap => {
  const inner = map[key] ?? {}
  return { ...map, [key]: rest.length === 0 ? value : within(isMap(inner) ? inner : {}, rest, value) }
}
