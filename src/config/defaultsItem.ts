/** One entry of a defaults list, as it was written. Source: Hydra 1.3 `_create_defaults_list`. */
import type { Node } from "./Node.ts"
import { type Origin, type Problem, problemAt } from "./Problem.ts"

export interface DefaultsItem {
  readonly origin: Origin
  /** `_self_`: where the file's own content is merged. */
  readonly self: boolean
  /** A group's path; null where a config is named by its own path. */
  readonly group: string | null
  /** A config's path (no group), an option, several options, or null for none. */
  readonly value: string | null | ReadonlyArray<string>
  /** What stands behind "@". */
  readonly package: string | null
  readonly optional: boolean
  /** Replaces the choice made for the group elsewhere. */
  readonly override: boolean
}

const split = (text: string): readonly [string, string | null] => {
  const at = text.indexOf("@")
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)]
}

const readGroup = (key: string, node: Node, origin: Origin, problems: Array<Problem>): DefaultsItem | null => {
  const words = key.split(/ +/)
  const [group, named] = split(words.at(-1) ?? "")
  const keywords = words.slice(0, -1)
  const unknown = keywords.find((keyword) => keyword !== "optional" && keyword !== "override")
  if (unknown !== undefined) {
    problems.push(problemAt(
      origin,
      "invalid_defaults_list",
      `"${unknown}" before a group is no keyword; there are "optional" and "override".`
    ))
    return null
  }
  const item = {
    origin,
    self: false,
    group,
    package: named,
    optional: keywords.includes("optional"),
    override: keywords.includes("override")
  }
  const refuse = (at: Node) => {
    problems.push(problemAt(
      at.origin,
      "invalid_defaults_list",
      `The option of "${group}" must be a text or a list of texts; quote words like off, yes and 12.`
    ))
    return null
  }
  if (node.kind === "list") {
    const options: Array<string> = []
    for (const option of node.items) {
      if (option.kind !== "scalar" || typeof option.value !== "string") return refuse(option)
      options.push(option.value)
    }
    return { ...item, value: options }
  }
  if (node.kind === "scalar" && (node.value === null || typeof node.value === "string")) {
    return { ...item, value: node.value }
  }
  return refuse(node)
}

const readItem = (node: Node, problems: Array<Problem>): DefaultsItem | null => {
  const { origin } = node
  if (node.kind === "scalar" && typeof node.value === "string") {
    const words = node.value.split(/ +/)
    const [path, named] = split(words.at(-1) ?? "")
    const optional = words.length > 1 && words[0] === "optional"
    return {
      origin,
      self: node.value === "_self_",
      group: null,
      value: path,
      package: named,
      optional,
      override: false
    }
  }
  const entries = node.kind === "map" ? [...node.entries.values()] : []
  const entry = entries[0]
  if (entry !== undefined && entries.length === 1) return readGroup(entry.key.text, entry.node, entry.origin, problems)
  problems.push(problemAt(
    origin,
    "invalid_defaults_list",
    entries.length > 1
      ? `A defaults entry is one "group: option"; this one has ${entries.length} keys.`
      : "A defaults entry is the name of a config, \"group: option\", or _self_."
  ))
  return null
}

/** The entries of a defaults list; what is no entry is noted and left out. */
export const readDefaults = (node: Node, problems: Array<Problem>): ReadonlyArray<DefaultsItem> => {
  if (node.kind === "list") {
    return node.items.map((item) => readItem(item, problems)).filter((item) => item !== null)
  }
  if (node.kind !== "scalar" || node.value !== null) {
    problems.push(
      problemAt(node.origin, "invalid_defaults_list", "A defaults list must be a list: each entry begins with \"- \".")
    )
  }
  return []
}
