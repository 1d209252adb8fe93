/** Reads a Python expression, by precedence climbing. Source: Python 3.11's "Expressions" reference. */
import * as Either from "effect/Either"
import type { BinaryOperator, Clause, Comparator, Compared, Comprehension, Expression } from "./Expression.ts"
import { type ExpressionError, failAt } from "./ExpressionError.ts"
import { readTokens, type Token } from "./tokens.ts"

/** Longer or deeper expressions are refused: they are no condition of a sweep, and would eat the stack. */
const MAX_LENGTH = 10_000
const MAX_DEPTH = 100

type Read<A = Expression> = Either.Either<A, ExpressionError>

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

const constants: Readonly<Record<string, null | boolean>> = { True: true, False: false, None: null }

/** Words that are no names. */
const keywords =
  /^(?:and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield)$/

class Parser {
  private readonly tokens: ReadonlyArray<Token>
  private at = 0
  private depth = 0

  constructor(tokens: ReadonlyArray<Token>) {
    this.tokens = tokens
  }

  private get token(): Token {
    return this.tokens[this.at] ?? { kind: "end", text: "", offset: 0 }
  }

  /** The word at hand if it is an operator or a name, else "". */
  private get word(): string {
    return this.token.kind === "value" ? "" : this.token.text
  }

  private ends(...words: ReadonlyArray<string>): boolean {
    return this.token.kind === "end" || words.includes(this.word)
  }

  private take(text: string): boolean {
    if (this.word !== text) return false
    this.at++
    return true
  }

  private expect(text: string): Read<void> {
    return this.take(text) ? Either.void : this.unexpected(`"${text}" is missing`)
  }

  private unexpected(wanted: string): Read<never> {
    const { kind, offset } = this.token
    const found = kind === "end" ? "the expression ends" : kind === "value" ? "a value stands" : `"${this.word}" stands`
    return failAt(offset, `${wanted}: ${found} here`)
  }

  whole(): Read {
    return Either.gen(this, function*() {
      const expression = yield* this.tuple()
      if (this.token.kind === "end") return expression
      if (this.word === "=") return yield* failAt(this.token.offset, "\"=\" sets nothing here; to compare, write ==")
      return yield* this.unexpected("An operator is missing")
    })
  }

  /** One expression, or several with commas between them. */
  private tuple(): Read {
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

  private expression(): Read {
    return Either.gen(this, function*() {
      if (this.depth >= MAX_DEPTH) return yield* failAt(this.token.offset, `This is nested more than ${MAX_DEPTH} deep`)
      if (this.word === "lambda") return yield* failAt(this.token.offset, "Functions cannot be made here")
      this.depth++
      const then = yield* this.logic("or")
      const { offset } = this.token
      if (!this.take("if")) {
        this.depth--
        return then
      }
      const test = yield* this.logic("or")
      yield* this.expect("else")
      const otherwise = yield* this.expression()
      this.depth--
      return { kind: "conditional", test, then, otherwise, offset } as const
    })
  }

  private logic(operator: "and" | "or"): Read {
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

  private deeper<A>(read: () => Read<A>): Read<A> {
    if (this.depth >= MAX_DEPTH) return failAt(this.token.offset, `This is nested more than ${MAX_DEPTH} deep`)
    this.depth++
    return Either.map(read(), (value) => {
      this.depth--
      return value
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

  private parenthesis(offset: number): Read {
    return Either.gen(this, function*() {
      if (this.take(")")) return { kind: "items", of: "tuple", items: [], offset } as const
      const inner = yield* this.tuple()
      const whole = this.word === "for" ? yield* this.comprehension("generator", inner, null, offset) : inner
      yield* this.expect(")")
      return whole
    })
  }

  private list(offset: number): Read {
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
  private braces(offset: number): Read {
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

  private comprehension(
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

/** The tree of an expression. */
export const parseExpression = (text: string): Read =>
  text.length > MAX_LENGTH
    ? failAt(MAX_LENGTH, `The expression is longer than ${MAX_LENGTH} characters`)
    : Either.flatMap(readTokens(text), (tokens) => new Parser(tokens).whole())
