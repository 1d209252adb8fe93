/** Answers to what conditions ask: of one question or of several, by the world, by a timer, or by a job's end. */
import { answerOf } from "../action/conditions/JobStateCondition.ts"
import { type Answer, partsOf, type Question, settle } from "../event/Question.ts"
import { later } from "../event/time.ts"
import type { OpenBinding, OpenGate } from "../session/entries.ts"
import type { Context } from "./Context.ts"
import { finishIfJudged } from "./ending.ts"
import { answerGate, judgeAgain } from "./gates.ts"
import { bind } from "./raise.ts"

type Open = OpenBinding | OpenGate

const isGate = (open: Open): open is OpenGate => "kind" in open

const openOf = ({ session }: Context, id: string): Open | undefined => session.gates.get(id) ?? session.bindings.get(id)

/** Part `part` of what `open` asks is answered; goes on if that settles the whole. */
export const tell = (context: Context, open: Open, part: number, answer: Answer): void => {
  const { asked, className: class_name, condition, id } = open
  if (open.answers.has(part)) return
  const job = context.job(isGate(open) ? open.job : open.occurrence.job)
  const several = asked.question.kind === "several"
  const whole = several ? settle(asked, new Map(open.answers).set(part, answer)) : answer
  if (whole === null) {
    context.emit({ type: "ConditionAnswered", data: { binding: id, part, ...answer } }, job)
    return
  }
  if (isGate(open)) return answerGate(context, open, whole)
  const { occurrence, position } = open
  const latched = open.latch === null ? {} : { latch: open.latch }
  const type = whole.holds ? "ConditionPassed" as const : "ConditionFailed" as const
  const seq = context.emit({ type, data: { binding: id, condition, class_name, ...latched, why: whole.why } }, job)
  if (whole.holds) bind(context, occurrence, position, condition + 1, seq)
  if (job !== undefined) finishIfJudged(context, job)
}

/** The timer of the question at `part` of `id` has fired: a delay is over, or nobody answered in time. */
export const timeUp = (context: Context, id: string, part: number): void => {
  const open = openOf(context, id)
  const one = open === undefined ? undefined : partsOf(open.asked)[part]
  if (open === undefined || one === undefined) return
  const { question, timeoutSeconds } = one
  const seconds = question.kind === "delay" ? question.seconds : timeoutSeconds
  // The timer may be an earlier question's.
  if (seconds === null || later(open.since, seconds) > context.fact.at) return
  const isDelay = question.kind === "delay"
  const holds = isDelay && question.negated !== true
  tell(context, open, part, { holds, why: isDelay ? `${seconds} s have passed` : `no within ${seconds} s` })
}

/** A job that others wait for stands otherwise than before, as the record `seq` says. */
export const tellOfJob = (context: Context, { job: name, seq }: Context["moved"][number]): void => {
  for (const id of [...context.session.awaited.get(name) ?? []]) {
    const open = openOf(context, id)
    if (open === undefined) continue
    if (open.asked.question.kind === "several") {
      for (const [part, { question }] of partsOf(open.asked).entries()) {
        const answer = answerBy(context, question, name)
        const now = openOf(context, id)
        if (answer !== null && now !== undefined) tell(context, now, part, answer)
      }
    } else if (answerBy(context, open.asked.question, name) === null) {
      continue
    } else if (isGate(open)) {
      judgeAgain(context, open, seq)
    } else {
      bind(context, open.occurrence, open.position, open.condition, seq)
      const waiting = context.job(open.occurrence.job)
      if (waiting !== undefined) finishIfJudged(context, waiting)
    }
  }
}

/** What the session says to a question about that job; null: nothing yet, or it is about something else. */
const answerBy = (context: Context, question: Question, name: string): Answer | null => {
  if (question.kind === "job_state") {
    return question.jobs.includes(name) ? answerOf(question, (job) => context.job(job)) : null
  }
  const end = context.endOf(name)
  if (question.kind !== "job_ended" || question.job !== name || end === undefined || end === null) return null
  const holds = question.outcomes?.includes(end.outcome) ?? end.outcome === "success"
  return { holds, why: `job ${name} ended as ${end.outcome}` }
}
