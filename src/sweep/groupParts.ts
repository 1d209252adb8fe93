/** What is written in one group of a sweep, each part checked for its shape. */
import * as Either from "effect/Either"
import { didYouMean } from "../backend/nearest.ts"
import { pyRepr } from "../backend/python.ts"
import { isList, isMap, PyFloat, type Value, type ValueMap } from "../backend/Value.ts"
import type { Filter } from "./filters.ts"
import { SweepError } from "./SweepPoint.ts"
import { MAX_POINTS } from "./Tree.ts"

export type Checked<A> = Either.Either<A, SweepError>

export const fail = (at: string, message: string): Checked<never> => Either.left(new SweepError({ at, message }))

const kinds = ["params", "configs", "grids", "groups"] as const
export type Kind = (typeof kinds)[number]

const types = ["product", "list", "zip", "random"] as const
export type GroupType = (typeof types)[number]

const known: ReadonlyArray<string> = [
  ...kinds,
  ...["type", "defaults", "base_values", "filter", "samples", "seed", "description", "class_name"]
]

/** How `random` groups draw: a group's own setting, else that of what it stands in. */
export interface Drawing {
  readonly samples: number | null
  readonly seed: number
}

export interface GroupParts {
  readonly at: string
  readonly type: GroupType | null
  readonly kind: Kind
  /** Null only of `params`, which then set nothing. */
  readonly content: Value
  readonly defaults: ValueMap
  readonly filters: ReadonlyArray<Filter>
  readonly drawing: Drawing
}

/** Whether an item of `configs` is a group rather than what a point sets. */
export const isGroup = (value: ValueMap): boolean => kinds.some((kind) => Object.hasOwn(value, kind))

export const groupParts = (value: Value, at: string, outer: Drawing): Checked<GroupParts> =>
  Either.gen(function*() {
    if (!isMap(value)) return yield* fail(at, `a group is a mapping with ${anyOf(kinds)}, not ${pyRepr(value)}`)
    const strange = Object.keys(value).find((key) => !known.includes(key))
    if (strange !== undefined) {
      return yield* fail(
        `${at}.${strange}`,
        `a group has no key "${strange}"; ${
          didYouMean(strange, known)
        } What its points have in common is set by defaults`
      )
    }
    const given = kinds.filter((kind) => (value[kind] ?? null) !== null)
    const [kind = "params", second] = given
    if (second !== undefined) {
      return yield* fail(at, `a group has only one of ${anyOf(kinds)}, and this has ${given.join(" and ")}`)
    }
    if (given.length === 0 && !Object.hasOwn(value, "params")) {
      return yield* fail(at, `a group needs ${anyOf(kinds)}`)
    }
    const defaults = yield* mapping(value["defaults"] ?? null, `${at}.defaults`)
    const baseValues = yield* mapping(value["base_values"] ?? null, `${at}.base_values`)
    return {
      at,
      kind,
      type: yield* groupType(value["type"] ?? null, `${at}.type`),
      content: value[kind] ?? null,
      defaults: { ...defaults, ...baseValues },
      filters: yield* filtersOf(value["filter"] ?? null, `${at}.filter`),
      drawing: {
        samples: (yield* whole(value["samples"] ?? null, `${at}.samples`)) ?? outer.samples,
        seed: (yield* whole(value["seed"] ?? null, `${at}.seed`)) ?? outer.seed
      }
    }
  })

const anyOf = (words: ReadonlyArray<string>): string => `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`

const groupType = (value: Value, at: string): Checked<GroupType | null> => {
  const type = types.find((known) => known === value)
  if (type !== undefined || value === null) return Either.right(type ?? null)
  return fail(at, `${pyRepr(value)} is not ${anyOf(types)}`)
}

const whole = (value: Value, at: string): Checked<number | null> => {
  const number = value instanceof PyFloat ? value.value : value
  return number === null || (typeof number === "number" && Number.isSafeInteger(number))
    ? Either.right(number)
    : fail(at, `a whole number is needed, not ${pyRepr(value)}`)
}

/** The filters that `filter` stands for: none if it holds of everything. */
export const filtersOf = (filter: Value, at: string): Checked<ReadonlyArray<Filter>> => {
  if (filter === null || filter === true || filter === "") return Either.right([])
  if (filter === false || typeof filter === "string") return Either.right([{ at, filter }])
  return fail(at, `a filter is true, false or an expression, not ${pyRepr(filter)}`)
}

/** A mapping; null is an empty one. */
export const mapping = (value: Value, at: string): Checked<ValueMap> => {
  if (value === null) return Either.right({})
  return isMap(value) ? Either.right(value) : fail(at, `a mapping is needed, not ${pyRepr(value)}`)
}

/** A list that is not empty. */
export const items = (value: Value, at: string): Checked<ReadonlyArray<Value>> => {
  if (!isList(value)) return fail(at, `a list is needed, not ${pyRepr(value)}`)
  return value.length === 0 ? fail(at, "the list is empty, so the sweep has no points") : Either.right(value)
}

/** `samples`, where they are needed. */
export const samplesOf = ({ at, drawing }: GroupParts): Checked<number> => {
  if (drawing.samples === null) {
    return fail(`${at}.samples`, "type: random needs samples, the number of points that are drawn")
  }
  return drawing.samples >= 1 && drawing.samples <= MAX_POINTS
    ? Either.right(drawing.samples)
    : fail(`${at}.samples`, `samples must be from 1 to ${MAX_POINTS}, not ${drawing.samples}`)
}
