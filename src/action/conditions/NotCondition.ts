import * as Schema from "effect/Schema"
import type { Asked } from "../../event/Question.ts"
import { Ask, Fail, Pass, type Verdict } from "../Verdict.ts"

/**
 * Passes where its condition does not hold: at once where that is known (a time that has not passed, a job that has not
 * come so far), and for files, their lines and commands as soon as the answer to them is no.
 */
export const notCondition = <A, I>(member: Schema.Schema<A, I>) =>
  Schema.Struct({ class_name: Schema.Literal("NotCondition"), condition: member })

/** The opposite of what a condition says that is no composite. */
export const opposite = (one: Verdict): Verdict => {
  switch (one.verdict) {
    case "pass":
      return Fail(one.why)
    case "fail":
      return Pass(one.why)
    case "ask":
      return oppositeOf(one.asked)
  }
}

const oppositeOf = (asked: Asked): Verdict => {
  const { question } = asked
  switch (question.kind) {
    case "job_ended":
      return Pass(`job ${question.job} has not ended`)
    case "job_state":
      return Pass(`${question.jobs.join(", ")}: not ${question.states.join(" or ")}`)
    // A composite is turned round by its members before anything is asked.
    case "several":
      return Fail("several questions have no opposite")
    default: {
      const { negated, ...rest } = question
      return Ask({ ...asked, question: negated === true ? rest : { ...rest, negated: true } })
    }
  }
}
