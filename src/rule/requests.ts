/** What people and workers ask of a session, and what a new monitor finds half done. */
import * as Either from "effect/Either"
import type { EventData, Request } from "../event/events.ts"
import type { QueueEntry } from "../session/Session.ts"
import { type Context, decodeRules } from "./Context.ts"
import { operate } from "./operator.ts"

/** Answers a request by a decision; a refusal says why. */
export const answer = (context: Context, { actor, request, request_id }: EventData<"OperatorRequested">): void => {
  const refuse = (why: string) => {
    context.emit({ type: "RequestRefused", data: { request_id, why } })
  }
  if (request.kind === "submit") {
    context.roomChanged = true
    return
  }
  if (request.kind === "grow") return grow(context, request_id, request, refuse)
  if ("job" in request) return operate(context, { actor }, request, refuse)
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

/** Takes a further plan into the session, whole or not at all. */
const grow = (
  context: Context,
  request_id: string,
  { gone, jobs, manifest, rule_sets }: Extract<Request, { readonly kind: "grow" }>,
  refuse: (why: string) => void
): void => {
  for (const [index, rules] of rule_sets.entries()) {
    const decoded = decodeRules(rules)
    if (Either.isLeft(decoded)) return refuse(`rule set ${index} cannot be read: ${decoded.left}`)
  }
  const lost = jobs.find(({ rule_set }) => rule_set !== null && rule_sets[rule_set] === undefined)
  if (lost !== undefined) return refuse(`job ${lost.name} names rule set ${lost.rule_set}, which is not there`)
  const names = jobs.map(({ name }) => name)
  const known = names.filter((name) => context.session.jobs.has(name))
  const added = [...new Set(names)].filter((name) => !context.session.jobs.has(name))
  context.emit({ type: "SessionGrown", data: { request_id, manifest, added, known, gone } })
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
  context.roomChanged = true
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
