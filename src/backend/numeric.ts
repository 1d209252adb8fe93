/** Numbers as Python's `int()`, `float()` and operators make them. */
import { PyFloat, type Value } from "./Value.ts"

/** A whole number of any size: a bigint only where a double would lose digits. */
export const integer = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value

const digit = /\p{Nd}/u

/** Digits of any script as the digits of ASCII; each script has its ten in a row, several scripts may follow at once. */
const asciiDigits = (text: string): string =>
  text.replace(/(?![0-9])\p{Nd}/gu, (char) => {
    const code = char.codePointAt(0) ?? 0
    let first = code
    while (digit.test(String.fromCodePoint(first - 1))) first--
    return String((code - first) % 10)
  })

/** `float(value)`; null where Python refuses. */
export const toFloat = (value: Value): number | null => {
  if (value instanceof PyFloat) return value.value
  if (typeof value === "boolean") return value ? 1 : 0
  if (typeof value === "number" || typeof value === "bigint") return Number(value)
  if (typeof value !== "string") return null
  const text = asciiDigits(value.trim())
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
  const text = asciiDigits(value.trim())
  return /^[-+]?\d(?:_?\d)*$/.test(text) ? BigInt(text.replaceAll("_", "").replace("+", "")) : null
}

/** Python's `//` of two whole numbers, which rounds down. `b` is not zero. */
export const floorDiv = (a: bigint, b: bigint): bigint => {
  const quotient = a / b
  return a % b !== 0n && (a < 0n) !== (b < 0n) ? quotient - 1n : quotient
}

/** `numerator / denominator` (above zero) as a whole number, halves to the even one. */
export const roundedQuotient = (numerator: bigint, denominator: bigint): bigint => {
  const quotient = floorDiv(numerator, denominator)
  const twice = (numerator - quotient * denominator) * 2n
  return twice > denominator || (twice === denominator && quotient % 2n !== 0n) ? quotient + 1n : quotient
}

/** A finite double as the fraction that it is. */
export const exactly = (value: number): readonly [numerator: bigint, denominator: bigint] => {
  let whole = value
  let exponent = 0n
  for (; !Number.isInteger(whole); exponent++) whole *= 2
  return [BigInt(whole), 1n << exponent]
}

/** The exact `value * 10^decimals` of a finite double, halves to the even one as C's printf and Python's `round` do. */
export const scaled = (value: number, decimals: number): bigint => {
  const [numerator, denominator] = exactly(value)
  return roundedQuotient(
    numerator * 10n ** BigInt(Math.max(0, decimals)),
    denominator * 10n ** BigInt(Math.max(0, -decimals))
  )
}
