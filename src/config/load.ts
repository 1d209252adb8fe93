/** A configuration composed, resolved and typed, each value with its origin. */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { compose, composePlain, placed } from "./compose.ts"
import { ConfigSchema } from "./Config.ts"
import { ConfigFiles } from "./ConfigFiles.ts"
import { Grounds, type Variation } from "./Grounds.ts"
import type { ConfigRequest, Loaded } from "./Loaded.ts"
import { toMap } from "./Node.ts"
import type { Override } from "./overrides.ts"
import { atPoint, failure, setsOf, sources } from "./point.ts"
import { ConfigError, type Problem, problemAt } from "./Problem.ts"
import type { Surroundings } from "./resolvers/Resolver.ts"
import { timestring } from "./timestring.ts"
import { lint, typed } from "./typed.ts"

export type { PointSetting } from "./Ground.ts"
export type { ConfigRequest, Loaded, PointLoaded } from "./Loaded.ts"

const lacking = ["missing_key", "missing_value", "interpolation_key", "interpolation_missing_value"]

/** Whether a mistake may only be the consequence of an override that could not be applied. */
const follows = ({ kind }: Problem, overrides: ReadonlyArray<Problem>): boolean =>
  overrides.length > 0 && lacking.includes(kind) ||
  (kind === "template" || kind === "rule") &&
    overrides.some(({ override }) => /^[~+]*(?:sweep|metadata)\b/.test(override?.text ?? ""))

const loaded = (
  request: ConfigRequest,
  grounds: Grounds,
  { composition, ground }: Variation
): Either.Either<Loaded, ConfigError> => {
  const { problems, root } = composition
  if (root === null) return Either.left(failure(placed(composition, problems)))
  const config = typed(() => root, ground.resolved, null)
  const wrong = [
    ...ground.resolved.problems,
    ...(Either.isLeft(config) ? config.left : []),
    ...lint(root, ground.resolved, Either.isRight(config) ? config.right.written : null)
  ]
  const all = [...problems, ...wrong.filter((problem) => !follows(problem, problems))]
  if (Either.isLeft(config) || all.length > 0) return Either.left(failure(placed(composition, all)))
  const whole: Loaded = {
    request,
    unresolved: toMap(root),
    resolved: ground.resolved.values,
    config: config.right.config,
    ...sources(composition, () => root),
    sets: setsOf(grounds, request.overrides),
    at: (point) => atPoint(whole, grounds, config.right, point)
  }
  return Either.right(whole)
}

const isFileName = (ref: string): boolean => /\.(?:ya?ml|json)$/.test(ref)

/** The file that a reference is the path of; null if it is the name of a config. */
const fileOf = (files: Context.Tag.Service<ConfigFiles>, ref: string): string | null => {
  const file = files.absolute(ref)
  return isFileName(ref) && files.read(file) !== null ? file : null
}

/** The name of a config that was given by the path of its file; null if it stands elsewhere or needs no composing. */
const nameOf = (files: Context.Tag.Service<ConfigFiles>, configDir: string, file: string): string | null =>
  file.startsWith(`${configDir}/`) && file.endsWith(".yaml") && /^defaults:/m.test(files.read(file) ?? "")
    ? file.slice(configDir.length + 1, -".yaml".length)
    : null

/**
 * Composes, resolves and types a configuration; all its mistakes are reported together. Nothing is written.
 * `now`: the time that `${oc.timestring:}` tells, in milliseconds since 1970.
 */
export const load = (
  request: ConfigRequest,
  now: Effect.Effect<number> = Clock.currentTimeMillis
): Effect.Effect<Loaded, ConfigError, ConfigFiles> =>
  Effect.gen(function*() {
    const files = yield* ConfigFiles
    const surroundings: Surroundings = {
      environment: files.environment,
      timestring: timestring(yield* now),
      configDir: files.absolute(request.configDir),
      read: (path) => files.read(files.absolute(path))
    }
    const { configRef, overrides } = request
    const file = fileOf(files, configRef)
    // A name may be given with its ending too, as Hydra takes it; these can only be paths.
    if (file === null && /^\/.*\.ya?ml$|\.json$/.test(configRef)) {
      const message = `There is no file ${files.absolute(configRef)}; a config of ${surroundings.configDir} is named ` +
        "without its ending."
      return yield* new ConfigError({ problems: [problemAt(null, "missing_config", message)] })
    }
    const name = file === null ? configRef : nameOf(files, surroundings.configDir, file)
    const grounds = new Grounds({
      compose: (choices: ReadonlyArray<Override>) =>
        file === null || name !== null
          ? compose(files, name ?? configRef, overrides, surroundings, choices)
          : composePlain(files, file, overrides, surroundings),
      isGroup: (group) => (file === null || name !== null) && files.list(`${surroundings.configDir}/${group}`) !== null,
      surroundings,
      sections: Object.keys(ConfigSchema.fields)
    })
    const variation = yield* Either.mapLeft(grounds.of({}), failure)
    return yield* loaded(request, grounds, variation)
  })
