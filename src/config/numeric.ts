/** Numbers as Python's `int()` and `float()` read them. */
import { PyFloat, type Value } from "../backend/Value.ts"
import { integer } from "./yaml.ts"

/** `float(value)`; null where Python refuses. */
export const toFloat = (value: Value): number | null => {
  if (value instanceof PyFloat) return value.value
  if (typeof value === "boolean") return value ? 1 : 0
  if (typeof value === "number" || typeof value === "bigint") return Number(value)
  if (typeof value !== "string") return null
  const text = value.trim()
  const special = /^([-+]?)(inf|infinity|nan)$/i.exec(text)
  if (special !== null) return /nan/i.test(text) ? NaN : special[1] === "-" ? -Infinity : Infinity
  return /^[-+]?(?:\d(?:_?\d)*\.?(?:\d(?:_?\d)*)?|\.\d(?:_?\d)*)(?:[eE][-+]?\d(?:_?\d)*)?$/.test(text)
    ? Number(text.replaceAll("_", ""))
    : null
}

/** `int(value)`; null where Python refuses. Fractions are cut. */
export const toInt = (value: Value): bigint | null => {
  if (typeof value === "bigint") return value
  if (value instanceof PyFloat) return Number.isFinite(value.value) ? BigInt(Math.trunc(value.value)) : null
  if (typeof value === "boolean" || typeof value === "number") return BigInt(value)
  if (typeof value !== "string") return null
  const text = value.trim()
  return /^[-+]?\d(?:_?\d)*$/.test(text) ? BigInt(text.replaceAll("_", "").replace("+", "")) : null
}

export const int = (value: bigint): number | bigint => integer(value)

/** Python's `//`; 0 for a division by zero, as the predecessor's resolvers say. */
export const floorDiv = (a: bigint, b: bigint): bigint => {
  if (b === 0n) return 0n
  const quotient = a / b
  return a % b !== 0n && (a < 0n) !== (b < 0n) ? quotient - 1n : quotient
}

/** The sum of two numbers, whole if both are; null if one is none. */
export const plus = (a: Value, b: Value): Value | null => {
  if (a instanceof PyFloat || b instanceof PyFloat) {
    const [x, y] = [toFloat(a), toFloat(b)]
    return x === null || y === null ? null : new PyFloat(x + y)
  }
  const [x, y] = [toInt(a), toInt(b)]
  return x === null || y === null ? null : integer(x + y)
}
