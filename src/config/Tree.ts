/** Where each node of a configuration stands. A node stands at one place only. */
import type { MapNode, Node } from "./Node.ts"

interface Place {
  readonly parent: Node
  readonly name: string
  /** The node's place in `MapNode.entries`, or its index in a list. */
  readonly id: string
}

/** Whether the keys of `now` are those of `then` in the same order, and perhaps others after them. */
const continues = (now: MapNode, then: MapNode): boolean => {
  const ids = now.entries.keys()
  for (const id of then.entries.keys()) if (ids.next().value !== id) return false
  return true
}

/** A mapping of the tree before, and the ids of entries that are not its own any more. */
interface Predecessor {
  readonly node: MapNode
  readonly differing: ReadonlyArray<string>
}

export class Tree {
  readonly root: Node
  /** Dotted paths of what is not as it was before. */
  readonly changed: Array<string> = []
  private readonly places = new Map<Node, Place>()
  private readonly before: Tree | null
  /** What stands now where a mapping or list stood before of which a part has changed. */
  private readonly successors = new Map<Node, Node>()
  private readonly predecessors = new Map<Node, Predecessor>()

  /** `before`: the tree of a configuration with which `root` has most nodes in common, each at the same place. */
  constructor(root: Node, before: Tree | null = null) {
    this.root = root
    this.before = before
    if (before === null) this.adopt(root)
    else this.adoptChanged(root, before.root)
  }

  private adopt(parent: Node): void {
    if (parent.kind === "scalar") return
    const children = parent.kind === "map"
      ? Array.from(parent.entries, ([id, { key, node }]) => ({ node, name: key.text, id }))
      : parent.items.map((node, index) => ({ node, name: String(index), id: String(index) }))
    for (const { id, name, node } of children) {
      this.places.set(node, { parent, name, id })
      this.adopt(node)
    }
  }

  private adoptChanged(now: Node, then: Node): void {
    if (now.kind !== "map" || then.kind !== "map" || !continues(now, then)) {
      this.changed.push(this.path(now))
      this.adopt(now)
      return
    }
    const differing: Array<string> = []
    this.successors.set(then, now)
    this.predecessors.set(now, { node: then, differing })
    for (const [id, { key, node }] of now.entries) {
      const old = then.entries.get(id)?.node
      if (node === old) continue
      differing.push(id)
      this.places.set(node, { parent: now, name: key.text, id })
      if (old !== undefined) this.adoptChanged(node, old)
      else {
        this.changed.push(this.path(node))
        this.adopt(node)
      }
    }
  }

  /** What stood before in the place of a mapping, or the mapping itself; undefined if that was no mapping. */
  predecessor(node: MapNode): Predecessor | undefined {
    return this.predecessors.get(node) ?? (this.places.has(node) ? undefined : { node, differing: [] })
  }

  private place(node: Node): Place | undefined {
    const own = this.places.get(node)
    if (own !== undefined || this.before === null) return own
    const place = this.before.place(node)
    return place === undefined ? undefined : { ...place, parent: this.successors.get(place.parent) ?? place.parent }
  }

  /** The node's id in what holds it. */
  id(node: Node): string {
    return this.place(node)?.id ?? ""
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
