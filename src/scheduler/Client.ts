/** The `slurm.client` section: which scheduler runs the jobs. */
import * as Schema from "effect/Schema"
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

export const Client = Schema.Union(LocalClient)
export type Client = typeof Client.Type
