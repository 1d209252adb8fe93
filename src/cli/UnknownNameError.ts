import * as Schema from "effect/Schema"

/** There is no session, job or queue entry of the name. */
export class UnknownNameError extends Schema.TaggedError<UnknownNameError>()("UnknownNameError", {
  message: Schema.String,
  suggestions: Schema.Array(Schema.String)
}) {}
