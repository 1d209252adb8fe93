/** Facts: what comes from outside, recorded as it was seen. A new one is an entry here and a case in the fold. */
import * as Schema from "effect/Schema"
import { Fault } from "../port/Journal.ts"
import { Outcome } from "./Outcome.ts"
import { PlannedJob } from "./PlannedJob.ts"
import { Request } from "./Request.ts"
import { Actor, BindingId, BreakerSettings } from "./terms.ts"
import { Told } from "./Told.ts"

const Text = Schema.String
const Seq = Schema.Int
const Strings = Schema.Array(Text)

export const facts = {
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
    names: Strings,
    told: Schema.optional(Told)
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
    temporary: Schema.optional(Schema.Boolean),
    /** Its script could not be made: the scheduler was not asked. */
    unmade: Schema.optional(Schema.Boolean)
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
    /** The script of a chain's link ended before it began, at its gate. */
    gated: Schema.optional(Schema.Boolean),
    /** The scheduler put the same job back into its queue: its next attempt, without a submission. */
    requeued: Schema.optional(Schema.Boolean)
  }),
  /** The scheduler was told which nodes a job that waits in its queue stays away from. */
  NodesUpdated: Schema.Struct({
    /** Of its submission. */
    nonce: Text,
    slurm_id: Text,
    nodes: Strings,
    /** Whether it took that: not of a job that has started meanwhile. */
    applied: Schema.Boolean,
    message: Schema.optional(Text)
  }),
  /** What other sessions of the project stay away from has changed. */
  ProjectNodesRead: Schema.Struct({
    nodes: Schema.Array(Schema.Struct({ node: Text, until: Text, reason: Text, session: Text }))
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
  /** The scheduler took the cancel of a link that waits behind the present attempt. */
  LinkCancelAnswered: Schema.Struct({ nonce: Text, slurm_id: Text }),
  /**
   * Such a link is over: its state, or `MISSING` if scheduler and accounting both answered not to know it; when it ran, if
   * it began and got no further than its gate.
   */
  LinkEnded: Schema.Struct({
    nonce: Text,
    slurm_id: Text,
    state: Text,
    ran: Schema.optional(Schema.Struct({ start: Text, end: Text }))
  }),
  /** The scheduler took the cancel long ago and still shows the attempt, in this state. */
  CancelUnheeded: Schema.Struct({ slurm_id: Text, state: Text }),
  /** The scheduler was asked once more: the attempt that ended has ended. */
  EndConfirmed: Schema.Struct({}),
  ActionFinished: Schema.Struct({ action_id: Text, outcome: Outcome }),
  /** The worker that claimed the entry died without a result. */
  WorkerLost: Schema.Struct({ queue_id: Text, why: Schema.optional(Text) }),
  FollowUpEnded: Schema.Struct({ plan_id: Text, status: Text })
}
