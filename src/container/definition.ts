/** Definition files of images: placeholders filled in, sections read. Source: Apptainer user guide 1.4, "Definition Files". */
import * as Either from "effect/Either"
import { nearest } from "../backend/nearest.ts"
import { ImageError } from "./ImageError.ts"

export interface Section {
  /** Without `%`. */
  readonly name: string
  /** What follows the name in its line. */
  readonly args: string
  readonly body: ReadonlyArray<string>
  /** Of its name, 1-based. */
  readonly line: number
}

export interface Definition {
  /** By their names in small letters. */
  readonly header: ReadonlyMap<string, string>
  readonly sections: ReadonlyArray<Section>
}

/** Sections that Apptainer and Singularity know; a line with another `%name` belongs to the section it stands in. */
const known = /^%(setup|files|app\w+|post|test|environment|startscript|runscript|labels|help|pre|arguments)\b\s*(.*)$/

/**
 * Fills in `{{NAME}}`, and `${NAME}` of the same names, which older definitions hold. Every other `${…}` is left to the
 * image's shell; where none reads it, in the header and in %files, it is an error, as is an unknown `{{NAME}}`.
 */
export const render = (
  text: string,
  values: Readonly<Record<string, string>>,
  file: string
): Either.Either<string, ImageError> =>
  Either.gen(function*() {
    const names = Object.keys(values)
    const lines: Array<string> = []
    let section = "header"
    for (const [index, line] of text.split("\n").entries()) {
      section = line.match(known)?.[1] ?? section
      const at = { file, line: index + 1 }
      const asked = [...line.matchAll(/\{\{\s*([^{}]*?)\s*\}\}/g)].map(([, name = ""]) => name)
      const unknown = asked.find((name) => !Object.hasOwn(values, name))
      if (unknown !== undefined) {
        const near = nearest(unknown, names)
        return yield* Either.left(ImageError.of(
          `there is no placeholder {{${unknown}}}; there are ${names.map((name) => `{{${name}}}`).join(", ")}`,
          { ...at, suggestions: near.map((name) => `{{${name}}}`) }
        ))
      }
      const fill = (value: (name: string) => string | undefined): string =>
        line.replace(
          /\{\{\s*([^{}]*?)\s*\}\}|\$\{(\w+)\}/g,
          (all, placeholder?: string, variable?: string) => value(placeholder ?? variable ?? "") ?? all
        )
      if (section === "header" || section === "files") {
        const [left] = fill((name) =>
          Object.hasOwn(values, name) ? "" : undefined
        ).replace(/#.*/, "").match(/\$\{?\w+\}?/) ?? []
        if (left !== undefined) {
          const where = section === "header" ? "the header" : "%files"
          return yield* Either.left(ImageError.of(`nothing fills in ${left} in ${where}, which no shell reads`, at))
        }
      }
      const spaced = section === "files"
        ? names.find((name) => asked.includes(name) && /\s/.test(values[name] ?? ""))
        : undefined
      if (spaced !== undefined) {
        return yield* Either.left(ImageError.of(`%files takes no path with a blank in it: ${values[spaced]}`, at))
      }
      lines.push(fill((name) => values[name]))
    }
    return lines.join("\n")
  })

/** Reads a rendered definition of one stage. */
export const parse = (text: string, file: string): Either.Either<Definition, ImageError> =>
  Either.gen(function*() {
    const header = new Map<string, string>()
    const sections: Array<Section & { readonly body: Array<string> }> = []
    for (const [index, line] of text.split("\n").entries()) {
      const at = { file, line: index + 1 }
      const [, name, args = ""] = line.match(known) ?? []
      const section = sections.at(-1)
      if (name !== undefined) sections.push({ name, args: args.trim(), body: [], line: index + 1 })
      else if (section !== undefined) section.body.push(line)
      else if (!/^\s*(#.*)?$/.test(line)) {
        const [, key, value = ""] = line.match(/^\s*(\w+)\s*:\s*(.*?)\s*$/) ?? []
        if (key === undefined) return yield* Either.left(ImageError.of(`this is no "Key: value" line of a header`, at))
        header.set(key.toLowerCase(), value)
      }
    }
    if (!header.has("bootstrap") || !header.has("from")) {
      return yield* Either.left(ImageError.of("its header names no Bootstrap and From", { file }))
    }
    return { header, sections }
  })

/** The definition as text again. */
export const format = ({ header, sections }: Definition): string =>
  [
    ...[...header].map(([key, value]) => `${key.charAt(0).toUpperCase()}${key.slice(1)}: ${value}`),
    ...sections.flatMap(({ args, body, name }) => ["", `%${name}${args === "" ? "" : ` ${args}`}`, ...body]),
    ""
  ].join("\n")

const privileged = [
  "apt",
  "apt-get",
  "aptitude",
  "dpkg",
  "yum",
  "dnf",
  "microdnf",
  "zypper",
  "rpm",
  "apk",
  "pacman",
  "sudo"
]
/** Where a command begins in a line of shell text: at its start, behind `;`, `&`, `|`, `(`, a keyword, or assignments. */
const commandStart =
  /(?:^|[;&|(`{]|\b(?:then|do|else|if|while|exec|command|time|env|xargs|!)\s)\s*(?:\w+=\S*\s+)*/.source
const privilegedCall = new RegExp(`${commandStart}(?:/usr)?(?:/s?bin/)?(${privileged.join("|")})(?=\\s|$|;)`)

/** Commands of %post that need a root that a user's own build has not: the first of each line, with its line. */
export const privilegedCommands = (
  { sections }: Definition
): ReadonlyArray<{ readonly command: string; readonly line: number }> =>
  sections.filter(({ name }) => name === "post").flatMap(({ body, line }) =>
    body.flatMap((text, index) => {
      const [, command] = text.replace(/(^|\s)#.*$/, "").match(privilegedCall) ?? []
      return command === undefined ? [] : [{ command, line: line + 1 + index }]
    })
  )
