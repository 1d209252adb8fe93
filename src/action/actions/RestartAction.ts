import * as Schema from "effect/Schema"
import { Int } from "../../backend/Value.ts"

/**
 * Ends the present attempt, if it still lives, and submits the job once more. At most one restart a job and cycle,
 * whatever asks for it; at most `max_restarts` restarts of one job by the rule that holds this action.
 */
export const RestartAction = Schema.Struct({
  class_name: Schema.Literal("RestartAction"),
  reason: Schema.optionalWith(Schema.String, { default: () => "" }),
  max_restarts: Schema.optionalWith(Schema.NullOr(Int), { default: () => null })
})
