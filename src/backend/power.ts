/**
 * `a ** b` of doubles to the last digit. JavaScript's own is off by one unit in one case of twelve (`10 ** -5` is not
 * 1e-05), which users see in names and arguments; C's, which Python calls, is right in all but one of thousands.
 */
import { exactly } from "./numeric.ts"

/** Binary places behind the point. */
const PLACES = 200n
const one = 1n << PLACES

const times = (a: bigint, b: bigint): bigint => (a * b) >> PLACES

/** `2 * atanh(x)`, for small `x`. */
const twiceAtanh = (x: bigint): bigint => {
  const square = times(x, x)
  let sum = 0n
  for (let power = x, n = 1n; power !== 0n && power !== -1n; power = times(power, square), n += 2n) sum += power / n
  return sum * 2n
}

const ln2 = twiceAtanh(one / 3n)

/** The natural logarithm of a double above zero. */
const ln = (value: number): bigint => {
  const [numerator, denominator] = exactly(value)
  const exponent = BigInt(numerator.toString(2).length - denominator.toString(2).length)
  const mantissa = exponent < 0n
    ? (numerator << (PLACES - exponent)) / denominator
    : (numerator << PLACES) / (denominator << exponent)
  return exponent * ln2 + twiceAtanh(((mantissa - one) << PLACES) / (mantissa + one))
}

/** `e ** x` as the double nearest to it. */
const exp = (x: bigint): number => {
  const exponent = x / ln2
  const rest = (x - exponent * ln2) >> 8n
  let sum = one
  for (let term = rest, n = 2n; term !== 0n && term !== -1n; term = times(term, rest) / n, n++) sum += term
  for (let n = 0; n < 8; n++) sum = times(sum, sum)
  // In two steps, since 2^-1074 alone is already the smallest number.
  const power = Number(exponent) - Number(PLACES)
  const half = Math.trunc(power / 2)
  return Number(sum) * 2 ** half * 2 ** (power - half)
}

/** `a ** b`; NaN where the result is no real number. */
export const power = (a: number, b: number): number => {
  if (a === 1 || (a === -1 && Math.abs(b) === Infinity)) return 1
  const rough = a ** b
  if (!Number.isFinite(a) || !Number.isFinite(b) || !Number.isFinite(rough) || rough === 0 || a === 0 || a === -1) {
    return rough
  }
  const [numerator, denominator] = exactly(b)
  const size = exp((ln(Math.abs(a)) * numerator) / denominator)
  return rough < 0 ? -size : size
}
