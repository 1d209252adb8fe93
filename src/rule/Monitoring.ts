/** The `monitoring` section: what to look for in a job's life, and what to do about it. */
import * as Schema from "effect/Schema"
import { Binding } from "../action/actions.ts"
import { AnyMap, Int, Number } from "../backend/Value.ts"
import { Mode } from "../event/terms.ts"
import { ProgressGroups } from "../session/declared.ts"

/** The predecessor's state classes and the state each names. */
export const stateOfClass = {
  PendingState: "pending",
  StartedState: "running",
  SuccessState: "success",
  CrashState: "crash",
  StalledState: "stall",
  TimeoutState: "timeout",
  UndefinedState: "undefined"
} as const

export type StateName = (typeof stateOfClass)[keyof typeof stateOfClass]

const State = Schema.Struct({
  class_name: Schema.Literal(
    "PendingState",
    "StartedState",
    "SuccessState",
    "CrashState",
    "StalledState",
    "TimeoutState",
    "UndefinedState"
  ),
  key: Schema.optional(Schema.String)
}).annotations({ identifier: "State" })

const shared = {
  state: Schema.optionalWith(Schema.NullOr(State), { default: () => null }),
  metadata: Schema.optionalWith(AnyMap, { default: () => ({}) }),
  actions: Schema.optionalWith(Schema.Array(Binding), { default: () => [] })
}

/**
 * What a line of the log (or its silence) means. `regex`: Python's syntax, searched for within each line. `published`:
 * nothing is looked for; PublishEventAction raises it.
 * `extract_groups` maps a metadata name to a group of the pattern, by name, number, or `match` for the whole match.
 */
export const LogEvent = Schema.Struct({
  class_name: Schema.optionalWith(Schema.Literal("LogEvent"), { default: () => "LogEvent" as const }),
  name: Schema.NonEmptyString,
  pattern: Schema.optionalWith(Schema.String, { default: () => "" }),
  pattern_type: Schema.optionalWith(Schema.Literal("regex", "substring", "inactivity", "published"), {
    default: () => "regex" as const
  }),
  extract_groups: Schema.optionalWith(
    Schema.Record({ key: Schema.String, value: Schema.Union(Schema.String, Int) }),
    { default: () => ({}) }
  ),
  /** What the line counts: which groups of the pattern tell how far the job has come. */
  progress: Schema.optionalWith(Schema.NullOr(ProgressGroups), { default: () => null }),
  /**
   * A job that lives is watched on until the scheduler ends it. `true`: it is cancelled, and ends as its `state` says and
   * not as cancelled.
   */
  cancel: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  ...shared
}).annotations({ identifier: "LogEvent" })
export type LogEvent = typeof LogEvent.Type

/** What to do when a job is classified. */
export const StateEvent = Schema.Struct({
  class_name: Schema.optionalWith(Schema.Literal("StateEvent"), { default: () => "StateEvent" as const }),
  name: Mode,
  ...shared
}).annotations({ identifier: "StateEvent" })
export type StateEvent = typeof StateEvent.Type

/**
 * When a running job has stalled whose log events declare progress: it made none for so long, whatever else it printed.
 * Times in seconds.
 */
const Stall = Schema.Struct({
  /** `output`: only if its files do not grow, as where no log event declares progress. */
  by: Schema.optionalWith(Schema.Literal("progress", "output"), { default: () => "progress" as const }),
  /** Without progress for so long; null: `inactivity_threshold_seconds`, and never if that is null too. */
  seconds: Schema.optionalWith(Schema.NullOr(Number), { default: () => null }),
  /** Until the first progress of an attempt; null: twice `seconds`, or twice what an attempt took that came so far. */
  startup_seconds: Schema.optionalWith(Schema.NullOr(Number), { default: () => null }),
  /**
   * While a checkpoint is written, as far as a log event tells of that by `saving`, else always; null: twice what the
   * longest took so far.
   */
  checkpoint_seconds: Schema.optionalWith(Schema.NullOr(Number), { default: () => null }),
  /** So many times the usual time from one telling to the next, where that is longer. */
  factor: Schema.optionalWith(Number, { default: () => 4 })
}).annotations({ identifier: "Stall" })

/** How often a job may be restarted by rules; null: without limit. A rule's own numbers win. */
const Restarts = Schema.Struct({
  /** In all, whatever the reason and the progress. */
  max_restarts: Schema.optionalWith(Schema.NullOr(Int), { default: () => null }),
  /** After the same failure, since the job last made progress. */
  max_per_fingerprint: Schema.optionalWith(Schema.NullOr(Int), { default: () => 3 }),
  /** Seconds from a rule's restart to its submission, doubled with each one without progress; absent: none. */
  backoff_seconds: Schema.optional(Number),
  /** After attempts that are known to have made no progress, since the job last made some. */
  max_no_progress: Schema.optionalWith(Schema.NullOr(Int), { default: () => 3 }),
  /**
   * Log events that tell of progress by a number that grows; null: what log events declare by `progress` (checkpoints if any
   * does, else steps), and where none declares anything, those whose metadata `kind` is checkpoint or progress.
   */
  progress: Schema.optionalWith(Schema.NullOr(Schema.Array(Schema.String)), { default: () => null })
}).annotations({ identifier: "Restarts" })

const number = (value: number) => Schema.optionalWith(Number, { default: () => value })

/** Nodes that jobs of the session stay away from. */
const BadNodes = Schema.Struct({
  /** How many rules may name at once; the oldest is let back first. An operator may name more. */
  max_nodes: Schema.optionalWith(Int, { default: () => 16 }),
  /**
   * More nodes than so many, or than such a share of the job's own, named within so many seconds: it is not they that are
   * broken. None of them is excluded.
   */
  mass_nodes: Schema.optionalWith(Int, { default: () => 8 }),
  mass_share: number(0.5),
  mass_seconds: number(600)
}).annotations({ identifier: "BadNodes" })
export type BadNodes = typeof BadNodes.Type

/** What is said of bad nodes, or what holds where nothing is. */
export const badNodesOf = ({ bad_nodes }: Pick<Monitoring, "bad_nodes">): BadNodes => bad_nodes ?? BadNodes.make({})

/** The mode that a rule's state names; null for those that end nothing. */
export const modeOf = (state: LogEvent["state"]): Mode | null => {
  const name = state === null ? null : stateOfClass[state.class_name]
  return Schema.is(Mode)(name) ? name : null
}

/** What a log event by `termination_string` goes by. */
export const terminationRule = "termination-string"

/** All times in seconds. */
export const Monitoring = Schema.Struct({
  class_name: Schema.optionalWith(Schema.Literal("SlurmLogMonitor", "NullMonitor"), {
    default: () => "SlurmLogMonitor" as const
  }),
  /** Whether anything is done. If not, what would be is decided and recorded, and that is all. */
  act: Schema.optionalWith(Schema.Boolean, { default: () => true }),
  /** The period of a monitor's cycle. */
  poll_interval_seconds: Schema.optionalWith(Number, { default: () => 600 }),
  /** An older name of `poll_interval_seconds`; wins if both are given. */
  check_interval_seconds: Schema.optionalWith(Schema.NullOr(Number), { default: () => null }),
  /** Silence of log and output files after which a running job is stalled; null: never. */
  inactivity_threshold_seconds: Schema.optionalWith(Schema.NullOr(Number), { default: () => 900 }),
  stall: Schema.optionalWith(Stall, { default: () => Stall.make({}) }),
  /** How long an ended attempt's log must be quiet before the end is classified. */
  log_settle_seconds: Schema.optionalWith(Number, { default: () => 5 }),
  log_path_template: Schema.optionalWith(Schema.String, { default: () => "{output_dir}/slurm-%j.out" }),
  /**
   * A text for `sh` that is asked before each submission: yes if it prints the number 1, or prints nothing and ends with
   * exit code 0. Asked again every `start_condition_interval_seconds`; null: every poll interval.
   */
  start_condition_cmd: Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null }),
  start_condition_interval_seconds: Schema.optionalWith(Schema.NullOr(Number), { default: () => null }),
  /** Further files whose growth counts as activity and whose lines the log events read. */
  output_paths: Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] }),
  restarts: Schema.optionalWith(Restarts, { default: () => Restarts.make({}) }),
  bad_nodes: Schema.optional(BadNodes),
  /**
   * A line of the log that holds this text says that the attempt has done its work: the success event is raised at once,
   * and the job ends as a success, whatever the scheduler makes of its end.
   */
  termination_string: Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null }),
  /**
   * A text for `sh` that says the same of a running attempt, asked every poll interval: by the integer 1 on standard
   * output, or, where no integer stands there, by exit code 1.
   */
  termination_command: Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null }),
  /**
   * Events of the log count while the job is in one of these states: pending, running, stall (while it is silent), or
   * what a log event's PendingState, StartedState, UndefinedState or own `key` names. Empty: always.
   */
  state_whitelist: Schema.optionalWith(Schema.Array(Schema.String), {
    default: () => ["pending", "running", "stall"]
  }),
  /** The predecessor's; accepted, and means nothing. */
  debug_sync: Schema.optional(Schema.Boolean),
  log_events: Schema.optionalWith(Schema.Array(LogEvent), { default: () => [] }),
  state_events: Schema.optionalWith(Schema.Array(StateEvent), { default: () => [] })
})
export type Monitoring = typeof Monitoring.Type

/** The period of a cycle in seconds, whichever name it was given by. */
export const pollSeconds = (monitoring: Monitoring): number =>
  monitoring.check_interval_seconds ?? monitoring.poll_interval_seconds
