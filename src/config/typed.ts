/** From values to a typed configuration; what does not fit is told with the place where it was written. */
import * as Either from "effect/Either"
import { isList, isMap, same, type Value, type ValueMap } from "../backend/Value.ts"
import { lintRules } from "../rule/lint.ts"
import { expandSweep } from "../sweep/expandSweep.ts"
import type { SweepError } from "../sweep/SweepPoint.ts"
import { complete, type Config, ConfigSchema, type Written } from "./Config.ts"
import { decode, type Misfit, type Path, pathText } from "./decode.ts"
import type { MapNode } from "./Node.ts"
import { keyOrigin, originIn, pathOf } from "./origins.ts"
import { type Problem, problemAt } from "./Problem.ts"
import type { Resolved } from "./resolved.ts"
import { lintTemplates } from "./templates.ts"

/** `???` that nothing replaced. */
const missing = (value: Value, path: Path): ReadonlyArray<Path> => {
  if (value === "???") return [path]
  // Most values are neither: no path is made for them.
  const inner = (item: Value, key: string | number) =>
    item === "???" || typeof item === "object" ? missing(item, [...path, key]) : []
  if (isList(value)) return value.flatMap(inner)
  return isMap(value) ? Object.entries(value).flatMap(([key, item]) => inner(item, key)) : []
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
export const optionalSections: ReadonlyArray<string> = ["container", "job", "scheduler", "metadata", "evaluation"]

const withoutEmpty = (resolved: ValueMap): ValueMap =>
  Object.fromEntries(
    Object.entries(resolved).filter(([key, value]) => value !== null || !optionalSections.includes(key))
  )

const startsWith = (path: Path, start: Path): boolean => start.every((part, index) => path[index] === part)

/** A typed configuration, and what it was made of. */
export interface Typed {
  readonly values: ValueMap
  readonly written: Written
  readonly config: Config
}

/** Schemas of some of the sections, by the sections' names: to make one is slow. */
const sectionSchemas = new Map<string, typeof ConfigSchema>()

const isSection = (name: string): name is keyof Written => Object.hasOwn(ConfigSchema.fields, name)

/** The sections of `values`; those that are the same as `before` are taken over, which a sweep's points mostly are. */
const decodeSections = (
  values: ValueMap,
  before: Typed | null
): Either.Either<Written, ReadonlyArray<Misfit>> => {
  if (before === null || Object.keys(withoutEmpty(before.values)).some((name) => values[name] === undefined)) {
    return decode(ConfigSchema, values)
  }
  const changed = Object.keys(values).filter((name) => !same(values[name] ?? null, before.values[name] ?? null))
  const id = changed.join()
  const schema = sectionSchemas.get(id) ?? ConfigSchema.pick(...changed.filter(isSection))
  sectionSchemas.set(id, schema)
  const parts = Object.fromEntries(changed.map((name) => [name, values[name] ?? null]))
  return Either.map(decode(schema, parts), (decoded) => ({ ...before.written, ...decoded }))
}

/**
 * The configuration of `resolved`, whose values were written in `root`; on the left every mistake. `before`: the
 * configuration of which this one is a variation.
 */
export const typed = (
  root: () => MapNode,
  { missing: isMissing, unknown, values }: Resolved,
  before: Typed | null
): Either.Either<Typed, ReadonlyArray<Problem>> => {
  const place = ({ kind, message, path, suggestions }: Misfit): Problem =>
    problemAt(
      kind === "unknown_key"
        ? keyOrigin(root(), path)
        : originIn(root(), kind === "missing_key" ? path.slice(0, -1) : path),
      kind,
      message,
      suggestions
    )
  const given = (isMissing ? missing(values, []) : []).map((path) =>
    problemAt(
      originIn(root(), path),
      "missing_value",
      `${pathText(path)} is ???: it must be given, as in ${pathText(path)}=VALUE.`
    )
  )
  // Of what could not be resolved nothing more is said; without its class nothing of a whole mapping.
  const hidden = unknown.map((path) => (path.at(-1) === "class_name" ? path.slice(0, -1) : path))
  const old = deprecated(values)
  const decoded = decodeSections(withoutEmpty(values), before)
  if (Either.isLeft(decoded)) {
    const others = decoded.left.filter(({ path }) =>
      !old.some((misfit) => pathText(misfit.path) === pathText(path)) &&
      !hidden.some((start) => startsWith(path, start))
    )
    return Either.left([...given, ...[...old, ...others].map(place)])
  }
  if (given.length > 0) return Either.left(given)
  return Either.right({ values, written: decoded.right, config: complete(decoded.right) })
}

/** The sections in which there are mistakes that no type shows. */
const Linted = ConfigSchema.pick("sweep", "monitoring", "metadata", "job")
type Linted = typeof Linted.Type

/**
 * Mistakes that no type shows: in axes, rules and templates, as far as these can be read. `whole`: the configuration, if
 * all of it has the right types.
 */
export const lint = (root: MapNode, { unknown, values }: Resolved, whole: Written | null): ReadonlyArray<Problem> => {
  const sections = Object.keys(Linted.fields)
  if (unknown.some(([section]) => sections.includes(String(section)))) return []
  if (whole !== null) return lintConfig(root, whole)
  const parts = Object.entries(withoutEmpty(values)).filter(([section]) => sections.includes(section))
  return Either.match(decode(Linted, Object.fromEntries(parts)), {
    onLeft: () => [],
    onRight: (config) => lintConfig(root, config)
  })
}

const sweepProblem = (root: MapNode, { at, message }: SweepError): Problem =>
  problemAt(originIn(root, pathOf(at)), "sweep", `${at}: ${message}`)

const lintConfig = (root: MapNode, linted: Linted): ReadonlyArray<Problem> => {
  const { sweep } = linted
  const expansion = expandSweep(sweep)
  if (Either.isLeft(expansion)) {
    return [sweepProblem(root, expansion.left), ...ruleProblems(() => root, linted, Object.keys(sweep.base_values))]
  }
  const { points } = expansion.right
  const keys = new Set([
    ...Object.keys(sweep.base_values),
    ...points.flatMap(({ parameters }) => Object.keys(parameters))
  ])
  return [...templateProblems(() => root, linted, [...keys]), ...ruleProblems(() => root, linted, [...keys])]
}

/** Mistakes in the templates and rules of the `monitoring` section of a job that has these parameters. */
export const lintMonitoring = (
  root: () => MapNode,
  linted: Linted,
  parameters: ReadonlyArray<string>
): ReadonlyArray<Problem> => [
  ...templateProblems(root, linted, parameters, ["monitoring", "job"]),
  ...ruleProblems(root, linted, parameters)
]

const templateProblems = (
  root: () => MapNode,
  linted: Linted,
  parameters: ReadonlyArray<string>,
  sections: ReadonlyArray<string | number | undefined> = ["sweep", "monitoring", "job"]
): ReadonlyArray<Problem> =>
  lintTemplates(linted, parameters)
    .filter(({ path }) => sections.includes(path[0]))
    .map(({ message, path, suggestions }) => problemAt(originIn(root(), path), "template", message, suggestions))

const ruleProblems = (
  root: () => MapNode,
  { metadata, monitoring }: Linted,
  parameters: ReadonlyArray<string>
): ReadonlyArray<Problem> =>
  lintRules(monitoring, [...parameters, ...Object.keys(metadata)]).map(({ message, path, suggestions }) =>
    problemAt(originIn(root(), ["monitoring", ...path]), "rule", message, suggestions)
  )
