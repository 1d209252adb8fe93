/** Reads a Python expression, by precedence climbing. Source: Python 3.11's "Expressions" reference. */
import * as Either from "effect/Either"
import { constants, keywords, type Read } from "./Cursor.ts"
import { DisplayReader } from "./DisplayReader.ts"
import type { BinaryOperator, Comparator, Compared, Expression } from "./Expression.ts"
import { failAt } from "./ExpressionError.ts"
import { readTokens } from "./tokens.ts"

/** Longer expressions are refused: they are no condition of a sweep. */
const MAX_LENGTH = 10_000

/** How strongly operators bind; those of one number from the left, except `**`. */
const strength: Readonly<Record<BinaryOperator, number>> = {
  "|": 1,
  "^": 2,
  "&": 3,
  "<<": 4,
  ">>": 4,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  "//": 6,
  "%": 6,
  "**": 8
}
const SIGN = 7

const isBinary = (text: string): text is BinaryOperator => Object.hasOwn(strength, text)

const comparators: ReadonlyArray<string> = ["==", "!=", "<", "<=", ">", ">=", "in", "is"]
const isComparator = (text: string): text is Comparator => comparators.includes(text)

class Parser extends DisplayReader {
  whole(): Read {
    return Either.gen(this, function*() {
      const expression = yield* this.tuple()
      if (this.token.kind === "end") return expression
      if (this.word === "=") return yield* failAt(this.token.offset, "\"=\" sets nothing here; to compare, write ==")
      return yield* this.unexpected("An operator is missing")
    })
  }

  expression(): Read {
    return this.deeper(() => this.conditional())
  }

  private conditional(): Read {
    return Either.gen(this, function*() {
      if (this.word === "lambda") return yield* failAt(this.token.offset, "Functions cannot be made here")
      const then = yield* this.logic("or")
      const { offset } = this.token
      if (!this.take("if")) return then
      const test = yield* this.logic("or")
      yield* this.expect("else")
      const otherwise = yield* this.expression()
      return { kind: "conditional", test, then, otherwise, offset } as const
    })
  }

  logic(operator: "and" | "or"): Read {
    return Either.gen(this, function*() {
      const { offset } = this.token
      const operand = () => (operator === "or" ? this.logic("and") : this.negation())
      const operands = [yield* operand()]
      while (this.take(operator)) operands.push(yield* operand())
      const [first] = operands
      return operands.length === 1 && first !== undefined
        ? first
        : { kind: "logic", operator, operands, offset } as const
    })
  }

  private negation(): Read {
    return Either.gen(this, function*() {
      const { offset } = this.token
      let count = 0
      while (this.take("not")) count++
      const operand = yield* this.comparison()
      if (count === 0) return operand
      const not = { kind: "unary", operator: "not", operand, offset } as const
      return count % 2 === 1 ? not : { kind: "unary", operator: "not", operand: not, offset } as const
    })
  }

  private comparison(): Read {
    return Either.gen(this, function*() {
      const first = yield* this.binary(0)
      const rest: Array<Compared> = []
      for (;;) {
        const { offset } = this.token
        const operator = this.comparator()
        if (operator === null) break
        rest.push({ operator, right: yield* this.binary(0), offset })
      }
      return rest.length === 0 ? first : { kind: "comparison", first, rest, offset: first.offset } as const
    })
  }

  private comparator(): Comparator | null {
    if (this.word === "not") {
      const next = this.tokens[this.at + 1]
      if (next?.kind !== "name" || next.text !== "in") return null
      this.at += 2
      return "not in"
    }
    const { word } = this
    if (!isComparator(word)) return null
    this.at++
    return word === "is" && this.take("not") ? "is not" : word
  }

  /** Operators that bind more strongly than `least`. */
  private binary(least: number): Read {
    return Either.gen(this, function*() {
      let left = yield* this.signed()
      for (;;) {
        const { word } = this
        if (!isBinary(word) || strength[word] <= least) return left
        const { offset } = this.token
        this.at++
        const right = yield* (word === "**" ? this.deeper(() => this.binary(SIGN)) : this.binary(strength[word]))
        left = { kind: "binary", operator: word, left, right, offset }
      }
    })
  }

  private signed(): Read {
    return Either.gen(this, function*() {
      const { offset } = this.token
      const { word } = this
      if (word !== "-" && word !== "+" && word !== "~") return yield* this.postfix()
      this.at++
      const operand = yield* this.deeper(() => this.binary(SIGN))
      return { kind: "unary", operator: word, operand, offset } as const
    })
  }

  private postfix(): Read {
    return Either.gen(this, function*() {
      let expression = yield* this.atom()
      for (;;) {
        const { offset } = this.token
        if (this.word === "(") expression = yield* this.call(expression)
        else if (this.take("[")) expression = yield* this.subscript(expression, offset)
        else if (this.word === ".") return yield* failAt(offset, "Values have no attributes and no methods here")
        else return expression
      }
    })
  }

  private call(of: Expression): Read {
    return Either.gen(this, function*() {
      const { offset } = of
      if (of.kind !== "name") return yield* failAt(this.token.offset, "Only a function's name can be called")
      this.at++
      const args: Array<Expression> = []
      const named: Array<readonly [string, Expression]> = []
      while (!this.take(")")) {
        const next = this.tokens[this.at + 1]
        if (this.token.kind === "name" && next?.kind === "operator" && next.text === "=") {
          const name = this.token.text
          this.at += 2
          named.push([name, yield* this.expression()])
        } else {
          const arg = yield* this.expression()
          args.push(this.word === "for" ? yield* this.comprehension("generator", arg, null, arg.offset) : arg)
        }
        if (this.word !== ")") yield* this.expect(",")
      }
      return { kind: "call", name: of.name, args, named, offset } as const
    })
  }

  private subscript(of: Expression, offset: number): Read {
    return Either.gen(this, function*() {
      const part = () => this.word === ":" || this.word === "]" ? Either.right(null) : this.tuple()
      const start = yield* part()
      if (this.word !== ":") {
        if (start === null) return yield* this.unexpected("An index is missing")
        yield* this.expect("]")
        return { kind: "index", of, index: start, offset } as const
      }
      this.at++
      const end = yield* part()
      const step = this.take(":") ? yield* part() : null
      yield* this.expect("]")
      return { kind: "slice", of, bounds: [start, end, step], offset } as const
    })
  }

  private atom(): Read {
    return Either.gen(this, function*() {
      const { token } = this
      const { offset } = token
      if (token.kind === "value") return yield* this.value()
      const { kind, text } = token
      if (kind === "name") {
        if (keywords.test(text)) return yield* this.unexpected("A value is missing")
        this.at++
        if (Object.hasOwn(constants, text)) return { kind: "literal", value: constants[text] ?? null, offset } as const
        return { kind: "name", name: text + this.dotted(), offset } as const
      }
      if (this.take("(")) return yield* this.parenthesis(offset)
      if (this.take("[")) return yield* this.list(offset)
      if (this.take("{")) return yield* this.braces(offset)
      return yield* this.unexpected("A value is missing")
    })
  }

  private dotted(): string {
    const next = this.tokens[this.at + 1]
    if (this.word !== "." || next?.kind !== "name") return ""
    this.at += 2
    return `.${next.text}${this.dotted()}`
  }

  /** A number, or texts, of which those that follow each other are one. */
  private value(): Read {
    const { token } = this
    this.at++
    if (token.kind !== "value") return this.unexpected("A value is missing")
    let { value } = token
    for (; typeof value === "string"; this.at++) {
      const next = this.token
      if (next.kind !== "value" || typeof next.value !== "string") break
      value += next.value
    }
    return Either.right({ kind: "literal", value, offset: token.offset })
  }
}

/** The tree of an expression. */
export const parseExpression = (text: string): Read =>
  text.length > MAX_LENGTH
    ? failAt(MAX_LENGTH, `The expression is longer than ${MAX_LENGTH} characters`)
    : Either.flatMap(readTokens(text), (tokens) => new Parser(tokens).whole())
