/** Console examples of Markdown pages: what is typed there, and what is printed. */

export interface Block {
  readonly kind: string
  readonly text: string
}

/** The fenced blocks of a page. */
export const blocksOf = (page: string): ReadonlyArray<Block> =>
  [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, kind = "", text = ""]) => ({ kind, text }))

/** Each command behind `$ autoexp `, and the lines that stand below it. */
export const examplesOf = (blocks: ReadonlyArray<Block>): ReadonlyArray<{ line: string; expected: string }> =>
  blocks.filter(({ kind }) => kind === "console")
    .flatMap(({ text }) => text.split(/^\$ autoexp /m).slice(1))
    .map((example) => {
      const [line = "", ...expected] = example.split("\n")
      return { line, expected: expected.join("\n") }
    })

const escaped = (word: string): string => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

/**
 * Spaces are for readers, and `...` stands for any lines. `vary` makes of an escaped line what another run may have
 * otherwise.
 */
export const pattern = (text: string, vary: (source: string) => string): RegExp => {
  const lines = text.trimEnd().split("\n").map((line) =>
    line === "..." ? "(?:.*\\n)*?" : `${vary(line.trim().split(/ +/).map(escaped).join(" +"))} *\\n`
  )
  return new RegExp(`^ *${lines.join(" *")}$`)
}
