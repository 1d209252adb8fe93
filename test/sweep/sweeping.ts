/** Sweeps as they are decoded, and their points as tests compare them. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { ValueMap } from "../../src/backend/Value.ts"
import { expandSweep } from "../../src/sweep/expandSweep.ts"
import { phases } from "../../src/sweep/phases.ts"
import { Sweep } from "../../src/sweep/Sweep.ts"
import type { Expansion, SweepError, SweepPoint } from "../../src/sweep/SweepPoint.ts"

const decode = Schema.decodeUnknownSync(Sweep, { onExcessProperty: "error" })

export const expand = (sweep: object): Either.Either<Expansion, SweepError> => expandSweep(decode(sweep))

export const expanded = (sweep: object): Expansion => Either.getOrThrow(expand(sweep))

/** Position and parameters of each point. */
export const points = (
  sweep: object
): Either.Either<ReadonlyArray<Pick<SweepPoint, "index" | "parameters">>, SweepError> =>
  Either.map(expand(sweep), (all) => all.points.map(({ index, parameters }) => ({ index, parameters })))

export const parameters = (sweep: object): ReadonlyArray<ValueMap> =>
  Either.getOrThrow(points(sweep)).map((point) => point.parameters)

export const mistake = (sweep: object): string => {
  const { at, message } = Either.getOrThrow(Either.flip(expand(sweep)))
  return `${at}: ${message}`
}

export const stageOf = (point: SweepPoint): string => String(point.parameters["stage"] ?? "")

export const phasesOf = (sweep: object) => Either.flatMap(expand(sweep), (all) => phases(all, stageOf))

/** Edges as recorded: the sibling's index, then the dependant's. */
export const edgesOf = (sweep: object): ReadonlyArray<readonly [number, number]> =>
  [...Either.getOrThrow(phasesOf(sweep)).needs].flatMap(([index, own]) =>
    [...own.values()].map((sibling) => [sibling, index] as const)
  )
