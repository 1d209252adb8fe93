/** What a point sets: base values, overlaid by defaults, overlaid by what was chosen. */
import { isList, type Value, type ValueMap } from "../backend/Value.ts"
import type { Step } from "./Tree.ts"

/**
 * What gives the parameters of the point that some steps lead to, in the order in which they were first set; of two
 * settings of one kind the later stays. Of each key in `composed` a point has all values that its groups give, one after
 * the other and after the base value; a group gives its defaults only if nothing in it gives more.
 */
export const parametersBy = (
  baseValues: ValueMap,
  composed: ReadonlyArray<string>
): (steps: ReadonlyArray<Step>) => ValueMap => {
  const prefixes = new Map<string, ReadonlyArray<string>>()
  /** Whether one key is part of what another one sets. */
  const overlap = (settings: ReadonlyMap<string, Value>): boolean => {
    for (const key of settings.keys()) {
      const known = prefixes.get(key) ?? prefixesOf(key)
      prefixes.set(key, known)
      if (known.some((prefix) => settings.has(prefix))) return true
    }
    return false
  }
  return (steps) => {
    const defaults = steps.flatMap((step) => (step.kind === "opens" ? [step.group.defaults] : []))
    const values = steps.flatMap((step) => (step.kind === "leaf" ? [step.values] : []))
    const settings = overlaid(baseValues, steps, defaults.length === 0 ? null : values)
    // Whoever applies `a` and then `a.b` must find the stronger of them last.
    const ordered = overlap(settings) ? inOrder([baseValues, ...defaults, ...values]) : settings
    for (const key of composed) if (ordered.has(key)) ordered.set(key, composition(key, baseValues, steps))
    return Object.fromEntries(ordered)
  }
}

const prefixesOf = (key: string): ReadonlyArray<string> => {
  const parts = key.split(".")
  return parts.slice(1).map((_, length) => parts.slice(0, length + 1).join("."))
}

/** What stays of all settings; `values` are those that defaults give way to, null if there are no defaults. */
const overlaid = (baseValues: ValueMap, steps: ReadonlyArray<Step>, values: ReadonlyArray<ValueMap> | null) => {
  const settings = new Map(Object.entries(baseValues))
  const chosen = new Map(values?.flatMap((one) => Object.entries(one)))
  for (const step of steps) {
    if (step.kind === "closes") continue
    const given = step.kind === "leaf" ? step.values : step.group.defaults
    for (const key of Object.keys(given)) {
      settings.set(key, chosen.has(key) ? chosen.get(key) ?? null : given[key] ?? null)
    }
  }
  return settings
}

/** All settings, each key where it was set last. */
const inOrder = (all: ReadonlyArray<ValueMap>): Map<string, Value> => {
  const settings = new Map<string, Value>()
  for (const [key, value] of all.flatMap((one) => Object.entries(one))) {
    settings.delete(key)
    settings.set(key, value)
  }
  return settings
}

/** All that `steps` give for `key`: itself if that is one value, else a list in which lists are taken apart. */
const composition = (key: string, baseValues: ValueMap, steps: ReadonlyArray<Step>): Value => {
  const open: Array<{ readonly defaults: ValueMap; readonly given: Array<Value> }> = [{ defaults: {}, given: [] }]
  const give = (values: ValueMap): void => {
    if (Object.hasOwn(values, key)) open.at(-1)?.given.push(values[key] ?? null)
  }
  give(baseValues)
  for (const step of steps) {
    if (step.kind === "leaf") give(step.values)
    else if (step.kind === "opens") open.push({ defaults: step.group.defaults, given: [] })
    else {
      const { defaults, given } = open.pop() ?? { defaults: {}, given: [] }
      if (given.length === 0) give(defaults)
      else open.at(-1)?.given.push(...given)
    }
  }
  const [first = null, ...more] = open[0]?.given ?? []
  return more.length === 0 ? first : [first, ...more].flatMap((value) => (isList(value) ? value : [value]))
}
