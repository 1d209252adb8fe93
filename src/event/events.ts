/**
 * Every event of the journal. Facts come from outside and are recorded as they were seen; decisions follow from them
 * by `rule/step`; an intent is a decision that an effect follows. A new event is an entry here and a case in the fold.
 */
import * as Schema from "effect/Schema"
import { Fault } from "../port/Journal.ts"
import { Outcome } from "./Outcome.ts"
import { PlannedJob } from "./PlannedJob.ts"
import { Asked } from "./Question.ts"

const Text = Schema.String
const Seq = Schema.Int
const Strings = Schema.Array(Text)
const Metadata = Schema.Record({ key: Text, value: Schema.Unknown })

/** Who asked for something: `monitor`, `worker` or `operator`, and from where. */
export const Actor = Schema.Struct({
  role: Schema.Literal("monitor", "worker", "operator"),
  user: Text,
  host: Text,
  pid: Schema.Int
})
export type Actor = typeof Actor.Type

/** An action with all its texts rendered; the room `action` knows what its class means. */
export const RenderedAction = Schema.Struct(
  { class_name: Text },
  Schema.Record({ key: Text, value: Schema.Unknown })
)
export type RenderedAction = typeof RenderedAction.Type

/** What becomes of an action whose executor died while it was under way: done again, or given up as failed. */
export const OnInterrupt = Schema.Literal("retry", "fail")
export type OnInterrupt = typeof OnInterrupt.Type

/** How often a queued action that fails is tried, and after how many seconds the second time; then twice as many. */
export const Retries = Schema.Struct({ max_attempts: Schema.Int, backoff_seconds: Schema.Number })
export type Retries = typeof Retries.Type

/** What an attempt's end, or its silence, is classified as. */
export const Mode = Schema.Literal("success", "crash", "timeout", "stall")
export type Mode = typeof Mode.Type

/** How a job ended. */
export const JobOutcome = Schema.Literal("success", "failed", "cancelled", "timeout", "abandoned")
export type JobOutcome = typeof JobOutcome.Type

/**
 * What waits for conditions: an action of an occurrence (`<seq of EventRaised>.<position in the rule's actions>`), a job's
 * submission (`start <job>`), or its end (`cancel.<position in its cancel conditions> <job>`).
 */
const BindingId = Text

export const BreakerSettings = Schema.Struct({ jobs: Schema.Int, within_seconds: Schema.Number })
export type BreakerSettings = typeof BreakerSettings.Type

/** What a restart changes in what is submitted, from then on and until it is undone. */
export const Changes = Schema.Struct({
  /** Options of sbatch by their long names, without dashes. */
  sbatch: Schema.Record({ key: Text, value: Text }),
  /** Arguments of the job's command by their options, as `overriddenArgv` takes them. */
  overrides: Schema.optional(Schema.Record({ key: Text, value: Schema.NullOr(Strings) })),
  /** Nodes to stay away from, each until a time (ISO 8601 UTC); the newest last. */
  exclude: Schema.Array(Schema.Struct({ node: Text, until: Text }))
})
export type Changes = typeof Changes.Type

/** One of the budgets that a restart draws on: what it allowed before and allows after. */
export const Budget = Schema.Struct({
  kind: Schema.Literal("rule", "fingerprint", "no_progress", "total"),
  max: Schema.Int,
  before: Schema.Int,
  after: Schema.Int
})
export type Budget = typeof Budget.Type

/** What somebody may ask of a session. */
export const Request = Schema.Union(
  /** Submit the named jobs that were not submitted yet; all of them if none is named. */
  Schema.Struct({ kind: Schema.Literal("submit"), jobs: Strings }),
  /**
   * Add the jobs of a further plan whose names the session does not know. Their `rule_set` is a position in the
   * `rule_sets` given here. `gone`: names of jobs that the plan no longer has; they go on.
   */
  Schema.Struct({
    kind: Schema.Literal("grow"),
    manifest: Text,
    manifest_digest: Text,
    jobs: Schema.Array(PlannedJob),
    rule_sets: Schema.Array(Schema.Unknown),
    gone: Strings
  }),
  /** What an operator decides of a job. Of all jobs (null): only to acknowledge. */
  Schema.Struct({
    kind: Schema.Literal("job_restart", "job_cancel", "job_ack", "job_hold", "job_release"),
    job: Schema.NullOr(Text),
    reason: Text
  }),
  /** Overrides of the `monitoring` section that count from now on, after those of the plan; a later one of a key wins. */
  Schema.Struct({ kind: Schema.Literal("set"), settings: Strings }),
  Schema.Struct({ kind: Schema.Literal("queue_retry"), queue_id: Text }),
  Schema.Struct({ kind: Schema.Literal("queue_remove"), queue_id: Text }),
  /** `lease`: which claim it is, and by which name its worker's heartbeat is found. */
  Schema.Struct({ kind: Schema.Literal("claim"), queue_id: Text, lease: Schema.optional(Text) }),
  Schema.Struct({ kind: Schema.Literal("result"), queue_id: Text, outcome: Outcome, lease: Schema.optional(Text) }),
  /** Another worker saw that the one which holds that claim is dead. */
  Schema.Struct({ kind: Schema.Literal("worker_lost"), queue_id: Text, lease: Schema.NullOr(Text), why: Text })
)
export type Request = typeof Request.Type

/** The session was only observed: this would have been done, and was not. Nothing of it takes effect, then or later. */
const Would = Schema.optional(Schema.Literal(true))

const facts = {
  /** First record of a session: all that a replay needs, the resolved rules themselves included. */
  SessionOpened: Schema.Struct({
    plan_id: Text,
    project: Text,
    manifest: Text,
    manifest_digest: Text,
    tool_version: Text,
    /** What the decider did where releases differ on purpose (`rule/behaviour.ts`); absent: as the first did. */
    behaviour: Schema.optional(Schema.Int),
    /** Random text of this session that makes its nonces its own. */
    entropy: Text,
    /** The `monitoring` section, encoded. */
    rules: Schema.Unknown,
    rules_digest: Text,
    /** Further `monitoring` sections, encoded, of jobs whose own differs. */
    rule_sets: Schema.optionalWith(Schema.Array(Schema.Unknown), { default: () => [] }),
    /** The `slurm.client` section, encoded: which scheduler runs the jobs. */
    client: Schema.Unknown,
    max_jobs: Schema.NullOr(Schema.Int),
    settle_seconds: Schema.Number,
    /** Seconds from one submission to the next; null: none. */
    submit_rate_limit_seconds: Schema.optionalWith(Schema.NullOr(Schema.Number), { default: () => null }),
    /** When restarts pause: so many jobs fail alike within so many seconds; null: never. */
    breaker: Schema.optionalWith(Schema.NullOr(BreakerSettings), { default: () => null }),
    jobs: Schema.Array(PlannedJob),
    /** Nesting of follow-ups: 0 for what a person started. */
    depth: Schema.Int,
    parent: Schema.NullOr(Schema.Struct({ plan_id: Text, queue_id: Text }))
  }),
  /** First record of a later epoch's segment: what of the segment before it counts. Written by the journal itself. */
  SegmentOpened: Schema.Struct({
    sealed: Schema.Struct({ path: Text, bytes: Schema.Int, hash: Text, seq: Seq }),
    /** What a repair has cut off behind that. */
    repaired: Schema.optional(Schema.Struct({ fault: Fault, kept: Text }))
  }),
  /**
   * What a repair has cut off is unknown from here on: its submissions are looked for in the scheduler by the random text
   * that their nonces begin with, before any other is made. Later ones begin with `entropy`.
   */
  JournalRepaired: Schema.Struct({
    fault: Fault,
    /** Directory with the files as they were. */
    kept: Text,
    entropy: Text,
    /** Names of submissions that are told of in what was cut off. */
    names: Strings
  }),
  /** Scheduler and accounting answered which submissions of the session they know; those that it did not know follow. */
  SubmissionsSearched: Schema.Struct({}),
  /** `observe_only`: it acts on nothing. */
  MonitorAttached: Schema.Struct({ actor: Actor, tool_version: Text, observe_only: Schema.optional(Schema.Boolean) }),
  MonitorDetached: Schema.Struct({
    reason: Text,
    /** Calls of each scheduler command made while it was attached. */
    calls: Schema.Record({ key: Text, value: Schema.Int })
  }),
  OperatorRequested: Schema.Struct({ request_id: Text, actor: Actor, request: Request }),
  /** The session goes on under other rules, which are all here. */
  RulesChanged: Schema.Struct({
    /** The `monitoring` section, encoded. */
    rules: Schema.Unknown,
    rules_digest: Text,
    /** Further `monitoring` sections, encoded; they take the place of those before. */
    rule_sets: Schema.Array(Schema.Unknown),
    /** The jobs that are under one of these, each with its position there. */
    jobs: Schema.Record({ key: Text, value: Schema.Int }),
    /** What differs, for people. */
    changed: Strings
  }),
  /** The config says something else of the rules than before, and it cannot be read: those in force stay. */
  RulesUnreadable: Schema.Struct({ message: Text }),
  /** It can be read again, and says what is in force. */
  RulesReadable: Schema.Struct({}),
  JobSubmitted: Schema.Struct({
    nonce: Text,
    name: Text,
    slurm_id: Text,
    task: Schema.NullOr(Schema.Int),
    cluster: Text,
    /** Absolute path of this attempt's log, its `%` codes filled in. */
    log_path: Text,
    /** Whether the submit command answered, or the job was found by its name afterwards. */
    how: Schema.Literal("answered", "found"),
    /** The submit command as it was run; of an array's tasks only the first has it. */
    argv: Schema.optional(Strings),
    /** The journal had lost the submission itself: the attempt begins with this record. */
    adopted: Schema.optional(Schema.Literal(true))
  }),
  SubmissionRefused: Schema.Struct({
    nonce: Text,
    message: Text,
    /** Whether it may be accepted later. */
    temporary: Schema.optional(Schema.Boolean)
  }),
  /** The submit command failed in a way that leaves open whether the job is queued. */
  SubmissionUnanswered: Schema.Struct({ nonce: Text, message: Text }),
  /** Scheduler and accounting answered that they know no job of the name. */
  SubmissionNotFound: Schema.Struct({ nonce: Text }),
  JobStateChanged: Schema.Struct({
    from: Schema.NullOr(Text),
    /** SLURM's state word; `MISSING` if scheduler and accounting both answered not to know the job. */
    to: Text,
    exit_code: Schema.NullOr(Schema.Int),
    signal: Schema.NullOr(Schema.Int),
    reason: Schema.NullOr(Text),
    nodes: Schema.NullOr(Text),
    start: Schema.NullOr(Text),
    end: Schema.NullOr(Text),
    /** The script ended because another start holds the claim of its attempt. */
    foreign_claim: Schema.optional(Schema.Boolean),
    /** The scheduler put the same job back into its queue: its next attempt, without a submission. */
    requeued: Schema.optional(Schema.Boolean)
  }),
  SchedulerFailed: Schema.Struct({ command: Text, message: Text }),
  SchedulerRecovered: Schema.Struct({}),
  /** New bytes of a log, and what the rules found in them. Offsets in bytes from 0. */
  LogRead: Schema.Struct({
    path: Text,
    from: Schema.Int,
    /** End of the last complete line: where the next read begins. */
    to: Schema.Int,
    size: Schema.Int,
    identity: Text,
    matches: Schema.Array(Schema.Struct({
      rule: Text,
      offset: Schema.Int,
      groups: Schema.Record({ key: Text, value: Schema.NullOr(Text) }),
      /** Cut at 2 KiB; only for rules that act. */
      line: Schema.optional(Text)
    })),
    /** Digest of the file's first bytes, so many of them, and of the bytes before `to`: is it still the same file? */
    head: Schema.optional(Schema.Struct({ bytes: Schema.Int, digest: Text })),
    tail: Schema.optional(Text),
    /** Reading began anew, because the file had become shorter or is another one. */
    anew: Schema.optional(Schema.Literal("truncated", "replaced")),
    /** Lines that are too long: only their first 16 KiB were looked at. */
    cut: Schema.optional(Schema.Int),
    /** `to` stands within such a line, whose rest is skipped. */
    within: Schema.optional(Schema.Boolean),
    /** What follows has NUL bytes in it, which a shared file system shows for text that is still on its way. */
    held: Schema.optional(Schema.Boolean)
  }),
  /** A log rule's pattern took too long, and is not looked for any more. From byte `from` on matches may be missing. */
  PatternSwitchedOff: Schema.Struct({
    rule: Text,
    pattern: Text,
    path: Text,
    from: Schema.Int,
    to: Schema.Int,
    why: Text
  }),
  /** A file that jobs write could not be read; its silence means nothing until it is readable again. */
  LogUnreadable: Schema.Struct({ path: Text, message: Text }),
  LogReadable: Schema.Struct({ path: Text }),
  TimerFired: Schema.Struct({ timer: Text }),
  /** A question was answered: yes, or (`holds` is false) no for good. `part`: which of several; the first if absent. */
  ConditionObserved: Schema.Struct({
    binding: BindingId,
    part: Schema.optional(Schema.Int),
    holds: Schema.optional(Schema.Boolean),
    why: Schema.optional(Text)
  }),
  CancelAnswered: Schema.Struct({ slurm_id: Text }),
  /** The scheduler took the cancel long ago and still shows the attempt, in this state. */
  CancelUnheeded: Schema.Struct({ slurm_id: Text, state: Text }),
  /** The scheduler was asked once more: the attempt that ended has ended. */
  EndConfirmed: Schema.Struct({}),
  ActionFinished: Schema.Struct({ action_id: Text, outcome: Outcome }),
  /** The worker that claimed the entry died without a result. */
  WorkerLost: Schema.Struct({ queue_id: Text, why: Schema.optional(Text) }),
  FollowUpEnded: Schema.Struct({ plan_id: Text, status: Text })
}

const decisions = {
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
    options: Schema.optionalWith(Strings, { default: () => [] })
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
    /** The state that the attempt is in from now on, for `state_whitelist`. */
    state_key: Schema.optional(Text),
    /** The attempt has done its work, whatever the scheduler makes of its end: why that is known is `metadata.reason`. */
    completes: Schema.optional(Schema.Boolean),
    /** An action raised it, `depth` events after the one (`root`, its seq) that was seen; `failure`: what that one told. */
    published: Schema.optional(
      Schema.Struct({ root: Seq, depth: Schema.Int, failure: Schema.NullOr(Text), payload: Metadata })
    )
  }),
  ConditionPassed: Schema.Struct({ binding: BindingId, condition: Schema.Int, class_name: Text, why: Text }),
  ConditionWaiting: Schema.Struct({ binding: BindingId, condition: Schema.Int, class_name: Text, asked: Asked }),
  /** One of several questions is answered, and the whole is not yet. */
  ConditionAnswered: Schema.Struct({ binding: BindingId, part: Schema.Int, holds: Schema.Boolean, why: Text }),
  ConditionFailed: Schema.Struct({ binding: BindingId, condition: Schema.Int, class_name: Text, why: Text }),
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
  ActionLogged: Schema.Struct({ binding: BindingId, event_id: Text, message: Text }),
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
    /** Who decided: a rule, an operator, or nobody, because the scheduler lost the job. Only rules draw on budgets. */
    by: Schema.optionalWith(Schema.Literal("rule", "operator", "lost"), { default: () => "rule" as const }),
    /** What failed, whatever rank, host or time it names; null: nothing did, or nobody knows. */
    fingerprint: Schema.optionalWith(Schema.NullOr(Text), { default: () => null }),
    /** Whether the attempt came further than any before it; null: nobody can tell. */
    progress: Schema.optionalWith(Schema.NullOr(Schema.Boolean), { default: () => null }),
    /** Every limit that it draws on. */
    budgets: Schema.optionalWith(Schema.Array(Budget), { default: () => [] }),
    changes: Schema.optional(Changes)
  }),
  /** A restart that was decided is void; its budget is given back. */
  RestartDropped: Schema.Struct({ why: Text }),
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

/** The schema of each event's data, by its type. */
export const events = { ...facts, ...decisions }

export type FactType = keyof typeof facts
export type DecisionType = keyof typeof decisions
export type EventType = keyof typeof events
export type EventData<Type extends EventType> = (typeof events)[Type]["Type"]

/** Whether the type is one of a fact: something `rule/step` answers with decisions. */
export const isFactType = (type: string): type is FactType => Object.hasOwn(facts, type)
