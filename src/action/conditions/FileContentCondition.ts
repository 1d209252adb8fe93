import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Number } from "../../backend/Value.ts"
import { render } from "../render.ts"
import { Ask, Fail, type Judge } from "../Verdict.ts"

/**
 * Passes once a line of the file at `path` holds `pattern` (`mode: contains`), or what it finds as a regular expression of
 * Python's (`mode: regex`). Of a file above 16 MiB the last 16 MiB are looked at. The pattern is no template. It is asked
 * again every `poll_interval_seconds` while the job lives.
 */
export const FileContentCondition = Schema.Struct({
  class_name: Schema.Literal("FileContentCondition"),
  path: Schema.String,
  pattern: Schema.NonEmptyString,
  mode: Schema.optionalWith(Schema.Literal("contains", "regex"), { default: () => "contains" as const }),
  poll_interval_seconds: Schema.optionalWith(Number, { default: () => 30 })
})

export const judge: Judge<typeof FileContentCondition.Type> = (condition, { metadata }) =>
  Either.match(render(condition.path, metadata), {
    onLeft: (error) => Fail(error.message),
    onRight: (path) =>
      Ask({
        question: {
          kind: "file_contains",
          path,
          pattern: condition.pattern,
          regex: condition.mode === "regex",
          lines: null,
          interval_seconds: condition.poll_interval_seconds
        },
        waitsAfterJob: false,
        timeoutSeconds: null
      })
  })
