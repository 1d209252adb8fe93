/** Events and what rules bind to them: conditions one by one, then the action. */
import * as Either from "effect/Either"
import { eventAction, isExecuted, renderAction } from "../action/actions.ts"
import type { PublishEventAction } from "../action/actions/PublishEventAction.ts"
import { judge } from "../action/conditions.ts"
import type { ValueMap } from "../backend/Value.ts"
import { type EventData } from "../event/events.ts"
import { type Mode, Mode as ModeSchema } from "../event/terms.ts"
import { secondsBetween } from "../event/time.ts"
import { type Occurrence } from "../session/entries.ts"
import { type Job } from "../session/Job.ts"
import { eventKey } from "../session/Session.ts"
import { wouldClass, wouldHave } from "../session/would.ts"
import { evidenceIsHeardAgain, sourcesAreTold } from "./behaviour.ts"
import { asksByMetadata, boundAt, ruleOf, speaksOfFailure, tellsOfFailure } from "./bound.ts"
import { isCancelledByOthers } from "./classify.ts"
import { type Judged, keepsOf, passAll } from "./conditions.ts"
import type { Context } from "./Context.ts"
import { evidenceAgainst } from "./disproved.ts"
import { failureOf } from "./failure.ts"
import { fingerprint } from "./fingerprint.ts"
import { jobVariables, variablesOf } from "./metadata.ts"
import { modeOf, type Monitoring, stateOfClass } from "./Monitoring.ts"
import { excludeByRule } from "./nodes.ts"
import { restart } from "./restart.ts"
import { rollBack } from "./rollback.ts"

type Raised = EventData<"EventRaised">

/** Raises an event of the job's attempt, goes through the rule's bindings, each on its own, and cancels if it says so. */
export const raise = (
  context: Context,
  job: Job,
  name: string,
  source: Occurrence["source"],
  rule: Pick<Monitoring["log_events"][number], "state" | "actions"> & { readonly cancel?: boolean },
  metadata: ValueMap,
  more:
    & { readonly line?: string; readonly cause?: number; readonly told?: boolean }
    & Pick<Raised, "path" | "published" | "completes" | "no_progress"> = {}
): void => {
  const { cause, line, path, told = false, ...published } = more
  const key = eventKey(job.plan.name, job.attempt, name)
  const known = context.session.events.get(key)
  const count = (known?.count ?? 0) + 1
  const seq = context.emit(
    {
      type: "EventRaised",
      data: {
        event_id: known?.eventId ?? `e${context.nextSeq()}`,
        name,
        source,
        count,
        state: rule.state?.class_name ?? null,
        ...stateKeyOf(rule.state),
        metadata,
        ...(line === undefined || !tellsOfFailure(rule) ? {} : { fingerprint: fingerprint(line) }),
        ...(path === undefined || rule.actions.length === 0 || context.session.behaviour < sourcesAreTold
          ? {}
          : { path }),
        ...(told || count <= (context.session.toldEvents.get(key) ?? 0) ? { told: true as const } : {}),
        ...published
      }
    },
    job,
    cause
  )
  const occurrence = context.session.occurrences.get(seq)
  if (occurrence === undefined) return
  for (const position of rule.actions.keys()) bind(context, occurrence, position, 0, seq)
  const mode = modeOf(rule.state)
  if (rule.cancel === true && mode !== null) {
    cancelAs(context, context.now(job), occurrence, mode, seq)
  }
}

/** The state that a rule names, where that is no end. */
const stateKeyOf = (state: Monitoring["log_events"][number]["state"]): Pick<Raised, "state_key"> => {
  const key = state === null ? null : state.key ?? stateOfClass[state.class_name]
  return key === null || ends.has(key.toLowerCase()) ? {} : { state_key: key }
}

const ends: ReadonlySet<string> = new Set(ModeSchema.literals)

/** Ends the attempt that the event is of, if it lives and its end is not under way. */
const cancelAs = (context: Context, job: Job, { attempt, name }: Occurrence, mode: Mode, cause: number): void => {
  if (attempt !== job.attempt || !job.live || job.slurm === null || job.cancel !== null) return
  if (!context.acts(job) && wouldHave(job, "cancel")) return
  const data = { slurm_id: job.slurm.id, why: `log event ${name} ends it as ${mode}`, mode }
  context.emit({ type: "CancelDecided", data }, job, cause)
}

/** Raises the state event of that name; without a rule for it nothing but the event follows. */
export const raiseState = (
  context: Context,
  job: Job,
  mode: Mode,
  metadata: ValueMap,
  more: Pick<Raised, "completes" | "no_progress"> = {}
): void => {
  const rule = context.rules(job).state.get(mode) ?? { state: null, actions: [], metadata: {} }
  raise(context, context.now(job), mode, "state", rule, { ...rule.metadata, ...metadata }, more)
}

/** Seconds since an event of that name last led to such an action for the job; null if it never did. */
const sinceAction = (
  { fact, session }: Context,
  { attempt: present, job, name }: Occurrence,
  className: string,
  acts: boolean
): number | null => {
  const what = className === "LogMessageAction" ? "LogAction" : className
  for (let attempt = present; attempt > 0; attempt -= 1) {
    const acted = session.events.get(eventKey(job, attempt, name))?.acted
    const at = (acts ? undefined : acted?.[wouldClass(what)]) ?? acted?.[what]
    if (at !== undefined) return secondsBetween(at, fact.at)
  }
  return null
}

/** Goes on with a binding from one of its conditions; acts once all have passed. */
export const bind = (context: Context, occurrence: Occurrence, position: number, from: number, cause: number): void => {
  const job = context.job(occurrence.job)
  const bound = boundAt(context, occurrence, position)
  if (job === undefined || bound === undefined) return
  const conditions = eventAction(bound).conditions.map((condition): Judged => ({
    className: condition.class_name,
    keeps: keepsOf(condition),
    judge: (occasion) => judge(condition, occasion)
  }))
  const asking = {
    metadata: variablesOf(context.session, job, occurrence),
    gate: false,
    place: `${occurrence.source} ${occurrence.name}.${position}`,
    sinceEvent: secondsBetween(occurrence.at, context.fact.at),
    sinceAction: sinceAction(context, occurrence, eventAction(bound).action.class_name, context.acts(job))
  }
  const passage = passAll(context, job, `${occurrence.seq}.${position}`, conditions, from, asking, cause)
  if (passage.passage === "passed") act(context, job, occurrence, position, eventAction(bound), passage.last)
}

const act = (
  context: Context,
  job: Job,
  occurrence: Occurrence,
  position: number,
  { action, backoff_seconds, max_attempts, mode, on_interrupt }: ReturnType<typeof eventAction>,
  cause: number
): void => {
  const event_id = occurrence.eventId
  const binding = `${occurrence.seq}.${position}`
  const isQueued = mode === "queue" && isExecuted(action)
  const skip = (why: string) => {
    const { class_name } = action
    const queue = { queue_id: `q${context.nextSeq()}`, event: occurrence.name, action }
    const data = { binding, event_id, class_name, why, ...(isQueued ? { queue } : {}) }
    context.emit({ type: "ActionSkipped", data }, job, cause)
  }
  if (action.class_name === "RestartAction") {
    const bound = boundAt(context, occurrence, position)
    const against = bound !== undefined && occurrence.attempt === job.attempt &&
        context.session.behaviour >= evidenceIsHeardAgain
      ? evidenceAgainst(context, job, eventAction(bound).conditions)
      : null
    if (against !== null) return skip(`since it was asked for, ${against}`)
    const told = occurrence.source === "state" || occurrence.source === "published"
    if (told && isCancelledByOthers(context.session, job) && !(bound !== undefined && asksByMetadata(bound))) {
      return skip("somebody cancelled the job, and no condition of the rule asks what its metadata say of that")
    }
    return restart(
      context,
      job,
      occurrence,
      action,
      speaksOfFailure(context.rulesAt(job, occurrence), occurrence),
      skip,
      cause
    )
  }
  const rendered = renderAction(
    action,
    variablesOf(context.session, job, occurrence),
    jobVariables(context.session, job)
  )
  if (Either.isLeft(rendered)) return skip(rendered.left.message)
  const ready = rendered.right
  if (ready.class_name === "LogAction" || ready.class_name === "LogMessageAction") {
    context.emit({ type: "ActionLogged", data: { binding, event_id, message: ready.message } }, job, cause)
    return
  }
  if (ready.class_name === "ExcludeNodesAction") return excludeByRule(context, job, occurrence, ready, skip, cause)
  if (ready.class_name === "CancelAction" || ready.class_name === "FinishAction") {
    const end = ready.class_name === "CancelAction" ? "cancel" as const : "finish" as const
    if (job.outcome !== null || job.ending !== null) return skip("the job has ended, or is about to")
    if (occurrence.attempt !== job.attempt) return skip("the event is of an attempt that is over")
    const why = ready.reason || `event ${occurrence.name}`
    const seq = context.emit(
      { type: "ActionLogged", data: { binding, event_id, message: why, class_name: ready.class_name } },
      job,
      cause
    )
    context.ordered.push({ job: job.plan.name, end, why, seq })
    return
  }
  if (ready.class_name === "CheckpointRollbackAction") {
    return rollBack(context, job, occurrence, binding, ready, skip, cause)
  }
  if (ready.class_name === "PublishEventAction") return publish(context, job, occurrence, binding, ready, skip, cause)
  const complete = ready.class_name === "RunCommandAction" ? { ...ready, cwd: ready.cwd ?? job.plan.output_dir } : ready
  const policy = on_interrupt === null ? {} : { on_interrupt }
  // A follow-up is not safe to repeat here as it is elsewhere: its plan's id derives from the action's, which is another.
  const inDoubt = occurrence.told && on_interrupt !== "retry" && context.acts(job)
  const doubt = `a repair cut off the records that tell whether ${action.class_name} of event ${occurrence.name} was ` +
    "done: it is not done again"
  if (mode === "queue") {
    const data = {
      queue_id: `q${context.nextSeq()}`,
      binding,
      event_id,
      event: occurrence.name,
      action: complete,
      ...(max_attempts > 1 ? { retries: { max_attempts, backoff_seconds } } : {}),
      ...policy
    }
    const seq = context.emit({ type: "ActionQueued", data }, job, cause)
    if (inDoubt) {
      const outcome = { status: "failed" as const, result: { error: doubt } }
      context.emit({ type: "QueueFinished", data: { queue_id: data.queue_id, outcome } }, job, seq)
    }
  } else {
    const data = { action_id: `a${context.nextSeq()}`, binding, event_id, action: complete, ...policy }
    const seq = context.emit({ type: "ActionStarted", data }, job, cause)
    if (inDoubt) {
      context.emit({ type: "ActionInterrupted", data: { action_id: data.action_id, why: doubt } }, job, seq)
    }
  }
  if (inDoubt && context.now(job).attention === null) {
    context.emit({ type: "AttentionNeeded", data: { why: doubt } }, job, cause)
  }
}

/** How deep events may publish events, and how many may follow in all from one that was seen. */
const depthBound = 8
const publishedBound = 64

/** Raises the event that an action publishes, about the attempt of the event that led to it. */
const publish = (
  context: Context,
  job: Job,
  occurrence: Occurrence,
  binding: string,
  { event_name, metadata, payload }: typeof PublishEventAction.Type,
  skip: (why: string) => void,
  cause: number
): void => {
  const { attempt, eventId: event_id, published } = occurrence
  const { depth, failure, root } = published ?? { depth: 0, failure: null, root: occurrence.seq }
  const count = (context.published.get(root) ?? 0) + 1
  if (depth >= depthBound) return skip(`published events are nested ${depthBound} deep: they would never end`)
  if (count > publishedBound) return skip(`${publishedBound} events were published because of one already`)
  context.published.set(root, count)
  const rules = context.rules(job)
  const rule = ruleOf(rules, { name: event_name, source: "published" }) ?? { state: null, actions: [], metadata: {} }
  const told = failure ?? (speaksOfFailure(rules, occurrence) ? failureOf(job, occurrence) : null)
  const seen = context.emit({ type: "EventPublished", data: { binding, event_id, event: event_name } }, job, cause)
  raise(
    context,
    { ...context.now(job), attempt },
    event_name,
    "published",
    rule,
    { ...rule.metadata, ...metadata },
    { cause: seen, told: occurrence.told, published: { root, depth: depth + 1, failure: told, payload } }
  )
}
