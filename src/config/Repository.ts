/** The files of one config directory, each read and parsed once. Source: Hydra 1.3 `config_repository.py`. */
import type * as Context from "effect/Context"
import type { ConfigFiles } from "./ConfigFiles.ts"
import { type DefaultsItem, readDefaults } from "./defaultsItem.ts"
import { type MapNode, mapOf, type Node } from "./Node.ts"
import { type Origin, type Problem, problemAt } from "./Problem.ts"
import { parseYaml } from "./yaml.ts"

/** One config file. */
export interface ConfigFile {
  readonly file: string
  /** What `# @package` at its top says. */
  readonly header: string | null
  readonly defaults: ReadonlyArray<DefaultsItem>
  /** All but the defaults list; a file may also be a list. */
  readonly content: Node
}

/** The package of a header; only lines of the form `# @key value` and blank ones may stand above it. */
const readHeader = (text: string, file: string, problems: Array<Problem>): string | null => {
  let found: string | null = null
  for (const [index, line] of text.replace(/^\ufeff/, "").split(/\r?\n/).entries()) {
    if (line.trim() === "") continue
    if (!/^\s*#\s*@/.test(line)) break
    const [key = "", value, ...more] = line.trim().replace(/^#+/, "").trim().split(/ +/)
    if (value === undefined) continue
    if (more.length > 0) {
      const at: Origin = { source: "file", file, line: index + 1, column: 1 }
      problems.push(
        problemAt(at, "invalid_header", `"${line.trim()}" must hold one word behind ${key}, without a comment.`)
      )
    }
    if (key === "@package") found = value
  }
  return found
}

export class Repository {
  readonly directory: string
  readonly files: Context.Tag.Service<ConfigFiles>
  readonly problems: Array<Problem>
  private readonly known = new Map<string, ConfigFile | null>()
  private readonly folders = new Map<string, ReadonlyArray<string> | null>()

  constructor(directory: string, files: Context.Tag.Service<ConfigFiles>, problems: Array<Problem>) {
    this.directory = directory
    this.files = files
    this.problems = problems
  }

  private list(folder: string): ReadonlyArray<string> | null {
    const known = this.folders.get(folder)
    if (known !== undefined) return known
    const names = this.files.list(folder === "" ? this.directory : `${this.directory}/${folder}`)
    this.folders.set(folder, names)
    return names
  }

  /** Whether there is a group (a directory) of that path. */
  groupExists(group: string): boolean {
    return this.list(group) !== null
  }

  /** Names of the options of a group, without their extension. */
  options(group: string): ReadonlyArray<string> {
    return (this.list(group) ?? []).filter((name) => name.endsWith(".yaml")).map((name) => name.slice(0, -5))
  }

  /** Names of the groups directly below one. */
  groups(group: string): ReadonlyArray<string> {
    return (this.list(group) ?? []).filter((name) => name.endsWith("/")).map((name) => name.slice(0, -1))
  }

  /** The file of a config path such as `slurm/base`, with or without its extension; null if there is none. */
  load(path: string): ConfigFile | null {
    const name = path.endsWith(".yaml") ? path : `${path}.yaml`
    const known = this.known.get(name)
    if (known !== undefined) return known
    const loaded = this.read(name)
    this.known.set(name, loaded)
    return loaded
  }

  private read(name: string): ConfigFile | null {
    const file = `${this.directory}/${name}`
    const text = this.files.read(file)
    if (text === null) return null
    const parsed = parseYaml(text, file, this.problems)
    const origin: Origin = parsed?.origin ?? { source: "file", file, line: 1, column: 1 }
    const root = this.root(parsed, origin)
    const defaults = root.kind === "map" ? root.entries.get("defaults") : undefined
    return {
      file,
      header: readHeader(text, file, this.problems),
      defaults: defaults === undefined ? [] : readDefaults(defaults.node, this.problems),
      content: root.kind === "map"
        ? { ...root, entries: new Map([...root.entries].filter(([id]) => id !== "defaults")) }
        : root
    }
  }

  /** An empty file is an empty mapping, and a lone word a key without a value, as OmegaConf has it. */
  private root(parsed: Node | null, origin: Origin): MapNode | Node {
    if (parsed === null || (parsed.kind === "scalar" && parsed.value === null)) return mapOf([], origin)
    if (parsed.kind !== "scalar") return parsed
    const key = { text: String(parsed.value), type: "str" } as const
    return mapOf([{ key, node: { kind: "scalar", value: null, origin }, origin }], origin)
  }
}
