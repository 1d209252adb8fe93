/** What may stand where a word of the command line is being typed; what has to be looked up is named, not known here. */
import { wordsAfter } from "../normalise.ts"
import {
  commandSpec,
  groups,
  isCommandName,
  isOptionName,
  type OptionName,
  options,
  optionsOf,
  shortNames
} from "../spec.ts"

/** Where further candidates are found. */
export type Source = "sessions" | "jobs" | "configs" | "monitoring" | "overrides" | "files" | "folders"

export interface Candidates {
  /** What the word begins with and keeps, as `--session=`. */
  readonly kept: string
  /** What of the word is being completed. */
  readonly typed: string
  readonly words: ReadonlyArray<{ readonly word: string; readonly help: string }>
  readonly sources: ReadonlyArray<Source>
  /** Options with values that stand before the word. */
  readonly given: ReadonlyMap<OptionName, string>
}

/** The shells that completion knows. */
export const shells = ["bash", "zsh", "fish"] as const
export type Shell = (typeof shells)[number]

export const isShell = (word: string): word is Shell => shells.some((shell) => shell === word)

const sourceOf: Partial<Record<OptionName, Source>> = {
  session: "sessions",
  resume: "sessions",
  job: "jobs",
  "config-ref": "configs",
  monitoring: "monitoring"
}

const operandSources: Readonly<Record<ReturnType<typeof commandSpec>["operands"], ReadonlyArray<Source>>> = {
  none: [],
  ID: ["sessions"],
  jobs: ["jobs"],
  overrides: ["overrides"],
  configs: ["configs", "overrides"],
  command: ["overrides"],
  SHELL: []
}

const plain = (words: ReadonlyArray<string>) => words.map((word) => ({ word, help: "" }))

/** What an option's value may be. */
const valuesOf = (name: OptionName): Pick<Candidates, "words" | "sources"> => {
  const option = options[name]
  const source = sourceOf[name]
  if (source !== undefined) return { words: [], sources: [source] }
  if (option.kind === "flag") return { words: [], sources: [] }
  if (name === "format") return { words: plain(["table", "csv", "md", "json"]), sources: [] }
  return { words: [], sources: /FILE/.test(option.value) ? ["files"] : /DIR/.test(option.value) ? ["folders"] : [] }
}

const optionOf = (word: string): OptionName | null => {
  const name = word.startsWith("--") ? word.slice(2) : shortNames[word.slice(1)] ?? ""
  return isOptionName(name) ? name : null
}

const takesValue = (name: OptionName | null): name is OptionName => name !== null && options[name].kind !== "flag"

/** The words before the one that is typed: options' values, the command as far as it is named, and an option that waits. */
const readBefore = (before: ReadonlyArray<string>) => {
  const given = new Map<OptionName, string>()
  const flags = new Set<OptionName>()
  let command = ""
  let waits: OptionName | null = null
  for (const word of before) {
    if (waits !== null) {
      given.set(waits, word)
      waits = null
      continue
    }
    const [, written = word, value] = /^(--[^=]+)=(.*)$/s.exec(word) ?? []
    const option = written.startsWith("-") ? optionOf(written) : null
    if (option !== null && value !== undefined) given.set(option, value)
    else if (takesValue(option)) waits = option
    else if (option !== null) flags.add(option)
    else if (!isCommandName(command) && wordsAfter(command).includes(word)) command = `${command} ${word}`.trim()
  }
  return { given, flags, command, waits }
}

/** What only the shells' scripts type. */
const unseen = "complete"

const commandWords = (command: string): Candidates["words"] => {
  const prefix = command === "" ? "" : `${command} `
  return wordsAfter(command).filter((word) => word !== unseen).map((word) => {
    const name = `${prefix}${word}`
    return { word, help: isCommandName(name) ? commandSpec(name).help : groups[name] ?? "" }
  })
}

/** Options that may still be given: those that may be repeated always, others once. */
const optionWords = (
  command: string,
  given: ReadonlyMap<OptionName, string>,
  flags: ReadonlySet<OptionName>
): Candidates["words"] => {
  if (!isCommandName(command)) {
    return [{ word: "--help", help: "show this page" }, ...command === "" ? plain(["--version"]) : []]
  }
  return optionsOf(command)
    .filter((name) => options[name].kind === "repeated" || !given.has(name) && !flags.has(name))
    .map((name) => ({ word: `--${name}`, help: options[name].help }))
}

/** `words`: what stands behind the program's name, the word that is being typed last (empty if it is not begun). */
export const candidates = (words: ReadonlyArray<string>): Candidates => {
  const before = words.slice(0, -1)
  const typed = words.at(-1) ?? ""
  const { command, flags, given, waits } = readBefore(before)
  const found = { kept: "", typed, words: [], sources: [], given }
  if (before.includes("--")) return { ...found, sources: ["files"] }
  if (waits !== null) return { ...found, ...valuesOf(waits) }
  const [, written, value = ""] = /^(--[^=]+)=(.*)$/s.exec(typed) ?? []
  if (written !== undefined) {
    const name = optionOf(written)
    return { ...found, kept: `${written}=`, typed: value, ...name === null ? {} : valuesOf(name) }
  }
  if (typed.startsWith("-")) return { ...found, words: optionWords(command, given, flags) }
  if (!isCommandName(command)) return { ...found, words: commandWords(command) }
  const { operands } = commandSpec(command)
  return { ...found, words: operands === "SHELL" ? plain(shells) : [], sources: operandSources[operands] }
}
