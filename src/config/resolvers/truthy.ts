/** When a value counts as true. */
import { isList, isMap, PyFloat, type Value } from "../../backend/Value.ts"

/** As in Python, except that the text "false", in any case, is false: so the newest predecessor has it. */
export const truthy = (value: Value): boolean => {
  if (value instanceof PyFloat) return value.value !== 0
  if (typeof value === "string") return value !== "" && value.toLowerCase() !== "false"
  if (isList(value)) return value.length > 0
  if (isMap(value)) return Object.keys(value).length > 0
  return Boolean(value)
}
