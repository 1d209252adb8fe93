import * as Schema from "effect/Schema"

/** The command line asks for something that does not exist or does not fit together. */
export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", {
  message: Schema.String,
  /** What would fit. */
  suggestions: Schema.Array(Schema.String)
}) {}

export const usage = (message: string, suggestions: ReadonlyArray<string> = []): UsageError =>
  new UsageError({ message, suggestions })
