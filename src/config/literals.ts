/**
 * Unquoted words of Hydra's override grammar and OmegaConf's interpolation grammar, which agree on them.
 * Source: Hydra 1.3 `OverrideLexer.g4`, OmegaConf 2.3 `OmegaConfGrammarLexer.g4`.
 */
import { integer } from "../backend/numeric.ts"
import { PyFloat } from "../backend/Value.ts"
import type { Scalar } from "./Node.ts"

const digits = "(?:0|[1-9](?:_?[0-9])*)"
const point = `(?:${digits}\\.|${digits}?\\.[0-9](?:_?[0-9])*)`
const intShape = new RegExp(`^[-+]?${digits}$`)
const floatShape = new RegExp(`^[-+]?(?:${point}|(?:${digits}|${point})[eE][-+]?[0-9](?:_?[0-9])*)$`)

/** What an unquoted word means: a number, a boolean, null, or itself. */
export const readLiteral = (word: string): Scalar => {
  if (/^null$/i.test(word)) return null
  if (/^(?:true|false)$/i.test(word)) return word.toLowerCase() === "true"
  const plain = word.replaceAll("_", "")
  if (intShape.test(word)) return integer(BigInt(plain.replace("+", "")))
  if (floatShape.test(word)) return new PyFloat(Number(plain))
  if (/^[-+]?inf$/i.test(word)) return new PyFloat(word.startsWith("-") ? -Infinity : Infinity)
  return /^[-+]?nan$/i.test(word) ? new PyFloat(NaN) : word
}

/** The characters that a "\" makes plain in unquoted words. */
export const escapable = "\\()[]{}:=, \t"

/** Characters that may stand in an unquoted word (besides spaces, ":" and escapes). */
export const wordChar = /[A-Za-z0-9_/\-\\+.$%*@?|]/
