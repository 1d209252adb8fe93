/** The command line wins over the sweep: what it sets is varied no more. */
import { isMap, type Value, type ValueMap } from "../backend/Value.ts"
import { pointKey } from "../sweep/identity.ts"
import { isFilteredOut, type SweepPoint } from "../sweep/SweepPoint.ts"

/** The points without the parameters that were set otherwise. */
export interface Remaining {
  readonly points: ReadonlyArray<SweepPoint>
  /** The parameters that were left out. */
  readonly keys: ReadonlyArray<string>
  /** The first of the points that are the same as the one of this index, by its index. */
  readonly original: (index: number) => number
  /** Sentences for people. */
  readonly notes: ReadonlyArray<string>
}

/** Leaves out what `sets` says is set on the command line; points that nothing else tells apart are one, the first. */
export const withoutOverridden = (
  points: ReadonlyArray<SweepPoint>,
  sets: (key: string, value: Value) => boolean
): Remaining => {
  const without = new Set<string>()
  /** Of a mapping only those of its parts that are set. */
  const unset = (parameters: ValueMap, prefix = ""): ValueMap =>
    Object.fromEntries(
      Object.entries(parameters).flatMap<readonly [string, Value]>(([part, value]) => {
        const key = `${prefix}${part}`
        if (!sets(key, value)) return [[part, value]]
        const parts = isMap(value) ? unset(value, `${key}.`) : {}
        if (Object.keys(parts).length > 0) return [[part, parts]]
        without.add(key)
        return []
      })
    )
  const left = points.map((point) => ({ ...point, parameters: unset(point.parameters) }))
  const keys = [...without]
  if (keys.length === 0) return { points, keys, original: (index) => index, notes: [] }
  const firsts = new Map<string, number>()
  const originals = new Map<number, number>()
  const filteredOut = left.filter(isFilteredOut)
  for (const point of [...left.filter((point) => !isFilteredOut(point)), ...filteredOut]) {
    const key = pointKey(point.parameters)
    const first = firsts.get(key) ?? point.index
    firsts.set(key, first)
    originals.set(point.index, first)
  }
  const one = left.length - filteredOut.length - new Set(
    left.filter((point) => !isFilteredOut(point)).map(({ index }) => originals.get(index))
  ).size
  const told = `the command line sets ${keys.join(", ")}, which wins over the sweep`
  return {
    points: left,
    keys,
    original: (index) => originals.get(index) ?? index,
    notes: [one === 0 ? told : `${told}; ${one} of its points are the same as others now, and left out`]
  }
}
