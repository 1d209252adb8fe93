import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Int, Number } from "../../backend/Value.ts"
import { renderGlob } from "../render.ts"
import { Ask, Fail, type Judge } from "../Verdict.ts"

/**
 * Passes once at least `min_matches` files match `pattern`: `*`, `?` and `[…]` within the parts of a path, none of which
 * matches a `/` or a leading dot. Values that `{name}` inserts are matched by the letter. Waits as FileExistsCondition.
 */
export const GlobExistsCondition = Schema.Struct({
  class_name: Schema.Literal("GlobExistsCondition"),
  pattern: Schema.String,
  min_matches: Schema.optionalWith(Int, { default: () => 1 }),
  blocking: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  timeout_seconds: Schema.optionalWith(Number, { default: () => 600 }),
  poll_interval_seconds: Schema.optionalWith(Number, { default: () => 5 })
})

export const judge: Judge<typeof GlobExistsCondition.Type> = (condition, { metadata }) =>
  Either.match(renderGlob(condition.pattern, metadata), {
    onLeft: (error) => Fail(error.message),
    onRight: (pattern) =>
      Ask({
        question: {
          kind: "files_match",
          pattern,
          at_least: condition.min_matches,
          interval_seconds: condition.poll_interval_seconds
        },
        waitsAfterJob: condition.blocking,
        timeoutSeconds: condition.blocking && condition.timeout_seconds > 0 ? condition.timeout_seconds : null
      })
  })
