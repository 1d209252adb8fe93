/** The points of a `sweep` section: those of its axes that its filter keeps. */
import * as Either from "effect/Either"
import { pyStr } from "../backend/python.ts"
import type { Value, ValueMap } from "../backend/Value.ts"
import { expandAxes } from "./expandAxes.ts"
import { holds } from "./expression/evaluate.ts"
import { SweepError, type SweepPoint } from "./SweepPoint.ts"

/** The parts of the section that decide which points there are. */
export interface SweepSettings {
  readonly axes: Value
  readonly base_values: ValueMap
  /** A Python expression over a point's parameters, dotted ones too; null or empty: every point is kept. */
  readonly filter: string | boolean | null
  readonly allow_empty: boolean
}

const wrong = (message: string) => new SweepError({ at: "sweep.filter", message })

/** `lr=0.1, layers=2`. */
const pointText = (parameters: ValueMap): string =>
  Object.entries(parameters).map(([key, value]) => `${key}=${pyStr(value)}`).join(", ")

/**
 * The points that the filter keeps, counted anew from 0. Fails where the axes do, where the filter cannot be read or has
 * no value for a point, and where it keeps none, unless `allow_empty`: then `base_values` alone are the one point.
 */
export const sweepPoints = (sweep: SweepSettings): Either.Either<ReadonlyArray<SweepPoint>, SweepError> =>
  Either.gen(function*() {
    const { allow_empty: allowEmpty, base_values: baseValues, filter } = sweep
    const whole = { choices: new Map<string, number>(), filters: [] }
    const points = (yield* expandAxes(sweep.axes, baseValues)).map((point) => ({ ...point, ...whole }))
    if (typeof filter !== "string" || filter === "") return points
    const kept: Array<SweepPoint> = []
    for (const { parameters } of points) {
      const keep = yield* Either.mapLeft(
        holds(filter, parameters),
        ({ column, message }) =>
          wrong(`"${filter}" is wrong at column ${column}, for the point ${pointText(parameters)}: ${message}`)
      )
      if (keep) kept.push({ index: kept.length, parameters, ...whole })
    }
    if (kept.length > 0) return kept
    if (allowEmpty) return [{ index: 0, parameters: baseValues, ...whole }]
    return yield* Either.left(wrong(
      `"${filter}" keeps none of the sweep's ${points.length} points; with sweep.allow_empty=true base_values alone are one`
    ))
  })
