/** An expression as a tree. `offset` is where its text begins, from 0; of an operation, where the operator stands. */
import type { PyFloat } from "../../backend/Value.ts"

export type Expression =
  & { readonly offset: number }
  & (
    | { readonly kind: "literal"; readonly value: null | boolean | bigint | string | PyFloat }
    /** A name, dotted ones (`model.layers`) as a whole. */
    | { readonly kind: "name"; readonly name: string }
    | { readonly kind: "items"; readonly of: "list" | "tuple" | "set"; readonly items: ReadonlyArray<Expression> }
    | { readonly kind: "dict"; readonly entries: ReadonlyArray<readonly [key: Expression, value: Expression]> }
    | Comprehension
    | { readonly kind: "unary"; readonly operator: "not" | "-" | "+" | "~"; readonly operand: Expression }
    | {
      readonly kind: "binary"
      readonly operator: BinaryOperator
      readonly left: Expression
      readonly right: Expression
    }
    | { readonly kind: "logic"; readonly operator: "and" | "or"; readonly operands: ReadonlyArray<Expression> }
    | { readonly kind: "comparison"; readonly first: Expression; readonly rest: ReadonlyArray<Compared> }
    | {
      readonly kind: "conditional"
      readonly test: Expression
      readonly then: Expression
      readonly otherwise: Expression
    }
    | { readonly kind: "index"; readonly of: Expression; readonly index: Expression }
    | {
      readonly kind: "slice"
      readonly of: Expression
      /** Start, end, step. */
      readonly bounds: readonly [Expression | null, Expression | null, Expression | null]
    }
    | {
      readonly kind: "call"
      readonly name: string
      readonly args: ReadonlyArray<Expression>
      readonly named: ReadonlyArray<readonly [name: string, value: Expression]>
    }
  )

/** `[element for target in of if test]`; of a dict the key is the element. */
export interface Comprehension {
  readonly kind: "comprehension"
  readonly offset: number
  readonly of: "list" | "set" | "dict" | "generator"
  readonly element: Expression
  readonly value: Expression | null
  readonly clauses: ReadonlyArray<Clause>
}

export interface Clause {
  /** One name, or several that take a value apart. */
  readonly targets: ReadonlyArray<string>
  readonly apart: boolean
  readonly of: Expression
  readonly tests: ReadonlyArray<Expression>
}

export interface Compared {
  readonly operator: Comparator
  readonly right: Expression
  readonly offset: number
}

export type BinaryOperator = "+" | "-" | "*" | "/" | "//" | "%" | "**" | "&" | "|" | "^" | "<<" | ">>"
export type Comparator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in" | "is" | "is not"
