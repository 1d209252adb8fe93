/** Where each node of a configuration stands. A node stands at one place only. */
import type { Node } from "./Node.ts"

interface Place {
  readonly parent: Node
  readonly name: string
}

const children = (parent: Node): Iterable<readonly [name: string, node: Node]> => {
  if (parent.kind === "list") return parent.items.map((item, index) => [String(index), item] as const)
  return parent.kind === "map" ? Array.from(parent.entries.values(), ({ key, node }) => [key.text, node] as const) : []
}

export class Tree {
  readonly root: Node
  /** Dotted paths of what is not as it was before. */
  readonly changed: Array<string> = []
  private readonly places = new Map<Node, Place>()
  private readonly before: Tree | null
  /** What stands now where a mapping or list stood before of which a part has changed. */
  private readonly successors = new Map<Node, Node>()

  /** `before`: the tree of a configuration with which `root` has most nodes in common, each at the same place. */
  constructor(root: Node, before: Tree | null = null) {
    this.root = root
    this.before = before
    if (before === null) this.adopt(root)
    else this.adoptChanged(root, before.root)
  }

  private adopt(parent: Node): void {
    for (const [name, node] of children(parent)) {
      this.places.set(node, { parent, name })
      this.adopt(node)
    }
  }

  private adoptChanged(now: Node, then: Node): void {
    if (now.kind !== "map" || then.kind !== "map") {
      this.changed.push(this.path(now))
      this.adopt(now)
      return
    }
    this.successors.set(then, now)
    for (const [id, { key, node }] of now.entries) {
      const old = then.entries.get(id)?.node
      if (node === old) continue
      this.places.set(node, { parent: now, name: key.text })
      if (old !== undefined) this.adoptChanged(node, old)
      else {
        this.changed.push(this.path(node))
        this.adopt(node)
      }
    }
  }

  private place(node: Node): Place | undefined {
    const own = this.places.get(node)
    if (own !== undefined || this.before === null) return own
    const place = this.before.place(node)
    return place === undefined ? undefined : { ...place, parent: this.successors.get(place.parent) ?? place.parent }
  }

  /** The dotted path of a node; "" for the root. */
  path(node: Node): string {
    const place = this.place(node)
    if (place === undefined) return ""
    const head = this.path(place.parent)
    return head === "" ? place.name : `${head}.${place.name}`
  }

  /** The mappings and lists that hold a node, the innermost first. */
  above(node: Node): ReadonlyArray<Node> {
    const parent = this.place(node)?.parent
    return parent === undefined ? [] : [parent, ...this.above(parent)]
  }
}
