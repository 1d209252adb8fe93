/** Answers to what conditions ask: of one question or of several, by the world, by a timer, or by a job's end. */
import { type Answer, partsOf, settle } from "../event/Question.ts"
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
  const type = whole.holds ? "ConditionPassed" as const : "ConditionFailed" as const
  const seq = context.emit({ type, data: { binding: id, condition, class_name, why: whole.why } }, job)
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
  const holds = question.kind === "delay"
  tell(context, open, part, { holds, why: holds ? `${seconds} s have passed` : `no within ${seconds} s` })
}

/** A job that others wait for has ended, as the record `seq` says. */
export const tellOfEnd = (context: Context, { job: name, seq }: Context["ended"][number]): void => {
  const end = context.endOf(name)
  for (const id of [...context.session.awaited.get(name) ?? []]) {
    const open = openOf(context, id)
    if (open === undefined) continue
    if (open.asked.question.kind === "several") {
      for (const [part, { question }] of partsOf(open.asked).entries()) {
        if (question.kind !== "job_ended" || question.job !== name || end === undefined || end === null) continue
        const holds = question.outcomes?.includes(end.outcome) ?? end.outcome === "success"
        const now = openOf(context, id)
        if (now !== undefined) tell(context, now, part, { holds, why: `job ${name} ended as ${end.outcome}` })
      }
    } else if (isGate(open)) {
      judgeAgain(context, open, seq)
    } else {
      bind(context, open.occurrence, open.position, open.condition, seq)
      const waiting = context.job(open.occurrence.job)
      if (waiting !== undefined) finishIfJudged(context, waiting)
    }
  }
}
