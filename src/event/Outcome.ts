/** How an action ended: a fact. */
import * as Schema from "effect/Schema"

export const Outcome = Schema.Struct({
  status: Schema.Literal("done", "failed"),
  /** What it has to say, by name: exit code, output, plan id, error. */
  result: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  /** Seconds that it took, by the clock of who executed it. */
  duration_seconds: Schema.optional(Schema.Number)
})
export type Outcome = typeof Outcome.Type
