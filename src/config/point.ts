/** One point of a sweep as a configuration of its own. */
import * as Either from "effect/Either"
import { same, type Value, type ValueMap } from "../backend/Value.ts"
import { type Composition, placed } from "./compose.ts"
import type { Ground, PointSetting } from "./Ground.ts"
import type { Grounds, Variation } from "./Grounds.ts"
import type { Loaded, PointLoaded } from "./Loaded.ts"
import { isInterpolated, type MapNode, toValue } from "./Node.ts"
import { originIn, pathOf, writtenAt } from "./origins.ts"
import { parseOverride } from "./overrides.ts"
import { ConfigError, type Problem, problemAt } from "./Problem.ts"
import { lintMonitoring, type Typed, typed } from "./typed.ts"

/** What is wrong, as one error. */
export const failure = ([first, ...rest]: ReadonlyArray<Problem>): ConfigError =>
  new ConfigError({ problems: [first ?? problemAt(null, "unknown", "The configuration cannot be used."), ...rest] })

/** Where the values of `root` came from. */
export const sources = (
  { chains }: Composition,
  root: () => MapNode
): Pick<Loaded, "origin" | "source" | "chain"> => ({
  origin: (path) => originIn(root(), typeof path === "string" ? pathOf(path) : path),
  source: (path) => {
    const written = writtenAt(root(), path, null)
    const interpolation = written !== null && isInterpolated(written.node) ? written.node.value : null
    return { origin: written?.origin ?? null, interpolation }
  },
  chain: (file) => chains.get(file) ?? []
})

const isWithin = (key: string, outer: string): boolean => key === outer || key.startsWith(`${outer}.`)

/** Whether one of the overrides sets a key. */
export const setsOf = (grounds: Grounds, overrides: ReadonlyArray<string>): Loaded["sets"] => {
  const read = overrides.map(parseOverride).flatMap((override) => (Either.isRight(override) ? [override.right] : []))
  const set = read.map(({ key, value }) => ({
    key,
    chosen: grounds.isChoice(key, value === null ? "" : toValue(value))
  }))
  return (key, value = null) =>
    set.some((one) =>
      one.key === key ||
      !one.chosen && (isWithin(key, one.key) || isWithin(one.key, key) && !grounds.isChoice(key, value))
    )
}

/** What is typed of a variation without any point, so that its points need not be typed as a whole. */
const typedBefore = new WeakMap<Ground, Typed>()

const before = ({ composition: { root }, ground }: Variation, main: Typed): Typed => {
  const known = typedBefore.get(ground)
  if (known !== undefined) return known
  const made = root === null ? null : typed(() => root, ground.resolved, main)
  const found = made !== null && Either.isRight(made) ? made.right : main
  typedBefore.set(ground, found)
  return found
}

/** The configuration at a point. `main`: what was typed of it without any. */
export const atPoint = (
  whole: Loaded,
  grounds: Grounds,
  main: Typed,
  point: PointSetting
): Either.Either<PointLoaded, ConfigError> => {
  const wrong = (found: ReadonlyArray<Problem>): ConfigError =>
    failure(found.map((problem) => ({ ...problem, message: `Point ${point.index}: ${problem.message}` })))
  return Either.gen(function*() {
    const { parameters, resolved, setting, variation } = yield* Either.mapLeft(grounds.at(point), wrong)
    const { composition, ground } = variation
    const fail = (found: ReadonlyArray<Problem>): ConfigError => wrong(placed(composition, found))
    const root = () => ground.rootAt(setting)
    const made = typed(root, resolved, before(variation, main))
    if (resolved.problems.length > 0 || Either.isLeft(made)) {
      return yield* Either.left(fail([...resolved.problems, ...(Either.isLeft(made) ? made.left : [])]))
    }
    const { config } = made.right
    const differs = (section: string) => !same(resolved.values[section] ?? null, whole.resolved[section] ?? null)
    if (differs("monitoring") || differs("job")) {
      const rules = lintMonitoring(root, made.right.written, Object.keys(point.parameters))
      if (rules.length > 0) return yield* Either.left(fail(rules))
    }
    return {
      request: whole.request,
      get unresolved() {
        return ground.unresolved
      },
      resolved: resolved.values,
      config,
      ...sources(composition, root),
      sets: whole.sets,
      at: whole.at,
      value: (name: string, value: Value) => Either.mapLeft(ground.valueAt(setting, value, name), fail),
      parameters,
      others: othersOf(
        parameters,
        (key) => ground.isConfigured(key) || grounds.isChoice(key, point.parameters[key] ?? null)
      )
    }
  })
}

/** Names of the point itself, which no backend is told as parameters. */
const scope = ["index", "stage"]

const othersOf = (parameters: ValueMap, isOwn: (key: string) => boolean): ValueMap =>
  Object.fromEntries(Object.entries(parameters).filter(([key]) => !scope.includes(key) && !isOwn(key)))
