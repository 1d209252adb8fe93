import * as Schema from "effect/Schema"
import { JobOutcome } from "../../event/terms.ts"
import { Ask, Fail, type Judge, Pass } from "../Verdict.ts"

/** Passes once the named job of this session has ended with one of the outcomes, and fails if it ended otherwise. */
export const JobCondition = Schema.Struct({
  class_name: Schema.Literal("JobCondition"),
  job: Schema.NonEmptyString,
  outcomes: Schema.optionalWith(Schema.NonEmptyArray(JobOutcome), { default: () => ["success"] as const })
})

export const judge: Judge<typeof JobCondition.Type> = ({ job, outcomes }, { endOf }) => {
  const end = endOf(job)
  if (end === undefined) return Fail(`this session has no job ${job}`)
  if (end === null) {
    return Ask({ question: { kind: "job_ended", job, outcomes }, waitsAfterJob: true, timeoutSeconds: null })
  }
  const told = `job ${job} ended as ${end.outcome}${
    end.outcome === "success" || end.why === null ? "" : `: ${end.why}`
  }`
  return outcomes.some((outcome) => outcome === end.outcome) ? Pass(told) : Fail(told)
}
