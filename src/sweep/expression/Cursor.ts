/** A place among the words of an expression, and what comes next. */
import * as Either from "effect/Either"
import type { Expression } from "./Expression.ts"
import { type ExpressionError, failAt } from "./ExpressionError.ts"
import type { Token } from "./tokens.ts"

export type Read<A = Expression> = Either.Either<A, ExpressionError>

/** Deeper expressions are refused: they would eat the stack. */
const MAX_DEPTH = 100

export const constants: Readonly<Record<string, null | boolean>> = { True: true, False: false, None: null }

/** Words that are no names. */
export const keywords =
  /^(?:and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield)$/

export class Cursor {
  readonly tokens: ReadonlyArray<Token>
  at = 0
  private depth = 0

  constructor(tokens: ReadonlyArray<Token>) {
    this.tokens = tokens
  }

  get token(): Token {
    return this.tokens[this.at] ?? { kind: "end", text: "", offset: 0 }
  }

  /** The word at hand if it is an operator or a name, else "". */
  get word(): string {
    return this.token.kind === "value" ? "" : this.token.text
  }

  ends(...words: ReadonlyArray<string>): boolean {
    return this.token.kind === "end" || words.includes(this.word)
  }

  take(text: string): boolean {
    if (this.word !== text) return false
    this.at++
    return true
  }

  expect(text: string): Read<void> {
    return this.take(text) ? Either.void : this.unexpected(`"${text}" is missing`)
  }

  unexpected(wanted: string): Read<never> {
    const { kind, offset } = this.token
    const found = kind === "end" ? "the expression ends" : kind === "value" ? "a value stands" : `"${this.word}" stands`
    return failAt(offset, `${wanted}: ${found} here`)
  }

  /** One level deeper. */
  deeper<A>(read: () => Read<A>): Read<A> {
    if (this.depth >= MAX_DEPTH) return failAt(this.token.offset, `This is nested more than ${MAX_DEPTH} deep`)
    this.depth++
    return Either.map(read(), (value) => {
      this.depth--
      return value
    })
  }
}
