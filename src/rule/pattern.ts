/**
 * Python's `re` syntax as a JavaScript regular expression.
 * Source: CPython 3.11's `re/_parser.py`. A pattern means the same on both sides: its classes (`\w`, `\d`, `\s`, `\b`)
 * are Unicode's, `.` stops at `\n` only, `$` also matches before a last `\n`. One difference stays: a reference to a
 * group that took no part matches the empty text, where Python's does not match.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"

/** A pattern that Python would refuse, or that cannot be translated. `column` counts from 1; `message` is a sentence. */
export class PatternError extends Schema.TaggedError<PatternError>()("PatternError", {
  message: Schema.String,
  column: Schema.Int
}) {}

/** The flags that hold at a place of the pattern, by Python's letters: `i`, `m`, `s`, `a`. */
type Flags = ReadonlySet<string>

const failure = (at: number, message: string): Either.Either<never, PatternError> =>
  Either.left(new PatternError({ message: `${message}.`, column: at + 1 }))

/** Members of a class, without the brackets. */
const members = (letter: string, flags: Flags): string => {
  const ascii = flags.has("a")
  switch (letter.toLowerCase()) {
    case "d":
      return ascii ? "0-9" : "\\p{Nd}"
    case "w":
      return ascii ? "a-zA-Z0-9_" : "\\p{L}\\p{N}_"
    default:
      return ascii
        ? "\\t-\\r\\x20"
        : "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
  }
}

const classOf = (letter: string, flags: Flags): string =>
  `[${letter === letter.toUpperCase() ? "^" : ""}${members(letter, flags)}]`

const boundary = (flags: Flags): string => {
  const word = classOf("w", flags)
  return `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`
}

const notBoundary = (flags: Flags): string => {
  const word = classOf("w", flags)
  return `(?:(?<=${word})(?=${word})|(?<!${word})(?!${word}))`
}

const literal = (code: number): string => {
  const char = String.fromCodePoint(code)
  return /[\p{L}\p{N} _]/u.test(char) ? char : `\\u{${code.toString(16)}}`
}

const controls: Record<string, number> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 }

/** A character that an escape stands for, the length of the escape included. */
type Escaped = { readonly code: number; readonly length: number }

/** The character of the escape at `at`; null for escapes that stand for no single character. */
const escapedChar = (pattern: string, at: number, inClass: boolean): Either.Either<Escaped | null, PatternError> => {
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

const flagLetters = /^[aiLmsux]*$/

/** Flags to add from `(?flags)` or `(?flags:`. */
const readFlags = (letters: string, at: number, flags: Flags): Either.Either<Flags, PatternError> => {
  if (!flagLetters.test(letters)) return failure(at, `"(?${letters}" holds a flag that Python does not know`)
  if (letters.includes("x")) return failure(at, "Verbose patterns, \"(?x)\", are not supported; write it in one line")
  if (letters.includes("L")) return failure(at, "The flag L is for bytes and does not fit text")
  return Either.right(new Set([...flags, ...letters.replace("u", "")]))
}

class Translation {
  readonly pattern: string
  at = 0
  out = ""
  flags: Flags = new Set()
  /** Whether what was read last can be repeated. */
  repeatable = false
  readonly open: Array<{ readonly at: number; readonly flags: Flags; readonly lookaround: boolean }> = []

  constructor(pattern: string) {
    this.pattern = pattern
  }

  emit(text: string, length: number, repeatable: boolean): Either.Either<void, PatternError> {
    this.out += text
    this.at += length
    this.repeatable = repeatable
    return Either.void
  }

  step(): Either.Either<void, PatternError> {
    const char = String.fromCodePoint(this.pattern.codePointAt(this.at) ?? 0)
    switch (char) {
      case "\\":
        return this.escape()
      case "[":
        return this.charClass()
      case "(":
        return this.group()
      case ")":
        return this.close()
      case "|":
        return this.emit("|", 1, false)
      case ".":
        return this.emit(this.flags.has("s") ? "[^]" : "[^\\n]", 1, true)
      case "^":
        return this.emit(this.flags.has("m") ? "(?:^|(?<=\\n))" : "^", 1, false)
      case "$":
        return this.emit(this.flags.has("m") ? "(?:$|(?=\\n))" : "(?=\\n?$)", 1, false)
      case "*":
      case "+":
      case "?":
        return this.repeat(char, 1)
      case "{":
        return this.counted()
      default:
        return this.emit(literal(char.codePointAt(0) ?? 0), char.length, true)
    }
  }

  escape(): Either.Either<void, PatternError> {
    return Either.flatMap(escapedChar(this.pattern, this.at, false), (escaped) => {
      if (escaped !== null) return this.emit(literal(escaped.code), escaped.length, true)
      const letter = this.pattern[this.at + 1] ?? ""
      switch (letter) {
        case "A":
          return this.emit("^", 2, false)
        case "Z":
          return this.emit("$", 2, false)
        case "b":
          return this.emit(boundary(this.flags), 2, false)
        case "B":
          return this.emit(notBoundary(this.flags), 2, false)
      }
      if (/\d/.test(letter)) {
        const number = /^\d\d?/.exec(this.pattern.slice(this.at + 1))?.[0] ?? letter
        return this.emit(`(?:\\${number})`, 1 + number.length, true)
      }
      return this.emit(classOf(letter, this.flags), 2, true)
    })
  }

  /** One member of a class: a character's code, or a class of its own. */
  member(): Either.Either<number | string, PatternError> {
    const { at, pattern } = this
    if (pattern[at] !== "\\") {
      const code = pattern.codePointAt(at) ?? 0
      this.at += String.fromCodePoint(code).length
      return Either.right(code)
    }
    return Either.map(escapedChar(pattern, at, true), (escaped) => {
      this.at += escaped?.length ?? 2
      return escaped?.code ?? classOf(pattern[at + 1] ?? "", this.flags)
    })
  }

  charClass(): Either.Either<void, PatternError> {
    return Either.gen(this, function*() {
      const start = this.at
      const negated = this.pattern[start + 1] === "^"
      this.at += negated ? 2 : 1
      let text = ""
      // A "]" right at the beginning is a member.
      for (let first = true; first || this.pattern[this.at] !== "]"; first = false) {
        if (this.at >= this.pattern.length) return yield* failure(start, "This \"[\" is not closed")
        const from = this.at
        const low = yield* this.member()
        const range = this.pattern[this.at] === "-" && this.at + 1 < this.pattern.length &&
          this.pattern[this.at + 1] !== "]"
        if (!range) {
          text += typeof low === "string" ? low : literal(low)
          continue
        }
        this.at++
        const high = yield* this.member()
        if (typeof low === "string" || typeof high === "string" || low > high) {
          return yield* failure(from, `"${this.pattern.slice(from, this.at)}" is no range of characters`)
        }
        text += `${literal(low)}-${literal(high)}`
      }
      return yield* this.emit(`[${negated ? "^" : ""}${text}]`, 1, true)
    })
  }

  group(): Either.Either<void, PatternError> {
    const { at } = this
    const rest = this.pattern.slice(at)
    const enter = (text: string, length: number, flags = this.flags) => {
      this.open.push({ at, flags: this.flags, lookaround: /^\(\?<?[=!]/.test(text) })
      this.flags = flags
      return this.emit(text, length, false)
    }
    if (!rest.startsWith("(?")) return enter("(", 1)
    if (/^\(\?(?:[:=!]|<[=!])/.test(rest)) {
      const text = rest.startsWith("(?<") ? rest.slice(0, 4) : rest.slice(0, 3)
      return enter(text, text.length)
    }
    if (rest.startsWith("(?#")) {
      const end = rest.indexOf(")")
      if (end < 0) return failure(at, "This comment is not closed")
      this.at += end + 1
      return Either.void
    }
    const named = /^\(\?P(?:<([^>]*)>|=([^)]*)\))/.exec(rest)
    if (named !== null) {
      const name = named[1] ?? named[2] ?? ""
      if (!/^[\p{ID_Start}_][\p{ID_Continue}]*$/u.test(name)) return failure(at, `"${name}" is no name of a group`)
      return named[1] === undefined
        ? this.emit(`\\k<${name}>`, named[0].length, true)
        : enter(`(?<${name}>`, named[0].length)
    }
    const flags = /^\(\?([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)])/.exec(rest)
    if (flags !== null) return this.flagGroup(flags, enter)
    if (rest.startsWith("(?(")) return failure(at, "Conditional groups, \"(?(…)…)\", are not supported")
    if (rest.startsWith("(?>")) return failure(at, "Atomic groups, \"(?>…)\", are not supported")
    if (rest.startsWith("(?<")) return failure(at, "A named group is written \"(?P<name>…)\"")
    return failure(at, `"${rest.slice(0, 4)}" begins no group of Python's patterns`)
  }

  flagGroup(
    match: RegExpExecArray,
    enter: (text: string, length: number, flags: Flags) => Either.Either<void, PatternError>
  ): Either.Either<void, PatternError> {
    const { at } = this
    const [text, on = "", off = "", end] = match
    return Either.flatMap(readFlags(on, at, this.flags), (flags) => {
      if (end === ")") {
        if (this.out !== "" || this.open.length > 0 || off !== "") {
          return failure(at, `"${text}" stands only at the beginning of a pattern`)
        }
        this.flags = flags
        this.at += text.length
        return Either.void
      }
      const within = new Set([...flags].filter((flag) => !off.includes(flag)))
      if (within.has("i") !== this.flags.has("i")) {
        return failure(at, "The flag i holds for a whole pattern only; write \"(?i)\" at its beginning")
      }
      return enter("(?:", text.length, within)
    })
  }

  close(): Either.Either<void, PatternError> {
    const opened = this.open.pop()
    if (opened === undefined) return failure(this.at, "This \")\" closes nothing; write \"\\)\" for the character")
    this.flags = opened.flags
    return this.emit(")", 1, !opened.lookaround)
  }

  repeat(text: string, length: number): Either.Either<void, PatternError> {
    if (!this.repeatable) return failure(this.at, `There is nothing that "${text}" could repeat`)
    const after = this.pattern[this.at + length]
    if (after === "+") return failure(this.at, `Possessive repeats, "${text}+", are not supported`)
    return after === "?" ? this.emit(`${text}?`, length + 1, false) : this.emit(text, length, false)
  }

  counted(): Either.Either<void, PatternError> {
    const count = /^\{(\d*)(,?)(\d*)\}/.exec(this.pattern.slice(this.at))
    if (count === null || (count[1] === "" && count[2] === "") || count[0] === "{,}") {
      return count?.[0] === "{,}" ? this.repeat("*", 3) : this.emit(literal(123), 1, true)
    }
    const [text, low = "", comma, high] = count
    if (high !== "" && Number(low) > Number(high) && comma !== "") return failure(this.at, `"${text}" counts downwards`)
    return this.repeat(`{${low || "0"}${comma}${high}}`, text.length)
  }
}

/** The regular expression (flags `v`, and `i` where the pattern says so) that finds what Python's `re.search` finds. */
export const compilePattern = (pattern: string): Either.Either<RegExp, PatternError> =>
  Either.gen(function*() {
    const translation = new Translation(pattern)
    while (translation.at < pattern.length) yield* translation.step()
    const open = translation.open[0]
    if (open !== undefined) return yield* failure(open.at, "This \"(\" is not closed; write \"\\(\" for the character")
    return yield* Either.try({
      try: () => new RegExp(translation.out, translation.flags.has("i") ? "vi" : "v"),
      catch: (error) =>
        new PatternError({ message: `The pattern does not compile: ${String(error).replace(/^.*: /, "")}.`, column: 1 })
    })
  })
