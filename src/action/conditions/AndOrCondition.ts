import * as Schema from "effect/Schema"

/**
 * CompositeCondition under its other names: `AndCondition` passes once each of its conditions has passed, `OrCondition` as
 * soon as one has.
 */
export const listedCondition = <A, I>(member: Schema.Schema<A, I>) =>
  Schema.Struct({ class_name: Schema.Literal("AndCondition", "OrCondition"), conditions: Schema.Array(member) })
