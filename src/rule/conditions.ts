/** Conditions one after another, for the actions of events and for the gates of jobs. */
import type { Occasion, Verdict } from "../action/Verdict.ts"
import { partsOf, withoutIntervals } from "../event/Question.ts"
import { secondsBetween } from "../event/time.ts"
import { type Job } from "../session/Job.ts"
import { eventKey } from "../session/Session.ts"
import { filesHaveIntervals } from "./behaviour.ts"
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

/** What the caller knows of the occasion; the rest is the session's. */
export type Asking = Pick<Occasion, "metadata" | "gate"> & Partial<Pick<Occasion, "sinceEvent" | "sinceAction">>

/** All that a condition may look at. */
export const occasionOf = (context: Context, job: Job, asking: Asking): Occasion => {
  const { attempt, end, errorTypes, live, plan, start } = job
  const until = live ? context.fact.at : end
  return {
    sinceEvent: null,
    sinceAction: null,
    ...asking,
    attempt,
    ran: start === null || until === null ? null : { seconds: secondsBetween(start, until), over: !live },
    errorTypes,
    counted: job.counted,
    countOf: (event) => context.session.events.get(eventKey(plan.name, attempt, event))?.count ?? 0,
    endOf: (name) => context.endOf(name)
  }
}

/** Judges `conditions` from the one at `from` on, up to the first that fails or must ask. */
export const passAll = (
  context: Context,
  job: Job,
  binding: string,
  conditions: ReadonlyArray<Judged>,
  from: number,
  asking: Asking,
  cause: number
): Passage => {
  let last = cause
  for (const [condition, { className: class_name, judge }] of conditions.entries()) {
    if (condition < from) continue
    const which = { binding, condition, class_name }
    const verdict = judge(occasionOf(context, job, asking))
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
        const asked = context.session.behaviour < filesHaveIntervals ? withoutIntervals(verdict.asked) : verdict.asked
        context.emit({ type: "ConditionWaiting", data: { ...which, asked } }, job, last)
        for (const [part, { question, timeoutSeconds }] of partsOf(asked).entries()) {
          const seconds = question.kind === "delay" ? question.seconds : timeoutSeconds
          if (seconds !== null) context.setTimer(conditionTimer(binding, part), seconds, job)
        }
        return { passage: "asked" }
      }
    }
  }
  return { passage: "passed", last }
}

/** Timer of one part of what is asked. */
export const conditionTimer = (binding: string, part: number): string =>
  part === 0 ? `condition ${binding}` : `condition.${part} ${binding}`
