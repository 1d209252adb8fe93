/** A composed configuration as the ground of a sweep's points: resolved once, and at each point again where it differs. */
import * as Either from "effect/Either"
import { isMap, type Value, type ValueMap } from "../backend/Value.ts"
import { assign } from "./assign.ts"
import { merging } from "./compose.ts"
import { Dependents } from "./dependents.ts"
import { fromValue, type MapNode, scalar, toMap, withEntry } from "./Node.ts"
import { type Origin, type Problem, problemAt } from "./Problem.ts"
import { Resolution } from "./resolve.ts"
import { resolveAsFar, type Resolved } from "./resolved.ts"
import type { Surroundings } from "./resolvers/Resolver.ts"
import { deferred, sweepValue } from "./sweepForm.ts"
import { Tree } from "./Tree.ts"
import { failed } from "./walk.ts"

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

/** Sections that hold for the whole plan. */
export const fixed: ReadonlyArray<string> = ["sweep", "scheduler"]

const sectionOf = (key: string): string => {
  const dot = key.indexOf(".")
  return dot < 0 ? key : key.slice(0, dot)
}

const originAt = (key: string): Origin => ({ source: "point", key })

/** Of the value at a key the part that a parameter set there: a mapping may have been laid over another one. */
const part = (whole: Value, set: Value): Value =>
  isMap(whole) && isMap(set)
    ? Object.fromEntries(Object.entries(set).map(([key, value]) => [key, part(whole[key] ?? null, value)]))
    : whole

const at = (values: Value, path: ReadonlyArray<string>): Value =>
  path.reduce<Value>((value, name) => (value !== null && typeof value === "object" ? own(value, name) : null), values)

const own = (value: object, name: string): Value =>
  Object.hasOwn(value, name) ? (value as Readonly<Record<string, Value>>)[name] ?? null : null

/** A point's values. */
export interface PointValues {
  /** The configuration; names of the point's own are left out. */
  readonly resolved: Resolved
  /** What each of the point's parameters is. */
  readonly parameters: ValueMap
}

export class Ground {
  /** Resolved without any point: `${index}` is 0 and `${stage}` "", unless the configuration says otherwise. */
  readonly resolved: Resolved
  private readonly root: MapNode
  private readonly sections: ReadonlySet<string>
  private readonly surroundings: Surroundings
  private readonly resolution: Resolution
  private dependents: Dependents | null = null
  private written: ValueMap | null = null

  /** `sections`: the names at the top that are of the configuration, not of a point. */
  constructor(composed: MapNode, sections: ReadonlySet<string>, surroundings: Surroundings) {
    this.sections = sections
    this.surroundings = surroundings
    this.root = Object.entries({ index: 0, stage: "" }).reduce(
      (root, [text, value]) =>
        root.entries.has(text)
          ? root
          : withEntry(root, { text, type: "str" }, scalar(value, originAt(text)), originAt(text)),
      deferred(composed)
    )
    this.resolution = new Resolution(this.root, surroundings)
    const all = resolveAsFar(this.root, this.resolution)
    const { problems, unknown, values } = all
    const sweepNode = this.root.entries.get("sweep")?.node
    const raw = values["sweep"] ?? null
    const late: Array<Problem> = []
    const sweep = unknown.some(([section]) => section === "sweep")
      ? raw
      : sweepValue(raw, this.root, surroundings, late)
    if (sweepNode !== undefined) this.resolution.define(sweepNode, sweep)
    const configured = this.configured(sweepNode === undefined ? values : { ...values, sweep })
    this.resolved = { ...all, values: configured, problems: [...problems, ...late] }
  }

  private configured(values: ValueMap): ValueMap {
    return Object.fromEntries(Object.entries(values).filter(([key]) => this.sections.has(key)))
  }

  /** Whether the parameter sets a key of the configuration, rather than a name of the point's own. */
  isConfigured(key: string): boolean {
    return this.sections.has(sectionOf(key))
  }

  /** The configuration at a point, its interpolations kept; what cannot be set is noted. */
  rootAt(point: PointSetting, problems: Array<Problem> = []): MapNode {
    const { index, parameters, stage } = point
    const changes = Object.entries<Value>({ index, stage, ...parameters }).flatMap(([key, value]) => {
      if (!fixed.includes(sectionOf(key))) return [[key, fromValue(value, originAt(key))] as const]
      const message = `a sweep cannot set "${key}": the ${sectionOf(key)} section is the same for all points.`
      problems.push(problemAt(null, "sweep", message))
      return []
    })
    return assign(this.root, changes, merging(this.surroundings, problems))
  }

  /** The configuration as it was written, interpolations included, without any point. */
  get unresolved(): ValueMap {
    this.written ??= this.configured(toMap(this.root))
    return this.written
  }

  private resolving(root: MapNode, siblings: ValueMap): Resolution {
    const origin = originAt("sibling")
    const phases = scalar("${sibling}", origin)
    const whole = withEntry(root, { text: "sibling", type: "str" }, phases, origin)
    const resolution = this.over(whole)
    resolution.define(phases, siblings)
    const sweep = whole.entries.get("sweep")?.node
    if (sweep !== undefined) resolution.define(sweep, this.resolved.values["sweep"] ?? null)
    return resolution
  }

  private over(root: MapNode): Resolution {
    // Where something could not be resolved, nothing is known of what it depends on.
    if (this.resolved.problems.length > 0) return new Resolution(root, this.surroundings)
    const tree = new Tree(root, this.resolution.tree)
    this.dependents ??= new Dependents(this.resolution.reads, this.resolution.tree, "sweep")
    const again = this.dependents.of(tree.changed)
    return new Resolution(root, this.surroundings, tree, { resolution: this.resolution, again })
  }

  /** The values at a point; on the left all that is wrong with them. Only what depends on the point is resolved again. */
  at(point: PointSetting): Either.Either<PointValues, ReadonlyArray<Problem>> {
    const problems: Array<Problem> = []
    const root = this.rootAt(point, problems)
    if (problems.length > 0) return Either.left(problems)
    const all = resolveAsFar(root, this.resolving(root, point.siblings))
    const parameters = Object.entries(point.parameters).map(([key, value]) =>
      [key, part(at(all.values, key.includes("/") ? [key] : key.split(".")), value)] as const
    )
    return Either.right({
      resolved: { ...all, missing: all.missing || this.resolved.missing, values: this.configured(all.values) },
      parameters: Object.fromEntries(parameters)
    })
  }

  /** What a value with `${…}` in it is at a point; `name` is what it is called in messages. */
  valueAt(point: PointSetting, value: Value, name: string): Either.Either<Value, ReadonlyArray<Problem>> {
    const node = fromValue(value, originAt(name))
    const root = withEntry(this.rootAt(point), { text: name, type: "str" }, node, node.origin)
    const resolution = this.resolving(root, point.siblings)
    const found = resolution.value(node)
    return found === failed ? Either.left(resolution.problems) : Either.right(found)
  }
}
