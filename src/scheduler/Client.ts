/** The `slurm.client` section: which scheduler runs the jobs. */
import * as Schema from "effect/Schema"
import { Text } from "../backend/Text.ts"
import { Int, Number } from "../backend/Value.ts"

/** The local cluster: batch scripts run as processes of this host. */
export const LocalClient = Schema.Struct({
  class_name: Schema.Literal("LocalClient"),
  /** How many jobs and array tasks run at once. */
  slots: Schema.optionalWith(Int, { default: () => 4 }),
  /** Its directory; null: the user's own local cluster. */
  dir: Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null }),
  /** Seconds between TERM and KILL. */
  grace_seconds: Schema.optionalWith(Number, { default: () => 2 })
})

const command = Schema.optionalWith(Schema.NullOr(Text), { default: () => null })

/** SLURM's own commands, each a program with its first arguments; null: what the `slurm` section says. */
export const SlurmClient = Schema.Struct({
  class_name: Schema.Literal("SlurmClient"),
  submit_cmd: command,
  squeue_cmd: command,
  sacct_cmd: command,
  cancel_cmd: command,
  scontrol_cmd: Schema.optionalWith(Text, { default: () => "scontrol" }),
  /** Seconds for which one answer of squeue serves all who ask; null: what the `scheduler` section says. */
  min_poll_seconds: Schema.optionalWith(Schema.NullOr(Number), { default: () => null }),
  /** How many calls of SLURM's commands a process makes in a minute; null: what the `scheduler` section says. */
  calls_per_minute: Schema.optionalWith(Schema.NullOr(Int), { default: () => null }),
  /** Declared by the predecessor, which never read it; without effect. */
  persist_artifacts: Schema.optionalWith(Schema.Boolean, { default: () => false })
})

const seconds = (value: number) => Schema.optionalWith(Number, { default: () => value })

/** Lines that a fake job prints. */
const FakeLine = Schema.Struct({
  /** Counted from the job's start. */
  after_seconds: seconds(0),
  /** `{n}` in it counts its repetitions, from 1. */
  line: Schema.String,
  times: Schema.optionalWith(Int, { default: () => 1 }),
  every_seconds: seconds(1)
})

/** How one attempt of a fake job goes. */
export const FakeCourse = Schema.Struct({
  pending_seconds: seconds(1),
  /** From its start to its end; null: until it is cancelled or reaches its time limit. */
  running_seconds: Schema.optionalWith(Schema.NullOr(Number), { default: () => 5 }),
  /** How it ends: a long state word of SLURM. */
  state: Schema.optionalWith(Schema.String, { default: () => "COMPLETED" }),
  /** Default: 0, or 1 if it failed. */
  exit_code: Schema.optionalWith(Schema.NullOr(Int), { default: () => null }),
  signal: Schema.optionalWith(Schema.NullOr(Int), { default: () => null }),
  reason: Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null }),
  log: Schema.optionalWith(Schema.Array(FakeLine), { default: () => [] })
}).annotations({ identifier: "FakeCourse" })
export type FakeCourse = typeof FakeCourse.Type

/** A cluster that runs nothing: its jobs go as their courses say, to see what rules would do. */
export const FakeClient = Schema.Struct({
  /** `FakeSlurmClient` is the predecessor's name. */
  class_name: Schema.Literal("FakeClient", "FakeSlurmClient"),
  /**
   * Courses by the job's name, of an array's task `<array>[<task>]`; `*` in it stands for any text, the longest that fits
   * counts. Of a list, the first is for the first attempt, and the last also for all later ones.
   */
  courses: Schema.optionalWith(
    Schema.Record({ key: Schema.String, value: Schema.Union(FakeCourse, Schema.NonEmptyArray(FakeCourse)) }),
    { default: () => ({}) }
  ),
  /** How many of the courses' seconds pass in one second; more than 0. */
  speed: seconds(1),
  /** Where it keeps its jobs; null: the user's own fake cluster. */
  dir: Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null }),
  /** Declared by the predecessor; without effect. */
  persist_artifacts: Schema.optionalWith(Schema.Boolean, { default: () => false })
})
export type FakeClient = typeof FakeClient.Type

/** Where neither section says more. */
export const spare = { minPollSeconds: 5, callsPerMinute: 120 } as const

export const Client = Schema.Union(LocalClient, SlurmClient, FakeClient)
export type Client = typeof Client.Type
