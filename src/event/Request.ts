/** What commands ask of a session: one file each in its inbox, which its holder makes a fact of. */
import * as Schema from "effect/Schema"
import { Outcome } from "./Outcome.ts"
import { PlannedJob } from "./PlannedJob.ts"

const Text = Schema.String
const Strings = Schema.Array(Text)

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
    kind: Schema.Literal("job_restart", "job_retry", "job_cancel", "job_ack", "job_hold", "job_release"),
    job: Schema.NullOr(Text),
    reason: Text
  }),
  /** Overrides of the `monitoring` section that count from now on, after those of the plan; a later one of a key wins. */
  Schema.Struct({ kind: Schema.Literal("set"), settings: Strings }),
  /** Keep all jobs away from the nodes for so many seconds; `project`: those of the project's other sessions too. */
  Schema.Struct({
    kind: Schema.Literal("nodes_exclude"),
    nodes: Strings,
    seconds: Schema.Number,
    scope: Schema.Literal("session", "project"),
    reason: Text
  }),
  /** Let jobs run on the nodes again; on all of them if none is named. */
  Schema.Struct({ kind: Schema.Literal("nodes_release"), nodes: Strings, reason: Text }),
  Schema.Struct({ kind: Schema.Literal("queue_retry"), queue_id: Text }),
  Schema.Struct({ kind: Schema.Literal("queue_remove"), queue_id: Text }),
  /** `lease`: which claim it is, and by which name its worker's heartbeat is found. */
  Schema.Struct({ kind: Schema.Literal("claim"), queue_id: Text, lease: Schema.optional(Text) }),
  Schema.Struct({ kind: Schema.Literal("result"), queue_id: Text, outcome: Outcome, lease: Schema.optional(Text) }),
  /** Another worker saw that the one which holds that claim is dead. */
  Schema.Struct({ kind: Schema.Literal("worker_lost"), queue_id: Text, lease: Schema.NullOr(Text), why: Text })
)
export type Request = typeof Request.Type
