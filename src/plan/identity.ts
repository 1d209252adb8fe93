/** What a point is called by whoever plans it again: a hash that neither its place in the sweep nor a path is part of. */
import { createHash } from "node:crypto"
import { isList, isMap, type Value, type ValueMap } from "../backend/Value.ts"
import { pointKey } from "../sweep/identity.ts"

/** A point as it was written and as it was resolved. */
export interface Identified {
  readonly written: ValueMap
  readonly resolved: ValueMap
  /** Identities of the phases that it refers to, by their stages. */
  readonly siblings: ReadonlyMap<string, string>
}

const holds = (value: Value, what: (text: string) => boolean): boolean => {
  if (typeof value === "string") return what(value)
  if (isList(value)) return value.some((item) => holds(item, what))
  return isMap(value) && Object.values(value).some((item) => holds(item, what))
}

/** The parameters whose values follow from where a point or its phases stand: by `${index}`, `${sibling.…}`, or each other. */
const placed = (written: ValueMap): ReadonlySet<string> => {
  const interpolated = Object.entries(written).filter(([, value]) => holds(value, (text) => text.includes("${")))
  const found = new Set<string>()
  for (let names: ReadonlyArray<string> = ["index", "sibling"]; names.length > 0;) {
    const refers = (text: string) => names.some((name) => text.includes(`{${name}`) || text.includes(`{.${name}`))
    names = interpolated.filter(([key, value]) => !found.has(key) && holds(value, refers)).map(([key]) => key)
    for (const name of names) found.add(name)
  }
  return found
}

/**
 * 16 hexadecimal digits. Of parameters that follow from an index or from another phase's paths, what was written counts
 * and the other phase's own identity, so that a sweep which grows keeps those of its points.
 */
export const identityOf = ({ resolved, siblings, written }: Identified): string => {
  const byPlace = placed(written)
  const parameters = Object.fromEntries(
    Object.entries(resolved).map(([key, value]) => [key, byPlace.has(key) ? written[key] ?? null : value])
  )
  const key = pointKey(siblings.size === 0 ? parameters : { ...parameters, sibling: Object.fromEntries(siblings) })
  return createHash("sha256").update(key).digest("hex").slice(0, 16)
}
