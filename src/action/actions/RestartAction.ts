import * as Schema from "effect/Schema"
import { pyStr } from "../../backend/python.ts"
import { AnyMap, Int, isList, isMap, Number, type Value } from "../../backend/Value.ts"

/** Set by the monitor itself, which finds jobs and logs again by them. */
const own = ["job-name", "comment", "array", "output", "error", "open-mode", "wrap", "parsable", "wait", "test-only"]

const optionName = (key: string): string => key.replaceAll("_", "-")

const SbatchOverrides = AnyMap.pipe(
  Schema.filter((options) => {
    const stray = Object.keys(options).find((key) => !/^[a-z][a-z0-9_-]*$/.test(key) || own.includes(optionName(key)))
    return stray === undefined || `"${stray}" is no option of sbatch that a restart may set`
  })
)

/** Words that mean the same in every place of a script, quoted or not. */
const isWord = (value: Value): boolean =>
  value !== null && !isMap(value) && /^[A-Za-z0-9_@%+=:,./-]+$/.test(pyStr(value))

const Overrides = AnyMap.pipe(
  Schema.filter((options) => {
    const name = Object.keys(options).find((key) => !/^[A-Za-z][A-Za-z0-9_.-]*$/.test(key))
    if (name !== undefined) return `"${name}" is no name of an option`
    const stray = Object.entries(options).find(([, value]) =>
      value !== null && !(isList(value) && value.length > 0 ? value : [value]).every(isWord)
    )
    return stray === undefined ||
      `the value of "${
        stray[0]
      }" may be a number, a truth value, or text of letters, digits and _@%+=:,./-, or a list of these`
  })
)

/**
 * Ends the present attempt, if it still lives, and submits the job once more. At most one restart a job and cycle,
 * whatever asks for it. Every budget counts the restarts of one job since it last made progress: `max_restarts` those of
 * the rule that holds this action, `max_per_fingerprint` those after the same failure, `max_no_progress` those after
 * attempts that are known to have made none; null: what `monitoring.restarts` says. `progress`: the log events that
 * tell of progress.
 */
export const RestartAction = Schema.Struct({
  class_name: Schema.Literal("RestartAction"),
  reason: Schema.optionalWith(Schema.String, { default: () => "" }),
  max_restarts: Schema.optionalWith(Schema.NullOr(Int), { default: () => null }),
  max_per_fingerprint: Schema.optionalWith(Schema.NullOr(Int), { default: () => null }),
  max_no_progress: Schema.optionalWith(Schema.NullOr(Int), { default: () => null }),
  progress: Schema.optionalWith(Schema.NullOr(Schema.Array(Schema.String)), { default: () => null }),
  /**
   * Seconds from the decision to the submission; each later restart without progress waits twice as long, one hour at most.
   * A link of a chain that waits in the queue already begins without. Absent: what `monitoring.restarts` says.
   */
  backoff_seconds: Schema.optional(Number),
  /** Options of sbatch for the attempts to come: `time`, `mem`, `partition`; they win over the script's own. */
  sbatch_overrides: Schema.optionalWith(SbatchOverrides, { default: () => ({}) }),
  /**
   * Arguments of the program for the attempts to come, by the names of its options: `micro_batch_size: 2`. They replace
   * those of the plan's command, or are added; `null` and `false` leave an option out, `true` is the bare flag.
   */
  overrides: Schema.optionalWith(Overrides, { default: () => ({}) }),
  /** `failed`: stay away from the node that failed, as the event's metadata (`node`) or the accounting names it. */
  exclude_nodes: Schema.optionalWith(Schema.NullOr(Schema.Literal("failed")), { default: () => null }),
  /** For how long, and how many nodes at once at most; the oldest is let back first. */
  exclude_seconds: Schema.optionalWith(Number, { default: () => 86_400 }),
  exclude_max: Schema.optionalWith(Int, { default: () => 4 }),
  /**
   * Who stays away from it: the job alone; or all jobs of the session, or of the project, as by an ExcludeNodesAction, for
   * which `monitoring.bad_nodes` says how many nodes that may be.
   */
  exclude_scope: Schema.optional(Schema.Literal("job", "session", "project"))
})
