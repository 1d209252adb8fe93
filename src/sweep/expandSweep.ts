/** The points of a `sweep` section. */
import * as Either from "effect/Either"
import type { Sweep } from "./Sweep.ts"
import { sweepPoints } from "./sweepPoints.ts"
import type { Expansion, SweepError } from "./SweepPoint.ts"

/** All points of `sweep`, in order; an error where it cannot be read, or has none. */
export const expandSweep = (sweep: Sweep): Either.Either<Expansion, SweepError> =>
  Either.map(sweepPoints(sweep), (points) => ({ points, places: new Map(), notes: [] }))
