import * as Schema from "effect/Schema"
import { Number } from "../../backend/Value.ts"
import { After, type Judge } from "../Verdict.ts"

/**
 * Passes once `cooldown_seconds` have passed since the event last led to this kind of action for the job, in whatever
 * attempt; if it never did, since the event was seen. It waits by a timer, and does not sleep. `note`: for readers.
 */
export const CooldownCondition = Schema.Struct({
  class_name: Schema.Literal("CooldownCondition"),
  cooldown_seconds: Schema.optionalWith(Number, { default: () => 60 }),
  note: Schema.optionalWith(Schema.String, { default: () => "" })
})

export const judge: Judge<typeof CooldownCondition.Type> = ({ cooldown_seconds }, { sinceAction, sinceEvent }) =>
  After(cooldown_seconds - (sinceAction ?? sinceEvent ?? 0), `${cooldown_seconds} s have passed`)
