/** What a condition answers: it passes, fails, or asks the outside world a question and waits for the answer. */
import type { ValueMap } from "../backend/Value.ts"
import type { JobOutcome } from "../event/events.ts"
import type { Asked } from "../event/Question.ts"

export type Verdict =
  | { readonly verdict: "pass"; readonly why: string }
  | { readonly verdict: "fail"; readonly why: string }
  | { readonly verdict: "ask"; readonly asked: Asked }

export const Pass = (why: string): Verdict => ({ verdict: "pass", why })
export const Fail = (why: string): Verdict => ({ verdict: "fail", why })
export const Ask = (asked: Asked): Verdict => ({ verdict: "ask", asked })

/** What conditions and actions may look at. */
export interface Occasion {
  /** The job's present attempt, counted from 1. */
  readonly attempt: number
  /** The event's metadata over the job's own: the variables of templates. */
  readonly metadata: ValueMap
  /** Whether a job's start or cancel waits for the answer, not an event's action. */
  readonly gate: boolean
  /** How a job of the session ended: null while it has not, undefined if there is none of that name. */
  readonly endOf: (job: string) => { readonly outcome: JobOutcome; readonly why: string | null } | null | undefined
}

export type Judge<Condition> = (condition: Condition, occasion: Occasion) => Verdict
