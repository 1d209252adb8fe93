import * as Schema from "effect/Schema"
import { Number } from "../../backend/Value.ts"
import { After, Fail, type Judge, Pass } from "../Verdict.ts"

/**
 * Passes once `elapsed_seconds` have passed since the event was seen (`since: event`), or once the attempt has run for so
 * long (`since: attempt`). An attempt that ended earlier fails it: it will not run any longer.
 */
export const ElapsedTimeCondition = Schema.Struct({
  class_name: Schema.Literal("ElapsedTimeCondition"),
  elapsed_seconds: Number,
  since: Schema.optionalWith(Schema.Literal("attempt", "event"), { default: () => "attempt" as const })
})

export const judge: Judge<typeof ElapsedTimeCondition.Type> = ({ elapsed_seconds, since }, { ran, sinceEvent }) => {
  if (since === "event") return After(elapsed_seconds - (sinceEvent ?? 0), `${elapsed_seconds} s have passed`)
  if (ran === null) return Fail("the attempt has not run")
  const told = `the attempt ${ran.over ? "ran" : "has run"} for ${Math.floor(ran.seconds)} s`
  if (ran.seconds >= elapsed_seconds) return Pass(told)
  return ran.over ? Fail(`${told}, not ${elapsed_seconds} s`) : After(elapsed_seconds - ran.seconds, told)
}
