import * as Schema from "effect/Schema"
import { Int } from "../../backend/Value.ts"
import { Fail, type Judge, Pass } from "../Verdict.ts"

/**
 * Passes if the job has done `step` steps, or as many as there are in all (`total`), in whatever attempt, as its log events
 * declare by `progress`. `saved`: the highest complete checkpoint counts (`true`) or the highest step (`false`); null: the
 * checkpoint, if the log has told of any.
 */
export const ProgressCondition = Schema.Struct({
  class_name: Schema.Literal("ProgressCondition"),
  step: Schema.Union(Int, Schema.Literal("total")),
  saved: Schema.optionalWith(Schema.NullOr(Schema.Boolean), { default: () => null })
})

export const judge: Judge<typeof ProgressCondition.Type> = ({ saved, step }, { counted }) => {
  const { best, bestCheckpoint, total } = counted
  const target = step === "total" ? total : step
  if (target === null) return Fail("nothing has told yet how many steps there are in all")
  const bySaved = saved ?? bestCheckpoint !== null
  const done = (bySaved ? bestCheckpoint : best)?.value ?? 0
  const told = `${done} of ${target} steps are ${bySaved ? "saved" : "done"}`
  return done >= target ? Pass(told) : Fail(told)
}
