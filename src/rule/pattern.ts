/**
 * Python's `re` syntax as a JavaScript regular expression.
 * Source: CPython 3.11's `re/_parser.py`. A pattern means the same on both sides: its classes (`\w`, `\d`, `\s`, `\b`)
 * are Unicode's, `.` stops at `\n` only, `$` also matches before a last `\n`. Two differences stay: a reference to a
 * group that took no part matches the empty text, where Python's does not match; and a group within a repeat that took
 * no part in its last turn is null, where Python keeps what it held in an earlier one.
 */
import * as Either from "effect/Either"
import {
  boundary,
  classOf,
  escapedChar,
  failure,
  type Flags,
  literal,
  negated,
  PatternError,
  type Texts,
  withCases
} from "./patternClass.ts"

export { PatternError } from "./patternClass.ts"

/** A pattern, ready to search with. */
export interface Pattern {
  readonly regex: RegExp
  /** Of each of Python's groups (the first is number 1) the name that it has among the groups of a match. */
  readonly groups: ReadonlyArray<string>
}

/** Every character. Not "[^]": V8 of Node 20 repeats that only once. */
const anything = "[\\0-\\u{10ffff}]"

const flagLetters = /^[aiLmsux]*$/

/** Flags to add from `(?flags)` or `(?flags:`. */
const readFlags = (letters: string, at: number, flags: Flags): Either.Either<Flags, PatternError> => {
  if (!flagLetters.test(letters)) return failure(at, `"(?${letters}" holds a flag that Python does not know`)
  if (letters.includes("L")) return failure(at, "The flag L is for bytes and does not fit text")
  return Either.right(new Set([...flags, ...letters.replace("u", "")]))
}

/** A group that is not closed yet. */
interface Open {
  readonly at: number
  /** Where it begins in what was written. */
  readonly outAt: number
  readonly flags: Flags
  readonly kind: "group" | "ahead" | "behind"
  /** What closes it. */
  readonly end: string
  readonly name: string | null
}

type Step = Either.Either<void, PatternError>

class Translation {
  readonly pattern: string
  readonly texts: Texts
  /** Whether other cases are written out: `i` holds for parts only, for which there is no flag. */
  readonly spelled: boolean
  at = 0
  out = ""
  flags: Flags = new Set()
  /** Whether what was read last can be repeated, and where it begins in `out`. */
  repeatable = false
  lastAt = 0
  /** Whether some part differs from the whole in the flag `i`. */
  mixed = false
  readonly groups: Array<string> = []
  readonly open: Array<Open> = []
  private atomics = 0

  constructor(pattern: string, texts: Texts, spelled: boolean) {
    this.pattern = pattern
    this.texts = texts
    this.spelled = spelled
  }

  emit(text: string, length: number, repeatable: boolean): Step {
    this.lastAt = this.out.length
    this.out += text
    this.at += length
    this.repeatable = repeatable
    return Either.void
  }

  step(): Step {
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
        return this.emit(this.flags.has("s") && this.texts === "any" ? anything : "[^\\n]", 1, true)
      case "^":
        return this.emit(this.texts === "any" && this.flags.has("m") ? "(?:^|(?<=\\n))" : this.begin(), 1, false)
      case "$":
        return this.emit(
          this.texts !== "any" ? this.end() : this.flags.has("m") ? "(?:$|(?=\\n))" : "(?=\\n?$)",
          1,
          false
        )
      case "*":
      case "+":
      case "?":
        return this.repeat(char, 1)
      case "{":
        return this.counted()
    }
    if (this.flags.has("x") && /[\s#]/.test(char)) return this.comment(char)
    return this.emit(this.char(char.codePointAt(0) ?? 0), char.length, true)
  }

  /** Blanks and comments of a verbose pattern. */
  comment(char: string): Step {
    const end = char === "#" ? this.pattern.indexOf("\n", this.at) : this.at
    this.at = end < 0 ? this.pattern.length : end + 1
    return Either.void
  }

  /** The beginning of the text, or of a line. */
  begin(): string {
    return this.texts === "lines" ? "(?:^|(?<=\\n))" : "^"
  }

  end(): string {
    return this.texts === "lines" ? "(?:$|(?=\\n))" : "$"
  }

  char(code: number): string {
    if (code === 10 && this.texts !== "any") return "[]"
    return this.spelled && this.flags.has("i") ? `[${withCases(literal(code))}]` : literal(code)
  }

  escape(): Step {
    return Either.flatMap(escapedChar(this.pattern, this.at, false), (escaped) => {
      if (escaped !== null) return this.emit(this.char(escaped.code), escaped.length, true)
      const letter = this.pattern[this.at + 1] ?? ""
      switch (letter) {
        case "A":
          return this.emit(this.begin(), 2, false)
        case "Z":
          return this.emit(this.end(), 2, false)
        case "b":
        case "B":
          return this.emit(boundary(this.flags, this.texts, letter === "B"), 2, false)
      }
      if (/\d/.test(letter)) {
        const number = /^\d\d?/.exec(this.pattern.slice(this.at + 1))?.[0] ?? letter
        const name = this.groups[Number(number) - 1]
        if (name === undefined) return failure(this.at, `There is no group ${number} before this place`)
        return this.reference(name, 1 + number.length)
      }
      return this.emit(classOf(letter, this.flags, this.texts), 2, true)
    })
  }

  reference(name: string, length: number): Step {
    if (this.open.some((open) => open.name === name)) return failure(this.at, "A group cannot refer to itself")
    if (this.spelled && this.flags.has("i")) {
      return failure(this.at, "A reference to a group is not supported where the flag i holds for a part only")
    }
    return this.emit(`\\k<${name}>`, length, true)
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
      return escaped?.code ?? classOf(pattern[at + 1] ?? "", this.flags, this.texts)
    })
  }

  charClass(): Step {
    return Either.gen(this, function*() {
      const start = this.at
      const isNot = this.pattern[start + 1] === "^"
      this.at += isNot ? 2 : 1
      let text = ""
      let newline = false
      // A "]" right at the beginning is a member.
      for (let first = true; first || this.pattern[this.at] !== "]"; first = false) {
        if (this.at >= this.pattern.length) return yield* failure(start, "This \"[\" is not closed")
        const from = this.at
        const low = yield* this.member()
        const range = this.pattern[this.at] === "-" && this.at + 1 < this.pattern.length &&
          this.pattern[this.at + 1] !== "]"
        if (!range) {
          text += typeof low === "string" ? low : literal(low)
          newline ||= low === 10
          continue
        }
        this.at++
        const high = yield* this.member()
        if (typeof low === "string" || typeof high === "string" || low > high) {
          return yield* failure(from, `"${this.pattern.slice(from, this.at)}" is no range of characters`)
        }
        text += `${literal(low)}-${literal(high)}`
        newline ||= low <= 10 && high >= 10
      }
      const members = this.spelled && this.flags.has("i") ? withCases(text) : text
      if (isNot) return yield* this.emit(negated(members, this.texts), 1, true)
      return yield* this.emit(newline && this.texts !== "any" ? `[[${members}]--\\n]` : `[${members}]`, 1, true)
    })
  }

  enter(
    text: string,
    length: number,
    rest: { readonly flags?: Flags; readonly kind?: Open["kind"]; readonly end?: string; readonly name?: string } = {}
  ): Step {
    const { end = ")", flags = this.flags, kind = "group", name = null } = rest
    this.open.push({ at: this.at, outAt: this.out.length, flags: this.flags, kind, end, name })
    this.flags = flags
    return this.emit(text, length, false)
  }

  /** A group that Python numbers. JavaScript's get names, so that those of our own move no number. */
  capture(name: string, length: number): Step {
    this.groups.push(name)
    return this.enter(`(?<${name}>`, length, { name })
  }

  group(): Step {
    const { at } = this
    const rest = this.pattern.slice(at)
    if (!rest.startsWith("(?")) return this.capture(`$${this.groups.length + 1}`, 1)
    if (rest.startsWith("(?:")) return this.enter("(?:", 3)
    const around = /^\(\?(<?)[=!]/.exec(rest)
    if (around !== null) {
      return this.enter(around[0], around[0].length, { kind: around[1] === "<" ? "behind" : "ahead" })
    }
    if (rest.startsWith("(?#")) {
      const end = rest.indexOf(")")
      if (end < 0) return failure(at, "This comment is not closed")
      this.at += end + 1
      return Either.void
    }
    const named = /^\(\?P(?:<([^>]*)>|=([^)]*)\))/.exec(rest)
    if (named !== null) return this.named(named)
    const flags = /^\(\?([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)])/.exec(rest)
    if (flags !== null) return this.flagGroup(flags)
    if (rest.startsWith("(?>")) {
      return Either.flatMap(this.atomic(), ({ end, start }) => this.enter(start, 3, { end }))
    }
    if (rest.startsWith("(?(")) return failure(at, "Conditional groups, \"(?(…)…)\", are not supported")
    if (rest.startsWith("(?<")) return failure(at, "A named group is written \"(?P<name>…)\"")
    return failure(at, `"${rest.slice(0, 4)}" begins no group of Python's patterns`)
  }

  named([text, defined, used = ""]: RegExpExecArray): Step {
    const name = defined ?? used
    if (!/^[\p{ID_Start}_][\p{ID_Continue}]*$/u.test(name)) return failure(this.at, `"${name}" is no name of a group`)
    const known = this.groups.includes(name)
    if (defined === undefined) {
      return known
        ? this.reference(name, text.length)
        : failure(this.at, `There is no group "${name}" before this place`)
    }
    return known ? failure(this.at, `There are two groups "${name}"`) : this.capture(name, text.length)
  }

  /** What stands before and after a part that is never entered again: a look-ahead gives nothing back. */
  atomic(): Either.Either<{ readonly start: string; readonly end: string }, PatternError> {
    if (this.open.some(({ kind }) => kind === "behind")) {
      return failure(this.at, "Atomic groups and possessive repeats are not supported within a look-behind")
    }
    const name = `$a${++this.atomics}`
    return Either.right({ start: `(?:(?=(?<${name}>`, end: `))\\k<${name}>)` })
  }

  flagGroup([text, on = "", off = "", end]: RegExpExecArray): Step {
    const { at } = this
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
      this.mixed ||= within.has("i") !== this.flags.has("i")
      return this.enter("(?:", text.length, { flags: within })
    })
  }

  close(): Step {
    const opened = this.open.pop()
    if (opened === undefined) return failure(this.at, "This \")\" closes nothing; write \"\\)\" for the character")
    this.flags = opened.flags
    const step = this.emit(opened.end, 1, opened.kind === "group")
    this.lastAt = opened.outAt
    return step
  }

  repeat(text: string, length: number): Step {
    if (!this.repeatable) return failure(this.at, `There is nothing that "${text}" could repeat`)
    const after = this.pattern[this.at + length]
    if (after === "?") return this.emit(`${text}?`, length + 1, false)
    if (after !== "+") return this.emit(text, length, false)
    return Either.flatMap(this.atomic(), ({ end, start }) => {
      const repeated = this.out.slice(this.lastAt)
      this.out = this.out.slice(0, this.lastAt)
      return this.emit(`${start}${repeated}${text}${end}`, length + 1, false)
    })
  }

  counted(): Step {
    const count = /^\{(\d*)(,?)(\d*)\}/.exec(this.pattern.slice(this.at))
    if (count === null || (count[1] === "" && count[2] === "") || count[0] === "{,}") {
      return count?.[0] === "{,}" ? this.repeat("*", 3) : this.emit(literal(123), 1, true)
    }
    const [text, low = "", comma, high] = count
    if (high !== "" && Number(low) > Number(high) && comma !== "") return failure(this.at, `"${text}" counts downwards`)
    return this.repeat(`{${low || "0"}${comma}${high}}`, text.length)
  }
}

const translate = (pattern: string, texts: Texts, spelled: boolean): Either.Either<Translation, PatternError> =>
  Either.gen(function*() {
    const translation = new Translation(pattern, texts, spelled)
    while (translation.at < pattern.length) yield* translation.step()
    const open = translation.open[0]
    if (open !== undefined) return yield* failure(open.at, "This \"(\" is not closed; write \"\\(\" for the character")
    return translation.mixed && !spelled ? yield* translate(pattern, texts, true) : translation
  })

/**
 * The regular expression that finds in such texts what Python's `re.search` finds. Its flags are `v`, `i` where all of the
 * pattern is so, `m` for lines; add `g` to find all.
 */
export const compilePattern = (pattern: string, texts: Texts = "any"): Either.Either<Pattern, PatternError> =>
  Either.flatMap(translate(pattern, texts, false), ({ flags, groups, out, spelled }) =>
    Either.try({
      try: () => ({
        regex: new RegExp(
          out,
          `v${flags.has("i") && !spelled ? "i" : ""}${texts === "ascii lines" ? "m" : ""}`
        ),
        groups
      }),
      catch: (error) =>
        new PatternError({ message: `The pattern does not compile: ${String(error).replace(/^.*: /, "")}.`, column: 1 })
    }))
