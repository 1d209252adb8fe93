import * as Schema from "effect/Schema"
import { Fail, type Judge, Pass } from "../Verdict.ts"

/**
 * Passes if log events of the present attempt have named one of `error_types` as their `error_type`, or one of `events`
 * was seen in it; with `seen: false` if none of them was. What one rank prints (an OOM) often stands beside what the
 * others print because of it (NCCL errors): this condition looks at all of it, not at the event that asks.
 */
export const EvidenceCondition = Schema.Struct({
  class_name: Schema.Literal("EvidenceCondition"),
  error_types: Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] }),
  events: Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] }),
  seen: Schema.optionalWith(Schema.Boolean, { default: () => true })
})

export const judge: Judge<typeof EvidenceCondition.Type> = (condition, { countOf, errorTypes }) => {
  const found = [
    ...condition.error_types.filter((type) => errorTypes.includes(type)),
    ...condition.events.filter((event) => countOf(event) > 0)
  ]
  const told = found.length > 0
    ? `the attempt has shown ${found.join(", ")}`
    : `the attempt has shown none of ${[...condition.error_types, ...condition.events].join(", ")}`
  return (found.length > 0) === condition.seen ? Pass(told) : Fail(told)
}
