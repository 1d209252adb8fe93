/** Characters and classes of Python's `re` syntax, as JavaScript writes them with the flag `v`. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"

/** A pattern that Python would refuse, or that cannot be translated. `column` counts from 1; `message` is a sentence. */
export class PatternError extends Schema.TaggedError<PatternError>()("PatternError", {
  message: Schema.String,
  column: Schema.Int
}) {}

/**
 * The texts that a pattern is searched in. `any`: as `re.search` does. `lines`: lines joined by "\n", in each of which it
 * finds what it would find in that line alone. `ascii lines`: the same, and every character is ASCII, which is much faster.
 */
export type Texts = "any" | "lines" | "ascii lines"

/** The flags that hold at a place of the pattern, by Python's letters: `i`, `m`, `s`, `a`, `x`. */
export type Flags = ReadonlySet<string>

export const failure = (at: number, message: string): Either.Either<never, PatternError> =>
  Either.left(new PatternError({ message: `${message}.`, column: at + 1 }))

/** Members of a class, without the brackets. */
const members = (letter: string, flags: Flags, texts: Texts): string => {
  const ascii = flags.has("a")
  const plain = ascii || texts === "ascii lines"
  switch (letter.toLowerCase()) {
    case "d":
      return plain ? "0-9" : "\\p{Nd}"
    case "w":
      return plain ? "a-zA-Z0-9_" : "\\p{L}\\p{N}_"
    default:
      return (texts === "any" ? "\\t-\\r" : "\\t\\x0b-\\r") + (ascii ? "\\x20" : "\\x1c-\\x20") +
        (plain ? "" : "\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000")
  }
}

/** All characters but those of `text`; what ends a line is not part of it. */
export const negated = (text: string, texts: Texts): string => `[^${text}${texts === "any" ? "" : "\\n"}]`

export const classOf = (letter: string, flags: Flags, texts: Texts): string => {
  const text = members(letter, flags, texts)
  return letter === letter.toUpperCase() ? negated(text, texts) : `[${text}]`
}

/** Python's `\b`, or its contrary. */
export const boundary = (flags: Flags, texts: Texts, isNot: boolean): string => {
  if (texts === "ascii lines") return isNot ? "\\B" : "\\b"
  const word = `[${members("w", flags, texts)}]`
  return isNot
    ? `(?:(?<=${word})(?=${word})|(?<!${word})(?!${word}))`
    : `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`
}

export const literal = (code: number): string => {
  const char = String.fromCodePoint(code)
  return /[\p{L}\p{N} _]/u.test(char) ? char : `\\u{${code.toString(16)}}`
}

let cased = ""

/** The characters that have another case, found once. */
const casedCharacters = (): string => {
  if (cased !== "") return cased
  const test = /[\p{Changes_When_Casemapped}\p{Changes_When_Casefolded}]/u
  for (let code = 0x41; code < 0x1ffff; code++) {
    const char = String.fromCodePoint(code)
    if (test.test(char)) cased += char
  }
  return cased
}

/** The members of a class and their other cases: where `i` holds for a part of a pattern only, no flag can say it. */
export const withCases = (text: string): string =>
  text + [...casedCharacters().matchAll(new RegExp(`[${text}]`, "giv"))].map(([char]) => char).join("")

const controls: Record<string, number> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 }

/** A character that an escape stands for, the length of the escape included. */
type Escaped = { readonly code: number; readonly length: number }

/** The character of the escape at `at`; null for escapes that stand for no single character. */
export const escapedChar = (
  pattern: string,
  at: number,
  inClass: boolean
): Either.Either<Escaped | null, PatternError> => {
  const rest = pattern.slice(at)
  const letter = rest[1]
  if (letter === undefined) return failure(at, "The pattern ends with a single \"\\\"")
  const hex = /^\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(rest)
  if (hex !== null) {
    const code = parseInt(hex[1] ?? hex[2] ?? hex[3] ?? "", 16)
    if (code <= 0x10ffff) return Either.right({ code, length: hex[0].length })
  }
  const octal = /^\\(?:0[0-7]{0,2}|[1-3][0-7]{2})/.exec(rest) ?? (inClass ? /^\\[0-7]{1,3}/.exec(rest) : null)
  if (octal !== null) {
    const code = parseInt(octal[0].slice(1), 8)
    if (code <= 0o377) return Either.right({ code, length: octal[0].length })
  }
  const control = controls[letter]
  if (control !== undefined && (inClass || letter !== "b")) return Either.right({ code: control, length: 2 })
  if (/[dDwWsS]/.test(letter) || (!inClass && /[bBAZ1-9]/.test(letter))) return Either.right(null)
  if (/[a-zA-Z0-9]/.test(letter)) return failure(at, `"\\${letter}" is no escape of Python's patterns`)
  const code = rest.codePointAt(1) ?? 0
  return Either.right({ code, length: 1 + String.fromCodePoint(code).length })
}
