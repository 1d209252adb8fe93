/** Operands that name configs, with overrides behind them. */
import * as fs from "node:fs"
import * as path from "node:path"

/** Whether a word is an override, rather than a config's name or the path of a file (which may hold `=`). */
const isOverride = (word: string, cwd: string): boolean =>
  /^[~+]|=/.test(word) && !fs.existsSync(path.resolve(cwd, word))

/** The names in their order, and the overrides: those before the first name, and those behind each. */
export const splitConfigs = (words: ReadonlyArray<string>, cwd: string): {
  readonly first: ReadonlyArray<string>
  readonly configs: ReadonlyArray<{ readonly configRef: string; readonly overrides: ReadonlyArray<string> }>
} => {
  const first: Array<string> = []
  const configs: Array<{ readonly configRef: string; readonly overrides: Array<string> }> = []
  for (const word of words) {
    if (!isOverride(word, cwd)) configs.push({ configRef: word, overrides: [] })
    else (configs.at(-1)?.overrides ?? first).push(word)
  }
  return { first, configs }
}
