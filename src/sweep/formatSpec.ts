/**
 * Python's format specifications (`{x:08.2f}`) for one value.
 * Source: CPython's "Format Specification Mini-Language" and what CPython 3.11 answered (test/conformance/pyformat.json).
 */
import * as Either from "effect/Either"
import { scaled } from "../backend/numeric.ts"
import { floatRepr, pyStr } from "../backend/python.ts"
import { PyFloat, type Value } from "../backend/Value.ts"

interface Spec {
  readonly fill: string | null
  readonly align: string | null
  readonly sign: string | null
  readonly alternate: boolean
  readonly zero: boolean
  readonly width: number
  readonly grouping: string | null
  readonly precision: number | null
  readonly type: string | null
}

/** Wider fields are refused: a config has no use for them, and they would eat the memory. */
const MAX_WIDTH = 10_000

const specShape =
  /^(?:(?:(?<fill>[^])(?=[<>=^]))?(?<align>[<>=^]))?(?<sign>[-+ ])?(?<alternate>#)?(?<zero>0)?(?<width>\d+)?(?<grouping>[,_])?(?:\.(?<precision>\d+))?(?<type>[^])?$/u

const parseSpec = (text: string): Spec | null => {
  const groups = specShape.exec(text)?.groups
  if (groups === undefined) return null
  const width = Number(groups.width ?? 0)
  const precision = groups.precision === undefined ? null : Number(groups.precision)
  if (width > MAX_WIDTH || (precision ?? 0) > MAX_WIDTH) return null
  return {
    fill: groups.fill ?? null,
    align: groups.align ?? null,
    sign: groups.sign ?? null,
    alternate: groups.alternate !== undefined,
    zero: groups.zero !== undefined,
    width,
    grouping: groups.grouping ?? null,
    precision,
    type: groups.type ?? null
  }
}

const pad = (text: string, spec: Spec, standard: "<" | ">"): string => {
  const missing = spec.width - [...text].length
  if (missing <= 0) return text
  const fill = spec.fill ?? (spec.zero ? "0" : " ")
  const align = spec.align ?? standard
  const left = align === "<" ? 0 : align === "^" ? Math.floor(missing / 2) : missing
  return fill.repeat(left) + text + fill.repeat(missing - left)
}

/** `digits` with `separator` between groups, filled with zeros until the whole has at least `width` characters. */
const group = (digits: string, separator: string, size: number, width: number): string => {
  for (let padded = digits;; padded = `0${padded}`) {
    const first = padded.length % size || size
    const parts = [padded.slice(0, first)]
    for (let at = first; at < padded.length; at += size) parts.push(padded.slice(at, at + size))
    const text = parts.join(separator)
    if (text.length >= width) return text
  }
}

interface NumberParts {
  readonly negative: boolean
  readonly prefix: string
  readonly whole: string
  readonly rest: string
}

const layNumber = ({ negative, prefix, rest, whole }: NumberParts, spec: Spec, groupSize = 3): string => {
  const sign = negative ? "-" : spec.sign === "+" ? "+" : spec.sign === " " ? " " : ""
  const head = sign + prefix
  const inner = spec.align === "=" || (spec.align === null && spec.zero)
  const fill = spec.fill ?? (spec.zero ? "0" : " ")
  const zeros = inner && fill === "0" ? spec.width - head.length - rest.length : 0
  const digits = spec.grouping === null || !/^[0-9a-fA-F]+$/.test(whole)
    ? whole
    : group(whole, spec.grouping, groupSize, zeros)
  if (inner) {
    return head + fill.repeat(Math.max(0, spec.width - head.length - digits.length - rest.length)) + digits + rest
  }
  return pad(head + digits + rest, spec, ">")
}

const fixed = (value: number, precision: number): string => {
  const digits = scaled(value, precision).toString().padStart(precision + 1, "0")
  return precision === 0 ? digits : `${digits.slice(0, -precision)}.${digits.slice(-precision)}`
}

/** `count` significant digits and the decimal exponent of the first. */
const significant = (value: number, count: number): { readonly digits: string; readonly exponent: number } => {
  if (value === 0) return { digits: "0".repeat(count), exponent: 0 }
  let exponent = Number(value.toExponential().split("e")[1])
  for (;;) {
    const digits = scaled(value, count - 1 - exponent).toString()
    if (digits.length === count) return { digits, exponent }
    exponent += digits.length > count ? 1 : -1
  }
}

const exponential = (digits: string, exponent: number): string =>
  `${digits.slice(0, 1)}${digits.length > 1 ? `.${digits.slice(1)}` : ""}e${exponent < 0 ? "-" : "+"}${
    Math.abs(exponent).toString().padStart(2, "0")
  }`

const withoutTrailingZeros = (text: string): string => (text.includes(".") ? text.replace(/\.?0+$/, "") : text)

/** C's `%g`; `bare` is Python's form without a type, which keeps one decimal. */
const general = (value: number, precision: number, keepZeros: boolean, bare: boolean): string => {
  const count = precision === 0 ? 1 : precision
  const { digits, exponent } = significant(value, count)
  if (exponent < -4 || exponent >= count - (bare ? 1 : 0)) {
    const kept = keepZeros ? digits : digits.replace(/(?<=.)0+$/, "")
    return exponential(kept, exponent)
  }
  const text = fixed(value, Math.max(0, count - 1 - exponent))
  if (keepZeros) return text.includes(".") ? text : `${text}.`
  const short = withoutTrailingZeros(text)
  return bare && !short.includes(".") ? `${short}.0` : short
}

const floatText = (magnitude: number, spec: Spec): string => {
  const type = spec.type?.toLowerCase() ?? null
  const precision = spec.precision ?? 6
  if (!Number.isFinite(magnitude)) return floatRepr(magnitude) + (type === "%" ? "%" : "")
  switch (type) {
    case "e": {
      const { digits, exponent } = significant(magnitude, precision + 1)
      const text = exponential(digits, exponent)
      return spec.alternate && precision === 0 ? text.replace("e", ".e") : text
    }
    case "f":
    case "%": {
      const text = fixed(type === "%" ? magnitude * 100 : magnitude, precision)
      return (spec.alternate && precision === 0 ? `${text}.` : text) + (type === "%" ? "%" : "")
    }
    case null:
      return spec.precision === null ? floatRepr(magnitude) : general(magnitude, spec.precision, spec.alternate, true)
    default:
      return general(magnitude, precision, spec.alternate, false)
  }
}

const formatFloat = (value: number, spec: Spec, typeName: string): Either.Either<string, string> => {
  if (spec.type !== null && !"eEfFgGn%".includes(spec.type)) return unknownCode(spec.type, typeName)
  const negative = value < 0 || Object.is(value, -0)
  const text = floatText(Math.abs(value), spec)
  const cased = spec.type !== null && "EFG".includes(spec.type) ? text.toUpperCase() : text
  const end = cased.search(/[^0-9]/)
  const digits = /^\d/.test(cased) && end > 0 ? end : cased.length
  return Either.right(
    layNumber({ negative, prefix: "", whole: cased.slice(0, digits), rest: cased.slice(digits) }, spec)
  )
}

const unknownCode = (code: string, typeName: string): Either.Either<never, string> =>
  Either.left(`the format code "${code}" does not fit a ${typeName}`)

const formatInt = (value: bigint, spec: Spec, typeName: string): Either.Either<string, string> => {
  if (spec.type !== null && "eEfFgG%".includes(spec.type)) return formatFloat(Number(value), spec, typeName)
  if (spec.precision !== null) return Either.left(`a ${typeName} takes no precision`)
  const magnitude = value < 0n ? -value : value
  const lay = (whole: string, prefix: string, size: number) =>
    Either.right(layNumber({ negative: value < 0n, prefix: spec.alternate ? prefix : "", whole, rest: "" }, spec, size))
  switch (spec.type) {
    case null:
    case "d":
    case "n":
      return lay(magnitude.toString(), "", 3)
    case "x":
      return lay(magnitude.toString(16), "0x", 4)
    case "X":
      return lay(magnitude.toString(16).toUpperCase(), "0X", 4)
    case "o":
      return lay(magnitude.toString(8), "0o", 4)
    case "b":
      return lay(magnitude.toString(2), "0b", 4)
    case "c":
      return magnitude > 0x10ffffn || value < 0n
        ? Either.left("the number is no character's code")
        : Either.right(pad(String.fromCodePoint(Number(value)), spec, "<"))
    default:
      return unknownCode(spec.type, typeName)
  }
}

const formatString = (value: string, spec: Spec): Either.Either<string, string> => {
  if (spec.sign !== null) return Either.left("a sign does not fit a string")
  if (spec.align === "=") return Either.left("the alignment \"=\" does not fit a string")
  if (spec.alternate || spec.grouping !== null) return Either.left("\"#\", \",\" and \"_\" do not fit a string")
  if (spec.type !== null && spec.type !== "s") return unknownCode(spec.type, "string")
  return Either.right(pad(spec.precision === null ? value : [...value].slice(0, spec.precision).join(""), spec, "<"))
}

/** `format(value, spec)`; on the left, what does not fit, as half a sentence. */
export const formatValue = (value: Value, spec: string): Either.Either<string, string> => {
  if (spec === "") return Either.right(pyStr(value))
  if (typeof value === "object" && !(value instanceof PyFloat)) {
    return Either.left(`${value === null ? "null" : "a list or map"} takes no format, except after "!s"`)
  }
  const parsed = parseSpec(spec)
  if (parsed === null) return Either.left(`"${spec}" is no format specification`)
  if (typeof value === "string") return formatString(value, parsed)
  if (value instanceof PyFloat) return formatFloat(value.value, parsed, "float")
  if (typeof value === "number" && !Number.isInteger(value)) return formatFloat(value, parsed, "float")
  return typeof value === "boolean"
    ? formatInt(value ? 1n : 0n, parsed, "bool")
    : formatInt(BigInt(value), parsed, "whole number")
}
