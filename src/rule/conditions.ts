/** Conditions one after another, for the actions of events and for the gates of jobs. */
import type { Occasion, Verdict } from "../action/Verdict.ts"
import type { Job } from "../session/Session.ts"
import type { Context } from "./Context.ts"

/** A condition, and what it says on an occasion. */
export interface Judged {
  readonly className: string
  readonly judge: (occasion: Occasion) => Verdict
}

/** How far one came; `last` is the seq of the last record about it. */
export type Passage =
  | { readonly passage: "passed"; readonly last: number }
  | { readonly passage: "asked" }
  | { readonly passage: "failed"; readonly last: number; readonly why: string }

/** Judges `conditions` from the one at `from` on, up to the first that fails or must ask. */
export const passAll = (
  context: Context,
  job: Job,
  binding: string,
  conditions: ReadonlyArray<Judged>,
  from: number,
  occasion: Pick<Occasion, "metadata" | "gate">,
  cause: number
): Passage => {
  let last = cause
  for (const [condition, { className: class_name, judge }] of conditions.entries()) {
    if (condition < from) continue
    const which = { binding, condition, class_name }
    const verdict = judge({ ...occasion, attempt: job.attempt, endOf: (name) => context.endOf(name) })
    switch (verdict.verdict) {
      case "pass":
        last = context.emit({ type: "ConditionPassed", data: { ...which, why: verdict.why } }, job, last)
        break
      case "fail": {
        const { why } = verdict
        last = context.emit({ type: "ConditionFailed", data: { ...which, why } }, job, last)
        return { passage: "failed", last, why }
      }
      case "ask": {
        const { asked } = verdict
        context.emit({ type: "ConditionWaiting", data: { ...which, asked } }, job, last)
        if (asked.timeoutSeconds !== null) context.setTimer(`condition ${binding}`, asked.timeoutSeconds, job)
        return { passage: "asked" }
      }
    }
  }
  return { passage: "passed", last }
}
