/** What makes a point of a sweep the same in two plans. */
import { pyRepr } from "../backend/python.ts"
import { isList, isMap, PyFloat, type Value, type ValueMap } from "../backend/Value.ts"

/**
 * One text for each different set of parameters. The order of keys does not count; types do: `1`, `1.0` and `"1"` are
 * three values.
 */
export const pointKey = (parameters: ValueMap): string => canonical(parameters)

const canonical = (value: Value): string => {
  if (isList(value)) return `[${value.map(canonical).join()}]`
  if (isMap(value)) {
    const keys = Object.keys(value).sort()
    return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`).join()}}`
  }
  if (value instanceof PyFloat) return pyRepr(value)
  return typeof value === "string" ? JSON.stringify(value) : String(value)
}
