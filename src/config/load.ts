/** A configuration as the rest of autoexp uses it: composed, resolved, typed, each value with its origin. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { isList, isMap, type Value, type ValueMap } from "../backend/Value.ts"
import { lintRules } from "../rule/lint.ts"
import { expandAxes } from "../sweep/expandAxes.ts"
import { compose, composePlain, merging } from "./compose.ts"
import { complete, type Config, ConfigSchema } from "./Config.ts"
import { ConfigFiles } from "./ConfigFiles.ts"
import { decode, type Misfit, type Path, pathText } from "./decode.ts"
import { setKey } from "./merge.ts"
import { fromValue, type MapNode, type Node, toMap } from "./Node.ts"
import { ConfigError, type Origin, type Problem, problemAt } from "./Problem.ts"
import { resolveConfig } from "./resolve.ts"
import type { Surroundings } from "./resolvers.ts"

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
  /** The same configuration with some keys (dotted) set differently and resolved again: one sweep point. */
  readonly at: (point: ReadonlyArray<readonly [key: string, value: Value]>) => Either.Either<Loaded, ConfigError>
}

const pathOf = (text: string): Path =>
  text.split(/\.|(?=\[)/).map((part) => (/^\[\d+\]$/.test(part) ? Number(part.slice(1, -1)) : part))

/** The innermost origin on the way down; keys may hold dots themselves. */
const originIn = (node: Node, path: Path, around: Origin | null): Origin | null => {
  if (path.length === 0) return node.origin
  if (node.kind === "list") {
    const item = node.items[Number(path[0])]
    return item === undefined ? around : originIn(item, path.slice(1), item.origin)
  }
  if (node.kind === "scalar") return node.origin
  for (let length = 1; length <= path.length; length++) {
    const entry = node.entries.get(path.slice(0, length).join("."))
    if (entry === undefined) continue
    // A mapping begins at its key: that is where people look for it.
    const origin = entry.node.kind === "scalar" || entry.node.origin.source !== "file"
      ? entry.node.origin
      : entry.origin
    return length === path.length ? origin : originIn(entry.node, path.slice(length), origin)
  }
  return around
}

/** Where the key itself stands, for keys that should not be there. */
const keyOrigin = (root: MapNode, path: Path): Origin | null => {
  const parent = path.slice(0, -1).reduce<Node | undefined>(
    (node, part) =>
      node?.kind === "map"
        ? node.entries.get(String(part))?.node
        : node?.kind === "list"
        ? node.items[Number(part)]
        : undefined,
    root
  )
  const entry = parent?.kind === "map" ? parent.entries.get(String(path.at(-1))) : undefined
  return entry === undefined
    ? originIn(root, path, null)
    : entry.node.origin.source === "file"
    ? entry.origin
    : entry.node.origin
}

/** `???` that nothing replaced. */
const missing = (value: Value, path: Path): ReadonlyArray<Path> => {
  if (value === "???") return [path]
  if (isList(value)) return value.flatMap((item, index) => missing(item, [...path, index]))
  return isMap(value) ? Object.entries(value).flatMap(([key, item]) => missing(item, [...path, key])) : []
}

const successors: Record<string, string> = { log_signals: "log_events", policies: "state_events" }

const deprecated = (resolved: ValueMap): ReadonlyArray<Misfit> => {
  const { monitoring } = resolved
  if (!isMap(monitoring)) return []
  return Object.entries(successors).filter(([key]) => Object.hasOwn(monitoring, key)).map(([key, successor]) => ({
    path: ["monitoring", key],
    kind: "unknown_key",
    message: `monitoring.${key} has been removed; attach actions to monitoring.${successor} instead.`,
    suggestions: [successor]
  }))
}

/** Sections that may be left empty. */
const optionalSections = ["container", "scheduler", "metadata", "evaluation"]

const withoutEmpty = (resolved: ValueMap): ValueMap =>
  Object.fromEntries(
    Object.entries(resolved).filter(([key, value]) => value !== null || !optionalSections.includes(key))
  )

/** Names that a rule's templates may use because of this configuration. */
const namesOf = ({ metadata, sweep }: Config): ReadonlyArray<string> => {
  const points = Either.getOrElse(expandAxes(sweep.axes, sweep.base_values), () => [])
  return [
    ...Object.keys(sweep.base_values),
    ...new Set(points.flatMap(({ parameters }) => Object.keys(parameters))),
    ...Object.keys(metadata)
  ]
}

const typed = (root: MapNode, resolved: ValueMap): Either.Either<Config, ReadonlyArray<Problem>> => {
  const place = ({ kind, message, path, suggestions }: Misfit): Problem =>
    problemAt(
      kind === "unknown_key"
        ? keyOrigin(root, path)
        : originIn(root, kind === "missing_key" ? path.slice(0, -1) : path, null),
      kind,
      message,
      suggestions
    )
  const given = missing(resolved, []).map((path) =>
    problemAt(
      originIn(root, path, null),
      "missing_value",
      `${pathText(path)} is ???: it must be given, as in ${pathText(path)}=VALUE.`
    )
  )
  const old = deprecated(resolved)
  const decoded = decode(ConfigSchema, withoutEmpty(resolved))
  if (Either.isLeft(decoded)) {
    const news = decoded.left.filter(({ path }) => !old.some((misfit) => pathText(misfit.path) === pathText(path)))
    return Either.left([...given, ...[...old, ...news].map(place)])
  }
  const config = complete(decoded.right)
  const rules = lintRules(config.monitoring, namesOf(config)).map(({ message, path, suggestions }) =>
    problemAt(originIn(root, ["monitoring", ...path], null), "rule", message, suggestions)
  )
  const problems = [...given, ...rules]
  return problems.length > 0 ? Either.left(problems) : Either.right(config)
}

const fail = ([first, ...rest]: ReadonlyArray<Problem>): Either.Either<never, ConfigError> =>
  Either.left(
    new ConfigError({ problems: [first ?? problemAt(null, "unknown", "The configuration cannot be used."), ...rest] })
  )

const loaded = (
  request: ConfigRequest,
  root: MapNode,
  surroundings: Surroundings
): Either.Either<Loaded, ConfigError> => {
  const resolved = resolveConfig(root, surroundings)
  if (Either.isLeft(resolved)) return fail(resolved.left)
  const config = typed(root, resolved.right)
  if (Either.isLeft(config)) return fail(config.left)
  return Either.right({
    request,
    unresolved: toMap(root),
    resolved: resolved.right,
    config: config.right,
    origin: (path) => originIn(root, typeof path === "string" ? pathOf(path) : path, null),
    at: (point) => {
      const problems: Array<Problem> = []
      const how = merging(surroundings, problems)
      const changed = point.reduce((node, [key, value]) => {
        const set = setKey(node, key, fromValue(value, { source: "point", key }), how)
        if (Either.isRight(set)) return set.right
        problems.push(set.left)
        return node
      }, root)
      return problems.length > 0 ? fail(problems) : loaded(request, changed, surroundings)
    }
  })
}

/** UTC as `YYYYMMDD_HHMMSS_mmm`. */
export const timestring = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replace(/[-:]/g, "").replace("T", "_").replace(".", "_").replace("Z", "")

/** What was composed, before its types are looked at. */
const composed = (request: ConfigRequest) =>
  Effect.gen(function*() {
    const files = yield* ConfigFiles
    const surroundings: Surroundings = {
      environment: files.environment,
      timestring: timestring(yield* Clock.currentTimeMillis),
      configDir: files.absolute(request.configDir)
    }
    const { configRef, overrides } = request
    const plain = /\.(?:ya?ml|json)$/.test(configRef) && files.read(files.absolute(configRef)) !== null
    const root = plain
      ? composePlain(files, files.absolute(configRef), overrides, surroundings)
      : compose(files, configRef, overrides, surroundings)
    return { root, surroundings }
  })

/** Composes, resolves and types a configuration; all its mistakes are reported together. Nothing is written. */
export const load = (request: ConfigRequest): Effect.Effect<Loaded, ConfigError, ConfigFiles> =>
  Effect.flatMap(
    composed(request),
    ({ root, surroundings }) => Either.isLeft(root) ? fail(root.left) : loaded(request, root.right, surroundings)
  )
