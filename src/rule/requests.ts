/** What people and workers ask of a session, and what a new monitor finds half done. */
import type { EventData } from "../event/events.ts"
import type { QueueEntry } from "../session/Session.ts"
import type { Context } from "./Context.ts"

/** Answers a request by a decision; a refusal says why. */
export const answer = (context: Context, { actor, request, request_id }: EventData<"OperatorRequested">): void => {
  const refuse = (why: string) => {
    context.emit({ type: "RequestRefused", data: { request_id, why } })
  }
  if (request.kind === "submit") {
    context.roomChanged = true
    return
  }
  const entry = context.session.queue.get(request.queue_id)
  if (entry === undefined) return refuse(`there is no queue entry ${request.queue_id}`)
  const { job: name, queueId: queue_id, status } = entry
  const job = context.job(name)
  switch (request.kind) {
    case "queue_retry": {
      if (status === "running") return refuse(`queue entry ${queue_id} is running`)
      const why = `asked for by ${actor.user}@${actor.host}`
      context.emit({ type: "QueueReleased", data: { queue_id, why } }, job)
      return
    }
    case "queue_remove":
      if (status === "running") return refuse(`queue entry ${queue_id} is running`)
      context.emit({ type: "QueueRemoved", data: { queue_id } }, job)
      return
    case "claim":
      if (status !== "queued") return refuse(`queue entry ${queue_id} is ${status}, not queued`)
      context.emit({ type: "QueueClaimed", data: { queue_id, actor } }, job)
      return
    case "result":
      if (status !== "running") return refuse(`queue entry ${queue_id} is ${status}, not running`)
      context.emit({ type: "QueueFinished", data: { queue_id, outcome: request.outcome } }, job)
  }
}

/** Gives back, or gives up, what a worker had claimed that is no more. */
export const workerLost = (context: Context, queueId: string): void => {
  const entry = context.session.queue.get(queueId)
  if (entry !== undefined && entry.status === "running") giveBack(context, entry)
}

const giveBack = (context: Context, { action, job, queueId: queue_id }: QueueEntry): void => {
  if (mayRepeat(action.class_name)) {
    context.emit({ type: "QueueReleased", data: { queue_id, why: interrupted } }, context.job(job))
  } else {
    const outcome = { status: "failed" as const, result: { error: interrupted } }
    context.emit({ type: "QueueFinished", data: { queue_id, outcome } }, context.job(job))
  }
}

const interrupted = "who ran it ended while it was under way, and whether it took effect is not known"

/** Whether an action does no more when it is done twice. A follow-up's plan id derives from its action's. */
const mayRepeat = (className: string): boolean => className === "RunAutoexpAction"

/** What the monitor before this one left unanswered: submissions to look up, actions to repeat or to give up. */
export const takeStock = (context: Context): void => {
  const { actions, queue, submissions } = context.session
  for (const { doubted, nonce } of [...submissions.values()]) {
    if (doubted) continue
    const why = "the monitor ended before it recorded the scheduler's answer"
    context.emit({ type: "SubmissionDoubted", data: { nonce, why } })
  }
  for (const { action, id, job } of [...actions.values()]) {
    if (mayRepeat(action.class_name)) continue
    context.emit({ type: "ActionInterrupted", data: { action_id: id, why: interrupted } }, context.job(job))
  }
  for (const entry of [...queue.values()]) {
    if (entry.status === "running" && entry.claimedBy?.role === "monitor") giveBack(context, entry)
  }
}
