/** Reads what stands in brackets: tuples, lists, dicts, sets, comprehensions. */
import * as Either from "effect/Either"
import { constants, Cursor, keywords, type Read } from "./Cursor.ts"
import type { Clause, Comprehension, Expression } from "./Expression.ts"

export abstract class DisplayReader extends Cursor {
  abstract expression(): Read
  abstract logic(operator: "and" | "or"): Read

  /** One expression, or several with commas between them. */
  tuple(): Read {
    return Either.gen(this, function*() {
      const { offset } = this.token
      const first = yield* this.expression()
      if (this.word !== ",") return first
      const items = [first]
      while (this.take(",") && !this.ends(")", "]")) {
        items.push(yield* this.expression())
      }
      return { kind: "items", of: "tuple", items, offset } as const
    })
  }

  parenthesis(offset: number): Read {
    return Either.gen(this, function*() {
      if (this.take(")")) return { kind: "items", of: "tuple", items: [], offset } as const
      const inner = yield* this.tuple()
      const whole = this.word === "for" ? yield* this.comprehension("generator", inner, null, offset) : inner
      yield* this.expect(")")
      return whole
    })
  }

  list(offset: number): Read {
    return Either.gen(this, function*() {
      const items: Array<Expression> = []
      while (!this.take("]")) {
        const item = yield* this.expression()
        if (items.length === 0 && this.word === "for") {
          const list = yield* this.comprehension("list", item, null, offset)
          yield* this.expect("]")
          return list
        }
        items.push(item)
        if (this.word !== "]") yield* this.expect(",")
      }
      return { kind: "items", of: "list", items, offset } as const
    })
  }

  /** A dict or a set; empty braces are a dict. */
  braces(offset: number): Read {
    return Either.gen(this, function*() {
      const entries: Array<readonly [Expression, Expression]> = []
      const items: Array<Expression> = []
      while (!this.take("}")) {
        const key = yield* this.expression()
        const value = items.length === 0 && this.take(":") ? yield* this.expression() : null
        if (this.word === "for" && entries.length + items.length === 0) {
          const made = yield* this.comprehension(value === null ? "set" : "dict", key, value, offset)
          yield* this.expect("}")
          return made
        }
        if (value !== null) entries.push([key, value])
        else if (entries.length > 0) return yield* this.unexpected("\":\" is missing")
        else items.push(key)
        if (this.word !== "}") yield* this.expect(",")
      }
      return items.length > 0
        ? { kind: "items", of: "set", items, offset } as const
        : { kind: "dict", entries, offset } as const
    })
  }

  comprehension(
    of: Comprehension["of"],
    element: Expression,
    value: Expression | null,
    offset: number
  ): Read<Comprehension> {
    return Either.gen(this, function*() {
      const clauses: Array<Clause> = []
      while (this.take("for")) {
        const bracket = this.take("(") ? ")" : this.take("[") ? "]" : null
        const targets = [yield* this.target()]
        let apart = false
        while (this.take(",")) {
          apart = true
          if (this.word !== "in" && this.word !== bracket) targets.push(yield* this.target())
        }
        if (bracket !== null) yield* this.expect(bracket)
        yield* this.expect("in")
        const source = yield* this.logic("or")
        const tests: Array<Expression> = []
        while (this.take("if")) tests.push(yield* this.logic("or"))
        clauses.push({ targets, apart: apart || bracket === "]", of: source, tests })
      }
      return { kind: "comprehension", of, element, value, clauses, offset } as const
    })
  }

  private target(): Read<string> {
    const { kind } = this.token
    const { word } = this
    if (kind !== "name" || keywords.test(word) || Object.hasOwn(constants, word)) {
      return this.unexpected("A name is missing")
    }
    this.at++
    return Either.right(word)
  }
}
