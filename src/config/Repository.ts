/** The files of one config directory, each read once a configuration and parsed once a process. Source: Hydra 1.3 `config_repository.py`. */
import type * as Context from "effect/Context"
import type { ConfigFiles } from "./ConfigFiles.ts"
import { type DefaultsItem, readDefaults } from "./defaultsItem.ts"
import { mapOf, type Node } from "./Node.ts"
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

/** An empty file is an empty mapping, and a lone word a key without a value, as OmegaConf has it. */
const rootOf = (parsed: Node | null, origin: Origin): Node => {
  if (parsed === null || (parsed.kind === "scalar" && parsed.value === null)) return mapOf([], origin)
  if (parsed.kind !== "scalar") return parsed
  const key = { text: String(parsed.value), type: "str" } as const
  return mapOf([{ key, node: { kind: "scalar", value: null, origin }, origin }], origin)
}

interface Parsed {
  readonly text: string
  readonly file: ConfigFile
  readonly problems: ReadonlyArray<Problem>
}

/** Files of this process by their path, parsed again only if their text has changed. */
const parsed = new Map<string, Parsed>()
const MOST_PARSED = 2_000

const parseFile = (file: string, text: string): Parsed => {
  const problems: Array<Problem> = []
  const node = parseYaml(text, file, problems)
  const origin: Origin = node?.origin ?? { source: "file", file, line: 1, column: 1 }
  const root = rootOf(node, origin)
  const defaults = root.kind === "map" ? root.entries.get("defaults") : undefined
  const content = root.kind === "map"
    ? { ...root, entries: new Map([...root.entries].filter(([id]) => id !== "defaults")) }
    : root
  const made: Parsed = {
    text,
    file: {
      file,
      header: readHeader(text, file, problems),
      defaults: defaults === undefined ? [] : readDefaults(defaults.node, problems),
      content
    },
    problems
  }
  if (parsed.size >= MOST_PARSED) parsed.clear()
  parsed.set(file, made)
  return made
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
    const path = `${this.directory}/${name}`
    const text = this.files.read(path)
    if (text === null) return null
    const known = parsed.get(path)
    const { file, problems } = known?.text === text ? known : parseFile(path, text)
    this.problems.push(...problems)
    return file
  }
}
