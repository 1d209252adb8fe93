/** A command with some of its options otherwise. */

/** What an option is given: its values in their order, none for a bare flag; null: the option is left out. */
export type Overrides = Readonly<Record<string, ReadonlyArray<string> | null>>

/** Option names as configs write them: `lr`, `backend.args.lr` and `backend.megatron.lr` are all `lr`. */
const optionName = (key: string): string => key.replace(/^(?:backend\.)?(?:(?:args|megatron)\.)?/, "")

/** Whether a word begins an option; a negative number is a value. */
const isOption = (word: string): boolean => /^--?[A-Za-z]/.test(word)

/**
 * `argv` with each option of `overrides` replaced where it first stands, and left out where it stands again; one that is
 * not there follows at the end. Known as an option of that name are `--a-b V…`, `--a_b V…`, `--a-b=V` and the bare `a_b=V`.
 */
export const overriddenArgv = (argv: ReadonlyArray<string>, overrides: Overrides): ReadonlyArray<string> =>
  Object.entries(overrides).reduce((words, [key, values]) => withOption(words, optionName(key), values), argv)

const withOption = (
  argv: ReadonlyArray<string>,
  name: string,
  values: ReadonlyArray<string> | null
): ReadonlyArray<string> => {
  const flags = [`--${name.replaceAll("_", "-")}`, `--${name}`]
  const out: Array<string> = []
  let isThere = false
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? ""
    const flag = flags.find((one) => word === one || word.startsWith(`${one}=`)) ??
      (word.startsWith(`${name}=`) ? name : undefined)
    if (flag === undefined) {
      out.push(word)
      continue
    }
    const joined = word !== flag
    while (!joined && at + 1 < argv.length && !isOption(argv[at + 1] ?? "")) at += 1
    if (!isThere && values !== null) {
      out.push(...(joined && values.length === 1 ? [`${flag}=${values[0]}`] : [flag, ...values]))
    }
    isThere = true
  }
  return isThere || values === null ? out : [...out, flags[0] ?? "", ...values]
}
