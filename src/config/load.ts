/** A configuration as the rest of autoexp uses it: composed, resolved, typed, each value with its origin. */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Value, ValueMap } from "../backend/Value.ts"
import { compose, composePlain, type Composition, merging } from "./compose.ts"
import type { Config } from "./Config.ts"
import { ConfigFiles } from "./ConfigFiles.ts"
import type { Path } from "./decode.ts"
import { setKey } from "./merge.ts"
import { fromValue, isInterpolated, toMap } from "./Node.ts"
import { originIn, pathOf, writtenAt } from "./origins.ts"
import { ConfigError, type Origin, type Problem, problemAt } from "./Problem.ts"
import { resolveAsFar } from "./resolved.ts"
import type { Surroundings } from "./resolvers/Resolver.ts"
import { timestring } from "./timestring.ts"
import { lint, type Typed, typed } from "./typed.ts"

/** What to load. */
export interface ConfigRequest {
  readonly configDir: string
  /** A config's name in the directory, without extension, or the path of a plain YAML or JSON file. */
  readonly configRef: string
  readonly overrides: ReadonlyArray<string>
}

/** One composed configuration. */
export interface Loaded {
  readonly request: ConfigRequest
  /** Composed, interpolations kept. */
  readonly unresolved: ValueMap
  readonly resolved: ValueMap
  readonly config: Config
  /**
   * Where the value at the path (`["slurm", "env"]` or `slurm.env`) was set last: a place in a file, an override, or a
   * sweep's point. Of what was written nowhere (a default), where the nearest part around it was; null for the rest.
   */
  readonly origin: (path: Path | string) => Origin | null
  /** The same, and the text that was resolved to give the value; null if it was written as it is. */
  readonly source: (path: Path) => { readonly origin: Origin | null; readonly interpolation: string | null }
  /** The configs whose defaults lists led to a file, the primary one first; empty for any other file. */
  readonly chain: (file: string) => ReadonlyArray<string>
  /** The same configuration with some keys (dotted) set differently and resolved again: one sweep point. */
  readonly at: (point: ReadonlyArray<readonly [key: string, value: Value]>) => Either.Either<Loaded, ConfigError>
}

const fail = ([first, ...rest]: ReadonlyArray<Problem>): Either.Either<never, ConfigError> =>
  Either.left(
    new ConfigError({ problems: [first ?? problemAt(null, "unknown", "The configuration cannot be used."), ...rest] })
  )

const lacking = ["missing_key", "missing_value", "interpolation_key", "interpolation_missing_value"]

/** Whether a mistake may only be the consequence of an override that could not be applied. */
const follows = ({ kind }: Problem, overrides: ReadonlyArray<Problem>): boolean =>
  overrides.length > 0 && lacking.includes(kind) ||
  (kind === "template" || kind === "rule") &&
    overrides.some(({ override }) => /^[~+]*(?:sweep|metadata)\b/.test(override?.text ?? ""))

const loaded = (
  request: ConfigRequest,
  { chains, problems, root }: Composition,
  surroundings: Surroundings,
  check: typeof lint,
  before: Typed | null
): Either.Either<Loaded, ConfigError> => {
  const chain = (file: string) => chains.get(file) ?? []
  const placed = (found: ReadonlyArray<Problem>) =>
    fail(found.map((problem) => ({ ...problem, chain: chain(problem.file ?? "") })))
  if (root === null) return placed(problems)
  const resolved = resolveAsFar(root, surroundings)
  const config = typed(root, resolved, before)
  const wrong = [
    ...resolved.problems,
    ...(Either.isLeft(config) ? config.left : []),
    ...check(root, resolved, Either.isRight(config) ? config.right.written : null)
  ]
  const all = [...problems, ...wrong.filter((problem) => !follows(problem, problems))]
  if (Either.isLeft(config) || all.length > 0) return placed(all)
  return Either.right({
    request,
    unresolved: toMap(root),
    resolved: resolved.values,
    config: config.right.config,
    origin: (path) => originIn(root, typeof path === "string" ? pathOf(path) : path),
    source: (path) => {
      const written = writtenAt(root, path, null)
      const interpolation = written !== null && isInterpolated(written.node) ? written.node.value : null
      return { origin: written?.origin ?? null, interpolation }
    },
    chain,
    at: (point) => {
      const problems: Array<Problem> = []
      const how = merging(surroundings, problems)
      const changed = point.reduce((node, [key, value]) => {
        const set = setKey(node, key, fromValue(value, { source: "point", key }), how)
        if (Either.isRight(set)) return set.right
        problems.push(set.left)
        return node
      }, root)
      // Axes, rules and templates are those of all points, and were looked at.
      return problems.length > 0
        ? fail(problems)
        : loaded(request, { root: changed, problems, chains }, surroundings, () => [], config.right)
    }
  })
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
    const composition = file === null || name !== null
      ? compose(files, name ?? configRef, overrides, surroundings)
      : composePlain(files, file, overrides, surroundings)
    return yield* loaded(request, composition, surroundings, lint, null)
  })
