import * as Schema from "effect/Schema"
import { Number } from "../../backend/Value.ts"
import { Fail, type Judge, Until } from "../Verdict.ts"

/**
 * Holds until `timeout_seconds` have passed since the event was seen, or since it was asked where a job waits, and fails
 * from then on. By itself it passes; with others under `all` it bounds how long they may take.
 */
export const TimeoutCondition = Schema.Struct({
  class_name: Schema.Literal("TimeoutCondition"),
  timeout_seconds: Number
})

export const judge: Judge<typeof TimeoutCondition.Type> = ({ timeout_seconds }, { sinceEvent }) => {
  const left = timeout_seconds - (sinceEvent ?? 0)
  return left <= 0 ? Fail(`${timeout_seconds} s have passed`) : Until(left)
}
