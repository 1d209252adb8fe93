/**
 * How texts of a config stand in a batch script. Two rules, so that nobody has to guess:
 *
 * - **Arguments and the backend's environment are data.** Every character arrives as it is, except references `$NAME`
 *   and `${NAME}`, which the node fills in (`$MASTER_ADDR`); `\$NAME` keeps the reference as text. `$(…)`, backquotes,
 *   `;`, `*`, quotes, blanks and line breaks mean nothing: log texts reach arguments through follow-ups.
 * - **`slurm.env` is shell text of the config's author.** There `$(…)` and `${NAME:-…}` work too; `\$` is a dollar.
 *   Everything else is data, and the value is never split into words.
 */

const reference = /\\?\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*\})/g

/** `text` as one single-quoted word: no character of it means anything. */
export const quoteData = (text: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${escapeSingle(text)}'`

/** `text` as part of a single-quoted text. */
export const escapeSingle = (text: string): string => text.replaceAll("'", `'\\''`)

/** `text` as part of a double-quoted text, of which nothing is filled in. */
export const escapeQuoted = (text: string): string => text.replace(/["\\`$]/g, "\\$&")

/** `text` as one word of which only references `$NAME` and `${NAME}` are filled in by the node's shell. */
export const quoteArgument = (text: string): string => {
  const references = text.match(reference)
  if (references === null) return quoteData(text)
  const between = text.split(reference).map(escapeQuoted)
  return `"${between.map((part, index) => `${part}${references[index] ?? ""}`).join("")}"`
}

/** What the shell makes of {@link quoteArgument}: references filled in from `env`, unset ones as nothing. */
export const fillReferences = (text: string, env: Readonly<Record<string, string | undefined>>): string =>
  text.replace(reference, (found) => found.startsWith("\\") ? found.slice(1) : env[found.replace(/[${}]/g, "")] ?? "")

/** The position after the `close` that ends what begins at `from`, quotes and nesting respected; null if none does. */
const endOf = (text: string, from: number, open: string, close: string): number | null => {
  let depth = 1
  for (let at = from; at < text.length; at++) {
    const char = text[at]
    if (char === "\\") at++
    else if (char === "'") {
      const end = text.indexOf("'", at + 1)
      if (end < 0) return null
      at = end
    } else if (char === "\"") {
      const end = endOfQuoted(text, at + 1)
      if (end === null) return null
      at = end
    } else if (char === open) depth++
    else if (char === close && --depth === 0) return at + 1
  }
  return null
}

/** The position of the double quote that ends a quoted part, past any `$(…)` in it; null if none does. */
const endOfQuoted = (text: string, from: number): number | null => {
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") at++
    else if (text[at] === "\"") return at
    else if (text.startsWith("$(", at)) {
      const end = endOf(text, at + 2, "(", ")")
      if (end === null) return null
      at = end - 1
    }
  }
  return null
}

/** `text` of `slurm.env` as one double-quoted word; null if a `$(` or `${` in it is not closed. */
export const quoteEnvironment = (text: string): string | null => {
  let quoted = ""
  for (let at = 0; at < text.length;) {
    if (text.startsWith("\\$", at)) {
      quoted += "\\$"
      at += 2
    } else if (text.startsWith("$(", at) || text.startsWith("${", at)) {
      const end = text[at + 1] === "(" ? endOf(text, at + 2, "(", ")") : endOf(text, at + 2, "{", "}")
      if (end === null) return null
      quoted += text.slice(at, end)
      at = end
    } else if (/^\$[A-Za-z0-9_@*#?$!-]/.test(text.slice(at, at + 2))) {
      quoted += "$"
      at++
    } else {
      quoted += escapeQuoted(text[at] ?? "")
      at++
    }
  }
  return `"${quoted}"`
}
