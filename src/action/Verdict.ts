/** What a condition answers: it passes, fails, or asks the outside world a question and waits for the answer. */
import type { ValueMap } from "../backend/Value.ts"
import type { Asked } from "../event/Question.ts"
import type { JobOutcome } from "../event/terms.ts"
import type { Counted } from "../session/counted.ts"
import type { Job } from "../session/Job.ts"

export type Verdict =
  | { readonly verdict: "pass"; readonly why: string }
  | { readonly verdict: "fail"; readonly why: string }
  | { readonly verdict: "ask"; readonly asked: Asked }

export const Pass = (why: string): Verdict => ({ verdict: "pass", why })
export const Fail = (why: string): Verdict => ({ verdict: "fail", why })
export const Ask = (asked: Asked): Verdict => ({ verdict: "ask", asked })

/** Passes after so many seconds, if they are not over yet; a job's end does not shorten them. */
export const After = (seconds: number, why: string): Verdict =>
  seconds <= 0 ? Pass(why) : Ask({ question: { kind: "delay", seconds }, waitsAfterJob: true, timeoutSeconds: null })

/** Holds for so many seconds more, and then no longer. */
export const Until = (seconds: number): Verdict =>
  Ask({ question: { kind: "delay", seconds, negated: true }, waitsAfterJob: true, timeoutSeconds: null })

/** What conditions and actions may look at. Times are recorded ones, in seconds. */
export interface Occasion {
  /** The job's present attempt, counted from 1. */
  readonly attempt: number
  /** The event's metadata over the job's own: the variables of templates. */
  readonly metadata: ValueMap
  /** Whether a job's start or cancel waits for the answer, not an event's action. */
  readonly gate: boolean
  /** Since the event was seen; null where there is none. */
  readonly sinceEvent: number | null
  /** Since the event last led to this same action for this job, in whatever attempt; null: never. */
  readonly sinceAction: number | null
  /** How long the attempt has run, or ran if it is over; null if it has not begun to run. */
  readonly ran: { readonly seconds: number; readonly over: boolean } | null
  /** What log events of the attempt named as its `error_type`, each once, in their order. */
  readonly errorTypes: ReadonlyArray<string>
  /** How far the job has come, as its log counts. */
  readonly counted: Pick<Counted, "best" | "bestCheckpoint" | "total">
  /** How often the attempt has seen the event of that name. */
  readonly countOf: (event: string) => number
  /** How a job of the session ended: null while it has not, undefined if there is none of that name. */
  readonly endOf: (job: string) => { readonly outcome: JobOutcome; readonly why: string | null } | null | undefined
  /** Where a job of the session stands; undefined if there is none of that name. */
  readonly stateOf: (job: string) => Pick<Job, "state" | "outcome" | "slurmState"> | undefined
  /** Names of the session's jobs of that name (with `*` and `?`) and phase; see JobStateCondition. */
  readonly jobsOf: (name: string | null, stage: string | null) => ReadonlyArray<string>
}

export type Judge<Condition> = (condition: Condition, occasion: Occasion) => Verdict
