import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Int, Number } from "../../backend/Value.ts"
import { render } from "../render.ts"
import { Ask, Fail, type Judge } from "../Verdict.ts"

/**
 * Passes once one of the last `tail_lines` lines of the file at `log_path` (the job's own log if not given) holds what
 * `pattern` finds, a regular expression of Python's. It is asked again every `poll_interval_seconds` while the job lives.
 * To wait for another job, JobStateCondition is the better choice: it needs no log.
 */
export const LogPatternCondition = Schema.Struct({
  class_name: Schema.Literal("LogPatternCondition"),
  log_path: Schema.optionalWith(Schema.String, { default: () => "{log_path}" }),
  pattern: Schema.NonEmptyString,
  tail_lines: Schema.optionalWith(Int.pipe(Schema.positive()), { default: () => 1000 }),
  poll_interval_seconds: Schema.optionalWith(Number, { default: () => 30 })
})

export const judge: Judge<typeof LogPatternCondition.Type> = (condition, { metadata }) =>
  Either.match(render(condition.log_path, metadata), {
    onLeft: (error) => Fail(error.message),
    onRight: (path) =>
      Ask({
        question: {
          kind: "file_contains",
          path,
          pattern: condition.pattern,
          regex: true,
          lines: condition.tail_lines,
          interval_seconds: condition.poll_interval_seconds
        },
        waitsAfterJob: false,
        timeoutSeconds: null
      })
  })
