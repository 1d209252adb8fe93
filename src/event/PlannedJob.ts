/** A job as it was planned: what it takes to submit and to watch it. */
import * as Schema from "effect/Schema"

export const PlannedJob = Schema.Struct({
  name: Schema.String,
  /** Index of its sweep point, from 0; the array task index where it is part of an array. Never renumbered. */
  index: Schema.Int,
  /** What the point differs in, as plain JSON. */
  parameters: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  /** Absolute path of its batch script. */
  script: Schema.String,
  /** Whether `script` is an array's, of which this job is the task `index`. */
  array: Schema.Boolean,
  /** Absolute path of its log, with SLURM's `%` codes in it. */
  log_path: Schema.String,
  output_dir: Schema.String,
  /** Further files to watch, absolute. */
  output_paths: Schema.Array(Schema.String)
})
export type PlannedJob = typeof PlannedJob.Type
