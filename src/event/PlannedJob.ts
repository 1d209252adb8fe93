/** A job as it was planned: what it takes to submit and to watch it. */
import * as Schema from "effect/Schema"

/** A condition as it is written in a file; the room `action` knows what its class means. */
const EncodedCondition = Schema.Struct(
  { class_name: Schema.String },
  Schema.Record({ key: Schema.String, value: Schema.Unknown })
)
export type EncodedCondition = typeof EncodedCondition.Type

const conditions = Schema.optionalWith(Schema.Array(EncodedCondition), { default: () => [] })
const text = Schema.optionalWith(Schema.String, { default: () => "" })

/** A job that is run link by link: each is a submission of its own, queued ahead behind those before it. */
export const Chain = Schema.Struct({
  /** How many submissions its work takes at most; restarts after failures come on top, and have their budgets. */
  links: Schema.Int,
  /** How many of them wait in the queue behind the one that runs. */
  ahead: Schema.Int,
  /** What says that the work is done; null: that all links have run, or a log event. */
  until: Schema.NullOr(EncodedCondition),
  /** Seconds of a run from which on its end is that of its time limit; null: it has no limit. */
  expected_after_seconds: Schema.NullOr(Schema.Number),
  /** For how many seconds a link that has begun waits for the monitor's word, where the last end tells nothing good. */
  gate_seconds: Schema.Number,
  /** For how many seconds an attempt may go on that is known to have done the work; null: for as long as it likes. */
  overrun_seconds: Schema.NullOr(Schema.Number)
})
export type Chain = typeof Chain.Type

export const PlannedJob = Schema.Struct({
  name: Schema.String,
  /** Index of its sweep point, from 0. Never renumbered. */
  index: Schema.Int,
  /** What the point differs in, as plain JSON. */
  parameters: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  /** Absolute path of its batch script. */
  script: Schema.String,
  /** Whether `script` is an array's, of which this job is a task. */
  array: Schema.Boolean,
  /** Which task of the array; null: `index`. They differ where a site caps the tasks of an array. */
  task: Schema.optionalWith(Schema.NullOr(Schema.Int), { default: () => null }),
  /** Absolute path of its log, with SLURM's `%` codes in it. */
  log_path: Schema.String,
  output_dir: Schema.String,
  /** Further files to watch, absolute. */
  output_paths: Schema.Array(Schema.String),
  /** The phase of its point; empty where a sweep has none. */
  stage: text,
  /** Hash of the point's resolved parameters: the same point planned again has the same. */
  identity: text,
  /** Names of the jobs whose phases it refers to. */
  needs: Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] }),
  /** It is submitted once all of these hold, asked one after another, and anew before a restart. */
  start_conditions: conditions,
  /** It ends as cancelled as soon as one of these holds. */
  cancel_conditions: conditions,
  /** It is done already if all of these hold: asked before each submission, and when an attempt has ended badly. */
  finish_conditions: conditions,
  /** Absent: it is one submission. */
  chain: Schema.optional(Chain),
  /** GPUs on all its nodes together, 0 for none; absent: unknown, since an older release planned it. */
  gpus: Schema.optional(Schema.Int),
  /** Nodes that it asks for; absent: unknown, since an older release planned it. */
  nodes: Schema.optional(Schema.Int),
  /** Its command, and the text by which its script starts it; there where a rule may change its arguments. */
  launch: Schema.optional(Schema.Struct({ argv: Schema.Array(Schema.String), command: Schema.String })),
  /** Position in the session's `rule_sets`; null: the session's own rules. */
  rule_set: Schema.optionalWith(Schema.NullOr(Schema.Int), { default: () => null })
})
export type PlannedJob = typeof PlannedJob.Type
