/** Which file of the source imports which, and where that goes against the house (README, "The house"). */
import * as fs from "node:fs"
import * as path from "node:path"
import ts from "typescript"

/** Rooms from top to bottom: a file may import from its own room and from those further down. */
export const rooms = [
  "main",
  "cli",
  "report",
  "replay",
  "monitor",
  "plan",
  "config",
  "scheduler",
  "container",
  "journal",
  "rule",
  "action",
  "session",
  "event",
  "sweep",
  "backend",
  "port"
]

/** An import as it is written; `target` is null where it cannot be read without running the program. */
interface Import {
  readonly target: string | null
  readonly line: number
}

const importedBy = (node: ts.Node): ts.Node | undefined => {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument
  if (ts.isExternalModuleReference(node)) return node.expression
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return node.arguments[0]
  return undefined
}

/** All imports of one file: values and types, static and dynamic, and re-exports. */
const importsOf = (file: string): ReadonlyArray<Import> => {
  const source = ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true)
  const found: Array<Import> = []
  const visit = (node: ts.Node): void => {
    const target = importedBy(node)
    if (target !== undefined) {
      found.push({
        target: ts.isStringLiteralLike(target) ? target.text : null,
        line: source.getLineAndCharacterOfPosition(target.getStart()).line + 1
      })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** `src/rule/Decide.ts` -> `rule`; `src/main.ts` -> `main`. */
const roomOf = (file: string): string => file.split("/")[0]?.replace(/\.ts$/, "") ?? ""

/** Circles as `a -> b -> a`: none only if there is none. */
const circles = (graph: ReadonlyMap<string, ReadonlyArray<string>>): ReadonlyArray<string> => {
  const found: Array<string> = []
  const done = new Set<string>()
  const visit = (file: string, trail: ReadonlyArray<string>): void => {
    const at = trail.indexOf(file)
    if (at >= 0) {
      found.push([...trail.slice(at), file].join(" -> "))
      return
    }
    if (done.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return found
}

/** What is wrong with the imports below `src`, one sentence each; empty if nothing is. */
export const wrongImports = (src: string): ReadonlyArray<string> => {
  const files = fs.readdirSync(src, { recursive: true, encoding: "utf8" })
    .map((file) => file.split(path.sep).join("/"))
    .filter((file) => /\.[cm]?[jt]sx?$/.test(file))
    .sort()
  const graph = new Map<string, ReadonlyArray<string>>()
  const wrong: Array<string> = []
  for (const file of files) {
    const rank = rooms.indexOf(roomOf(file))
    if (rank < 0) wrong.push(`${file}: there is no room "${roomOf(file)}"`)
    const targets: Array<string> = []
    for (const { line, target } of importsOf(path.join(src, file))) {
      const where = `${file}:${line}`
      if (target === null) wrong.push(`${where}: imports a computed name`)
      if (target === null || !target.startsWith(".")) continue
      const found = path.posix.normalize(path.posix.join(path.posix.dirname(file), target))
      if (!files.includes(found)) wrong.push(`${where}: imports ${target}, which is no source file`)
      else if (rooms.indexOf(roomOf(found)) < rank) {
        wrong.push(`${where}: imports ${found}; ${roomOf(file)} stands below ${roomOf(found)}`)
      }
      targets.push(found)
    }
    graph.set(file, targets)
  }
  return [...wrong, ...circles(graph)]
}
