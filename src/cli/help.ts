/** Help pages, compact, from the table. `@effect/cli`'s own have a blank line after each line and the wrong names. */
import {
  commandNames,
  commandSpec,
  groups,
  isCommandName,
  type OptionName,
  options,
  optionsOf,
  shortNames
} from "./spec.ts"

const columns = (rows: ReadonlyArray<readonly [string, string]>): ReadonlyArray<string> => {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
}

const optionRow = (required: ReadonlyArray<OptionName>) => (name: OptionName): readonly [string, string] => {
  const option = options[name]
  const letter = Object.keys(shortNames).find((short) => shortNames[short] === name)
  const value = option.kind === "flag" ? "" : ` ${option.value}${option.kind === "repeated" ? " …" : ""}`
  const needed = required.includes(name) ? " (required)" : ""
  return [`${letter === undefined ? "    " : `-${letter}, `}--${name}${value}`, `${option.help}${needed}`]
}

const operandsText = {
  none: "",
  overrides: " [overrides…]",
  configs: " [CONFIG…] [overrides…]",
  ID: " ID",
  SHELL: " bash|zsh|fish",
  command: " [overrides…] -- COMMAND…",
  jobs: " [JOBS…]"
}
const overridesHelp = [
  "",
  "Overrides change the config: key=value, +key=value (new), ++key=value (either), ~key (remove), group=option.",
  "Options and overrides may come in any order."
]
const jobsHelp = [
  "",
  "Jobs are meant by name, by `last`, by index as 0,3-5, or by state:failed, outcome:…, stage:decay*, name:glob."
]

/** The page of a command, a group of commands, or (for no words) of all. */
export const helpPage = (words: string): string => {
  if (isCommandName(words)) {
    const { help, operands, required } = commandSpec(words)
    return [
      `autoexp ${words}: ${help}`,
      "",
      `Usage: autoexp ${words} [options]${operandsText[operands]}`,
      "",
      ...columns(optionsOf(words).map(optionRow(required))),
      ...["overrides", "configs", "command"].includes(operands) ? overridesHelp : operands === "jobs" ? jobsHelp : [],
      ""
    ].join("\n")
  }
  const full = words === "" ? "autoexp" : `autoexp ${words}`
  const about = groups[words] ?? "plan, submit, watch and heal sweeps of training runs"
  return [
    `${full}: ${about}`,
    "",
    `Usage: ${full} COMMAND [options] [overrides…]`,
    "",
    ...columns(
      commandNames.filter((name) => words === "" || name.startsWith(`${words} `)).map((name) => [
        name,
        commandSpec(name).help
      ])
    ),
    "",
    "`--help` after a command shows its options; `autoexp --version` the version.",
    ""
  ].join("\n")
}
