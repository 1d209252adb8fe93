/** Where each node of a configuration stands. A node stands at one place only. */
import type { Node } from "./Node.ts"

export class Tree {
  private readonly parents = new Map<Node, { readonly parent: Node; readonly name: string }>()

  constructor(root: Node) {
    this.adopt(root)
  }

  private adopt(parent: Node): void {
    if (parent.kind === "scalar") return
    const children: Iterable<readonly [string, Node]> = parent.kind === "list"
      ? parent.items.map((item, index) => [String(index), item] as const)
      : [...parent.entries.values()].map(({ key, node }) => [key.text, node] as const)
    for (const [name, node] of children) {
      this.parents.set(node, { parent, name })
      this.adopt(node)
    }
  }

  /** The dotted path of a node; "" for the root. */
  path(node: Node): string {
    const place = this.parents.get(node)
    if (place === undefined) return ""
    const head = this.path(place.parent)
    return head === "" ? place.name : `${head}.${place.name}`
  }

  /** The mappings and lists that hold a node, the innermost first. */
  above(node: Node): ReadonlyArray<Node> {
    const parent = this.parents.get(node)?.parent
    return parent === undefined ? [] : [parent, ...this.above(parent)]
  }
}
