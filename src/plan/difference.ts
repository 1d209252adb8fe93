/** What a point's config differs in from the one that all points share. */
import { isMap, same, type Value, type ValueMap } from "../backend/Value.ts"
import { leafName } from "../config/leaves.ts"

export interface Difference {
  /** Values by their paths; lists count as a whole. */
  readonly config: Readonly<Record<string, Value>>
  /** Paths of what is shared, and is not there. */
  readonly without: ReadonlyArray<string>
}

/** `own` against `shared`; what is the same object in both costs nothing to compare. */
export const difference = (shared: ValueMap, own: ValueMap): Difference => {
  const config: Record<string, Value> = {}
  const without: Array<string> = []
  const visit = (before: ValueMap, after: ValueMap, path: ReadonlyArray<string>): void => {
    for (const [key, value] of Object.entries(after)) {
      const old = before[key]
      if (old === value) continue
      if (isMap(old) && isMap(value)) visit(old, value, [...path, key])
      else if (old === undefined || !same(old, value)) config[leafName([...path, key])] = value
    }
    for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) without.push(leafName([...path, key]))
  }
  visit(shared, own, [])
  return { config, without }
}
