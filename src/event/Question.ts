/** What a waiting condition asks of the outside world. */
import * as Schema from "effect/Schema"

/** A question to the outside world; its answer returns as a fact. */
export const Question = Schema.Struct({
  kind: Schema.Literal("file_exists"),
  /** Absolute path, rendered. */
  path: Schema.String
})

/** A question, and how long it may stay open. */
export const Asked = Schema.Struct({
  question: Question,
  /** Whether it stays open once the job has ended. */
  waitsAfterJob: Schema.Boolean,
  /** Seconds after which the condition fails; null: no limit of its own. */
  timeoutSeconds: Schema.NullOr(Schema.Number)
})
export type Question = typeof Question.Type
export type Asked = typeof Asked.Type
