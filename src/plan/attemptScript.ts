/** The script of an attempt that is started with other arguments than planned. */
import { escapeQuoted, escapeSingle, quoteArgument } from "./shell.ts"

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")

/** How a command stands in scripts: plainly, in single or double quotes, or in a here-document. */
const places: ReadonlyArray<(text: string) => string> = [
  (text) => text,
  escapeSingle,
  escapeQuoted,
  (text) => text.replace(/[\\`$]/g, "\\$&")
]

/** The command of `argv` as it stands plainly in a script. */
export const commandText = (argv: ReadonlyArray<string>): string => argv.map(quoteArgument).join(" ")

/**
 * `script` with the command `argv` wherever `command` stands in it, which {@link commandText} made; null if it stands nowhere.
 * Words that `argv` has and `command` has not must need no quotes: where both read alike in two places, so do their
 * replacements.
 */
export const withCommand = (script: string, command: string, argv: ReadonlyArray<string>): string | null => {
  const wanted = commandText(argv)
  const text = [...new Map(places.map((quote) => [quote(command), quote(wanted)]))].reduce(
    (text, [old, now]) => text.replace(new RegExp(`(?<![\\w./=-])${escaped(old)}(?![\\w./=-])`, "g"), () => now),
    script
  )
  return text === script ? null : text
}
