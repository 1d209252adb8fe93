/**
 * `${…}` in a config's texts, as a tree.
 * Source: OmegaConf 2.3 `OmegaConfGrammarParser.g4`, and what it answered (test/conformance/hydra/interpolation.json).
 */
import * as Either from "effect/Either"
import { escapable, readLiteral } from "./literals.ts"
import type { Key, Scalar } from "./Node.ts"
import { keyOf } from "./yaml.ts"

/** Text with interpolations in it; escapes are undone. */
export type Parts = ReadonlyArray<string | Interpolation>

export type Interpolation = NodeInterpolation | ResolverCall

/** `${a.b}`: absolute with `dots` 0; `${.b}` from the value's own mapping with 1, each further dot one level up. */
export interface NodeInterpolation {
  readonly kind: "node"
  readonly dots: number
  readonly keys: Parts
  readonly text: string
}

/** `${name:arguments}`. */
export interface ResolverCall {
  readonly kind: "resolver"
  readonly name: Parts
  readonly args: ReadonlyArray<Argument>
  readonly text: string
}

export type Argument =
  | { readonly kind: "literal"; readonly value: Scalar }
  /** One interpolation alone keeps its type. */
  | { readonly kind: "alone"; readonly interpolation: Interpolation }
  | { readonly kind: "text"; readonly parts: Parts }
  | { readonly kind: "list"; readonly items: ReadonlyArray<Argument> }
  | { readonly kind: "map"; readonly entries: ReadonlyArray<readonly [Key, Argument]> }

/** What is wrong, as half a sentence, and the offset in the text. */
export interface SyntaxFault {
  readonly what: string
  readonly offset: number
}

type Read<A> = Either.Either<A, SyntaxFault>

class InterpolationReader {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  fail(what: string, offset = this.at): Either.Either<never, SyntaxFault> {
    return Either.left({ what, offset })
  }

  /**
   * Text up to `quote`, or to the end if there is none. Before `${` and the quote, two backslashes are one, and one
   * takes the meaning away; all others stay.
   */
  textUntil(quote: string | null): Read<Parts> {
    return Either.gen(this, function*() {
      const { text } = this
      const start = this.at
      const parts: Array<string | Interpolation> = []
      let literal = ""
      while (this.at < text.length) {
        const from = this.at
        while (text[this.at] === "\\") this.at++
        const slashes = this.at - from
        const opens = text.startsWith("${", this.at)
        if (!opens && text[this.at] !== quote) {
          literal += "\\".repeat(slashes) + (text[this.at] ?? "")
          this.at++
          continue
        }
        literal += "\\".repeat(Math.floor(slashes / 2))
        if (slashes % 2 === 1) {
          literal += opens ? "${" : quote
          this.at += opens ? 2 : 1
        } else if (opens) {
          if (literal !== "") parts.push(literal)
          literal = ""
          parts.push(yield* this.interpolation())
        } else {
          this.at++
          return literal === "" && parts.length > 0 ? parts : [...parts, literal]
        }
      }
      if (quote !== null) return yield* this.fail("a quote is not closed", start)
      return literal === "" && parts.length > 0 ? parts : [...parts, literal]
    })
  }

  space(): void {
    while (/[ \t]/.test(this.text[this.at] ?? "")) this.at++
  }

  interpolation(): Read<Interpolation> {
    return Either.gen(this, function*() {
      const { text } = this
      const start = this.at
      this.at += 2
      this.space()
      const dots = /^\.*/.exec(text.slice(this.at))?.[0].length ?? 0
      this.at += dots
      const keys: Array<string | Interpolation> = []
      for (let open = true; open;) {
        const bracket = text[this.at] === "["
        if (bracket) this.at++
        keys.push(yield* this.key(start))
        if (bracket && text[this.at++] !== "]") return yield* this.fail("a \"[\" is not closed by \"]\"", start)
        open = text[this.at] === "." || text[this.at] === "["
        if (text[this.at] === ".") this.at++
      }
      if (text[this.at] === ":" && dots === 0) {
        this.at++
        const args = yield* this.args()
        return { kind: "resolver", name: keys, args, text: text.slice(start, this.at) } as const
      }
      this.space()
      if (text[this.at] !== "}") {
        const char = text[this.at]
        return yield* this.fail(
          char === undefined ? "\"${\" is not closed by \"}\"" : `"${char}" cannot stand in the name of a key`
        )
      }
      this.at++
      return { kind: "node", dots, keys, text: text.slice(start, this.at) } as const
    })
  }

  key(start: number): Read<string | Interpolation> {
    if (this.text.startsWith("${", this.at)) {
      return Either.filterOrLeft(
        this.interpolation(),
        () => /^$|[\s}.:[\]]/.test(this.text[this.at] ?? ""),
        () => ({ what: "an interpolation stands for a whole key, not for a part of one", offset: this.at })
      )
    }
    const name = /^[^\\{}()[\]:. \t'"]+/.exec(this.text.slice(this.at))?.[0]
    if (name === undefined) return this.fail("the name of a key is missing", Math.max(start, this.at))
    this.at += name.length
    return Either.right(name)
  }

  /** Arguments up to and with the closing "}". An argument left out is an empty text. */
  args(): Read<ReadonlyArray<Argument>> {
    return Either.gen(this, function*() {
      this.space()
      if (this.text[this.at] === "}") {
        this.at++
        return []
      }
      return yield* this.sequence("}")
    })
  }

  sequence(close: string): Read<ReadonlyArray<Argument>> {
    return Either.gen(this, function*() {
      const start = this.at
      const items: Array<Argument> = []
      for (;;) {
        this.space()
        const empty = this.text[this.at] === "," || this.text[this.at] === close
        items.push(empty ? { kind: "literal", value: "" } : yield* this.argument(true))
        this.space()
        const char = this.text[this.at++]
        if (char === close) return items
        if (char === undefined) return yield* this.fail(`"${close}" is missing`, start)
        if (char !== ",") return yield* this.fail(`"${char}" cannot stand here unquoted`, this.at - 1)
      }
    })
  }

  argument(colons: boolean): Read<Argument> {
    return Either.gen(this, function*() {
      this.space()
      const char = this.text[this.at]
      if (char === "'" || char === "\"") {
        this.at++
        return { kind: "text", parts: yield* this.textUntil(char) } as const
      }
      if (char === "[") {
        this.at++
        this.space()
        if (this.text[this.at] !== "]") return { kind: "list", items: yield* this.sequence("]") } as const
        this.at++
        return { kind: "list", items: [] } as const
      }
      return yield* (char === "{" ? this.map() : this.word(colons))
    })
  }

  word(colons: boolean): Read<Argument> {
    return Either.gen(this, function*() {
      const { text } = this
      const start = this.at
      const parts: Array<string | Interpolation> = []
      let literal = ""
      let kept = 0
      let plain = true
      while (this.at < text.length) {
        const char = text[this.at] ?? ""
        if (text.startsWith("${", this.at)) {
          if (literal !== "") parts.push(literal)
          literal = ""
          kept = 0
          parts.push(yield* this.interpolation())
          continue
        }
        if (char === "\\" && escapable.includes(text[this.at + 1] ?? "?")) {
          literal += text[this.at + 1]
          plain = false
          this.at += 2
        } else if (/[,[\]{}()'"]/.test(char) || (char === ":" && !colons)) {
          break
        } else {
          literal += char
          this.at++
          if (/[ \t]/.test(char)) continue
        }
        kept = literal.length
      }
      literal = literal.slice(0, kept)
      const only = parts[0]
      if (parts.length === 0) {
        if (literal === "") return yield* this.fail("a value is missing here", start)
        return { kind: "literal", value: plain ? readLiteral(literal) : literal } as const
      }
      if (parts.length === 1 && literal === "" && typeof only === "object") {
        return { kind: "alone", interpolation: only } as const
      }
      return { kind: "text", parts: literal === "" ? parts : [...parts, literal] } as const
    })
  }

  map(): Read<Argument> {
    return Either.gen(this, function*() {
      const start = this.at
      const entries: Array<readonly [Key, Argument]> = []
      this.at++
      this.space()
      for (let more = this.text[this.at] !== "}"; more;) {
        this.space()
        const word = yield* this.word(false)
        const key = word.kind === "literal" ? keyOf(word.value) : null
        if (key === null || this.text[this.at] !== ":") {
          return yield* this.fail("a mapping is written {key: value}, its keys unquoted")
        }
        this.at++
        entries.push([key, yield* this.argument(true)])
        this.space()
        more = this.text[this.at] === ","
        if (more) this.at++
      }
      if (this.text[this.at] !== "}") return yield* this.fail("a \"{\" is not closed by \"}\"", start)
      this.at++
      return { kind: "map", entries } as const
    })
  }
}

type Parsed = Read<Parts>

/** Texts read so far: the same ones come back with every sweep point. */
const known = new Map<string, Parsed>()
const MOST_KNOWN = 20_000

/** The parts of a text in which "${" occurs; texts without it are not for this function, since nothing is escaped there. */
export const parseText = (text: string): Parsed => {
  const before = known.get(text)
  if (before !== undefined) return before
  const parsed = new InterpolationReader(text).textUntil(null)
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(text, parsed)
  return parsed
}

/** One argument standing alone, as `oc.decode` reads it. */
export const parseArgument = (text: string): Either.Either<Argument, SyntaxFault> => {
  const reader = new InterpolationReader(text)
  return Either.filterOrLeft(
    reader.argument(true),
    () => {
      reader.space()
      return reader.at === text.length
    },
    () => ({ what: `"${text[reader.at]}" cannot stand here unquoted`, offset: reader.at })
  )
}
