/**
 * Decisions: what follows from the facts by `rule/step`; an intent is one that an effect follows. A new one is an entry
 * here and a case in the fold.
 */
import * as Schema from "effect/Schema"
import { Outcome } from "./Outcome.ts"
import { Asked } from "./Question.ts"
import {
  Actor,
  BindingId,
  Budget,
  Changes,
  JobOutcome,
  Latch,
  Mode,
  OnInterrupt,
  RenderedAction,
  Retries
} from "./terms.ts"

const Text = Schema.String
const Seq = Schema.Int
const Strings = Schema.Array(Text)
const Metadata = Schema.Record({ key: Text, value: Schema.Unknown })

/** The session was only observed: this would have been done, and was not. Nothing of it takes effect, then or later. */
const Would = Schema.optional(Schema.Literal(true))
/** Which condition a record is about. */
const OfCondition = {
  binding: BindingId,
  condition: Schema.Int,
  class_name: Text,
  latch: Schema.optional(Latch)
}

export const decisions = {
  SubmissionIntended: Schema.Struct({
    would: Would,
    nonce: Text,
    name: Text,
    script: Text,
    /** The script is made for this attempt: the planned one (`of`) with another command in place of `command`. */
    rewritten: Schema.optional(Schema.Struct({ of: Text, command: Text, argv: Strings })),
    jobs: Strings,
    /** Array task indices in the order of `jobs`; null for a plain job. */
    array: Schema.NullOr(Schema.Array(Schema.Int)),
    /** Options of sbatch that win over the script's own: `--time=08:00:00`. */
    options: Schema.optionalWith(Strings, { default: () => [] }),
    /** A link of a chain that is queued behind the present attempt, and may become the job's next one. */
    ahead: Schema.optional(Schema.Literal(true))
  }),
  /** Nobody knows whether a submission was accepted: it is looked up by name, never simply repeated. */
  SubmissionDoubted: Schema.Struct({ nonce: Text, why: Text }),
  /** It was not accepted; its jobs may be submitted again under a new nonce. `refused`: the scheduler said so itself. */
  SubmissionLost: Schema.Struct({ nonce: Text, refused: Schema.optional(Schema.Boolean) }),
  /** All that a repair has cut off and the scheduler still knows is known again: jobs may be submitted. */
  SessionSynchronised: Schema.Struct({}),
  TimerSet: Schema.Struct({ timer: Text, due: Text }),
  EventRaised: Schema.Struct({
    event_id: Text,
    name: Text,
    source: Schema.Literal("log", "state", "inactivity", "published"),
    /** How many times in this attempt, this time included. */
    count: Schema.Int,
    state: Schema.NullOr(Text),
    metadata: Metadata,
    /** The line without what differs from one failure to the next alike. */
    fingerprint: Schema.optional(Text),
    /** The file that its line stands in, where its rule acts. */
    path: Schema.optional(Text),
    /** The state that the attempt is in from now on, for `state_whitelist`. */
    state_key: Schema.optional(Text),
    /** The attempt has done its work, whatever the scheduler makes of its end: why that is known is `metadata.reason`. */
    completes: Schema.optional(Schema.Boolean),
    /** The stall is one of progress: whatever else its files grow by does not break it. */
    no_progress: Schema.optional(Schema.Literal(true)),
    /** It was raised before, in records that a repair has cut off: what it led to may have been done already. */
    told: Schema.optional(Schema.Literal(true)),
    /** An action raised it, `depth` events after the one (`root`, its seq) that was seen; `failure`: what that one told. */
    published: Schema.optional(
      Schema.Struct({ root: Seq, depth: Schema.Int, failure: Schema.NullOr(Text), payload: Metadata })
    )
  }),
  ConditionPassed: Schema.Struct({ ...OfCondition, why: Text }),
  ConditionWaiting: Schema.Struct({ ...OfCondition, asked: Asked }),
  /** One of several questions is answered, and the whole is not yet. */
  ConditionAnswered: Schema.Struct({ binding: BindingId, part: Schema.Int, holds: Schema.Boolean, why: Text }),
  ConditionFailed: Schema.Struct({ ...OfCondition, why: Text }),
  ActionStarted: Schema.Struct({
    would: Would,
    action_id: Text,
    binding: BindingId,
    event_id: Text,
    action: RenderedAction,
    /** Absent: as is right for actions of its class. */
    on_interrupt: Schema.optional(OnInterrupt)
  }),
  ActionQueued: Schema.Struct({
    would: Would,
    queue_id: Text,
    binding: BindingId,
    event_id: Text,
    event: Text,
    action: RenderedAction,
    /** Absent: it is tried once. */
    retries: Schema.optional(Retries),
    on_interrupt: Schema.optional(OnInterrupt)
  }),
  ActionSkipped: Schema.Struct({
    binding: BindingId,
    event_id: Text,
    class_name: Text,
    why: Text,
    /** It was to be queued: its entry stays, for people to see, with its texts as they are in the rule. */
    queue: Schema.optional(Schema.Struct({ queue_id: Text, event: Text, action: RenderedAction }))
  }),
  /** An action that is done when it is decided; absent class: LogAction. */
  ActionLogged: Schema.Struct({
    binding: BindingId,
    event_id: Text,
    message: Text,
    class_name: Schema.optional(Text)
  }),
  /** An action raises an event, which follows. */
  EventPublished: Schema.Struct({ binding: BindingId, event_id: Text, event: Text }),
  /** An action that was under way when its monitor died, and whose policy is not to repeat it. */
  ActionInterrupted: Schema.Struct({ action_id: Text, why: Text }),
  RestartDecided: Schema.Struct({
    would: Would,
    /** The event that asked for it. */
    event: Text,
    /** The rule that the budget is of; absent: named like the event. */
    rule: Schema.optional(Text),
    reason: Text,
    /** Restarts left to the rule before and after; null: without limit. */
    budget: Schema.NullOr(Schema.Struct({ before: Schema.Int, after: Schema.Int })),
    /** The event speaks of a failure: void if the scheduler then sees the attempt complete. */
    unless_completed: Schema.Boolean,
    /**
     * Who decided: a rule, an operator, or nobody, because the scheduler lost the job, or its chain goes on. Only rules draw
     * on budgets.
     */
    by: Schema.optionalWith(Schema.Literal("rule", "operator", "lost", "chain"), { default: () => "rule" as const }),
    /** What failed, whatever rank, host or time it names; null: nothing did, or nobody knows. */
    fingerprint: Schema.optionalWith(Schema.NullOr(Text), { default: () => null }),
    /** Whether the attempt came further than any before it; null: nobody can tell. */
    progress: Schema.optionalWith(Schema.NullOr(Schema.Boolean), { default: () => null }),
    /** Every limit that it draws on. */
    budgets: Schema.optionalWith(Schema.Array(Budget), { default: () => [] }),
    changes: Schema.optional(Changes),
    /** Its back-off: it is not submitted before (ISO 8601 UTC). */
    not_before: Schema.optional(Text)
  }),
  /** A restart that was decided is void; its budget is given back. */
  RestartDropped: Schema.Struct({ why: Text }),
  /** The link that waits next in the queue is the job's next attempt, instead of a submission. */
  LinkTaken: Schema.Struct({ nonce: Text, slurm_id: Text }),
  /** A link that waits in the queue, or has begun before its turn, is not wanted: it is cancelled. */
  LinkCancelDecided: Schema.Struct({ nonce: Text, slurm_id: Text, why: Text }),
  /** `mode`: what the attempt then ends as, if the cancel is a log event's and not an operator's or a restart's. */
  CancelDecided: Schema.Struct({ would: Would, slurm_id: Text, why: Text, mode: Schema.optional(Mode) }),
  /** The old attempt was seen dead too long ago to submit the next one: the scheduler is asked again first. */
  EndDoubted: Schema.Struct({ seen: Schema.NullOr(Text) }),
  /** The job must not go on: it is cancelled if it may run, nothing starts it again, and it ends as cancelled. */
  EndDecided: Schema.Struct({ would: Would, why: Text }),
  /** What the attempt's end means, judged once its log has settled. */
  JobClassified: Schema.Struct({
    mode: Mode,
    /** What the job ends as, unless a rule restarts it. */
    outcome: JobOutcome,
    why: Text,
    metadata: Metadata
  }),
  /** Scheduler and accounting did not know the job for the whole settle window. */
  JobLost: Schema.Struct({}),
  JobFinished: Schema.Struct({ outcome: JobOutcome, why: Text }),
  AttentionNeeded: Schema.Struct({ why: Text }),
  /** An operator has seen it; what restarts changed is undone. */
  AttentionCleared: Schema.Struct({ why: Text, undone: Schema.NullOr(Changes) }),
  /** An operator opens a job again that had ended. */
  JobReopened: Schema.Struct({ why: Text }),
  /** Nothing submits the job until it is released. */
  JobHeld: Schema.Struct({ why: Text }),
  JobReleased: Schema.Struct({ why: Text }),
  /** Jobs of the session stay away from the nodes until then (ISO 8601 UTC); those in `evicted` are let back for them. */
  NodesExcluded: Schema.Struct({
    would: Would,
    nodes: Strings,
    until: Text,
    reason: Text,
    by: Schema.Literal("rule", "operator"),
    /** `project`: other sessions of it stay away too. */
    scope: Schema.Literal("session", "project"),
    /** The event that named them. */
    event: Schema.optional(Text),
    evicted: Strings
  }),
  /**
   * Jobs may run there again. `mass`: so many were named at once that none of them is excluded for a while. `unknown`: the
   * scheduler has no such nodes, and is not told of them again.
   */
  NodesReleased: Schema.Struct({
    nodes: Strings,
    why: Text,
    mass: Schema.optional(Schema.Boolean),
    unknown: Schema.optional(Schema.Boolean)
  }),
  /** Too many jobs failed alike: no restart is submitted until an operator has acknowledged that. */
  BreakerOpened: Schema.Struct({ fingerprint: Text, jobs: Strings, why: Text }),
  BreakerClosed: Schema.Struct({ why: Text }),
  QueueClaimed: Schema.Struct({ queue_id: Text, actor: Actor, lease: Schema.optional(Text) }),
  QueueFinished: Schema.Struct({ queue_id: Text, outcome: Outcome }),
  /**
   * Queued again: by an operator, because it failed and has attempts left, or because its worker died and its action may
   * be repeated. `not_before`: nobody may claim it until then (ISO 8601 UTC).
   */
  QueueReleased: Schema.Struct({ queue_id: Text, why: Text, not_before: Schema.optional(Text) }),
  QueueRemoved: Schema.Struct({ queue_id: Text }),
  /** Jobs of a further plan were added as planned; those in `known` were there already, those in `gone` go on. */
  SessionGrown: Schema.Struct({ request_id: Text, manifest: Text, added: Strings, known: Strings, gone: Strings }),
  RequestRefused: Schema.Struct({ request_id: Text, why: Text })
}
