/** What log events declare to count, as the sections of a session's rules say it. */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { Int } from "../backend/Value.ts"

/** A group of the event's pattern, by name or number. */
const Group = Schema.optional(Schema.Union(Schema.String, Int))

/** Which groups of a log event's pattern tell how far its job has come. */
export const ProgressGroups = Schema.Struct({
  /** Steps done, and steps to do in all. */
  step: Group,
  total: Group,
  tokens: Group,
  loss: Group,
  /** The step of a checkpoint that is complete. */
  checkpoint: Group,
  /** The step of a checkpoint whose writing begins. */
  saving: Group,
  /** How long a step takes, in either unit. */
  seconds_per_step: Group,
  milliseconds_per_step: Group,
  /** Work done in some time, in whatever unit: TFLOP/s for each GPU, tokens for each second. */
  throughput: Group
}).annotations({ identifier: "ProgressGroups" })
export type ProgressGroups = typeof ProgressGroups.Type

export type Count = keyof ProgressGroups

/** In their order. */
export const countNames: ReadonlyArray<Count> = [
  "step",
  "total",
  "tokens",
  "loss",
  "checkpoint",
  "saving",
  "seconds_per_step",
  "milliseconds_per_step",
  "throughput"
]

type Groups = Readonly<Record<string, string | number>>

/** What the rule counts, each with the name that the group has among a match's. */
export const countKeys = (rule: {
  readonly extract_groups: Groups
  readonly progress: ProgressGroups | null
}): ReadonlyArray<readonly [Count, string]> =>
  countNames.flatMap((count) => {
    const group = rule.progress?.[count]
    if (group === undefined) return []
    const named = Object.entries(rule.extract_groups).find(([, one]) => one === group)
    return [[count, named?.[0] ?? `progress_${count}`]]
  })

/** What the log events of a section count. */
export interface Declared {
  /** By rule: what it counts, and the names of the groups. */
  readonly rules: ReadonlyMap<string, ReadonlyArray<readonly [Count, string]>>
}

const Section = Schema.Struct({
  log_events: Schema.optionalWith(
    Schema.Array(Schema.Struct({
      name: Schema.String,
      extract_groups: Schema.optionalWith(
        Schema.Record({ key: Schema.String, value: Schema.Union(Schema.String, Int) }),
        { default: () => ({}) }
      ),
      progress: Schema.optionalWith(Schema.NullOr(ProgressGroups), { default: () => null })
    })),
    { default: () => [] }
  )
})

const decode = Schema.decodeUnknownEither(Section)

const nothing: Declared = { rules: new Map() }

const read = (section: unknown): Declared => {
  const decoded = decode(section)
  if (Either.isLeft(decoded)) return nothing
  const rules = decoded.right.log_events.flatMap((rule) => {
    const keys = countKeys(rule)
    return keys.length === 0 ? [] : [[rule.name, keys] as const]
  })
  return rules.length === 0 ? nothing : { rules: new Map(rules) }
}

const known = new WeakMap<object, Declared>()

/** What an encoded `monitoring` section declares; nothing where it cannot be read. One section is read once. */
export const declaredBy = (section: unknown): Declared => {
  if (!Predicate.isObject(section)) return nothing
  const before = known.get(section)
  if (before !== undefined) return before
  const declared = read(section)
  known.set(section, declared)
  return declared
}
