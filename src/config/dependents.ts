/** What must be resolved again when parts of a configuration change. */
import type { Node } from "./Node.ts"
import type { Tree } from "./Tree.ts"

/** That the interpolation `site` looked at `node`, or for the part of it that has that name. */
export interface Read {
  readonly site: Node
  readonly node: Node
  readonly name: string | null
}

/** Nodes that must be resolved again, and for each mapping and list among them the ids of those within it. */
export type Again = ReadonlyMap<Node, ReadonlySet<string>>

const MOST_KNOWN = 1_000

const outer = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf(".")))

const add = (map: Map<string, Array<Node>>, path: string, node: Node): void => {
  const list = map.get(path)
  if (list === undefined) map.set(path, [node])
  else if (list.at(-1) !== node) list.push(node)
}

export class Dependents {
  private readonly tree: Tree
  /** Interpolations by the path of what they read. */
  private readonly readers = new Map<string, Array<Node>>()
  /** Interpolations by each path around what they read. */
  private readonly inside = new Map<string, Array<Node>>()
  private readonly known = new Map<string, Again>()

  /** Of interpolations that are not within `fixed` (the name of a section). */
  constructor(reads: ReadonlyArray<Read>, tree: Tree, fixed: string) {
    this.tree = tree
    for (const { name, node, site } of reads) {
      if (`${tree.path(site)}.`.startsWith(`${fixed}.`)) continue
      const head = tree.path(node)
      const path = name === null ? head : head === "" ? name : `${head}.${name}`
      add(this.readers, path, site)
      for (let at = path; at !== ""; at = outer(at)) add(this.inside, outer(at), site)
    }
  }

  /**
   * The interpolations that may not yield what they did once what stands at the paths is another, and all that they stand
   * in. Paths hold too much rather than too little: a dot within a key counts as one between keys.
   */
  of(changed: ReadonlyArray<string>): Again {
    const id = changed.join("\n")
    const before = this.known.get(id)
    if (before !== undefined) return before
    const sites = new Set<Node>()
    const open = [...changed]
    const note = (nodes: ReadonlyArray<Node> = []): void => {
      for (const node of nodes) {
        if (sites.has(node)) continue
        sites.add(node)
        open.push(this.tree.path(node))
      }
    }
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      note(this.inside.get(path))
      for (let at = path; at !== ""; at = outer(at)) note(this.readers.get(at))
      note(this.readers.get(""))
    }
    const all = new Map<Node, Set<string>>()
    for (const site of sites) {
      all.set(site, new Set())
      let inner = site
      for (const around of this.tree.above(site)) {
        all.set(around, (all.get(around) ?? new Set()).add(this.tree.id(inner)))
        inner = around
      }
    }
    if (this.known.size >= MOST_KNOWN) this.known.clear()
    this.known.set(id, all)
    return all
  }
}
