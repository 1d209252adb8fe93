import * as Schema from "effect/Schema"

/**
 * The job has done its work: it ends as a success whatever the scheduler makes of its attempt, which is watched until its
 * end and not cancelled. An attempt that has ended already is taken for a success.
 */
export const FinishAction = Schema.Struct({
  class_name: Schema.Literal("FinishAction"),
  reason: Schema.optionalWith(Schema.String, { default: () => "" })
})
