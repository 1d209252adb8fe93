import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { Answer, Question } from "../../event/Question.ts"
import { render } from "../render.ts"
import { Ask, Fail, type Judge, type Occasion, Pass } from "../Verdict.ts"

const Words = Schema.Union(Schema.NonEmptyString, Schema.NonEmptyArray(Schema.NonEmptyString))

/**
 * Passes once jobs of this session are in one of the states, and fails as soon as they have ended otherwise. Which jobs:
 * `job`, the name of one in the plan, where `*` and `?` stand for any text and any character; `stage`, those of a phase
 * that this job's point refers to, or all of the phase if it refers to none; both: those that are both. `all` of them must
 * be, or `any`. `state`: one or several of planned, waiting, submitting, pending, running, ended; success, failed,
 * cancelled, timeout, abandoned; or a state of SLURM's, like COMPLETED, in upper or lower case.
 */
export const JobStateCondition = Schema.Struct({
  class_name: Schema.Literal("JobStateCondition"),
  job: Schema.optionalWith(Schema.NullOr(Schema.NonEmptyString), { default: () => null }),
  stage: Schema.optionalWith(Schema.NullOr(Schema.NonEmptyString), { default: () => null }),
  state: Schema.optionalWith(Words, { default: () => "success" }),
  mode: Schema.optionalWith(Schema.Literal("all", "any"), { default: () => "all" as const })
}).pipe(
  Schema.filter(({ job, stage }) => job !== null || stage !== null || "it needs a `job` or a `stage`")
)

type Asking = Extract<Question, { readonly kind: "job_state" }>

/** What the session says of the jobs now; null: that is still open. */
export const answerOf = ({ jobs, mode, states }: Asking, stateOf: Occasion["stateOf"]): Answer | null => {
  const wanted = states.map((state) => state.toUpperCase())
  const found = jobs.map((name) => {
    const job = stateOf(name)
    const words = job === undefined ? [] : [job.state, job.outcome ?? "", job.slurmState ?? ""]
    const holds = words.some((word) => wanted.includes(word.toUpperCase()))
    return { name, holds, known: holds || job === undefined || job.outcome !== null, is: job?.outcome ?? job?.state }
  })
  const decisive = found.find(({ holds, known }) => known && holds === (mode === "any"))
  const told = (those: typeof found) => those.map(({ is, name }) => `job ${name} is ${is ?? "unknown"}`).join(", ")
  if (decisive !== undefined) return { holds: decisive.holds, why: told([decisive]) }
  return found.every(({ known }) => known) ? { holds: mode === "all", why: told(found) } : null
}

export const judge: Judge<typeof JobStateCondition.Type> = ({ job, mode, stage, state }, occasion) =>
  Either.match(job === null ? Either.right(null) : render(job, occasion.metadata), {
    onLeft: (error) => Fail(error.message),
    onRight: (name) => {
      const jobs = occasion.jobsOf(name, stage)
      const what = [...name === null ? [] : [`job ${name}`], ...stage === null ? [] : [`phase ${stage}`]].join(" in ")
      if (jobs.length === 0) return Fail(`this session has no ${what}`)
      const states = typeof state === "string" ? [state] : state
      const question = { kind: "job_state" as const, jobs, states, mode }
      const answer = answerOf(question, occasion.stateOf)
      if (answer === null) return Ask({ question, waitsAfterJob: true, timeoutSeconds: null })
      return answer.holds ? Pass(answer.why) : Fail(answer.why)
    }
  })
