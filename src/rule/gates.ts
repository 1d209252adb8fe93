/**
 * Gates: what a job's submission, and its end, wait for. Start conditions pass one after another, anew before a restart; one
 * that fails ends the job. Before them is asked whether the job is done already. Each cancel condition is a gate of its own, asked once, in force until the job has ended.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Condition, judge } from "../action/conditions.ts"
import { Fail } from "../action/Verdict.ts"
import type { EncodedCondition } from "../event/PlannedJob.ts"
import type { OpenGate } from "../session/entries.ts"
import { cancelGate, startGate } from "../session/foldGate.ts"
import type { Job } from "../session/Job.ts"
import { wouldHave } from "../session/would.ts"
import { type Judged, keepsOf, passAll } from "./conditions.ts"
import type { Context } from "./Context.ts"
import { endJob, finish, judgeEnd } from "./ending.ts"
import { askDone, asksDone, doneText, isNotDone } from "./finishing.ts"
import { watchGoal } from "./goal.ts"
import { jobVariables } from "./metadata.ts"
import { complete } from "./termination.ts"

const decode = Schema.decodeUnknownEither(Condition)

/** A planned job's condition; one that cannot be read fails, and says so. */
const judged = (encoded: EncodedCondition): Judged => ({
  className: encoded.class_name,
  keeps: Either.match(decode(encoded), { onLeft: () => [], onRight: keepsOf }),
  judge: (occasion) =>
    Either.match(decode(encoded), {
      onLeft: ({ message }) => Fail(`the condition cannot be read: ${message}`),
      onRight: (condition) => judge(condition, occasion)
    })
})

/** Whether nothing but room keeps the job from being submitted. */
export const isAllowed = (job: Job): boolean =>
  isNotDone(job) && (job.plan.start_conditions.length === 0 || job.gate === "passed")

const askingAt = (context: Context, job: Job, place: string) => ({
  metadata: jobVariables(context.session, job),
  gate: true,
  place
})

/** Asks what the job's submission and its end wait for, as far as that was not asked yet: first whether it is done already. */
export const openGates = (context: Context, job: Job): void => {
  if (!job.cancelAsked) {
    for (const condition of job.plan.cancel_conditions.keys()) judgeCancel(context, job, condition, context.fact.seq)
  }
  if (context.now(job).outcome === null && asksDone(job) && job.done === "unasked") openDone(context, context.now(job))
  const now = context.now(job)
  if (!isNotDone(now)) return
  if (now.outcome === null && now.gate === "unasked" && !isAllowed(now)) judgeStart(context, now, 0, context.fact.seq)
}

/** Asks whether the job, which waits for its submission, is done already; if so it ends. */
const openDone = (context: Context, job: Job, from = 0, cause = context.fact.seq): void => {
  askDone(context, job, from, cause)
  const now = context.now(job)
  if (now.done === "yes") endDone(context, now)
}

/** Ends a job as a success that is not to be submitted, since it is done already. */
const endDone = (context: Context, job: Job): void => {
  const why = doneText(job)
  if (!context.acts(job)) {
    if (!wouldHave(job, "end")) context.emit({ type: "EndDecided", data: { why } }, job)
    return
  }
  if (job.restart !== null) context.emit({ type: "RestartDropped", data: { why } }, job, job.restart.seq)
  finish(context, context.now(job), "success", why)
}

/** Goes on with the start conditions from the one at `from`. */
const judgeStart = (context: Context, job: Job, from: number, cause: number): void => {
  const conditions = job.plan.start_conditions.map(judged)
  const passage = passAll(
    context,
    job,
    startGate(job.plan.name),
    conditions,
    from,
    askingAt(context, job, "start"),
    cause
  )
  if (passage.passage === "passed") context.roomChanged = true
  if (passage.passage === "failed") endJob(context, context.now(job), passage.why, passage.last)
}

const judgeCancel = (context: Context, job: Job, condition: number, cause: number): void => {
  const encoded = job.plan.cancel_conditions[condition]
  if (encoded === undefined || context.now(job).outcome !== null) return
  const only = job.plan.cancel_conditions.slice(0, condition + 1).map(judged)
  const id = cancelGate(job.plan.name, condition)
  const passage = passAll(context, job, id, only, condition, askingAt(context, job, "cancel"), cause)
  if (passage.passage === "passed") endJob(context, context.now(job), cancelled(job, condition), passage.last)
}

const cancelled = ({ plan }: Job, condition: number): string =>
  `its cancel condition ${condition} (${plan.cancel_conditions[condition]?.class_name ?? ""}) holds`

/** The question that a gate waits for is answered: yes, or no for good. */
export const answerGate = (
  context: Context,
  { asked, className, condition, id, job: name, kind, latch }: OpenGate,
  answer: {
    readonly holds: boolean
    readonly why: string
  }
): void => {
  const job = context.job(name)
  if (job === undefined) return
  const { holds, why } = answer
  const data = { binding: id, condition, class_name: className, ...latch === null ? {} : { latch }, why }
  const seq = context.emit({ type: holds ? "ConditionPassed" : "ConditionFailed", data }, job)
  if (kind === "termination") {
    const command = asked.question.kind === "command" ? asked.question.argv.at(-1) ?? "" : ""
    if (holds) complete(context, context.now(job), "termination-command", { command })
  } else if (kind === "done") {
    if (job.state === "ended" && job.verdict === null && !job.live) {
      if (holds) askDone(context, context.now(job), condition + 1, seq)
      if (context.now(job).done !== "asking") judgeEnd(context, context.now(job))
    } else if (holds) {
      if (context.now(job).done === "yes") endDone(context, context.now(job))
      else openDone(context, context.now(job), condition + 1, seq)
    }
    context.roomChanged = true
  } else if (kind === "goal") {
    if (holds) complete(context, context.now(job), "until", { condition: className, why })
    const now = context.now(job)
    if (!now.live && now.verdict === null && now.outcome === null) judgeEnd(context, now)
  } else if (kind === "start") {
    if (holds) judgeStart(context, context.now(job), condition + 1, seq)
    else endJob(context, context.now(job), `its start condition ${className} failed: ${why}`, seq)
  } else if (holds) {
    endJob(context, context.now(job), `${cancelled(job, condition)}: ${why}`, seq)
  }
}

/** A job that the gate waits for has ended: its condition is judged again. */
export const judgeAgain = (context: Context, { condition, job: name, kind }: OpenGate, cause: number): void => {
  const job = context.job(name)
  if (job === undefined) return
  if (kind === "start") judgeStart(context, job, condition, cause)
  else if (kind === "goal") watchGoal(context, job)
  else if (kind === "cancel") judgeCancel(context, job, condition, cause)
}

/**
 * Conditions that would have ended a job while it was only observed are asked anew, now that something may be done: what was
 * true then ends nothing today.
 */
export const actAgain = (context: Context): void => {
  for (const job of [...context.session.jobs.values()]) {
    if (job.outcome !== null || job.ending !== null || !wouldHave(job, "end") || !context.acts(job)) continue
    for (const condition of job.plan.cancel_conditions.keys()) {
      const isOpen = context.session.gates.has(cancelGate(job.plan.name, condition))
      if (!isOpen) judgeCancel(context, job, condition, context.fact.seq)
    }
    if (context.now(job).done === "yes") openDone(context, context.now(job))
    const now = context.now(job)
    const waits = now.outcome === null && now.gate === "asking" && !context.session.gates.has(startGate(job.plan.name))
    if (waits) judgeStart(context, now, 0, context.fact.seq)
  }
}
