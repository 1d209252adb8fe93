import * as Schema from "effect/Schema"
import { AnyMap } from "../../backend/Value.ts"

/**
 * Raises an event of that name, to which rules bind as to any other: the log event of the name, be it one that is looked
 * for too or one that is only `published`, or else the state event. Texts of `metadata` and `payload` are templates. Both
 * are variables of what is bound to the event, `payload` before `metadata`; conditions on metadata see both. It takes
 * effect at once, also in queue mode: there is nothing to execute.
 */
export const PublishEventAction = Schema.Struct({
  class_name: Schema.Literal("PublishEventAction"),
  event_name: Schema.NonEmptyString,
  metadata: Schema.optionalWith(AnyMap, { default: () => ({}) }),
  payload: Schema.optionalWith(AnyMap, { default: () => ({}) })
})
