/**
 * How Python prints values: names, paths and command-line arguments of existing users' configs depend on it.
 * Source: CPython's `float.__repr__` (shortest round-trip digits, exponent from 1e16 on and below 1e-4).
 */
import { isList, isMap, PyFloat, type Value } from "./Value.ts"

/** `repr(float)`: `1e-05`, `0.0`, `100000.0`, `1e+16`, `inf`, `nan`. */
export const floatRepr = (value: number): string => {
  if (Number.isNaN(value)) return "nan"
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf"
  if (Object.is(value, -0)) return "-0.0"
  if (value === 0) return "0.0"
  const [mantissa = "", exponentText = "0"] = value.toExponential().split("e")
  const exponent = Number(exponentText)
  if (exponent < -4 || exponent >= 16) {
    const digits = Math.abs(exponent) < 10 ? `0${Math.abs(exponent)}` : `${Math.abs(exponent)}`
    return `${mantissa}e${exponent < 0 ? "-" : "+"}${digits}`
  }
  const sign = mantissa.startsWith("-") ? "-" : ""
  const digits = mantissa.replace("-", "").replace(".", "")
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0")
  return `${sign}${whole}.${digits.slice(exponent + 1) || "0"}`
}

/** What `str.isprintable` says no to. */
const unprintable = /[\p{C}\p{Z}]/u

const escape = (char: string): string => {
  const code = (char.codePointAt(0) ?? 0).toString(16)
  if (code.length <= 2) return `\\x${code.padStart(2, "0")}`
  return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`
}

const stringRepr = (text: string): string => {
  const quote = text.includes("'") && !text.includes("\"") ? "\"" : "'"
  let body = ""
  for (const char of text) {
    if (char === "\\" || char === quote) body += `\\${char}`
    else if (char === "\n") body += "\\n"
    else if (char === "\r") body += "\\r"
    else if (char === "\t") body += "\\t"
    else if (char !== " " && unprintable.test(char)) body += escape(char)
    else body += char
  }
  return `${quote}${body}${quote}`
}

/** `repr(value)`. */
export const pyRepr = (value: Value): string => {
  if (typeof value === "string") return stringRepr(value)
  if (isList(value)) return `[${value.map(pyRepr).join(", ")}]`
  if (isMap(value)) {
    return `{${Object.entries(value).map(([key, item]) => `${pyRepr(key)}: ${pyRepr(item)}`).join(", ")}}`
  }
  return pyStr(value)
}

/** `str(value)`: `True`, `None`, `1e-05`; containers print as their `repr`. */
export const pyStr = (value: Value): string => {
  if (value === null) return "None"
  if (value === true) return "True"
  if (value === false) return "False"
  if (value instanceof PyFloat) return floatRepr(value.value)
  if (typeof value === "string") return value
  if (typeof value === "number" || typeof value === "bigint") return value.toString()
  return pyRepr(value)
}
