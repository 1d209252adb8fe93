/** SLURM's notation for many nodes: `lrdn[0337,0417-0419]`, `rack[1-2]n[01-16],gpu7`. */

/** A node's name as SLURM knows it: short, and nothing that could be read as a list, a range or an option. */
export const nodeName = (text: string): string | null =>
  /^([A-Za-z][A-Za-z0-9_-]*)(?:\.[A-Za-z0-9_.-]+)?$/.exec(text)?.[1] ?? null

/** No cluster has more. */
const bound = 65_536

/** The numbers of `0337,0417-0419`, each as wide as it is written; null if it is no such list. */
const numbersOf = (list: string): ReadonlyArray<string> | null => {
  const numbers: Array<string> = []
  for (const part of list.split(",")) {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part.trim())
    if (match === null) return null
    const [, first = "", last = first] = match
    if (Number(last) < Number(first) || Number(last) - Number(first) >= bound) return null
    for (let n = Number(first); n <= Number(last); n += 1) numbers.push(`${n}`.padStart(first.length, "0"))
    if (numbers.length > bound) return null
  }
  return numbers
}

/** The names of one entry, its brackets filled in from the left. */
const namesOf = (entry: string): ReadonlyArray<string> | null => {
  const [, before = "", list, after = ""] = /^([^[\]]*)(?:\[([^[\]]*)\](.*))?$/.exec(entry) ?? []
  if (list === undefined) return before === entry && before !== "" ? [before] : null
  const numbers = numbersOf(list)
  const rests = after === "" ? [""] : namesOf(after)
  if (numbers === null || rests === null || numbers.length * rests.length > bound) return null
  return numbers.flatMap((number) => rests.map((rest) => `${before}${number}${rest}`))
}

/**
 * The nodes that a text names, each once, by their short names; entries stand apart by commas or blanks. Null if any of it
 * is no node's name.
 */
export const expandHosts = (text: string): ReadonlyArray<string> | null => {
  const entries = text.match(/(?:\[[^\]]*\]|[^,\s[\]])+|\[|\]/g) ?? []
  const nodes = new Set<string>()
  for (const entry of entries) {
    for (const name of namesOf(entry) ?? [""]) {
      const node = nodeName(name)
      if (node === null || nodes.size >= bound) return null
      nodes.add(node)
    }
  }
  return nodes.size === 0 ? null : [...nodes]
}
