/**
 * The value of a Python expression, by an evaluator of our own: nothing outside the expression can be reached, and what
 * it may cost is bounded. Source: Python 3.11's "Expressions" reference, and what it answered (test/conformance).
 */
import * as Either from "effect/Either"
import { didYouMean } from "../../backend/nearest.ts"
import type { Value, ValueMap } from "../../backend/Value.ts"
import { compare } from "./compare.ts"
import type { Clause, Comprehension, Expression } from "./Expression.ts"
import { ExpressionError, failAt } from "./ExpressionError.ts"
import { functions } from "./functions.ts"
import { MAX_ITEMS, operate, sign } from "./operate.ts"
import { parseExpression } from "./parse.ts"
import { itemAt, partOf } from "./subscript.ts"
import {
  dictOf,
  fromValue,
  itemsOf,
  type Py,
  PyDict,
  PyTuple,
  setOf,
  toValue,
  truthy,
  typeName,
  weightOf
} from "./values.ts"

type Result<A = Py> = Either.Either<A, ExpressionError>
type Locals = ReadonlyMap<string, Py>

/** Steps of one evaluation, an item of a list that is gone through counting as one. */
const MAX_STEPS = 1_000_000
const MAX_DEPTH = 300

/** Told of each value of a comprehension; true ends it. */
type Visit = (value: Py, locals: Locals) => Result<boolean>

class Evaluation {
  private readonly names: ValueMap
  private steps = 0
  private depth = 0

  constructor(names: ValueMap) {
    this.names = names
  }

  /** The value of a whole expression, which its reader can afford to write out. */
  result(tree: Expression): Result {
    return Either.flatMap(
      this.value(tree, new Map()),
      (value) => Either.map(this.charge(weightOf(value), 0), () => value)
    )
  }

  /** Counts steps; on the left the evaluation has taken too many. */
  private charge(steps: number, offset: number): Result<void> {
    this.steps += steps
    return this.steps > MAX_STEPS ? failAt(offset, `This takes more than ${MAX_STEPS} steps`) : Either.void
  }

  /** A result of an operation at its place. */
  private at<A>(offset: number, result: Either.Either<A, string>): Result<A> {
    return Either.mapLeft(result, (what) => {
      const sentence = `${what.charAt(0).toUpperCase()}${what.slice(1)}`
      return new ExpressionError({ column: offset + 1, message: `${sentence}.` })
    })
  }

  value(node: Expression, locals: Locals): Result {
    if (this.depth >= MAX_DEPTH) return failAt(node.offset, `This is nested more than ${MAX_DEPTH} deep`)
    this.depth++
    const result = Either.flatMap(this.charge(1, node.offset), () => this.kind(node, locals))
    this.depth--
    return result
  }

  private values(nodes: ReadonlyArray<Expression>, locals: Locals): Result<ReadonlyArray<Py>> {
    return Either.all(nodes.map((node) => this.value(node, locals)))
  }

  private kind(node: Expression, locals: Locals): Result {
    switch (node.kind) {
      case "literal":
        return Either.right(node.value)
      case "name":
        return this.name(node.name, node.offset, locals)
      case "items":
        return Either.flatMap(this.values(node.items, locals), (items) =>
          node.of === "list"
            ? Either.right(items)
            : node.of === "tuple"
            ? Either.right(new PyTuple(items))
            : this.at<Py>(node.offset, setOf(items)))
      case "dict":
        return this.dict(node, locals)
      case "comprehension":
        return this.comprehension(node, locals)
      case "unary":
        return Either.flatMap(this.value(node.operand, locals), (operand) =>
          node.operator === "not"
            ? Either.right(!truthy(operand))
            : this.at(node.offset, sign(node.operator, operand)))
      case "binary":
        return this.binary(node, locals)
      case "logic":
        return this.logic(node, locals)
      case "comparison":
        return this.comparison(node, locals)
      case "conditional":
        return Either.flatMap(
          this.value(node.test, locals),
          (test) => this.value(truthy(test) ? node.then : node.otherwise, locals)
        )
      case "index":
        return this.index(node, locals)
      case "slice":
        return this.slice(node, locals)
      case "call":
        return this.call(node, locals)
    }
  }

  /** A name of the comprehension, of what was given (dotted names as a whole first), or a key within such a value. */
  private name(name: string, offset: number, locals: Locals): Result {
    const parts = name.split(".")
    for (let length = parts.length; length > 0; length--) {
      const head = parts.slice(0, length).join(".")
      const local = locals.has(head) ? locals.get(head) ?? null : undefined
      const given = Object.hasOwn(this.names, head) ? this.names[head] : undefined
      const found = local !== undefined || given === undefined ? local : fromValue(given)
      if (found === undefined) continue
      return parts.slice(length).reduce<Result>((value, part) =>
        Either.flatMap(value, (holder) => {
          const entry = holder instanceof PyDict ? holder.entries.get(`s${part}`) : undefined
          return entry === undefined
            ? failAt(offset, `${name} cannot be had: ${typeName(holder)} has no attributes or methods here`)
            : Either.right(entry[1])
        }), Either.right(found))
    }
    if (Object.hasOwn(functions, name)) return failAt(offset, `${name} is a function; call it, as in ${name}(…)`)
    const known = [...locals.keys(), ...Object.keys(this.names)]
    return failAt(offset, `The name "${name}" is unknown here; ${didYouMean(name, known)}`)
  }

  private dict(node: Expression & { readonly kind: "dict" }, locals: Locals): Result {
    const entries = node.entries.map(([key, value]) => Either.all([this.value(key, locals), this.value(value, locals)]))
    return Either.flatMap(Either.all(entries), (read) => this.at(node.offset, dictOf(read)))
  }

  private binary({ left, offset, operator, right }: Expression & { readonly kind: "binary" }, locals: Locals): Result {
    return Either.gen(this, function*() {
      const a = yield* this.value(left, locals)
      const b = yield* this.value(right, locals)
      const result = yield* this.at(offset, operate(operator, a, b))
      // What the operation wrote anew; a long text or list costs as much as many small steps.
      yield* this.charge(weightOf(result), offset)
      return result
    })
  }

  private logic({ operands, operator }: Expression & { readonly kind: "logic" }, locals: Locals): Result {
    return Either.gen(this, function*() {
      let value: Py = operator === "and"
      for (const operand of operands) {
        value = yield* this.value(operand, locals)
        if (truthy(value) === (operator === "or")) return value
      }
      return value
    })
  }

  private comparison({ first, rest }: Expression & { readonly kind: "comparison" }, locals: Locals): Result {
    return Either.gen(this, function*() {
      let left = yield* this.value(first, locals)
      for (const { offset, operator, right } of rest) {
        const value = yield* this.value(right, locals)
        yield* this.charge(weightOf(left) + weightOf(value), offset)
        if (!(yield* this.at(offset, compare(operator, left, value)))) return false
        left = value
      }
      return true
    })
  }

  private index(node: Expression & { readonly kind: "index" }, locals: Locals): Result {
    return Either.gen(this, function*() {
      const holder = yield* this.value(node.of, locals)
      const index = yield* this.value(node.index, locals)
      return yield* this.at(node.index.offset, itemAt(holder, index))
    })
  }

  private slice({ bounds, of, offset }: Expression & { readonly kind: "slice" }, locals: Locals): Result {
    return Either.gen(this, function*() {
      const holder = yield* this.value(of, locals)
      const given = yield* this.values(bounds.map((bound) => bound ?? { kind: "literal", value: null, offset }), locals)
      yield* this.charge(weightOf(holder), offset)
      return yield* this.at(offset, partOf(holder, given))
    })
  }

  private call(node: Expression & { readonly kind: "call" }, locals: Locals): Result {
    return Either.gen(this, function*() {
      const { args: written, name, offset } = node
      const called = Object.hasOwn(functions, name) ? functions[name] : undefined
      if (called === undefined) {
        const help = name.includes(".") ? "values have no methods here." : didYouMean(name, Object.keys(functions))
        return yield* failAt(offset, `There is no function "${name}"; ${help}`)
      }
      const [only] = written
      if ((name === "any" || name === "all") && written.length === 1 && only?.kind === "comprehension") {
        return yield* this.firstThat(only, name === "any", locals)
      }
      const args = [...yield* this.values(written, locals)]
      const named: Record<string, Py> = {}
      for (const [key, value] of node.named) {
        const place = called.named !== undefined && Object.hasOwn(called.named, key) ? called.named[key] : undefined
        if (place === undefined || (place >= 0 && place !== args.length)) {
          return yield* failAt(value.offset, `${name}(…) does not take "${key}" here`)
        }
        const read = yield* this.value(value, locals)
        if (place < 0) named[key] = read
        else args.push(read)
      }
      const [least, most] = called.arity
      if (args.length < least || args.length > most) {
        const wanted = least === most ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`
        return yield* failAt(offset, `${name}(…) takes ${wanted} arguments, not ${args.length}`)
      }
      yield* this.charge(args.reduce<number>((size, arg) => size + weightOf(arg), 0), offset)
      return yield* this.at(offset, called.run(args, named))
    })
  }

  /** `any` and `all` end at the value that decides, as Python's do. */
  private firstThat(node: Comprehension, wanted: boolean, locals: Locals): Result {
    let found = false
    const visit: Visit = (value) => {
      found = truthy(value) === wanted
      return Either.right(found)
    }
    return Either.map(this.each(node, node.clauses, locals, visit), () => found === wanted)
  }

  private comprehension(node: Comprehension, locals: Locals): Result {
    return Either.gen(this, function*() {
      const values: Array<Py> = []
      const entries: Array<readonly [Py, Py]> = []
      const visit: Visit = (value, inner) => {
        if (values.length >= MAX_ITEMS) return failAt(node.offset, `The list has more than ${MAX_ITEMS} items`)
        values.push(value)
        if (node.value === null) return Either.right(false)
        return Either.map(this.value(node.value, inner), (item) => {
          entries.push([value, item])
          return false
        })
      }
      yield* this.each(node, node.clauses, locals, visit)
      if (node.of === "dict") return yield* this.at<Py>(node.offset, dictOf(entries))
      return node.of === "set" ? yield* this.at<Py>(node.offset, setOf(values)) : values
    })
  }

  private each(
    node: Comprehension,
    [clause, ...inner]: ReadonlyArray<Clause>,
    locals: Locals,
    visit: Visit
  ): Result<boolean> {
    if (clause === undefined) {
      return Either.flatMap(this.value(node.element, locals), (value) => visit(value, locals))
    }
    return Either.gen(this, function*() {
      const source = yield* this.value(clause.of, locals)
      const items = itemsOf(source)
      if (items === null) return yield* failAt(clause.of.offset, `${typeName(source)} has no items`)
      items: for (const item of items) {
        yield* this.charge(1, clause.of.offset)
        const bound = yield* this.bind(clause, item, locals)
        for (const test of clause.tests) if (!truthy(yield* this.value(test, bound))) continue items
        if (yield* this.each(node, inner, bound, visit)) return true
      }
      return false
    })
  }

  private bind({ apart, of, targets }: Clause, item: Py, locals: Locals): Result<Locals> {
    const values = apart ? itemsOf(item) : [item]
    return values === null || values.length !== targets.length
      ? failAt(of.offset, `An item cannot be taken apart into ${targets.join(", ")}`)
      : Either.right(new Map([...locals, ...targets.map((name, at) => [name, values[at] ?? null] as const)]))
  }
}

const evaluate = (text: string, names: ValueMap): Result =>
  Either.flatMap(parseExpression(text), (tree) => new Evaluation(names).result(tree))

/**
 * The value of `text`, in which `names` can be used, dotted ones too. Fails with the column of what cannot be read, is
 * unknown, does not fit together, or costs too much; the host language cannot be reached.
 */
export const evaluateExpression = (text: string, names: ValueMap): Result<Value> =>
  Either.flatMap(
    evaluate(text, names),
    (value) => Either.mapLeft(toValue(value), (what) => new ExpressionError({ column: 1, message: `${what}.` }))
  )

/** What tells whether `text`, read once, holds of some names, as Python's `if` sees it. Fails as `evaluateExpression`. */
export const condition = (text: string): Result<(names: ValueMap) => Result<boolean>> =>
  Either.map(parseExpression(text), (tree) => (names) => Either.map(new Evaluation(names).result(tree), truthy))

/** Whether `text` holds, as Python's `if` sees it. Fails as `evaluateExpression` does. */
export const holds = (text: string, names: ValueMap): Result<boolean> =>
  Either.flatMap(condition(text), (of) => of(names))
