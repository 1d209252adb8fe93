/** A configuration as the rest of autoexp uses it: composed, resolved, typed, each value with its origin. */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { isMap, type Value, type ValueMap } from "../backend/Value.ts"
import { compose, composePlain, type Composition, merging } from "./compose.ts"
import { type Config, ConfigSchema } from "./Config.ts"
import { ConfigFiles } from "./ConfigFiles.ts"
import type { Path } from "./decode.ts"
import { setKey } from "./merge.ts"
import { fromValue, isInterpolated, type MapNode, mapOf, names, scalar, toMap, withEntry } from "./Node.ts"
import { originIn, pathOf, writtenAt } from "./origins.ts"
import { parseOverride } from "./overrides.ts"
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
  /** Whether an override of the request sets the key (dotted), a part of it, or what it is part of. */
  readonly sets: (key: string) => boolean
  /** The same configuration at a sweep's point: its parameters set, and all that refers to them resolved again. */
  readonly at: (point: PointSetting) => Either.Either<PointLoaded, ConfigError>
}

/** What makes a point of a sweep. */
export interface PointSetting {
  /** What `${index}` is. */
  readonly index: number
  /** What `${stage}` is, unless a parameter of that name says so; "" for none. */
  readonly stage: string
  /** Dotted keys of the configuration, or names of the point's own; texts may hold `${…}`. */
  readonly parameters: ValueMap
  /** What `${sibling.NAME.…}` finds: the point's other phases by their stage's name. */
  readonly siblings: Readonly<Record<string, ValueMap>>
}

/** A configuration as it is at one point. */
export interface PointLoaded extends Loaded {
  /** All parameters of the point, resolved. */
  readonly parameters: ValueMap
  /** Those of them that set no key of the configuration: the backend's; resolved. */
  readonly others: ValueMap
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

/** What all points of a configuration are made of. */
interface Base {
  readonly request: ConfigRequest
  readonly root: MapNode
  readonly surroundings: Surroundings
  readonly chain: Loaded["chain"]
  /** Names at the top of the configuration, among which a point's own names do not count. */
  readonly sections: ReadonlySet<string>
}

const only = (values: ValueMap, keep: (key: string) => boolean): ValueMap =>
  Object.fromEntries(Object.entries(values).filter(([key]) => keep(key)))

const placed = ({ chain }: Base, found: ReadonlyArray<Problem>): Either.Either<never, ConfigError> =>
  fail(found.map((problem) => ({ ...problem, chain: chain(problem.file ?? "") })))

const view = (base: Base, root: MapNode, made: Typed, at: Loaded["at"]): Loaded => ({
  request: base.request,
  unresolved: toMap({ ...root, entries: new Map([...root.entries].filter(([key]) => base.sections.has(key))) }),
  resolved: made.values,
  config: made.config,
  origin: (path) => originIn(root, typeof path === "string" ? pathOf(path) : path),
  source: (path) => {
    const written = writtenAt(root, path, null)
    const interpolation = written !== null && isInterpolated(written.node) ? written.node.value : null
    return { origin: written?.origin ?? null, interpolation }
  },
  chain: base.chain,
  sets: (key) => overriddenKeys(base.request).some((set) => isWithin(set, key) || isWithin(key, set)),
  at
})

const isWithin = (key: string, outer: string): boolean => key === outer || key.startsWith(`${outer}.`)

const overriddenKeys = ({ overrides }: ConfigRequest): ReadonlyArray<string> =>
  overrides.map(parseOverride).flatMap((override) => (Either.isRight(override) ? [override.right.key] : []))

const loaded = (
  request: ConfigRequest,
  { chains, problems, root }: Composition,
  surroundings: Surroundings
): Either.Either<Loaded, ConfigError> => {
  const chain = (file: string) => chains.get(file) ?? []
  const sections = new Set([...root === null ? [] : names(root), ...Object.keys(ConfigSchema.fields)])
  const base = { request, root: root ?? mapOf([], nowhere), surroundings, chain, sections }
  if (root === null) return placed(base, problems)
  const scoped = [["index", 0], ["stage", ""]] as const
  const whole = resolveAsFar(
    scoped.reduce(
      (node, [text, value]) =>
        sections.has(text) ? node : withEntry(node, { text, type: "str" }, scalar(value, nowhere), nowhere),
      root
    ),
    surroundings
  )
  const resolved = { ...whole, values: only(whole.values, (key) => sections.has(key)) }
  const config = typed(root, resolved, null)
  const wrong = [
    ...resolved.problems,
    ...(Either.isLeft(config) ? config.left : []),
    ...lint(root, resolved, Either.isRight(config) ? config.right.written : null)
  ]
  const all = [...problems, ...wrong.filter((problem) => !follows(problem, problems))]
  if (Either.isLeft(config) || all.length > 0) return placed(base, all)
  const at = (point: PointSetting): Either.Either<PointLoaded, ConfigError> => pointOf(base, config.right, point, at)
  return Either.right(view(base, root, config.right, at))
}

const nowhere: Origin = { source: "point", key: "index" }

/** Sections that hold for the whole plan. */
const shared = ["sweep", "scheduler"]

const pointOf = (
  base: Base,
  before: Typed,
  point: PointSetting,
  at: Loaded["at"]
): Either.Either<PointLoaded, ConfigError> => {
  const problems: Array<Problem> = []
  const how = merging(base.surroundings, problems)
  const scope = { index: point.index, stage: point.stage, sibling: point.siblings, ...point.parameters }
  const root = Object.entries<Value>(scope)
    .reduce((node, [key, value]) => {
      const origin: Origin = { source: "point", key }
      if (shared.includes(key.split(".")[0] ?? key)) {
        problems.push(problemAt(null, "sweep", `A sweep cannot set "${key}": the section is the same for all points.`))
      }
      const set = setKey(node, key, fromValue(value, origin), how)
      if (Either.isRight(set)) return set.right
      problems.push(set.left)
      return node
    }, base.root)
  if (problems.length > 0) return placed(base, problems)
  const whole = resolveAsFar(root, base.surroundings)
  const values = only(whole.values, (key) => base.sections.has(key))
  const found = typed(root, { ...whole, values }, before)
  const wrong = [...whole.problems, ...(Either.isLeft(found) ? found.left : [])]
  if (Either.isLeft(found) || wrong.length > 0) return placed(base, wrong)
  const parameters = Object.fromEntries(
    Object.keys(point.parameters).map((key) => [
      key,
      key.split(".").reduce<Value>((value, name) => (isMap(value) ? value[name] ?? null : null), whole.values)
    ])
  )
  const others = only(parameters, (key) => !base.sections.has(key.split(".")[0] ?? key))
  return Either.right({ ...view(base, root, found.right, at), parameters, others })
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
    return yield* loaded(request, composition, surroundings)
  })
