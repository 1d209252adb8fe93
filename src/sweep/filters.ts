/** Which points the filters of a sweep leave out, as far as that is known before a point is resolved. */
import * as Either from "effect/Either"
import { pyStr } from "../backend/python.ts"
import { isList, isMap, type Value, type ValueMap } from "../backend/Value.ts"
import { condition } from "./expression/evaluate.ts"
import type { ExpressionError } from "./expression/ExpressionError.ts"
import { SweepError } from "./SweepPoint.ts"

/** A filter, and where in the config it stands. */
export interface Filter {
  readonly at: string
  readonly filter: Value
}

type Condition = (names: ValueMap) => Either.Either<boolean, ExpressionError>

/** Whether a text in `value` is resolved only at the point. */
export const isOfPoint = (value: Value): boolean => {
  if (typeof value === "string") return value.includes("${")
  return (isList(value) && value.some(isOfPoint)) || (isMap(value) && Object.values(value).some(isOfPoint))
}

/**
 * Judges points by their filters: what is left of these, `[false]` if one does not hold. A filter that is an
 * interpolation, or that names a parameter that is one, is left for whoever resolves the point. Each text is read once.
 */
export const filtering = (): (
  filters: ReadonlyArray<Filter>,
  parameters: ValueMap
) => Either.Either<ReadonlyArray<Value>, SweepError> => {
  const conditions = new Map<string, Either.Either<Condition, ExpressionError>>()
  const read = (text: string): Either.Either<Condition, ExpressionError> => {
    const known = conditions.get(text) ?? condition(text)
    conditions.set(text, known)
    return known
  }
  return (filters, parameters) => {
    if (filters.some(({ filter }) => filter === false)) return Either.right([false])
    const left: Array<Value> = []
    for (const { at, filter } of filters) {
      if (typeof filter !== "string" || isOfPoint(filter) || namesWhatIsOfPoint(filter, parameters)) left.push(filter)
      else {
        const holds = Either.flatMap(read(filter), (of) => of(parameters))
        if (Either.isLeft(holds)) return Either.left(wrong({ at, filter }, holds.left, parameters))
        if (!holds.right) return Either.right([false])
      }
    }
    return Either.right(left)
  }
}

const namesWhatIsOfPoint = (filter: string, parameters: ValueMap): boolean => {
  for (const key of Object.keys(parameters)) {
    if (isOfPoint(parameters[key] ?? null) && filter.includes(key)) return true
  }
  return false
}

const wrong = ({ at, filter }: Filter, { column, message }: ExpressionError, parameters: ValueMap): SweepError => {
  const point = Object.entries(parameters).map(([key, value]) => `${key}=${pyStr(value)}`).join(", ")
  return new SweepError({
    at,
    message: `"${pyStr(filter)}" is wrong at column ${column}, for the point ${point}: ${message}`
  })
}
