/** Words that facts, decisions and requests share. */
import * as Schema from "effect/Schema"

const Text = Schema.String
const Strings = Schema.Array(Text)

/** Who asked for something: `monitor`, `worker` or `operator`, and from where. */
export const Actor = Schema.Struct({
  role: Schema.Literal("monitor", "worker", "operator"),
  user: Text,
  host: Text,
  pid: Schema.Int
})
export type Actor = typeof Actor.Type

/** An action with all its texts rendered; the room `action` knows what its class means. */
export const RenderedAction = Schema.Struct(
  { class_name: Text },
  Schema.Record({ key: Text, value: Schema.Unknown })
)
export type RenderedAction = typeof RenderedAction.Type

/** What becomes of an action whose executor died while it was under way: done again, or given up as failed. */
export const OnInterrupt = Schema.Literal("retry", "fail")
export type OnInterrupt = typeof OnInterrupt.Type

/** How often a queued action that fails is tried, and after how many seconds the second time; then twice as many. */
export const Retries = Schema.Struct({ max_attempts: Schema.Int, backoff_seconds: Schema.Number })
export type Retries = typeof Retries.Type

/** What an attempt's end, or its silence, is classified as. */
export const Mode = Schema.Literal("success", "crash", "timeout", "stall")
export type Mode = typeof Mode.Type

/** How a job ended. */
export const JobOutcome = Schema.Literal("success", "failed", "cancelled", "timeout", "abandoned")
export type JobOutcome = typeof JobOutcome.Type

/** By what a condition is known again, and which of its answers it keeps from then on. */
export const Latch = Schema.Struct({ key: Text, keeps: Schema.Array(Schema.Literal("pass", "fail")) })
export type Latch = typeof Latch.Type

export const BreakerSettings = Schema.Struct({ jobs: Schema.Int, within_seconds: Schema.Number })
export type BreakerSettings = typeof BreakerSettings.Type

/** What a restart changes in what is submitted, from then on and until it is undone. */
export const Changes = Schema.Struct({
  /** Options of sbatch by their long names, without dashes. */
  sbatch: Schema.Record({ key: Text, value: Text }),
  /** Arguments of the job's command by their options, as `overriddenArgv` takes them. */
  overrides: Schema.optional(Schema.Record({ key: Text, value: Schema.NullOr(Strings) })),
  /** Nodes to stay away from, each until a time (ISO 8601 UTC); the newest last. */
  exclude: Schema.Array(Schema.Struct({ node: Text, until: Text }))
})
export type Changes = typeof Changes.Type

/** One of the budgets that a restart draws on: what it allowed before and allows after. */
export const Budget = Schema.Struct({
  kind: Schema.Literal("rule", "fingerprint", "no_progress", "total"),
  max: Schema.Int,
  before: Schema.Int,
  after: Schema.Int
})
export type Budget = typeof Budget.Type

/**
 * What waits for conditions: an action of an occurrence (`<seq of EventRaised>.<position in the rule's actions>`), a job's
 * submission (`start <job>`), or its end (`cancel.<position in its cancel conditions> <job>`), or whether it is done already (`done <job>`).
 */
export const BindingId = Text
