/** What people and workers ask of a session, and what a new monitor finds half done. */
import * as Either from "effect/Either"
import { mayRepeat } from "../action/actions.ts"
import type { EventData } from "../event/events.ts"
import type { Outcome } from "../event/Outcome.ts"
import type { Request } from "../event/Request.ts"
import type { OnInterrupt, RenderedAction } from "../event/terms.ts"
import { later } from "../event/time.ts"
import type { Told } from "../event/Told.ts"
import type { QueueEntry } from "../session/entries.ts"
import { type Context, decodeRules } from "./Context.ts"
import { finishIfJudged } from "./ending.ts"
import { actAgain } from "./gates.ts"
import { excludeByHand, releaseByHand } from "./nodes.ts"
import { observed, operate } from "./operator.ts"

/** Answers a request by a decision; a refusal says why. */
export const answer = (context: Context, { actor, request, request_id }: EventData<"OperatorRequested">): void => {
  const refuse = (why: string) => {
    context.emit({ type: "RequestRefused", data: { request_id, why } })
  }
  if (request.kind === "submit") {
    context.roomChanged = true
    return
  }
  if (request.kind === "set") return
  if (request.kind === "grow") return grow(context, request_id, request, refuse)
  if (request.kind === "nodes_exclude") return excludeByHand(context, actor, request, refuse)
  if (request.kind === "nodes_release") return releaseByHand(context, actor, request, refuse)
  if ("job" in request) return operate(context, { actor }, request, refuse)
  const entry = context.session.queue.get(request.queue_id)
  if (entry === undefined) return refuse(`there is no queue entry ${request.queue_id}`)
  const { job: name, queueId: queue_id, status } = entry
  const job = context.job(name)
  switch (request.kind) {
    case "queue_retry": {
      if (status === "running") return refuse(`queue entry ${queue_id} is running`)
      if (status === "skipped") return refuse(`queue entry ${queue_id} was never fit to run`)
      const why = `asked for by ${actor.user}@${actor.host}`
      context.emit({ type: "QueueReleased", data: { queue_id, why } }, job)
      return
    }
    case "queue_remove":
      if (status === "running") return refuse(`queue entry ${queue_id} is running`)
      context.emit({ type: "QueueRemoved", data: { queue_id } }, job)
      return
    case "claim": {
      if (status !== "queued") return refuse(`queue entry ${queue_id} is ${status}, not queued`)
      if (job !== undefined && !context.acts(job)) return refuse(observed)
      if (entry.notBefore !== null && context.fact.at < entry.notBefore) {
        return refuse(`queue entry ${queue_id} is to be tried again at ${entry.notBefore}`)
      }
      const lease = request.lease === undefined ? {} : { lease: request.lease }
      context.emit({ type: "QueueClaimed", data: { queue_id, actor, ...lease } }, job)
      return
    }
    case "result":
      if ((request.lease ?? null) !== entry.lease) return refuse(`queue entry ${queue_id} was given to another worker`)
      if (status !== "running" && !isLate(entry)) {
        return refuse(`queue entry ${queue_id} is ${status}, not running`)
      }
      finish(context, entry, request.outcome)
      return
    case "worker_lost":
      if (status !== "running" || request.lease !== entry.lease) {
        return refuse(`queue entry ${queue_id} is not held by that worker any more`)
      }
      giveBack(context, entry)
  }
}

/** Whether the worker of the latest claim was taken for dead, and nobody has begun since: it may yet tell the outcome. */
const isLate = ({ interrupted, lease, status }: QueueEntry): boolean =>
  lease !== null && (status === "queued" || status === "failed" && interrupted)

/** No wait between two attempts is longer, in seconds, unless the first one is. */
const longestBackoff = 3600

/** Records how an attempt ended; one that failed is followed by another while there are any left. */
const finish = (context: Context, entry: QueueEntry, outcome: Outcome): void => {
  const { attempts, job: name, queueId: queue_id, retries: { backoff_seconds, max_attempts } } = entry
  const job = context.job(name)
  const seq = context.emit({ type: "QueueFinished", data: { queue_id, outcome } }, job)
  if (outcome.status === "done" || attempts >= max_attempts) return
  const wait = Math.min(backoff_seconds * 2 ** (attempts - 1), Math.max(longestBackoff, backoff_seconds))
  const why = `attempt ${attempts} of ${max_attempts} failed`
  const not_before = later(context.fact.at, wait)
  context.emit({ type: "QueueReleased", data: { queue_id, why, not_before } }, job, seq)
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

/**
 * Gives back, or gives up, what was claimed in records that a repair has cut off; and what was decided again behind the
 * cut, whose first decision had another id.
 */
export const giveUpTold = (context: Context, { claims, since }: Told): void => {
  const { actions, queue } = context.session
  const told = new Map(claims.map(({ claims, queue_id }) => [queue_id, claims]))
  for (const entry of [...queue.values()]) {
    if (entry.status !== "queued") continue
    if (entry.seq < since) {
      if (entry.attempts < (told.get(entry.queueId) ?? 0)) giveBack(context, entry)
    } else if (entry.onInterrupt !== "retry") {
      const outcome = { status: "failed" as const, result: { error: decidedAgain } }
      context.emit({ type: "QueueFinished", data: { queue_id: entry.queueId, outcome } }, context.job(entry.job))
    }
  }
  for (const { action, id, job: name, onInterrupt, seq } of [...actions.values()]) {
    if (seq < since || onInterrupt === "retry") continue
    const job = context.job(name)
    context.emit({ type: "ActionInterrupted", data: { action_id: id, why: decidedAgain } }, job)
    if (job?.attention === null) context.emit({ type: "AttentionNeeded", data: { why: decidedAgain } }, job)
    if (job !== undefined && action.class_name === "CheckpointRollbackAction") finishIfJudged(context, job)
  }
}

const decidedAgain = "a repair cut off the records that tell whether it was done: it is not done again"

const giveBack = (context: Context, { action, job, lease, onInterrupt, queueId: queue_id }: QueueEntry): void => {
  if (isRetried(action, onInterrupt)) {
    context.emit({ type: "QueueReleased", data: { queue_id, why: interrupted } }, context.job(job))
  } else {
    const outcome = {
      status: "failed" as const,
      result: { error: interrupted, ...(lease === null ? {} : { interrupted: true }) }
    }
    context.emit({ type: "QueueFinished", data: { queue_id, outcome } }, context.job(job))
  }
}

const interrupted = "who ran it ended while it was under way, and whether it took effect is not known"

/** Whether an action whose executor died is done again. */
const isRetried = (action: RenderedAction, onInterrupt: OnInterrupt | null): boolean =>
  (onInterrupt ?? (mayRepeat(action) ? "retry" : "fail")) === "retry"

/** What the monitor before this one left unanswered: submissions to look up, actions to repeat or to give up. */
export const takeStock = (context: Context): void => {
  context.roomChanged = true
  actAgain(context)
  const { actions, queue, submissions } = context.session
  for (const { doubted, nonce } of [...submissions.values()]) {
    if (doubted) continue
    const why = "the monitor ended before it recorded the scheduler's answer"
    context.emit({ type: "SubmissionDoubted", data: { nonce, why } })
  }
  for (const { action, id, job, onInterrupt } of [...actions.values()]) {
    if (isRetried(action, onInterrupt)) continue
    context.emit({ type: "ActionInterrupted", data: { action_id: id, why: interrupted } }, context.job(job))
  }
  for (const entry of [...queue.values()]) {
    if (entry.status === "running" && entry.claimedBy?.role === "monitor") giveBack(context, entry)
  }
}
