/** What a condition answers: it passes, fails, or asks the outside world a question and waits for the answer. */
import * as Schema from "effect/Schema"
import type { ValueMap } from "../backend/Value.ts"

/** A question to the outside world; its answer returns as a fact. */
export const Question = Schema.Struct({
  kind: Schema.Literal("file_exists"),
  /** Absolute path, rendered. */
  path: Schema.String
})

/** A question, and how long it may stay open. */
export const Asked = Schema.Struct({
  question: Question,
  /** Whether it stays open once the job has ended. */
  waitsAfterJob: Schema.Boolean,
  /** Seconds after which the condition fails; null: no limit of its own. */
  timeoutSeconds: Schema.NullOr(Schema.Number)
})

export type Verdict =
  | { readonly verdict: "pass"; readonly why: string }
  | { readonly verdict: "fail"; readonly why: string }
  | { readonly verdict: "ask"; readonly asked: typeof Asked.Type }

export const Pass = (why: string): Verdict => ({ verdict: "pass", why })
export const Fail = (why: string): Verdict => ({ verdict: "fail", why })
export const Ask = (asked: typeof Asked.Type): Verdict => ({ verdict: "ask", asked })

/** What conditions and actions may look at. */
export interface Occasion {
  /** The job's present attempt, counted from 1. */
  readonly attempt: number
  /** The event's metadata over the job's own: the variables of templates. */
  readonly metadata: ValueMap
}

export type Judge<Condition> = (condition: Condition, occasion: Occasion) => Verdict
