/** Filters over points that need the resolved point. */
import * as Either from "effect/Either"
import type { Value } from "../backend/Value.ts"
import { holds } from "../sweep/expression/evaluate.ts"
import type { PointLoaded } from "./Loaded.ts"
import { failure } from "./point.ts"
import { type ConfigError, problemAt } from "./Problem.ts"

/**
 * Whether a filter keeps the point: it is true, or null, or a text that is true once resolved, or still a text then, which
 * is read as a Python expression over the point's parameters.
 */
export const holdsAt = (
  point: Pick<PointLoaded, "value" | "parameters">,
  filter: Value
): Either.Either<boolean, ConfigError> =>
  Either.flatMap(point.value("sweep.filter", filter), (value) => {
    if (value === null || typeof value === "boolean") return Either.right(value ?? true)
    const wrong = (what: string) => failure([problemAt(null, "filter", `sweep.filter: ${what}`)])
    if (typeof value !== "string") return Either.left(wrong("it must be true or false at each point"))
    return Either.mapLeft(
      holds(value, point.parameters),
      ({ column, message }) => wrong(`"${value}" is wrong at column ${column}: ${message}`)
    )
  })
