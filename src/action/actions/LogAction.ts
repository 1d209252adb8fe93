import * as Schema from "effect/Schema"

/** Notes a message in the journal and in the monitor's own output. `LogMessageAction` is its older name. */
export const LogAction = Schema.Struct({
  class_name: Schema.Literal("LogAction", "LogMessageAction"),
  message: Schema.String
})
