import * as Schema from "effect/Schema"
import { type Asked, combine, untilThen } from "../../event/Question.ts"
import { Ask, Fail, Pass, type Verdict } from "../Verdict.ts"

/**
 * `mode: all` passes once each of its conditions has passed, and fails as soon as one has failed; `mode: any` passes as
 * soon as one has passed, and fails once all have failed. Those that wait, wait at once.
 */
export const compositeCondition = <A, I>(member: Schema.Schema<A, I>) =>
  Schema.Struct({
    class_name: Schema.Literal("CompositeCondition"),
    mode: Schema.optionalWith(Schema.Literal("all", "any"), { default: () => "all" as const }),
    conditions: Schema.Array(member)
  })

/** What follows from the verdicts of its conditions. */
export const judge = (mode: "all" | "any", verdicts: ReadonlyArray<Verdict>): Verdict => {
  const answers = verdicts.map((one) =>
    one.verdict === "ask" ? untilThen(one.asked) : { holds: one.verdict === "pass", why: one.why }
  )
  const known = combine(mode, answers)
  if (known !== null) return known.holds ? Pass(known.why) : Fail(known.why)
  const of = verdicts.flatMap((one): ReadonlyArray<Asked> => one.verdict === "ask" ? [one.asked] : [])
  const lasts = ({ waitsAfterJob }: Asked) => waitsAfterJob
  return Ask({
    question: { kind: "several", mode, of },
    waitsAfterJob: mode === "all" ? of.every(lasts) : of.some(lasts),
    timeoutSeconds: null
  })
}
