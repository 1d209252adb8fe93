/** A command as configurations write it: a program and its first arguments, quoted as in a shell. */

/**
 * The words of `text`: blanks part them unless quoted by `'`, `"` or a backslash; nothing is expanded. Null if a quote
 * is not closed, or there is no word.
 */
export const commandWords = (text: string): readonly [string, ...Array<string>] | null => {
  const word = /(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+/gsu
  const [first, ...rest] = (text.match(word) ?? []).map((quoted) =>
    quoted.replace(
      /\\(.)|'([^']*)'|"((?:[^"\\]|\\.)*)"/gsu,
      (_, escaped?: string, plain?: string, double?: string) =>
        escaped ?? plain ?? (double ?? "").replace(/\\(["\\$`])/g, "$1")
    )
  )
  return first === undefined || /\S/.test(text.replace(word, "")) ? null : [first, ...rest]
}
