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

/** Where neither section says more. */
export const spare = { minPollSeconds: 5, callsPerMinute: 120 } as const

export const Client = Schema.Union(LocalClient, SlurmClient)
export type Client = typeof Client.Type
