/**
 * Templates of batch scripts: shell text with `{name}` in it. What a name stands for arrives unchanged wherever it
 * stands: it is quoted for its place, be that a word, a quoted text, a comment or a here-document.
 */
import * as Either from "effect/Either"
import type { ValueMap } from "../backend/Value.ts"
import { formatTemplate, templateNames } from "../sweep/format.ts"
import { escapeQuoted, escapeSingle, quoteData } from "./shell.ts"
import { type Place, type Placeholder, shellPlaces } from "./shellPlaces.ts"

/** A template and where it stands, for messages. */
export interface Template {
  readonly path: string
  readonly text: string
}

/** What is wrong with a template, and at which of its characters, from 0. */
export interface TemplateFault {
  readonly offset: number
  readonly message: string
}

/** What templates may name: values, and shell text as it is to be read in a place of the template. */
export interface TemplateNames {
  readonly data: ValueMap
  readonly code: Readonly<Record<string, (place: Place) => string>>
}

/** `text` as data in a place: the shell reads exactly it. */
const quoted = (text: string, place: Place): string => {
  switch (place) {
    case "plain":
      return quoteData(text)
    case "single":
      return escapeSingle(text)
    case "double":
      return escapeQuoted(text)
    case "document":
      return text.replace(/[\\`$]/g, "\\$&")
    case "reference":
    case "comment":
    case "literal":
      return text
  }
}

/** Shell text in a place: read now where it stands plainly, and by whoever gets the text where it stands in quotes. */
export const shellText = (text: string) => (place: Place): string => place === "plain" ? text : quoted(text, place)

const nameOf = (source: string): string => /^\{([A-Za-z_]\w*)(?:\}|[.[!:])/.exec(source)?.[1] ?? ""

const render = (
  { offset, place, source }: Placeholder,
  { code, data }: TemplateNames
): Either.Either<string, TemplateFault> =>
  Either.gen(function*() {
    const shell = code[nameOf(source)]
    const known = { ...data, ...Object.fromEntries(Object.entries(code).map(([name, text]) => [name, text(place)])) }
    const text = yield* Either.mapBoth(formatTemplate(source, known), {
      onLeft: ({ column, message }) => ({ offset: offset + column - 1, message }),
      onRight: (text) => shell === undefined ? quoted(text, place) : text
    })
    if (place === "comment" && /[\r\n]/.test(text)) {
      return yield* Either.left({ offset, message: `${source} stands in a comment, and holds a line break` })
    }
    // Bash reads quotes there by rules of its own.
    if (place === "reference" && quoteData(text) !== text) {
      const message = `${source} stands in "\${…}", where ${JSON.stringify(text)} cannot; give it to a variable first`
      return yield* Either.left({ offset, message })
    }
    return text
  })

/** The template's text, each `{name}` filled in once. */
export const renderTemplate = (template: string, names: TemplateNames): Either.Either<string, TemplateFault> =>
  Either.map(
    Either.all(
      shellPlaces(template).map((part) => typeof part === "string" ? Either.right(part) : render(part, names))
    ),
    (parts) => parts.join("")
  )

/** The names in the template's `{…}`. */
export const namesIn = (template: string): Either.Either<ReadonlySet<string>, TemplateFault> =>
  Either.map(
    Either.all(
      shellPlaces(template).flatMap((part) =>
        typeof part === "string" ? [] : [Either.mapLeft(
          templateNames(part.source),
          ({ column, message }) => ({ offset: part.offset + column - 1, message })
        )]
      )
    ),
    (names) => new Set(names.flat())
  )
