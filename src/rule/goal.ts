/** `until`: whether the work of a job's chain is done, asked while an attempt runs and once more when it has ended. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Condition, judge } from "../action/conditions.ts"
import { Fail } from "../action/Verdict.ts"
import type { Asked } from "../event/Question.ts"
import { goalGate } from "../session/foldGate.ts"
import type { Job } from "../session/Job.ts"
import { type Judged, keepsOf, passAll } from "./conditions.ts"
import { type Context, timerOf } from "./Context.ts"
import { jobVariables } from "./metadata.ts"
import { pollSeconds } from "./Monitoring.ts"
import { complete } from "./termination.ts"

const decode = Schema.decodeUnknownEither(Condition)

const goalOf = (job: Job): Judged | null => {
  const { until = null } = job.plan.chain ?? {}
  return until === null ? null : {
    className: until.class_name,
    keeps: Either.match(decode(until), { onLeft: () => [], onRight: keepsOf }),
    judge: (occasion) =>
      Either.match(decode(until), {
        onLeft: ({ message }) => Fail(`the condition cannot be read: ${message}`),
        onRight: (condition) => judge(condition, occasion)
      })
  }
}

/** `asked` with each of its questions changed. */
const eachOf = (asked: Asked, change: (one: Asked) => Asked): Asked => {
  const { question } = asked
  return question.kind === "several"
    ? { ...asked, question: { ...question, of: question.of.map((one) => eachOf(one, change)) } }
    : change(asked)
}

/** The question as it is asked while the attempt runs: for as long as it takes. */
const whileItRuns = (seconds: number) => (asked: Asked): Asked =>
  eachOf(asked, ({ question }) => ({
    question: question.kind === "command"
      ? { ...question, interval_seconds: question.interval_seconds ?? seconds }
      : question,
    waitsAfterJob: false,
    timeoutSeconds: null
  }))

/** The question as it is asked when the attempt has ended: whatever does not say yes soon has said no. */
const atItsEnd = (seconds: number) => (asked: Asked): Asked =>
  eachOf(asked, ({ question }) => ({
    question: question.kind === "command" ? { ...question, interval_seconds: null } : question,
    waitsAfterJob: true,
    timeoutSeconds: question.kind === "command" ? null : seconds
  }))

const ask = (context: Context, job: Job, goal: Judged, form: (asked: Asked) => Asked): ReturnType<typeof passAll> => {
  const formed: Judged = {
    ...goal,
    judge: (occasion) => {
      const verdict = goal.judge(occasion)
      return verdict.verdict === "ask" ? { ...verdict, asked: form(verdict.asked) } : verdict
    }
  }
  const asking = { metadata: jobVariables(context.session, job), gate: true, place: "until" }
  const passage = passAll(context, job, goalGate(job.plan.name), [formed], 0, asking, context.fact.seq)
  if (passage.passage === "passed") {
    complete(context, context.now(job), "until", { condition: goal.className, why: "it holds" })
  }
  return passage
}

/** Begins to ask, of an attempt that runs, whether the chain's work is done. */
export const watchGoal = (context: Context, job: Job): void => {
  const goal = goalOf(job)
  if (goal === null || job.completed !== null || job.state !== "running") return
  if (context.session.gates.get(goalGate(job.plan.name))?.attempt === job.attempt) return
  ask(context, job, goal, whileItRuns(Math.max(1, pollSeconds(context.rules(job).monitoring))))
}

/** Least seconds that files have for a yes once the attempt has ended: shared file systems show them late. */
const goalSeconds = 1

/** Whether it is known of an attempt that has ended if the chain's work is done; it is asked, if that was not done yet. */
export const isGoalSettled = (context: Context, job: Job): boolean => {
  const goal = goalOf(job)
  if (goal === null || job.goal === "no") return true
  if (job.goal === "asking") return false
  const settle = context.rules(job).monitoring.log_settle_seconds
  return ask(context, job, goal, atItsEnd(Math.max(goalSeconds, settle))).passage !== "asked"
}

/** An attempt that has done the work and goes on regardless is ended, as a success. */
export const endOverrun = (context: Context, job: Job): void => {
  if (job.completed === null || !job.live || job.slurm === null || job.cancel !== null) return
  const why = `its work is done, and it has gone on for ${job.plan.chain?.overrun_seconds ?? 0} s since`
  context.emit({ type: "CancelDecided", data: { slurm_id: job.slurm.id, why, mode: "success" } }, job)
}

/** Sees to it that an attempt that has done the work does not go on for ever. */
export const watchOverrun = (context: Context, job: Job): void => {
  const seconds = job.plan.chain?.overrun_seconds ?? null
  const timer = timerOf("overrun", job)
  if (seconds === null || job.completed === null || job.cancel !== null || job.state !== "running") return
  if (!context.session.timers.has(timer)) context.setTimer(timer, seconds, job)
}
