/**
 * Is the job's work done already? Its finish conditions are asked before each submission, and of an attempt that ended badly:
 * where all of them hold the job ends as a success. They are asked once; what is not so now is a no.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Condition, judge } from "../action/conditions.ts"
import { Ask, Fail } from "../action/Verdict.ts"
import type { EncodedCondition } from "../event/PlannedJob.ts"
import { askedOnce, questionText } from "../event/Question.ts"
import { doneGate } from "../session/foldGate.ts"
import type { Job } from "../session/Job.ts"
import { type Judged, keepsOf, passAll } from "./conditions.ts"
import type { Context } from "./Context.ts"
import { jobVariables } from "./metadata.ts"

const decode = Schema.decodeUnknownEither(Condition)

/** A condition whose answer is the one of now: what would have to be waited for is a no. */
const judged = (encoded: EncodedCondition): Judged => ({
  className: encoded.class_name,
  keeps: Either.match(decode(encoded), { onLeft: () => [], onRight: keepsOf }),
  judge: (occasion) => {
    const condition = decode(encoded)
    if (Either.isLeft(condition)) return Fail(`the condition cannot be read: ${condition.left.message}`)
    const verdict = judge(condition.right, occasion)
    if (verdict.verdict !== "ask") return verdict
    const asked = askedOnce(verdict.asked)
    return asked === null ? Fail(`not now: it waits for ${questionText(verdict.asked.question)}`) : Ask(asked)
  }
})

/** Whether the job has finish conditions that count now: an operator who wants a job restarted is not asked whether it is done. */
export const asksDone = ({ plan, restart }: Job): boolean =>
  plan.finish_conditions.length > 0 && restart?.by !== "operator"

/** Whether nothing is known by which the job is, or may be, done: it may be submitted. */
export const isNotDone = (job: Job): boolean => !asksDone(job) || job.done === "no"

/** Asks the finish conditions from the one at `from` on; how far that came is the job's `done`. */
export const askDone = (context: Context, job: Job, from: number, cause: number): void => {
  const conditions = job.plan.finish_conditions.map(judged)
  const asking = { metadata: jobVariables(context.session, job), gate: true, place: "done" }
  passAll(context, job, doneGate(job.plan.name), conditions, from, asking, cause)
}

/** What a job that is done already says of that. */
export const doneText = ({ doneWhy }: Job): string => `already done: ${doneWhy ?? ""}`
