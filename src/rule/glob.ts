/** Patterns for names of files, as Python's `fnmatch` reads them: `*`, `?`, `[…]`, `[!…]`. */

/** The name that the pattern means, if it can mean one alone; null otherwise. */
export const literalOf = (pattern: string): string | null => {
  const name = pattern.replace(/\[([*?[])\]/g, "$1")
  return /[*?[]/.test(pattern.replace(/\[[*?[]\]/g, "")) ? null : name
}

/** Matches whole names. In linear time for each star: a name has no more than 255 bytes. */
export const nameRegex = (pattern: string): RegExp => {
  let regex = ""
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at] ?? ""
    const close = pattern.indexOf("]", at + (pattern[at + 1] === "!" ? 3 : 2))
    if (char === "*") regex += regex.endsWith(".*") ? "" : ".*"
    else if (char === "?") regex += "."
    else if (char === "[" && close > 0) {
      const inside = pattern.slice(at + 1, close).replace(/[\\\]^[&~|]/g, "\\$&")
      regex += `[${inside.startsWith("!") ? `^${inside.slice(1)}` : inside}]`
      at = close
    } else regex += char.replace(/[\\^$.|?*+()[\]{}/]/, "\\$&")
  }
  try {
    return new RegExp(`^${regex}$`, "s")
  } catch {
    return /(?!)/
  }
}
