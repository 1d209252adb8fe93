import * as Schema from "effect/Schema"
import { type Judge, Pass } from "../Verdict.ts"

/** Passes. */
export const AlwaysTrueCondition = Schema.Struct({
  class_name: Schema.Literal("AlwaysTrueCondition"),
  message: Schema.optionalWith(Schema.String, { default: () => "" })
})

export const judge: Judge<typeof AlwaysTrueCondition.Type> = ({ message }) => Pass(message || "always true")
