/** Which points are phases of the same experiment. */
import { pointKey } from "./identity.ts"
import type { Expansion, SweepPoint } from "./SweepPoint.ts"

/** Points whose ways lead through the same places. */
interface Shape {
  readonly places: ReadonlySet<string>
  /** The keys that are varied at these places. */
  readonly keys: ReadonlySet<string>
}

/** How the points of one shape find their siblings of one stage and shape. */
interface Matching {
  /** What both chose. */
  readonly places: ReadonlyArray<string>
  /** What both vary. */
  readonly keys: ReadonlyArray<string>
  readonly byPlaces: ReadonlyMap<string, ReadonlyArray<SweepPoint>>
  /** Made when it is first needed, which it mostly is not. */
  readonly byKeys: () => ReadonlyMap<string, ReadonlyArray<SweepPoint>>
}

const grouped = <A>(items: ReadonlyArray<A>, by: (item: A) => string): ReadonlyMap<string, ReadonlyArray<A>> => {
  const groups = new Map<string, Array<A>>()
  for (const item of items) {
    const group = groups.get(by(item))
    if (group === undefined) groups.set(by(item), [item])
    else group.push(item)
  }
  return groups
}

/**
 * Finds siblings. Two points are phases of one experiment if they took the same alternative at each place that is on
 * both their ways, but for those where the stage is chosen. Of several of one stage, those are nearer which have the same
 * values of all keys that both vary.
 */
export const siblings = (
  { places, points }: Expansion,
  stageOf: (point: SweepPoint) => string
): (point: SweepPoint, stage: string) => ReadonlyArray<SweepPoint> => {
  const shapes = new Map<string, Shape>()
  const shapeIds = new Map<number, string>()
  for (const { choices, index } of points) {
    const names = [...choices.keys()]
    const id = names.join("\n")
    shapeIds.set(index, id)
    if (!shapes.has(id)) {
      const keys = names.flatMap((place) => places.get(place)?.keys ?? []).filter((key) => key !== "stage")
      shapes.set(id, {
        places: new Set(names.filter((place) => places.get(place)?.stage !== true)),
        keys: new Set(keys)
      })
    }
  }
  const idOf = ({ index }: SweepPoint) => shapeIds.get(index) ?? ""
  const stages = new Map(
    [...grouped(points, stageOf)].map(([stage, members]) => [stage, [...grouped(members, idOf)]] as const)
  )
  const matchings = new Map<string, ReadonlyArray<Matching>>()
  const match = (shape: Shape, stage: string): ReadonlyArray<Matching> =>
    (stages.get(stage) ?? []).map(([id, members]) => {
      const other = shapes.get(id) ?? shape
      const shared = [...shape.places].filter((place) => other.places.has(place))
      const keys = [...shape.keys].filter((key) => other.keys.has(key))
      return {
        places: shared,
        keys,
        byPlaces: grouped(members, (point) => choicesText(point, shared)),
        byKeys: once(() => grouped(members, (point) => choicesText(point, shared) + valuesText(point, keys)))
      }
    })
  return (point, stage) => {
    const id = idOf(point)
    const shape = shapes.get(id)
    if (shape === undefined) return []
    const name = `${stage}\n${id}`
    const known = matchings.get(name) ?? match(shape, stage)
    matchings.set(name, known)
    const others = (found: ReadonlyArray<SweepPoint>) => found.filter(({ index }) => index !== point.index)
    const all = known.map(({ byPlaces, places }) => byPlaces.get(choicesText(point, places)) ?? [])
    if (all.reduce((count, { length }) => count + length, 0) > 1) {
      const near = others(
        known.flatMap(({ byKeys, keys, places }) =>
          byKeys().get(choicesText(point, places) + valuesText(point, keys)) ?? []
        )
      )
      if (near.length > 0) return near
    }
    return others(all.flat())
  }
}

const once = <A>(make: () => A): () => A => {
  let made: { readonly value: A } | null = null
  return () => (made ??= { value: make() }).value
}

const choicesText = ({ choices }: SweepPoint, places: ReadonlyArray<string>): string =>
  places.map((place) => choices.get(place)).join()

const valuesText = ({ parameters }: SweepPoint, keys: ReadonlyArray<string>): string =>
  keys.map((key) => pointKey({ [key]: parameters[key] ?? null })).join()
