/** Conditions one after another, for the actions of events and for the gates of jobs. */
import { Fail, type Occasion, Pass, type Verdict } from "../action/Verdict.ts"
import type { PlannedJob } from "../event/PlannedJob.ts"
import { partsOf, untilThen, withoutIntervals } from "../event/Question.ts"
import type { Latch } from "../event/terms.ts"
import { secondsBetween } from "../event/time.ts"
import { type Job } from "../session/Job.ts"
import { eventKey, latchKey } from "../session/Session.ts"
import { filesHaveIntervals } from "./behaviour.ts"
import type { Context } from "./Context.ts"
import { nameRegex } from "./glob.ts"

/** A condition, and what it says on an occasion. */
export interface Judged {
  readonly className: string
  /** Which of its answers it keeps to. */
  readonly keeps: Latch["keeps"]
  readonly judge: (occasion: Occasion) => Verdict
}

/** How far one came; `last` is the seq of the last record about it. */
export type Passage =
  | { readonly passage: "passed"; readonly last: number }
  | { readonly passage: "asked" }
  | { readonly passage: "failed"; readonly last: number; readonly why: string }

/** What the caller knows of the occasion; the rest is the session's. */
export interface Asking
  extends Pick<Occasion, "metadata" | "gate">, Partial<Pick<Occasion, "sinceEvent" | "sinceAction">>
{
  /** By what the place of the conditions is known when they are asked another time. */
  readonly place: string
}

/** The answers that a condition keeps to. */
export const keepsOf = ({ persistent_fail, persistent_pass }: {
  readonly persistent_pass?: boolean | undefined
  readonly persistent_fail?: boolean | undefined
}): Latch["keeps"] => [
  ...persistent_pass === true ? ["pass" as const] : [],
  ...persistent_fail === true ? ["fail" as const] : []
]

/** All that a condition may look at. */
export const occasionOf = (context: Context, job: Job, asking: Omit<Asking, "place">): Occasion => {
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
    endOf: (name) => context.endOf(name),
    stateOf: (name) => context.job(name),
    jobsOf: (name, stage) => jobsOf(context, plan, name, stage)
  }
}

/** The session's jobs of that name, in which `*` and `?` stand for other text, and of that phase as the point sees it. */
const jobsOf = (
  { session }: Context,
  { needs }: PlannedJob,
  name: string | null,
  stage: string | null
): ReadonlyArray<string> => {
  const known = name === null ? null : session.jobs.has(name) ? (job: string) => job === name : likeName(name)
  const all = [...session.jobs.values()].filter(({ plan }) =>
    (known === null || known(plan.name)) && (stage === null || plan.stage === stage)
  ).map(({ plan }) => plan.name)
  const needed = stage === null ? [] : all.filter((job) => needs.includes(job))
  return needed.length > 0 ? needed : all
}

const likeName = (pattern: string): (job: string) => boolean => {
  const regex = nameRegex(pattern)
  return (job) => regex.test(job)
}

/** What holds until a time is up holds now. */
const nowOf = (verdict: Verdict): Verdict => {
  const held = verdict.verdict === "ask" ? untilThen(verdict.asked) : null
  return held === null ? verdict : Pass(held.why)
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
  for (const [condition, { className: class_name, judge, keeps }] of conditions.entries()) {
    if (condition < from) continue
    const latch = keeps.length === 0 ? null : { key: `${asking.place} ${condition}`, keeps }
    const which = { binding, condition, class_name, ...latch === null ? {} : { latch } }
    const kept = latch === null ? undefined : context.session.latches.get(latchKey(job.plan.name, latch.key))
    const verdict = kept === undefined
      ? nowOf(judge(occasionOf(context, job, asking)))
      : (kept.holds ? Pass : Fail)(`it keeps to what it said: ${kept.why}`)
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
