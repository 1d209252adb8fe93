/** What an operator decides of a job. */
import type { EventData } from "../event/events.ts"
import type { Request } from "../event/Request.ts"
import type { Job } from "../session/Job.ts"
import { restartReleases } from "./behaviour.ts"
import type { Context } from "./Context.ts"
import { endJob } from "./ending.ts"
import { uncharged } from "./lost.ts"
import { endAttempt } from "./restart.ts"

type JobRequest = Extract<Request, { readonly kind: `job_${string}` }>

/** Why nothing is done that would change what runs. */
export const observed = "it is only observed at present: nothing is submitted, cancelled or run"

/** Answers a request about a job by a decision; a refusal says why. */
export const operate = (
  context: Context,
  { actor }: Pick<EventData<"OperatorRequested">, "actor">,
  { job: name, kind, reason }: JobRequest,
  refuse: (why: string) => void
): void => {
  const asked = `asked for by ${actor.user}@${actor.host}`
  const why = reason === "" ? asked : `${reason} (${asked})`
  if (name === null) return kind === "job_ack" ? acknowledgeAll(context, why, refuse) : refuse("it takes a job's name")
  const job = context.job(name)
  if (job === undefined) return refuse(`there is no job ${name}`)
  const ended = () => refuse(`job ${name} has ended (${job.outcome ?? ""})`)
  switch (kind) {
    case "job_restart":
      if (!context.acts(job)) return refuse(observed)
      return restartByHand(context, job, why, refuse)
    case "job_retry":
      if (!context.acts(job)) return refuse(observed)
      return retry(context, job, why, refuse)
    case "job_cancel":
      if (job.outcome !== null) return ended()
      if (!context.acts(job)) return refuse(observed)
      if (job.ending !== null) return refuse(`job ${name} is being ended already: ${job.ending.why}`)
      endJob(context, job, why, context.fact.seq)
      return
    case "job_ack":
      if (job.attention === null && job.changes === null) return refuse(`job ${name} needs no attention`)
      return acknowledge(context, job, why)
    case "job_hold":
      if (job.outcome !== null) return ended()
      if (job.held !== null) return refuse(`job ${name} is held already: ${job.held.reason}`)
      context.emit({ type: "JobHeld", data: { why } }, job)
      return
    case "job_release":
      if (job.held === null) return refuse(`job ${name} is not held`)
      context.emit({ type: "JobReleased", data: { why } }, job)
      context.roomChanged = true
  }
}

/** Only what has ended badly is begun once more: nothing that runs, or that is done, is touched. */
const retry = (context: Context, job: Job, why: string, refuse: (why: string) => void): void => {
  const { outcome, plan: { name }, restart, state } = job
  if (outcome === "success") return refuse(`job ${name} ended in success; \`job restart\` runs it all the same`)
  if (outcome === null && restart === null) {
    if (state === "ended") return refuse(`job ${name} has just ended, and how is not judged yet`)
    if (state === "pending" || state === "running") {
      return refuse(
        `job ${name} has not failed, it is ${state}; \`job restart\` ends what runs and starts it once more`
      )
    }
  }
  return restartByHand(context, job, why, refuse)
}

/** A person has looked: budgets begin anew, and a job that had ended is opened again. */
const restartByHand = (context: Context, job: Job, why: string, refuse: (why: string) => void): void => {
  const { name } = job.plan
  if (job.ending !== null && job.outcome === null) return refuse(`job ${name} is being ended: ${job.ending.why}`)
  const waits = job.verdict !== null && (job.restart?.notBefore ?? "") > context.fact.at
  if (job.restart !== null && !waits) {
    return refuse(`a restart of job ${name} is decided already: ${job.restart.reason}`)
  }
  if (job.attempt === 0 && job.outcome === null) return refuse(`job ${name} was not submitted yet`)
  if (job.state === "submitting" || job.state === "waiting") return refuse(`job ${name} is about to be submitted`)
  if (job.restart !== null) {
    context.emit({ type: "RestartDropped", data: { why: "an operator restarts the job at once" } }, job)
  }
  const reopened = job.outcome !== null
  if (reopened) context.emit({ type: "JobReopened", data: { why } }, job)
  if (job.held !== null && context.session.behaviour >= restartReleases) {
    context.emit({ type: "JobReleased", data: { why: `its restart ends the hold: ${job.held.reason}` } }, job)
  }
  const seq = context.emit(
    {
      type: "RestartDecided",
      data: {
        event: "operator",
        reason: why,
        budget: null,
        unless_completed: false,
        by: "operator",
        ...uncharged
      }
    },
    context.now(job)
  )
  endAttempt(context, context.now(job), `restart: ${why}`, seq)
  if (reopened || waits) context.roomChanged = true
}

const acknowledge = (context: Context, job: Job, why: string): void => {
  context.emit({ type: "AttentionCleared", data: { why, undone: job.changes } }, job)
}

const acknowledgeAll = (context: Context, why: string, refuse: (why: string) => void): void => {
  const { breakerOpen, jobs } = context.session
  const waiting = [...jobs.values()].filter(({ attention }) => attention !== null)
  if (waiting.length === 0 && breakerOpen === null) return refuse("nothing needs attention")
  for (const job of waiting) acknowledge(context, job, why)
  if (breakerOpen === null) return
  context.emit({ type: "BreakerClosed", data: { why } })
  context.roomChanged = true
}
