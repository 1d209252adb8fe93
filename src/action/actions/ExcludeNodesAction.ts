import * as Schema from "effect/Schema"
import { Number } from "../../backend/Value.ts"

/**
 * Keeps the session's jobs away from nodes: those that are submitted from now on, and those that wait in the queue. It ends
 * nothing and restarts nothing. How many at once, and when so many are named that they are not the cause:
 * `monitoring.bad_nodes`.
 */
export const ExcludeNodesAction = Schema.Struct({
  class_name: Schema.Literal("ExcludeNodesAction"),
  /**
   * Nodes in SLURM's notation, as `{node}` or `lrdn[0337,0417]`. `failed`: the node that failed, as the event's metadata
   * (`node`) or the accounting names it.
   */
  nodes: Schema.optionalWith(Schema.String, { default: () => "failed" }),
  reason: Schema.optionalWith(Schema.String, { default: () => "" }),
  /** For how long. */
  seconds: Schema.optionalWith(Number, { default: () => 86_400 }),
  /** `project`: sessions of the same project that keep their state in the same place stay away too. */
  scope: Schema.optionalWith(Schema.Literal("session", "project"), { default: () => "session" as const })
})
