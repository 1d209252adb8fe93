import * as Schema from "effect/Schema"
import type { Judge } from "../Verdict.ts"
import * as JobState from "./JobStateCondition.ts"

/**
 * The predecessor's way to wait for a job: JobStateCondition with `job_name`, its name in the plan, and a `state` of
 * SLURM's.
 */
export const SlurmStateCondition = Schema.Struct({
  class_name: Schema.Literal("SlurmStateCondition"),
  job_name: Schema.NonEmptyString,
  state: Schema.optionalWith(Schema.NonEmptyString, { default: () => "COMPLETED" })
})

export const judge: Judge<typeof SlurmStateCondition.Type> = ({ job_name, state }, occasion) =>
  JobState.judge({ class_name: "JobStateCondition", job: job_name, stage: null, state, mode: "all" }, occasion)
