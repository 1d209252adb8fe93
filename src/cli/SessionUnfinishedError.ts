import * as Schema from "effect/Schema"

/** Jobs of the session may still run. `message` is a sentence that names them. */
export class SessionUnfinishedError extends Schema.TaggedError<SessionUnfinishedError>()("SessionUnfinishedError", {
  message: Schema.String
}) {}
