/**
 * The command line as people write it -> as `@effect/cli` understands it. That parser takes a mistyped option for an
 * argument, loses flags of a cluster and finds `--help` inside of values; so all names are settled here.
 */
import * as Either from "effect/Either"
import { nearest } from "../backend/nearest.ts"
import {
  type CommandName,
  commandNames,
  commandSpec,
  isCommandName,
  isOptionName,
  type OptionName,
  options,
  optionsOf,
  shortNames
} from "./spec.ts"
import { usage, type UsageError } from "./UsageError.ts"

export type Normalised =
  | { readonly kind: "help"; readonly words: string }
  | { readonly kind: "version" }
  | {
    readonly kind: "command"
    readonly name: CommandName
    /** Options with long names, each value a word of its own behind a mark: no value can be taken for an option. */
    readonly argv: ReadonlyArray<string>
    readonly operands: ReadonlyArray<string>
    /** What stood behind `--`, where the command takes a command. */
    readonly command: ReadonlyArray<string>
  }

/** Stands before each value in what the parser gets. */
export const mark = "="

type Token =
  | { readonly operand: string; readonly behind: boolean }
  | { readonly option: OptionName | "version"; readonly value: string | null }
  | { readonly unknown: string }

const isOperand = (token: Token): token is Extract<Token, { readonly operand: string }> => "operand" in token

/** Whether a word can be an option's value although it was not tied to it by `=`. */
const canBeValue = (word: string | undefined): word is string =>
  word !== undefined && (!word.startsWith("-") || word === "-" || /^-\.?\d/.test(word))

const written = (option: OptionName): string => `--${option}`

/** Splits the words into options and operands. Names mean the same everywhere, so no command is needed for it. */
const tokenise = (argv: ReadonlyArray<string>): Either.Either<ReadonlyArray<Token>, UsageError> =>
  Either.gen(function*() {
    const tokens: Array<Token> = []
    let at = 0
    const take = function*(option: OptionName, tied: string | undefined) {
      const spec = options[option]
      if (spec.kind === "flag") {
        if (tied !== undefined) {
          return yield* Either.left(usage(`${written(option)} takes no value, but was given "${tied}"`))
        }
        tokens.push({ option, value: null })
        return
      }
      const next = argv[at + 1]
      if (tied === undefined && !canBeValue(next)) {
        const dash = next === undefined ? "" : `; a value with a dash is written ${written(option)}=${next}`
        return yield* Either.left(usage(`${written(option)} needs a value (${spec.value})${dash}`))
      }
      if (tied === undefined) at++
      tokens.push({ option, value: tied ?? next ?? "" })
    }
    for (; at < argv.length; at++) {
      const word = argv[at] ?? ""
      if (word === "--") {
        tokens.push(...argv.slice(at + 1).map((operand) => ({ operand, behind: true })))
        break
      }
      if (!word.startsWith("-") || word === "-") {
        tokens.push({ operand: word, behind: false })
        continue
      }
      if (word.startsWith("--")) {
        const [, name = "", tied] = word.match(/^--([^=]*)(?:=(.*))?$/s) ?? []
        if (name === "version" && tied === undefined) tokens.push({ option: name, value: null })
        else if (isOptionName(name)) yield* take(name, tied)
        else tokens.push({ unknown: word })
        continue
      }
      for (let letter = 1; letter < word.length; letter++) {
        const option = shortNames[word.charAt(letter)]
        if (option === undefined) {
          tokens.push({ unknown: letter === 1 && word.length > 2 ? word : `-${word.charAt(letter)}` })
          break
        }
        const rest = word.slice(letter + 1)
        if (options[option].kind === "flag") yield* take(option, undefined)
        else {
          yield* take(option, rest === "" ? undefined : rest.replace(/^=/, ""))
          break
        }
      }
    }
    return tokens
  })

/** The next words that may follow `words` (empty: the first words of all commands). */
export const wordsAfter = (words: string): ReadonlyArray<string> => {
  const prefix = words === "" ? "" : `${words} `
  return [
    ...new Set(
      commandNames.filter((name) => name.startsWith(prefix))
        .map((name) => name.slice(prefix.length).split(" ")[0] ?? "")
    )
  ]
}

/** The longest command or group that the first operands name, and what is left of them. */
const splitWords = (words: ReadonlyArray<string>): { readonly path: string; readonly rest: ReadonlyArray<string> } => {
  let path = ""
  for (const [used, word] of words.entries()) {
    if (isCommandName(path) || !wordsAfter(path).includes(word)) return { path, rest: words.slice(used) }
    path = path === "" ? word : `${path} ${word}`
  }
  return { path, rest: [] }
}

const unknownOption = (word: string, name: CommandName | null): UsageError => {
  const [bare = ""] = word.replace(/^-+/, "").split("=")
  const known = name === null ? Object.keys(options) : optionsOf(name)
  const near = nearest(bare, known).map((option) => `--${option}`)
  const where = name === null ? "" : ` for autoexp ${name}`
  if (
    near.length === 0 && name !== null && ["overrides", "configs", "command"].includes(commandSpec(name).operands) &&
    /[.=]/.test(word)
  ) {
    const override = word.replace(/^-+/, "")
    return usage(`unknown option ${word}${where}; overrides are written without dashes: ${override}`, [override])
  }
  const page = ["autoexp", ...name === null ? [] : [name], "--help"].join(" ")
  return usage(`unknown option ${word}${where}`, near.length > 0 ? near : [page])
}

const unknownCommand = (path: string, word: string): UsageError => {
  const known = wordsAfter(path)
  const near = nearest(word, known)
  const full = path === "" ? "autoexp" : `autoexp ${path}`
  return usage(`"${word}" is no command of ${full}`, (near.length > 0 ? near : known).map((next) => `${full} ${next}`))
}

/** Operands of which a command takes exactly one. */
const singles = {
  ID: { what: "the ID of a session", example: "last" },
  SHELL: { what: "the name of a shell", example: "bash" }
}

const checkOperands = (
  name: CommandName,
  given: ReadonlyArray<string>
): Either.Either<ReadonlyArray<string>, UsageError> => {
  const { operands } = commandSpec(name)
  const [first, second] = given
  if (operands === "none" && first !== undefined) {
    return Either.left(usage(`autoexp ${name} takes no arguments, but was given "${first}"`))
  }
  const single = operands === "ID" || operands === "SHELL" ? singles[operands] : null
  if (single !== null && first === undefined) {
    return Either.left(usage(`autoexp ${name} needs ${single.what}`, [`autoexp ${name} ${single.example}`]))
  }
  if (single !== null && second !== undefined) {
    return Either.left(usage(`autoexp ${name} takes one ${operands}, but was given "${second}" as well`))
  }
  const dashed = given.find((operand) => operand.startsWith("-"))
  return dashed === undefined
    ? Either.right(given)
    : Either.left(usage(`"${dashed}" begins with a dash, which no ${single === null ? "override" : operands} does`))
}

/** Settles command, options and operands of `argv` (without program and script); fails on the first misfit. */
export const normalise = (argv: ReadonlyArray<string>): Either.Either<Normalised, UsageError> =>
  Either.gen(function*() {
    const tokens = yield* tokenise(argv)
    const words = tokens.filter(isOperand)
    const before = splitWords(words.filter(({ behind }) => !behind).map(({ operand }) => operand))
    const behind = words.filter(({ behind }) => behind).map(({ operand }) => operand)
    const { path } = before
    const name = isCommandName(path) ? path : null
    const takesCommand = name !== null && commandSpec(name).operands === "command"
    const rest = takesCommand ? before.rest : [...before.rest, ...behind]
    const [first] = rest
    const asked = tokens.flatMap((token) => "option" in token ? [token.option] : [])
    if (asked.includes("version")) return { kind: "version" } as const
    if (takesCommand && behind.length === 0 && !asked.includes("help")) {
      return yield* Either.left(usage(`autoexp ${name} needs a command behind "--"`, [`autoexp ${name} -- python3 -V`]))
    }
    if (asked.includes("help") || tokens.length === 0) {
      if (name === null && first !== undefined) return yield* Either.left(unknownCommand(path, first))
      return { kind: "help", words: path } as const
    }
    if (name === null && first !== undefined) return yield* Either.left(unknownCommand(path, first))
    for (const token of tokens) if ("unknown" in token) return yield* Either.left(unknownOption(token.unknown, name))
    if (name === null) {
      const full = path === "" ? "autoexp" : `autoexp ${path}`
      return yield* Either.left(usage(`${full} needs a command`, wordsAfter(path).map((word) => `${full} ${word}`)))
    }
    const taken = new Set(optionsOf(name))
    const flags = new Set<OptionName>()
    const values = new Map<OptionName, ReadonlyArray<string>>()
    for (const token of tokens) {
      if (!("option" in token) || token.option === "version") continue
      const { option, value } = token
      if (!taken.has(option)) return yield* Either.left(unknownOption(written(option), name))
      const before = values.get(option)
      if (value === null) flags.add(option)
      else if (options[option].kind === "valued" && before !== undefined) {
        return yield* Either.left(usage(`${written(option)} is given twice: "${before.join()}" and "${value}"`))
      } else values.set(option, [...before ?? [], value])
    }
    const missing = commandSpec(name).required.find((option) => !values.has(option))
    if (missing !== undefined) {
      return yield* Either.left(
        usage(`autoexp ${name} needs ${written(missing)}`, missing === "session" ? ["--session last"] : [])
      )
    }
    return {
      kind: "command",
      name,
      argv: [
        ...[...flags].map(written),
        ...[...values].flatMap(([option, given]) => given.flatMap((value) => [written(option), mark + value]))
      ],
      operands: yield* checkOperands(name, rest),
      command: takesCommand ? behind : []
    } as const
  })
