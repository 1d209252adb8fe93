/** The recorded cases hold plain JSON and, beside it, what JSON loses of Python's types. */
import { PyFloat, type Value } from "../../src/backend/Value.ts"

const special: Record<string, number> = { inf: Infinity, "-inf": -Infinity, nan: NaN }

/** `json` with floats as `PyFloat`; `types` maps JSON Pointers to `float` or `int:<digits>`. */
export const typed = (json: unknown, types: Readonly<Record<string, string>>, pointer = ""): Value => {
  const type = types[pointer]
  if (type === "float") return new PyFloat(typeof json === "string" ? special[json] ?? NaN : Number(json))
  if (type?.startsWith("int:")) return BigInt(type.slice(4))
  if (typeof json === "number") return Number.isInteger(json) ? json : new PyFloat(json)
  if (Array.isArray(json)) return json.map((item, index) => typed(item, types, `${pointer}/${index}`))
  if (typeof json === "object" && json !== null) {
    return Object.fromEntries(
      Object.entries(json).map(([key, item]) => [
        key,
        typed(item, types, `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`)
      ])
    )
  }
  return json as Value
}
