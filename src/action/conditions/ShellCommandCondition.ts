import * as Schema from "effect/Schema"
import { Number } from "../../backend/Value.ts"
import type { Judge } from "../Verdict.ts"
import * as Command from "./CommandCondition.ts"

/**
 * CommandCondition with a text for `sh`: passes once it ends with exit code 0. Each `{name}` in it becomes a reference to
 * an environment variable that holds the value. It is asked again every `interval_seconds` while the job lives.
 */
export const ShellCommandCondition = Schema.Struct({
  class_name: Schema.Literal("ShellCommandCondition"),
  command: Schema.NonEmptyString,
  interval_seconds: Schema.optionalWith(Number, { default: () => 60 }),
  timeout_seconds: Schema.optionalWith(Number, { default: () => 60 }),
  cwd: Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null })
})

export const judge: Judge<typeof ShellCommandCondition.Type> = (condition, occasion) =>
  Command.judge({ ...condition, class_name: "CommandCondition", answer: "exit_code" }, occasion)
