/** Texts of rules with `{name}` templates in them, rendered once. */
import * as Either from "effect/Either"
import { isList, isMap, type Value, type ValueMap } from "../backend/Value.ts"
import { formatTemplate, type TemplateError } from "../sweep/format.ts"

/** `template` by Python's `str.format` over the metadata; an unknown name is an error. */
export const render = (template: string, metadata: ValueMap): Either.Either<string, TemplateError> =>
  formatTemplate(template, metadata)

/** Encloses each reference in double quotes, unless the text does so itself: the shell neither splits nor expands it. */
const quoted = (text: string): string => {
  let quote = ""
  let out = ""
  for (let at = 0; at < text.length; at += 1) {
    const [reference] = /^\$\{AUTOEXP_VALUE_\d+\}/.exec(text.slice(at, at + 40)) ?? []
    if (reference !== undefined) {
      out += quote === "" ? `"${reference}"` : quote === "'" ? `'"${reference}"'` : reference
      at += reference.length - 1
      continue
    }
    const char = text[at] ?? ""
    out += char
    if (char === "\\" && quote !== "'") {
      at += 1
      out += text[at] ?? ""
    } else if (char === quote) quote = ""
    else if (quote === "" && (char === "'" || char === "\"")) quote = char
  }
  return out
}

/**
 * A text for the shell, each `{name}` of it a quoted reference to an environment variable which holds the value: no
 * character of the value is read by the shell as its own.
 */
export const renderShell = (
  template: string,
  metadata: ValueMap
): Either.Either<{ readonly text: string; readonly env: Readonly<Record<string, string>> }, TemplateError> => {
  const env: Record<string, string> = {}
  const insert = (value: string): string => {
    const name = `AUTOEXP_VALUE_${Object.keys(env).length + 1}`
    env[name] = value
    return `\${${name}}`
  }
  return Either.map(formatTemplate(template, metadata, insert), (text) => ({ text: quoted(text), env }))
}

/** A path's pattern, in which the values stand for themselves although they may hold characters that mean something. */
export const renderGlob = (template: string, metadata: ValueMap): Either.Either<string, TemplateError> =>
  formatTemplate(template, metadata, (value) => value.replace(/[*?[]/g, "[$&]"))

/** Every text within the map, however deep. */
export const renderMap = (map: ValueMap, metadata: ValueMap): Either.Either<ValueMap, TemplateError> =>
  Either.all(Object.fromEntries(Object.entries(map).map(([key, value]) => [key, renderValue(value, metadata)])))

const renderValue = (value: Value, metadata: ValueMap): Either.Either<Value, TemplateError> =>
  typeof value === "string"
    ? render(value, metadata)
    : isList(value)
    ? Either.all(value.map((item) => renderValue(item, metadata)))
    : isMap(value)
    ? renderMap(value, metadata)
    : Either.right(value)

/** All of `templates`, or the first error. */
export const renderAll = (
  templates: ReadonlyArray<string>,
  metadata: ValueMap
): Either.Either<ReadonlyArray<string>, TemplateError> =>
  Either.all(templates.map((template) => render(template, metadata)))
