import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Number } from "../../backend/Value.ts"
import { render } from "../render.ts"
import { Ask, Fail, type Judge } from "../Verdict.ts"

/**
 * Passes once something stands at `path`. While it waits it is asked again every cycle and, where a cycle takes longer than
 * that, `poll_interval_seconds` after each no; it never sleeps.
 * `blocking`: waits on after the job has ended too, for at most `timeout_seconds` (0: without limit), then fails.
 * Not blocking: waits as long as the job lives.
 */
export const FileExistsCondition = Schema.Struct({
  class_name: Schema.Literal("FileExistsCondition"),
  path: Schema.String,
  blocking: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  timeout_seconds: Schema.optionalWith(Number, { default: () => 600 }),
  poll_interval_seconds: Schema.optionalWith(Number, { default: () => 5 })
})

export const judge: Judge<typeof FileExistsCondition.Type> = (condition, { metadata }) =>
  Either.match(render(condition.path, metadata), {
    onLeft: (error) => Fail(error.message),
    onRight: (path) =>
      Ask({
        question: { kind: "file_exists", path, interval_seconds: condition.poll_interval_seconds },
        waitsAfterJob: condition.blocking,
        timeoutSeconds: condition.blocking && condition.timeout_seconds > 0 ? condition.timeout_seconds : null
      })
  })
