/** Conditions and expressions (test/conformance/hydra/project-resolvers.json). */
import * as Either from "effect/Either"
import { compare } from "../../sweep/expression/compare.ts"
import { evaluateExpression } from "../../sweep/expression/evaluate.ts"
import type { Comparator } from "../../sweep/expression/Expression.ts"
import { fromValue } from "../../sweep/expression/values.ts"
import { type Resolver, type Resolvers, single } from "./Resolver.ts"
import { truthy } from "./truthy.ts"

const comparison = (operator: Comparator): Resolver => ({
  arity: [2, 2],
  run: ([a = null, b = null]) => compare(operator, fromValue(a), fromValue(b))
})

export const conditions: Resolvers = {
  "oc.if": { arity: [3, 3], run: ([condition = null, a = null, b = null]) => Either.right(truthy(condition) ? a : b) },
  "oc.eq": comparison("=="),
  "oc.neq": comparison("!="),
  "oc.lt": comparison("<"),
  "oc.leq": comparison("<="),
  "oc.gt": comparison(">"),
  "oc.geq": comparison(">="),
  // What is no text has its value already.
  "oc.eval": single((value) =>
    typeof value === "string"
      ? Either.mapLeft(
        evaluateExpression(value, {}),
        ({ column, message }) => `column ${column}: ${message.replace(/\.$/, "")}`
      )
      : Either.right(value)
  )
}
