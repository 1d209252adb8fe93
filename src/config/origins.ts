/** Where the values of a composed configuration were written. */
import type { Path } from "./decode.ts"
import type { Node } from "./Node.ts"
import type { Origin } from "./Problem.ts"

/** The path that a text such as `monitoring.log_events[0].name` writes. */
export const pathOf = (text: string): Path =>
  text.split(/\.|(?=\[)/).map((part) => (/^\[\d+\]$/.test(part) ? Number(part.slice(1, -1)) : part))

/** A place, and the node that was written there. */
export interface Written {
  readonly node: Node
  readonly origin: Origin
}

/** What was written at `path`, else around it; keys may hold dots themselves. Null for what stands in nothing written. */
export const writtenAt = (node: Node, path: Path, around: Written | null): Written | null => {
  if (path.length === 0) return { node, origin: node.origin }
  if (node.kind === "list") {
    const item = node.items[Number(path[0])]
    return item === undefined
      ? around
      : writtenAt(item, path.slice(1), { node: item, origin: item.origin })
  }
  if (node.kind === "scalar") return { node, origin: node.origin }
  for (let length = 1; length <= path.length; length++) {
    const entry = node.entries.get(path.slice(0, length).join("."))
    if (entry === undefined) continue
    // A mapping begins at its key: that is where people look for it.
    const origin = entry.node.kind === "scalar" || entry.node.origin.source !== "file"
      ? entry.node.origin
      : entry.origin
    const written = { node: entry.node, origin }
    return length === path.length ? written : writtenAt(entry.node, path.slice(length), written)
  }
  return around
}

/** Where the value at `path` was set last, else what stands around it. */
export const originIn = (node: Node, path: Path): Origin | null => writtenAt(node, path, null)?.origin ?? null

/** Where the key itself stands, for keys that should not be there. */
export const keyOrigin = (root: Node, path: Path): Origin | null => {
  const parent = path.slice(0, -1).reduce<Node | undefined>(
    (node, part) =>
      node?.kind === "map"
        ? node.entries.get(String(part))?.node
        : node?.kind === "list"
        ? node.items[Number(part)]
        : undefined,
    root
  )
  const entry = parent?.kind === "map" ? parent.entries.get(String(path.at(-1))) : undefined
  if (entry === undefined) return originIn(root, path)
  return entry.node.origin.source === entry.origin.source ? entry.origin : entry.node.origin
}
