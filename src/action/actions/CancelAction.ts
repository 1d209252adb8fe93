import * as Schema from "effect/Schema"

/** Ends the job: its attempt is cancelled if it lives, nothing starts it again, and it ends as cancelled. */
export const CancelAction = Schema.Struct({
  class_name: Schema.Literal("CancelAction"),
  reason: Schema.optionalWith(Schema.String, { default: () => "" })
})
