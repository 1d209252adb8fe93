/**
 * The part of YAML that most config files keep to, read fast: blocks of mappings and lists by their indentation, scalars
 * of one line, flow collections without surprises. Everything else is for the full reader (`yaml.ts`), which says the
 * same of all that is read here, and knows the mistakes.
 */
import { type Entry, type Key, keyId, type Node, type Scalar, scalar } from "./Node.ts"
import type { Origin } from "./Problem.ts"

/** What an unquoted scalar means, and which key one makes: `yaml.ts` says so. */
export interface Scalars {
  readonly readPlain: (text: string) => Scalar
  readonly keyOf: (value: Scalar) => Key | null
}

interface Line {
  readonly indent: number
  /** Without indentation, comment and spaces at its end. */
  readonly text: string
  readonly number: number
}

/** Thrown within this file only: the text is for the full reader. */
const unusual = Symbol("unusual")

const keyShape = /([A-Za-z_/][\w./@-]*(?: +[\w./@-]+)*):(?: +|$)/y
const single = /'((?:[^']|'')*)'/y
const double = /"([^"\\]*)"/y
/** Begins like a scalar, and holds neither a colon or "#" that might mean something, nor what ends a flow scalar. */
const plainShape = /(?:[\w./$\\<(=^~+;]|-(?=[^\s,[\]{}]))(?:[^:#\s]|:(?=[^\s])|(?<=\S)#| +(?=[^#\s]))*/y
const flowShape = /(?:[\w./$\\(^~+;]|-(?=[\w.-]))(?:[\w./$\\()^~+;@%&*!|<>=-]| +(?=[\w./$\\(]))*/y
const comment = / *(?: #.*)?$/y

class PlainReader {
  private readonly file: string
  private readonly scalars: Scalars
  private readonly lines: ReadonlyArray<Line>
  private line = 0

  constructor(text: string, file: string, scalars: Scalars) {
    this.file = file
    this.scalars = scalars
    this.lines = text.split("\n").flatMap((whole, index) => {
      const content = whole.replace(/^ +/, "")
      return content === "" || content.startsWith("#")
        ? []
        : [{ indent: whole.length - content.length, text: content, number: index + 1 }]
    })
  }

  private place({ indent, number }: Line, at: number): Origin {
    return { source: "file", file: this.file, line: number, column: indent + at + 1 }
  }

  private at(): Line | undefined {
    return this.lines[this.line]
  }

  whole(): Node {
    const first = this.at()
    if (first === undefined) throw unusual
    const node = this.block(first.indent)
    if (this.at() !== undefined) throw unusual
    return node
  }

  private block(indent: number): Node {
    const line = this.at()
    if (line === undefined) throw unusual
    return /^-(?: |$)/.test(line.text) ? this.list(line, indent, 0) : this.map(line, indent, 0)
  }

  /** The mapping whose first key stands at `start` of the line; its keys stand at the column `indent`. */
  private map(first: Line, indent: number, start: number): Node {
    const entries = new Map<string, Entry>()
    const origin = this.place(first, start)
    let line: Line | undefined = first
    let at = start
    while (line !== undefined && line.indent + at === indent) {
      keyShape.lastIndex = at
      const found = keyShape.exec(line.text)
      const key = found === null ? null : this.scalars.keyOf(this.scalars.readPlain(found[1] ?? ""))
      if (found === null || key === null || entries.has(keyId(key))) throw unusual
      const keyOrigin = this.place(line, at)
      entries.set(keyId(key), { key, node: this.value(line, at + found[0].length, indent), origin: keyOrigin })
      line = this.at()
      at = 0
    }
    if (line !== undefined && line.indent > indent) throw unusual
    return { kind: "map", entries, origin }
  }

  private list(first: Line, indent: number, start: number): Node {
    const items: Array<Node> = []
    let line: Line | undefined = first
    while (line !== undefined && line.indent === indent && /^-(?: |$)/.test(line.text)) {
      const at = /^- */.exec(line.text)?.[0].length ?? 1
      keyShape.lastIndex = at
      if (at === line.text.length) throw unusual
      items.push(keyShape.test(line.text) ? this.map(line, indent + at, at) : this.inline(line, at))
      line = this.at()
    }
    if (line !== undefined && line.indent > indent) throw unusual
    return { kind: "list", items, origin: this.place(first, start) }
  }

  /** The value of a key: behind it, or in the lines below. */
  private value(line: Line, at: number, indent: number): Node {
    comment.lastIndex = Math.max(0, at - 1)
    if (at < line.text.length && !comment.test(line.text)) return this.inline(line, at)
    this.line++
    const next = this.at()
    const listed = next !== undefined && /^-(?: |$)/.test(next.text)
    if (next !== undefined && (next.indent > indent || (listed && next.indent === indent))) {
      return this.block(next.indent)
    }
    throw unusual
  }

  /** A value that ends on its line. */
  private inline(line: Line, at: number): Node {
    const open = line.text[at]
    const [node, end] = open === "[" || open === "{" ? this.flow(line, at) : this.scalar(line, at, plainShape)
    comment.lastIndex = end
    if (!comment.test(line.text)) throw unusual
    this.line++
    return node
  }

  private scalar(line: Line, at: number, shape: RegExp): readonly [Node, number] {
    const { text } = line
    const quote = text[at]
    const reader = quote === "'" ? single : quote === "\"" ? double : shape
    reader.lastIndex = at
    const found = reader.exec(text)
    if (found === null) throw unusual
    const value = reader === shape
      ? this.scalars.readPlain(found[0])
      : quote === "'"
      ? (found[1] ?? "").replaceAll("''", "'")
      : found[1] ?? ""
    if (reader === shape && (value === "=" || value === "<<")) throw unusual
    return [scalar(value, this.place(line, at)), at + found[0].length]
  }

  private flow(line: Line, start: number): readonly [Node, number] {
    const { text } = line
    const open = text[start]
    if (open !== "[" && open !== "{") return this.scalar(line, start, flowShape)
    const close = open === "[" ? "]" : "}"
    const items: Array<Node> = []
    const entries = new Map<string, Entry>()
    const skip = (from: number): number => {
      let to = from
      while (text[to] === " ") to++
      return to
    }
    let at = skip(start + 1)
    while (text[at] !== close) {
      let key: Key | null = null
      const keyAt = at
      if (open === "{") {
        keyShape.lastIndex = at
        const found = keyShape.exec(text)
        key = found === null ? null : this.scalars.keyOf(this.scalars.readPlain(found[1] ?? ""))
        if (found === null || key === null || entries.has(keyId(key))) throw unusual
        at += found[0].length
      }
      const [node, end] = this.flow(line, at)
      if (key === null) items.push(node)
      else entries.set(keyId(key), { key, node, origin: this.place(line, keyAt) })
      at = skip(end)
      if (text[at] === ",") at = skip(at + 1)
      else if (text[at] !== close) throw unusual
    }
    const origin = this.place(line, start)
    return [open === "[" ? { kind: "list", items, origin } : { kind: "map", entries, origin }, at + 1]
  }
}

/** The text's document; null where the full reader is needed. */
export const readPlainYaml = (text: string, file: string, scalars: Scalars): Node | null => {
  // No tabs, no other line breaks than "\n", nothing that marks documents.
  if (/[^\n -~\u00a1-\u1fff\u2030-\ud7ff]|^(?:---|\.\.\.|%)/m.test(text)) return null
  try {
    return new PlainReader(text, file, scalars).whole()
  } catch (error) {
    if (error === unusual) return null
    throw error
  }
}
