/** What a sweep expands to: its points, and what is known of how each came to be. */
import * as Schema from "effect/Schema"
import { Any, type Value, type ValueMap } from "../backend/Value.ts"

/** One combination of a sweep. */
export interface SweepPoint {
  /** Position in the expansion, from 0; a filter over `groups`, or a subset of the points, keeps it. */
  readonly index: number
  /** Base values, overlaid by defaults, overlaid by what was chosen; keys are paths joined by dots. */
  readonly parameters: ValueMap
  /** The place in the sweep of each choice that led here, and which of the alternatives was taken. */
  readonly choices: ReadonlyMap<string, number>
  /**
   * What is left of the filters on its way, all of which must hold of the resolved point; `false` if one is known not to:
   * then the point is no job, but others may still refer to it.
   */
  readonly filters: ReadonlyArray<Value>
}

/** A place in the sweep at which one of several alternatives is taken. */
export interface ChoicePlace {
  /** Whether an alternative, or anything below it, sets `stage`. */
  readonly stage: boolean
  /** What is varied here: the key of an axis, the keys of a `zip`; none where whole configs or groups are listed. */
  readonly keys: ReadonlyArray<string>
}

/** All that a `sweep` section stands for. */
export interface Expansion {
  readonly points: ReadonlyArray<SweepPoint>
  /** The places that the points' `choices` name. */
  readonly places: ReadonlyMap<string, ChoicePlace>
  /** Sentences for people: what is as it is written, but may not be what was meant. */
  readonly notes: ReadonlyArray<string>
}

/** Whether a filter is already known to leave `point` out. */
export const isFilteredOut = (point: SweepPoint): boolean => point.filters.includes(false)

/** A sweep that has no points, or none that can be told apart. */
export class SweepError extends Schema.TaggedError<SweepError>()("SweepError", {
  /** Where in the config: `sweep.axes.lr`, `sweep.groups[1].params.lr`. */
  at: Schema.String,
  message: Schema.String,
  /** The parameter at fault, wherever in the section it is set. */
  parameter: Schema.optional(Schema.Struct({ key: Schema.String, value: Any }))
}) {}
