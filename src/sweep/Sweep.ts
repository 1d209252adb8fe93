/** The `sweep` section as it is written. */
import * as Schema from "effect/Schema"
import { Text } from "../backend/Text.ts"
import { Any, AnyMap, Int } from "../backend/Value.ts"

const openMap = Schema.optionalWith(AnyMap, { default: () => ({}) })
const bool = (value: boolean) => Schema.optionalWith(Schema.Boolean, { default: () => value })
const maybe = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(Schema.NullOr(schema), { default: () => null })

export const Sweep = Schema.Struct({
  /** Of the predecessor's files; without effect. */
  class_name: maybe(Text),
  /** For people; without effect. */
  description: maybe(Text),
  /** The first language: a mapping is a product, a list alternatives; null and {} give one point. */
  axes: Schema.optionalWith(Any, { default: () => ({}) }),
  /** The second language: how `groups` are put together. Without it they give one point, as ever. */
  type: maybe(Schema.Literal("product", "list", "zip", "random")),
  /** Mappings with `params`, `configs`, `grids` or `groups` in them. */
  groups: Schema.optionalWith(Any, { default: () => null }),
  /** Mappings of keys to lists of values: the points of one product after those of the other. */
  grids: Schema.optionalWith(Any, { default: () => null }),
  /** What each point has unless something else sets it. */
  base_values: openMap,
  /** The same; `base_values` win. */
  defaults: openMap,
  /** Keys of which a point has a list of all that its groups set, instead of what the last one did. */
  list_composition: Schema.optionalWith(Schema.Array(Text), { default: () => [] }),
  /** How many points `type: random` draws, and what they follow from. */
  samples: maybe(Int),
  seed: maybe(Int),
  /** A Python expression over a point's parameters, or what is true or false of the resolved point. */
  filter: maybe(Schema.Union(Schema.Boolean, Text)),
  /** Whether a filter may leave no point, which then runs `base_values` alone. */
  allow_empty: bool(false),
  name_template: Schema.optionalWith(Text, { default: () => "{project}_{index}" }),
  store_sweep_json: bool(true)
})
export type Sweep = typeof Sweep.Type
