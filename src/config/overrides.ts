/**
 * Hydra's override grammar: `key=value`, `+key=value`, `++key=value`, `~key`, `group@package=option`.
 * Source: Hydra 1.3 `OverrideParser.g4`, and what it answered (test/conformance/hydra/overrides-grammar.json).
 */
import * as Either from "effect/Either"
import { didYouMean } from "../backend/nearest.ts"
import { cast, casts } from "./casts.ts"
import { escapable, readLiteral, wordChar } from "./literals.ts"
import { type Entry, keyId, type Node, scalar } from "./Node.ts"
import { type Origin, type Problem, problemAt } from "./Problem.ts"
import { keyOf } from "./yaml.ts"

export interface Override {
  /** `key=` changes, `+key=` adds, `++key=` does either, `~key` deletes. */
  readonly kind: "change" | "add" | "force" | "delete"
  /** A dotted path, or a group. */
  readonly key: string
  /** What stands behind "@". */
  readonly package: string | null
  /** Null where there is no "=" (deletion only). */
  readonly value: Node | null
  readonly text: string
  /** Where the key begins in the text, from 1. */
  readonly column: number
}

/** Where in its override's text the part of the key at `index` stands. */
export const partOrigin = ({ column, key, text }: Override, index: number): Origin => {
  const before = key.split(".").slice(0, index)
  return { source: "override", text, column: column + [...before, ""].join(".").length }
}

const sweepFunctions = ["choice", "range", "interval", "glob", "sort", "shuffle", "tag"]

const keyShape =
  /^(?:(?<key>(?:[A-Za-z_][\w-]*\/)+[A-Za-z_][\w-]*|(?:[A-Za-z_$][\w$-]*|0|[1-9]\d*)(?:\.(?:[A-Za-z_$][\w$-]*|0|[1-9]\d*))+|[A-Za-z_$][\w$-]*)?)(?:@(?<package>[A-Za-z_$][\w$-]*(?:\.[\w$-]+)*))?/

type Read<A> = Either.Either<A, Problem>

class OverrideReader {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  originAt(at: number): Origin {
    return { source: "override", text: this.text, column: at + 1 }
  }

  fail(what: string, at = this.at, kind = "override_syntax"): Either.Either<never, Problem> {
    const message = `The override "${this.text}" cannot be read: ${/[.?]$/.test(what) ? what : `${what}.`}`
    return Either.left(problemAt(this.originAt(at), kind, message))
  }

  override(): Read<Override> {
    return Either.gen(this, function*() {
      const { text } = this
      const sign = /^(?:\+\+|\+|~)?/.exec(text)?.[0] ?? ""
      const kind = sign === "" ? "change" : sign === "+" ? "add" : sign === "++" ? "force" : "delete"
      const found = keyShape.exec(text.slice(sign.length))
      const key = found?.groups?.key ?? ""
      const named = found?.groups?.package ?? null
      this.at = sign.length + (found?.[0].length ?? 0)
      const base = { kind, key, package: named, text, column: sign.length + 1 } as const
      if (kind === "delete" && key !== "" && this.at === text.length) return { ...base, value: null }
      if (key === "" && text[this.at] === "=") {
        return yield* this.fail("a key is missing before \"=\"", this.at, "group_override_type")
      }
      if (key === "" || text[this.at] !== "=") {
        return yield* this.fail(
          this.at >= text.length && key !== ""
            ? "\"=\" and a value are missing, as in key=value"
            : "a key is dotted names of letters, digits, \"_\", \"-\" and \"$\", followed by \"=\""
        )
      }
      this.at++
      return { ...base, value: yield* this.value() }
    })
  }

  value(): Read<Node> {
    return Either.gen(this, function*() {
      this.space()
      if (this.at === this.text.length) return scalar("", this.originAt(this.at))
      const start = this.at
      const value = yield* this.element()
      this.space()
      if (this.text[this.at] === ",") {
        while (this.text[this.at] === ",") {
          this.at++
          yield* this.element()
          this.space()
        }
        if (this.at === this.text.length) {
          return yield* this.fail(
            "several values for one key are a sweep; write key=[a,b] for a list",
            start,
            "sweep_not_supported"
          )
        }
      }
      if (this.at < this.text.length) {
        const char = this.text[this.at] ?? ""
        return yield* this.fail(`"${char}" cannot stand here unquoted; quote the value, as in key='a${char}b'`)
      }
      return value
    })
  }

  space(): void {
    while (/[ \t]/.test(this.text[this.at] ?? "")) this.at++
  }

  element(): Read<Node> {
    this.space()
    const origin = this.originAt(this.at)
    const char = this.text[this.at]
    if (char === "'" || char === "\"") return Either.map(this.quoted(char), (text) => scalar(text, origin))
    if (char === "[") return this.list()
    if (char === "{") return this.map()
    const called = /^([A-Za-z_][\w-]*)\(/.exec(this.text.slice(this.at))?.[1]
    return called === undefined ? this.word(true) : this.call(called)
  }

  /** Only the quote itself is unescaped, and backslashes right before it. */
  quoted(quote: string): Read<string> {
    const start = this.at
    let value = ""
    for (this.at++; this.at < this.text.length;) {
      const slashes = /^\\*/.exec(this.text.slice(this.at))?.[0].length ?? 0
      this.at += slashes
      const char = this.text[this.at] ?? ""
      if (char === quote) {
        value += "\\".repeat(Math.floor(slashes / 2))
        this.at++
        if (slashes % 2 === 0) return Either.right(value)
        value += quote
      } else {
        value += "\\".repeat(slashes) + char
        this.at++
      }
    }
    return this.fail("this quote is not closed", start)
  }

  /** An unquoted word, spaces and interpolations within it included. */
  word(colons: boolean): Read<Node> {
    const { text } = this
    const start = this.at
    let value = ""
    let plain = true
    let end = 0
    while (this.at < text.length) {
      const char = text[this.at] ?? ""
      const interpolation = char === "$" ? /^\$\{[^{}]*\}/.exec(text.slice(this.at))?.[0] : undefined
      if (interpolation !== undefined) {
        value += interpolation
        plain = false
        this.at += interpolation.length
      } else if (char === "\\" && escapable.includes(text[this.at + 1] ?? "?")) {
        value += text[this.at + 1]
        plain = false
        this.at += 2
      } else if (wordChar.test(char) || (colons && char === ":")) {
        value += char
        this.at++
      } else if (/[ \t]/.test(char)) {
        value += char
        this.at++
        continue
      } else break
      end = value.length
    }
    if (this.at === start || end === 0) return this.fail("a value is missing here")
    const word = value.slice(0, end)
    return Either.right(scalar(plain ? readLiteral(word) : word, this.originAt(start)))
  }

  list(): Read<Node> {
    return Either.gen(this, function*() {
      const start = this.at
      const items: Array<Node> = []
      this.at++
      this.space()
      for (let more = this.text[this.at] !== "]"; more;) {
        items.push(yield* this.element())
        this.space()
        more = this.text[this.at] === ","
        if (more) this.at++
      }
      if (this.text[this.at] !== "]") return yield* this.fail("this list is not closed by \"]\"", start)
      this.at++
      return { kind: "list", items, origin: this.originAt(start) } as const
    })
  }

  map(): Read<Node> {
    return Either.gen(this, function*() {
      const start = this.at
      const entries = new Map<string, Entry>()
      this.at++
      this.space()
      for (let more = this.text[this.at] !== "}"; more;) {
        this.space()
        const keyAt = this.at
        const word = yield* this.word(false)
        if (this.text[this.at] !== ":") return yield* this.fail("a mapping is written {key: value}, its keys unquoted")
        const key = word.kind === "scalar" ? keyOf(word.value) : null
        if (key === null) return yield* this.fail("null cannot be a key", keyAt, "unsupported_key_type")
        this.at++
        entries.set(keyId(key), { key, node: yield* this.element(), origin: this.originAt(keyAt) })
        this.space()
        more = this.text[this.at] === ","
        if (more) this.at++
      }
      if (this.text[this.at] !== "}") return yield* this.fail("this mapping is not closed by \"}\"", start)
      this.at++
      return { kind: "map", entries, origin: this.originAt(start) } as const
    })
  }

  call(name: string): Read<Node> {
    return Either.gen(this, function*() {
      const start = this.at
      if (sweepFunctions.includes(name)) {
        return yield* this.fail(`${name}(…) is a sweep, which belongs into sweep.axes`, start, "sweep_not_supported")
      }
      if (!casts.includes(name)) return yield* this.fail(`there is no function ${name}; ${didYouMean(name, casts)}`)
      this.at += name.length + 1
      const argument = yield* this.element()
      this.space()
      if (this.text[this.at] !== ")") return yield* this.fail(`${name}(…) takes one value and a ")" behind it`)
      this.at++
      return yield* Either.orElse(cast(name, argument), (why) => this.fail(why, start))
    })
  }
}

/** One override as it was written. */
export const parseOverride = (text: string): Either.Either<Override, Problem> => new OverrideReader(text).override()
