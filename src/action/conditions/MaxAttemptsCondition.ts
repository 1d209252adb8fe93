import * as Schema from "effect/Schema"
import { Int } from "../../backend/Value.ts"
import { Fail, type Judge, Pass } from "../Verdict.ts"

/** Passes while the job has had fewer attempts than `max_attempts`, the first one included. */
export const MaxAttemptsCondition = Schema.Struct({
  class_name: Schema.Literal("MaxAttemptsCondition"),
  max_attempts: Schema.optionalWith(Int, { default: () => 1 })
})

export const judge: Judge<typeof MaxAttemptsCondition.Type> = ({ max_attempts }, { attempt }) =>
  attempt < max_attempts
    ? Pass(`attempt ${attempt} of at most ${max_attempts}`)
    : Fail(`attempt ${attempt} of at most ${max_attempts} is used up`)
