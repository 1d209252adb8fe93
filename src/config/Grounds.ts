/** A configuration with each of the options that points of a sweep choose for its groups. */
import * as Either from "effect/Either"
import { isList, type Value, type ValueMap } from "../backend/Value.ts"
import { type Composition, placed } from "./compose.ts"
import { fixed, Ground, type PointSetting, type PointValues } from "./Ground.ts"
import { fromValue, names } from "./Node.ts"
import type { Override } from "./overrides.ts"
import { type Problem, problemAt } from "./Problem.ts"
import type { Surroundings } from "./resolvers/Resolver.ts"

/** A configuration as it was composed, and resolved without any point. */
export interface Variation {
  readonly ground: Ground
  readonly composition: Composition
}

/** A configuration at a point. */
export interface Standing extends PointValues {
  readonly variation: Variation
  /** The point without the parameters that choose options. */
  readonly setting: PointSetting
}

/** How a configuration is composed. */
export interface Composing {
  /** The configuration in which the choices count like overrides of the command line. */
  readonly compose: (choices: ReadonlyArray<Override>) => Composition
  /** Whether the config directory has a group of that name. */
  readonly isGroup: (name: string) => boolean
  readonly surroundings: Surroundings
  /** Names that are of the configuration even where it does not hold them. */
  readonly sections: ReadonlyArray<string>
}

const isOption = (value: Value): boolean => isList(value) ? value.every(isOption) : typeof value === "string"

const choiceOf = (key: string, value: Value): Override => {
  const text = `${key}=${isList(value) ? `[${value.join(",")}]` : String(value)}`
  const node = fromValue(value, { source: "point", key })
  return { kind: "change", key, package: null, value: node, text, column: 1 }
}

export class Grounds {
  private readonly composing: Composing
  private readonly groups = new Map<string, boolean>()
  private readonly known = new Map<string, Either.Either<Variation, ReadonlyArray<Problem>>>()

  constructor(composing: Composing) {
    this.composing = composing
  }

  private isGroup(name: string): boolean {
    const known = this.groups.get(name)
    if (known !== undefined) return known
    const found = this.composing.isGroup(name)
    this.groups.set(name, found)
    return found
  }

  /** Whether a parameter of that name and value chooses an option of a group, instead of setting a value. */
  isChoice(key: string, value: Value): boolean {
    return key !== "" && !fixed.includes(key) && isOption(value) && this.isGroup(key)
  }

  /** The configuration that those of the parameters lead to which are choices; composed once for each combination. */
  of(parameters: ValueMap): Either.Either<Variation, ReadonlyArray<Problem>> {
    const chosen = Object.entries(parameters).filter(([key, value]) => this.isChoice(key, value))
    const id = JSON.stringify(chosen)
    const known = this.known.get(id)
    if (known !== undefined) return known
    const made = this.make(chosen.map(([key, value]) => choiceOf(key, value)))
    this.known.set(id, made)
    return made
  }

  private make(choices: ReadonlyArray<Override>): Either.Either<Variation, ReadonlyArray<Problem>> {
    const { compose, sections, surroundings } = this.composing
    const composition = compose(choices)
    const { problems, root } = composition
    if (root === null || (choices.length > 0 && problems.length > 0)) return Either.left(placed(composition, problems))
    const all = new Set([...names(root), ...sections])
    return Either.right({ ground: new Ground(root, all, surroundings), composition })
  }

  /** The configuration at a point, its values resolved; on the left what is wrong with the point as such. */
  at(point: PointSetting): Either.Either<Standing, ReadonlyArray<Problem>> {
    return Either.gen(this, function*() {
      const variation = yield* this.of(point.parameters)
      const { composition, ground } = variation
      const set = Object.entries(point.parameters).filter(([key, value]) => !this.isChoice(key, value))
      const vain = set.map(([key]) => key).filter((key) => key.includes("/"))
      if (vain.length > 0) return yield* Either.left(vain.map((key) => this.unknownGroup(key)))
      const setting = { ...point, parameters: Object.fromEntries(set) }
      const { parameters, resolved } = yield* Either.mapLeft(ground.at(setting), (found) => placed(composition, found))
      const all = Object.entries(point.parameters).map(([key, value]) =>
        [key, Object.hasOwn(parameters, key) ? parameters[key] ?? null : value] as const
      )
      return { variation, setting, resolved, parameters: Object.fromEntries(all) }
    })
  }

  private unknownGroup(key: string): Problem {
    const message = this.isGroup(key)
      ? `"${key}" is a group of the config directory, of which a sweep can choose an option, or a list of them.`
      : `There is no group "${key}" in the config directory, and a key of a configuration is written with dots.`
    return problemAt(null, "unknown_group", message)
  }
}
