/**
 * Values as a config holds them: what YAML and Python call int, float, bool, null, str, list and dict.
 *
 * JavaScript has one number type, but users see the difference (`1e-05`, `0.0`, `1`) in names, paths and
 * arguments. So a `number` here is an integer, and a float is a {@link PyFloat}, whatever its value.
 */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/** A Python float: a double that keeps its type even where its value is integral (`1.0`). */
export class PyFloat {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
  /** JSON knows no float type; readers of our JSON want the number. */
  toJSON(): number {
    return this.value
  }
}

/** A config value. Integers above 2^53 are bigints. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | PyFloat
  | ReadonlyArray<Value>
  | ValueMap

/** A mapping with text keys, in the order in which they were written. */
export interface ValueMap {
  readonly [key: string]: Value
}

/** Whether `value` is a mapping (neither a list, nor a float, nor a scalar). */
export const isMap = (value: unknown): value is ValueMap =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof PyFloat)

/** Whether `value` is a list. */
export const isList = (value: unknown): value is ReadonlyArray<Value> => Array.isArray(value)

/** Whether two values are the same, types and the order of keys included. */
export const same = (a: Value, b: Value): boolean => {
  if (Object.is(a, b)) return true
  if (a instanceof PyFloat || b instanceof PyFloat) {
    return a instanceof PyFloat && b instanceof PyFloat && Object.is(a.value, b.value)
  }
  if (isList(a)) return isList(b) && a.length === b.length && a.every((item, index) => same(item, b[index] ?? null))
  if (!isMap(a) || !isMap(b)) return false
  const [keys, others] = [Object.keys(a), Object.keys(b)]
  return keys.length === others.length &&
    keys.every((key, index) => key === others[index] && same(a[key] ?? null, b[key] ?? null))
}

const isValue = (value: unknown): value is Value => {
  if (value === null || value instanceof PyFloat) return true
  switch (typeof value) {
    case "boolean":
    case "number":
    case "bigint":
    case "string":
      return true
    case "object":
      return Array.isArray(value) ? value.every(isValue) : Object.values(value).every(isValue)
    default:
      return false
  }
}

const everything = ["null", "boolean", "number", "string", "array", "object"]

/** Any config value, kept as it is: the schema of open maps (`sbatch`, `env`, backend arguments). */
export const Any: Schema.Schema<Value> = Schema.declare(isValue, {
  identifier: "Value",
  jsonSchema: { type: everything }
})

/**
 * A mapping of names to any config values, kept as it is. What it holds is not looked at: it may be large, and comes from
 * where there are no other values.
 */
export const AnyMap: Schema.Schema<ValueMap> = Schema.declare(isMap, {
  title: "mapping",
  jsonSchema: { type: "object", required: [], properties: {}, additionalProperties: { type: everything } }
})

const PyFloatFromSelf = Schema.instanceOf(PyFloat, { identifier: "float" })

/** A number of either type, as a plain double. */
export const Number = Schema.transform(Schema.Union(Schema.Number, PyFloatFromSelf), Schema.Number, {
  strict: true,
  decode: (value) => (value instanceof PyFloat ? value.value : value),
  encode: (value) => value
}).annotations({ identifier: "number", jsonSchema: { type: "number" } })

/** An integer; a float with a fraction is refused rather than cut. */
export const Int = Schema.transformOrFail(Number, Schema.Int, {
  strict: true,
  decode: (value, _, ast) =>
    globalThis.Number.isInteger(value)
      ? Either.right(value)
      : Either.left(new ParseResult.Type(ast, value, `expected a whole number, got ${value}`)),
  encode: (value) => Either.right(value)
}).annotations({ identifier: "int", jsonSchema: { type: "integer" } })

/** The tree that was read from JSON, in which a number with a fraction is a plain one: it is a float again. */
export const withFloats = (value: Value): Value =>
  typeof value === "number" && !globalThis.Number.isInteger(value)
    ? new PyFloat(value)
    : isList(value)
    ? value.map(withFloats)
    : isMap(value)
    ? mapWithFloats(value)
    : value

/** The same for a mapping. */
export const mapWithFloats = (map: ValueMap): ValueMap =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, withFloats(value)]))

/**
 * The same tree with plain numbers: what JSON readers expect. Bigints become text, since JSON readers cut them, and so do
 * `inf` and `nan`, which JSON does not have.
 */
export const toPlain = (value: Value): unknown => {
  if (value instanceof PyFloat) {
    const plain = value.value
    return globalThis.Number.isFinite(plain) ? plain : `${plain}`.replace("Infinity", "inf").toLowerCase()
  }
  if (typeof value === "bigint") return value.toString()
  if (isList(value)) return value.map(toPlain)
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toPlain(item)]))
  return value
}
