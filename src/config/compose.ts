/** Files and overrides as one configuration, its interpolations kept. Source: Hydra 1.3 `config_loader_impl.py`. */
import type * as Context from "effect/Context"
import * as Either from "effect/Either"
import { didYouMean, nearest } from "../backend/nearest.ts"
import type { ConfigFiles } from "./ConfigFiles.ts"
import { DefaultsTree } from "./defaults.ts"
import { GroupChoices } from "./GroupChoices.ts"
import { applyOverride, copy, type Expand, mergeMap, type Merging } from "./merge.ts"
import { type MapNode, mapOf, type Node } from "./Node.ts"
import { type Override, parseOverride, partOrigin } from "./overrides.ts"
import { type Origin, type Problem, problemAt } from "./Problem.ts"
import { Repository } from "./Repository.ts"
import { Resolution } from "./resolve.ts"
import type { Surroundings } from "./resolvers/Resolver.ts"
import { parseYaml } from "./yaml.ts"

const expandIn = (surroundings: Surroundings): Expand => (root, node) =>
  new Resolution(root, surroundings).container(node)

/** How layers are merged; problems are added to `problems`. */
export const merging = (surroundings: Surroundings, problems: Array<Problem>): Merging => ({
  problems,
  expand: expandIn(surroundings)
})

/** `node` at a dotted path below an empty mapping. */
const embed = (node: Node, path: string): Node => {
  const names = path === "" ? [] : path.split(".")
  return names.reduceRight<Node>(
    (inner, text) => mapOf([{ key: { text, type: "str" }, node: inner, origin: inner.origin }], inner.origin),
    node
  )
}

const partition = <A, E>(items: ReadonlyArray<Either.Either<A, E>>): readonly [ReadonlyArray<E>, ReadonlyArray<A>] => [
  items.flatMap((item) => (Either.isLeft(item) ? [item.left] : [])),
  items.flatMap((item) => (Either.isRight(item) ? [item.right] : []))
]

const applyAll = (
  root: MapNode,
  overrides: ReadonlyArray<Override>,
  how: Merging,
  groups: ReadonlyArray<string>
): MapNode =>
  overrides.reduce((config, override) => {
    if (override.package !== null) {
      how.problems.push(problemAt(
        partOrigin(override, 0),
        "unknown_group",
        `The override "${override.text}" chooses an option, but there is no group "${override.key}"; ${
          didYouMean(override.key, groups)
        }`,
        nearest(override.key, groups)
      ))
      return config
    }
    const changed = applyOverride(config, override, how)
    if (Either.isRight(changed)) return changed.right
    how.problems.push(changed.left)
    return config
  }, root)

/** What was composed of files and overrides. */
export interface Composition {
  /** Null if nothing can be said of its values: a file is missing, or cannot be read. */
  readonly root: MapNode | null
  readonly problems: ReadonlyArray<Problem>
  /** The chain of defaults that led to each file, by the file's path. */
  readonly chains: ReadonlyMap<string, ReadonlyArray<string>>
}

/** The problems with the chains of defaults that led to their files. */
export const placed = ({ chains }: Composition, found: ReadonlyArray<Problem>): ReadonlyArray<Problem> =>
  found.map((problem) => ({ ...problem, chain: chains.get(problem.file ?? "") ?? [] }))

const nothing = (problems: ReadonlyArray<Problem>, chains: Composition["chains"] = new Map()): Composition => ({
  root: null,
  problems,
  chains
})

/**
 * The configuration that `name` in the config directory leads to. Hydra's own settings (`hydra`) are left out. `choices`:
 * options of groups that win over those of the command line.
 */
export const compose = (
  files: Context.Tag.Service<ConfigFiles>,
  name: string,
  overrides: ReadonlyArray<string>,
  surroundings: Surroundings,
  choices: ReadonlyArray<Override> = []
): Composition => {
  const problems: Array<Problem> = []
  const repository = new Repository(surroundings.configDir, files, problems)
  if (!repository.groupExists("")) {
    return nothing([problemAt(null, "missing_directory", `There is no config directory ${surroundings.configDir}.`)])
  }
  const [misread, read] = partition(overrides.map(parseOverride))
  const groups = new GroupChoices(repository, problems)
  const settings = groups.take([...read, ...choices])
  const defaults = new DefaultsTree(repository, groups, surroundings, problems)
  const layers = defaults.list(name)
  const origin: Origin = { source: "file", file: `${surroundings.configDir}/${name}.yaml`, line: 1, column: 1 }
  const how = merging(surroundings, problems)
  const merged = layers.reduce<MapNode>((root, layer) => {
    // A file may stand at several places, and in other configurations too.
    const over = embed(copy(layer.file.content), layer.package)
    if (over.kind === "map") return mergeMap(root, over, root, "", how)
    problems.push(problemAt(over.origin, "merge_error", "A list cannot be the whole configuration."))
    return root
  }, mapOf([], origin))
  // Values are set only on what could be composed: else each missing file would bring a second, misleading mistake.
  if (problems.length > 0) return nothing([...misread, ...problems], defaults.chains)
  const ours = settings.filter(({ key }) => !/^hydra(?:\.|$)/.test(key))
  const composed = { ...merged, entries: new Map([...merged.entries].filter(([id]) => id !== "hydra")) }
  const root = applyAll(composed, ours, how, repository.groups(""))
  return { root, problems: [...misread, ...problems], chains: defaults.chains }
}

/** What a plan's manifest recorded as its configuration; of any other file all of it. */
const recorded = (root: MapNode): MapNode => {
  const config = root.entries.get("config")?.node
  return root.entries.has("plan_id") && config?.kind === "map" ? config : root
}

/**
 * The configuration of one plain YAML or JSON file, without a defaults list, or the one that a manifest recorded;
 * overrides apply to it too.
 */
export const composePlain = (
  files: Context.Tag.Service<ConfigFiles>,
  file: string,
  overrides: ReadonlyArray<string>,
  surroundings: Surroundings
): Composition => {
  const problems: Array<Problem> = []
  const text = files.read(file)
  if (text === null) return nothing([problemAt(null, "missing_config", `The file ${file} cannot be read.`)])
  const root = parseYaml(text, file, problems)
  if (root === null) return nothing(problems)
  if (root.kind !== "map") {
    return nothing([...problems, problemAt(root.origin, "merge_error", "A config file must hold a mapping.")])
  }
  if (root.entries.has("config_ref") && !root.entries.has("config")) {
    const message = "This file says where a config is, and holds none; plan from it by --from instead."
    return nothing([problemAt(root.origin, "config_reference", message)])
  }
  const defaults = root.entries.get("defaults")
  if (defaults !== undefined) {
    problems.push(problemAt(
      defaults.origin,
      "invalid_defaults_list",
      `A defaults list names files of a config directory, and this file stands in none; put it into ${surroundings.configDir}.`
    ))
  }
  if (problems.length > 0) return nothing(problems)
  const [misread, read] = partition(overrides.map(parseOverride))
  const changed = applyAll(recorded(root), read, merging(surroundings, problems), [])
  return { root: changed, problems: [...misread, ...problems], chains: new Map() }
}
