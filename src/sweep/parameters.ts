/** What a point sets: base values, overlaid by defaults, overlaid by what was chosen. */
import { isList, type Value, type ValueMap } from "../backend/Value.ts"
import type { Step } from "./Tree.ts"

/** How strong a setting is: a stronger one stays, of two of one strength the later does. */
const strength = { base: 0, default: 1, value: 2 }

interface Setting {
  readonly value: Value
  readonly strength: number
  readonly at: number
}

/**
 * The parameters of the point that `steps` lead to, in the order in which they were first set. Of each key in `composed`
 * a point has all values that its groups give, one after the other and after the base value; a group gives its defaults
 * only if nothing in it gives more.
 */
export const parametersOf = (
  baseValues: ValueMap,
  steps: ReadonlyArray<Step>,
  composed: ReadonlyArray<string>
): ValueMap => {
  const settings = new Map<string, Setting>()
  let at = 0
  const set = (values: ValueMap, strength: number): void => {
    for (const [key, value] of Object.entries(values)) {
      if (strength >= (settings.get(key)?.strength ?? 0)) settings.set(key, { value, strength, at: at++ })
    }
  }
  set(baseValues, strength.base)
  for (const step of steps) {
    if (step.kind === "leaf") set(step.values, strength.value)
    else if (step.kind === "opens") set(step.group.defaults, strength.default)
  }
  for (const key of composed) {
    const setting = settings.get(key)
    if (setting !== undefined) settings.set(key, { ...setting, value: composition(key, baseValues, steps) })
  }
  const entries = [...settings]
  // Whoever applies `a` and then `a.b` must do so in the order of their strengths.
  if (entries.some(([key]) => isWithinAnother(key, settings))) {
    entries.sort(([, a], [, b]) => a.strength - b.strength || a.at - b.at)
  }
  return Object.fromEntries(entries.map(([key, { value }]) => [key, value]))
}

const isWithinAnother = (key: string, keys: ReadonlyMap<string, unknown>): boolean => {
  for (let dot = key.indexOf("."); dot > 0; dot = key.indexOf(".", dot + 1)) {
    if (keys.has(key.slice(0, dot))) return true
  }
  return false
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
