/**
 * YAML text as OmegaConf's loader reads it: YAML 1.1 scalars, merge keys, duplicate keys refused, dates left as text.
 * Source: PyYAML's `SafeLoader`, OmegaConf 2.3 `_utils.get_yaml_loader`, and what they answered
 * (test/conformance/hydra/yaml-scalars.json).
 */
import * as Yaml from "yaml"
import { integer } from "../backend/numeric.ts"
import { PyFloat } from "../backend/Value.ts"
import { type Entry, type Key, keyId, type MapNode, type Node, type Scalar, scalar } from "./Node.ts"
import { readPlainYaml } from "./plainYaml.ts"
import { type Origin, type Problem, problemAt } from "./Problem.ts"

const boolShape = /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/
const nullShape = /^(?:~|null|Null|NULL|)$/
const intShape =
  /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/
const floatShape =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+|\.[0-9_]+(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/

const readInt = (text: string): number | bigint => {
  const plain = text.replaceAll("_", "").replace(/^[-+]/, "")
  const size = plain.includes(":")
    ? plain.split(":").reduce((sum, part) => sum * 60n + BigInt(part), 0n)
    : /^0[0-7]+$/.test(plain)
    ? BigInt(`0o${plain.slice(1)}`)
    : BigInt(plain)
  return integer(text.startsWith("-") ? -size : size)
}

const readFloat = (text: string): PyFloat => {
  const plain = text.replaceAll("_", "").toLowerCase().replace(/^[-+]/, "")
  const size = plain === ".inf"
    ? Infinity
    : plain === ".nan"
    ? NaN
    : plain.includes(":")
    ? plain.split(":").reduce((sum, part) => sum * 60 + Number(part), 0)
    : Number(plain)
  return new PyFloat(text.startsWith("-") ? -size : size)
}

/** An unquoted scalar. */
export const readPlain = (text: string): Scalar => {
  if (nullShape.test(text)) return null
  if (boolShape.test(text)) return /^(?:yes|true|on)$/i.test(text)
  if (intShape.test(text)) return readInt(text)
  return floatShape.test(text) ? readFloat(text) : text
}

const tagged = (tag: string, text: string): Scalar | undefined => {
  switch (tag.replace("tag:yaml.org,2002:", "!!")) {
    case "!":
    case "!!str":
      return text
    case "!!int":
      return intShape.test(text) ? readInt(text) : undefined
    case "!!float":
      return floatShape.test(text)
        ? readFloat(text)
        : intShape.test(text)
        ? new PyFloat(Number(readInt(text)))
        : undefined
    case "!!bool":
      return boolShape.test(text) ? /^(?:yes|true|on)$/i.test(text) : undefined
    case "!!null":
      return null
    default:
      return undefined
  }
}

/** The key that a scalar makes; null cannot be one. */
export const keyOf = (value: Scalar): Key | null => {
  if (value instanceof PyFloat) return { text: String(value.value), type: "float" }
  switch (typeof value) {
    case "string":
      return { text: value, type: "str" }
    case "boolean":
      return { text: value ? "True" : "False", type: "bool" }
    case "number":
    case "bigint":
      return { text: String(value), type: "int" }
    default:
      return null
  }
}

/** Values that the aliases of one file may stand for. */
const MOST_COPIES = 100_000

class Reader {
  readonly file: string
  readonly document: Yaml.Document
  readonly lines: Yaml.LineCounter
  readonly problems: Array<Problem>
  /** Anchored nodes that are being read: an alias to one of them would never end. */
  private readonly open = new Set<Yaml.Node>()
  /** How deep within aliases the reader is, and how much it has read there: ten lines can name a billion values. */
  private within = 0
  private copies = 0

  constructor(file: string, document: Yaml.Document, lines: Yaml.LineCounter, problems: Array<Problem>) {
    this.file = file
    this.document = document
    this.lines = lines
    this.problems = problems
  }

  place(node: Yaml.Node | null): Origin {
    const { col, line } = this.lines.linePos(node?.range?.[0] ?? 0)
    return { source: "file", file: this.file, line: Math.max(1, line), column: Math.max(1, col) }
  }

  fail(at: Origin, message: string, kind = "yaml"): null {
    this.problems.push(problemAt(at, kind, message))
    return null
  }

  scalar(node: Yaml.Scalar): Scalar | undefined {
    const text = String(node.value ?? "")
    if (node.tag !== undefined && node.tag !== "?") {
      const value = tagged(node.tag, text)
      if (value === undefined) this.fail(this.place(node), `The tag ${node.tag} does not fit "${text}".`)
      return value
    }
    if (node.type !== "PLAIN") return text
    if (text === "=") {
      this.fail(this.place(node), "A single \"=\" is no value in YAML 1.1; quote it.")
      return undefined
    }
    return readPlain(text)
  }

  private copy(target: Yaml.Node, origin: Origin): Node {
    this.within += 1
    const node = this.copies > MOST_COPIES ? scalar(null, origin) : this.node(target)
    this.within -= 1
    return node
  }

  node(node: Yaml.Node | null): Node {
    if (this.within > 0 && (this.copies += 1) === MOST_COPIES) {
      this.fail(this.place(node), `The aliases of this file stand for more than ${MOST_COPIES} values.`)
    }
    const origin = this.place(node)
    if (Yaml.isAlias(node)) {
      const target = node.resolve(this.document)
      if (target !== undefined && !this.open.has(target)) return this.copy(target, origin)
      const why = target === undefined ? "names no anchor above it" : "stands within what it names"
      this.fail(origin, `The alias *${node.source} ${why}.`)
      return scalar(null, origin)
    }
    if (node === null || Yaml.isScalar(node)) {
      return scalar(node === null ? null : this.scalar(node) ?? null, origin)
    }
    this.open.add(node)
    const read = this.collection(node, origin)
    this.open.delete(node)
    return read
  }

  collection(node: Yaml.Node, origin: Origin): Node {
    if (Yaml.isMap(node)) return this.map(node, origin)
    if (Yaml.isSeq(node)) {
      this.refuseTag(node)
      for (const item of node.items) this.refuseQuestionMark(node, item)
      return { kind: "list", items: node.items.map((item) => this.node(Yaml.isNode(item) ? item : null)), origin }
    }
    return scalar(null, origin)
  }

  refuseTag(node: Yaml.YAMLMap | Yaml.YAMLSeq): void {
    if (node.tag !== undefined && !/^tag:yaml\.org,2002:(?:map|seq)$/.test(node.tag)) {
      this.fail(this.place(node), `The tag ${node.tag} is not known.`)
    }
  }

  /** YAML 1.1 reads a "?" within brackets as the sign of a key. */
  refuseQuestionMark(parent: Yaml.YAMLMap | Yaml.YAMLSeq, item: unknown): void {
    if (parent.flow === true && Yaml.isScalar(item) && item.type === "PLAIN" && String(item.value).startsWith("?")) {
      this.fail(this.place(item), `Within brackets "${String(item.value)}" must be quoted.`)
    }
  }

  map(node: Yaml.YAMLMap, origin: Origin): MapNode {
    this.refuseTag(node)
    for (const pair of node.items) this.refuseQuestionMark(node, pair.value)
    const merged: Array<Entry> = []
    const own: Array<Entry> = []
    const seen = new Set<string>()
    for (const pair of node.items) {
      const keyNode = Yaml.isNode(pair.key) ? pair.key : null
      const valueNode = Yaml.isNode(pair.value) ? pair.value : null
      const at = this.place(keyNode)
      if (Yaml.isScalar(keyNode) && keyNode.type === "PLAIN" && keyNode.value === "<<") {
        merged.push(...this.mergeKey(valueNode))
        continue
      }
      if (!Yaml.isScalar(keyNode)) {
        this.fail(at, "A key must be a text, a number or a boolean.")
        continue
      }
      const value = this.scalar(keyNode)
      const key = value === undefined ? null : keyOf(value)
      if (key === null) {
        if (value === null) this.fail(at, "The key is null; quote it to make it a text.", "unsupported_key_type")
        continue
      }
      if (key.type === "str" && seen.has(key.text)) this.fail(at, `The key "${key.text}" stands here a second time.`)
      seen.add(keyId(key))
      own.push({ key, node: this.node(valueNode), origin: at })
    }
    // The last value wins, at the place and under the key that came first.
    const entries = new Map<string, Entry>()
    for (const entry of [...merged, ...own]) {
      const id = keyId(entry.key)
      entries.set(id, { ...entry, key: entries.get(id)?.key ?? entry.key })
    }
    return { kind: "map", entries, origin }
  }

  /** Of several merged maps the first one wins, and the keys of the last one come first. */
  mergeKey(node: Yaml.Node | null): ReadonlyArray<Entry> {
    const value = this.node(node)
    const maps = value.kind === "list" ? value.items.toReversed() : [value]
    return maps.flatMap((map) => {
      if (map.kind === "map") return [...map.entries.values()]
      this.fail(map.origin, "Only a mapping, or a list of them, can be merged by \"<<\".")
      return []
    })
  }
}

/** The text's only document; null if it is not YAML. Problems are added to `problems`, with their places. */
export const parseYaml = (text: string, file: string, problems: Array<Problem>): Node | null => {
  if (isTooDeep(text)) {
    const at: Origin = { source: "file", file, line: 1, column: 1 }
    problems.push(problemAt(at, "yaml", `This is nested more than ${DEEPEST} levels deep.`))
    return null
  }
  return readPlainYaml(text, file, { keyOf, readPlain }) ?? parseFullYaml(text, file, problems)
}

/** Far deeper than any config; what reads and merges it goes as deep as the text does. */
const DEEPEST = 200

/** Dashes in a row, or a deep indentation: what a text that nests too deep has somewhere, if it has few brackets. */
const deepSigns = new RegExp(`(?:- ){${DEEPEST}}|^ {${DEEPEST}}`, "m")

/** Whether indentation or brackets nest too deep. Brackets within texts count too: that many are no config either. */
const isTooDeep = (text: string): boolean => {
  if ((text.match(/[[{]/g)?.length ?? 0) <= DEEPEST && !deepSigns.test(text)) return false
  let open = 0
  let indents: ReadonlyArray<number> = []
  for (const line of text.split("\n")) {
    const indent = line.search(/[^ ]/)
    if (indent >= 0) indents = [...indents.filter((outer) => outer < indent), indent]
    for (const char of line) open = Math.max(0, open + ("[{".includes(char) ? 1 : "]}".includes(char) ? -1 : 0))
    const dashes = /^ *((?:- )*)/.exec(line)?.[1]?.length ?? 0
    if (indents.length + dashes / 2 > DEEPEST || open > DEEPEST) return true
  }
  return false
}

/** As `parseYaml`, of any YAML: slow. */
export const parseFullYaml = (text: string, file: string, problems: Array<Problem>): Node | null => {
  const lines = new Yaml.LineCounter()
  const document = Yaml.parseDocument(text.replace(/^\ufeff/, ""), {
    schema: "failsafe",
    version: "1.1",
    lineCounter: lines,
    uniqueKeys: false,
    merge: false,
    prettyErrors: false,
    strict: true
  })
  // What follows the first mistake mostly follows from it.
  const [error] = document.errors
  if (error !== undefined) {
    const { col, line } = lines.linePos(error.pos[0])
    const at: Origin = { source: "file", file, line: Math.max(1, line), column: Math.max(1, col) }
    const wanted = /[[{,:]\s*\$\{/.test(text.split("\n")[line - 1] ?? "")
      ? ` (within braces write '\${…}' in quotes)`
      : ""
    problems.push(problemAt(at, "yaml", `This is not valid YAML: ${error.message.replace(/\.$/, "")}${wanted}.`))
    return null
  }
  const reader = new Reader(file, document, lines, problems)
  return reader.node(document.contents)
}
