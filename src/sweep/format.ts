/**
 * Python's `str.format` over config values: job names, paths and the texts of rules.
 * Source: CPython's `MarkupIterator` (Objects/stringlib/unicode_format.h); its answers are test/conformance/pyformat.json.
 * More than Python does: `{a.b}` reads a mapping too, and a key with dots in it is found as a whole.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { didYouMean } from "../backend/nearest.ts"
import { pyRepr, pyStr } from "../backend/python.ts"
import { isList, isMap, type Value, type ValueMap } from "../backend/Value.ts"
import { formatValue } from "./formatSpec.ts"

/** A template that cannot be rendered. `column` counts from 1; `message` is a sentence. */
export class TemplateError extends Schema.TaggedError<TemplateError>()("TemplateError", {
  template: Schema.String,
  column: Schema.Int,
  message: Schema.String
}) {}

type Step = { readonly kind: "attribute" | "item"; readonly name: string }

/** One `{…}` of a template. */
export interface TemplateField {
  /** The name that it begins with. */
  readonly root: string
  /** All of it up to `!` or `:`. */
  readonly text: string
  /** Column of the name, from 1. */
  readonly column: number
}

interface Field extends TemplateField {
  readonly steps: ReadonlyArray<Step>
  readonly conversion: string | null
  readonly spec: ReadonlyArray<Part>
}

type Part = string | Field

const failure = (template: string, index: number, message: string): Either.Either<never, TemplateError> =>
  Either.left(new TemplateError({ template, column: index + 1, message: `${message}.` }))

/** The position after the field's name: the first `!`, `:` or `}` outside of `[…]`. */
const endOfName = (text: string, from: number, end: number): number => {
  let bracket = false
  for (let at = from; at < end; at++) {
    const char = text[at]
    if (char === "[") bracket = true
    else if (char === "]") bracket = false
    else if (!bracket && (char === "}" || char === ":" || char === "!" || char === "{")) return at
  }
  return end
}

/** The position of the `}` that ends a format specification which may itself hold `{…}`. */
const endOfSpec = (text: string, from: number, end: number): number => {
  let depth = 1
  for (let at = from; at < end; at++) {
    if (text[at] === "{") depth++
    else if (text[at] === "}" && --depth === 0) return at
  }
  return end
}

const parseSteps = (template: string, name: string, at: number): Either.Either<ReadonlyArray<Step>, TemplateError> => {
  const steps: Array<Step> = []
  for (let rest = name.slice(name.search(/[.[]|$/)); rest !== "";) {
    const step = /^\.(?<attribute>[^.[]*)|^\[(?<item>[^\]]*)\]/.exec(rest)
    const offset = at + name.length - rest.length
    if (step === null) {
      return failure(
        template,
        offset,
        rest.startsWith("[") ? "A \"[\" is not closed" : "Only \".\" or \"[\" may follow \"]\""
      )
    }
    const attribute = step.groups?.attribute
    const key = attribute ?? step.groups?.item ?? ""
    if (key === "") return failure(template, offset, "A name is missing after \".\" or within \"[]\"")
    steps.push({ kind: attribute === undefined ? "item" : "attribute", name: key })
    rest = rest.slice(step[0].length)
  }
  return Either.right(steps)
}

const parseField = (
  template: string,
  from: number,
  end: number,
  depth: number
): Either.Either<readonly [Field, next: number], TemplateError> =>
  Either.gen(function*() {
    if (depth > 1) return yield* failure(template, from - 1, "A format specification holds \"{…}\" too deeply")
    const nameEnd = endOfName(template, from, end)
    const name = template.slice(from, nameEnd)
    if (nameEnd === end) {
      return yield* failure(template, from - 1, "This \"{\" is not closed; write \"{{\" for the character")
    }
    if (template[nameEnd] === "{") {
      return yield* failure(template, nameEnd, "A \"{\" stands in a name")
    }
    let at = nameEnd
    let conversion: string | null = null
    if (template[at] === "!") {
      conversion = template[at + 1] ?? ""
      if (!/^[sra]$/.test(conversion)) {
        return yield* failure(template, at, "Only \"!s\", \"!r\" and \"!a\" may follow a name")
      }
      at += 2
      if (template[at] !== ":" && template[at] !== "}") {
        return yield* failure(template, at, "A \":\" or \"}\" is missing here")
      }
    }
    const specStart = template[at] === ":" ? at + 1 : at
    const specEnd = endOfSpec(template, specStart, end)
    if (specEnd === end) {
      return yield* failure(template, from - 1, "This \"{\" is not closed; write \"{{\" for the character")
    }
    const root = name.slice(0, name.search(/[.[]|$/))
    if (/^\d*$/.test(root)) {
      return yield* failure(template, from, "Every \"{…}\" needs a name; write \"{{\" and \"}}\" for the characters")
    }
    const field: Field = {
      root,
      text: name,
      column: from + 1,
      steps: yield* parseSteps(template, name, from),
      conversion,
      spec: yield* parseParts(template, specStart, specEnd, depth + 1)
    }
    return [field, specEnd + 1] as const
  })

const parseParts = (
  template: string,
  from: number,
  end: number,
  depth: number
): Either.Either<ReadonlyArray<Part>, TemplateError> =>
  Either.gen(function*() {
    const parts: Array<Part> = []
    let literal = ""
    let at = from
    while (at < end) {
      const char = template[at] ?? ""
      if ((char === "{" || char === "}") && template[at + 1] === char && at + 1 < end) {
        literal += char
        at += 2
      } else if (char === "}") {
        return yield* failure(template, at, "This \"}\" closes nothing; write \"}}\" for the character")
      } else if (char === "{") {
        const [field, next] = yield* parseField(template, at + 1, end, depth)
        parts.push(literal, field)
        literal = ""
        at = next
      } else {
        literal += char
        at++
      }
    }
    return [...parts, literal]
  })

const own = (map: ValueMap, key: string): Value | undefined => (Object.hasOwn(map, key) ? map[key] : undefined)

const stepInto = (value: Value, step: Step): Value | undefined => {
  const position = step.kind === "item" && /^\d+$/.test(step.name) ? Number(step.name) : null
  if (isMap(value)) return position === null ? own(value, step.name) : undefined
  if (position === null) return undefined
  if (isList(value)) return value[position]
  return typeof value === "string" ? [...value][position] : undefined
}

const lookUp = (template: string, field: Field, variables: ValueMap): Either.Either<Value, TemplateError> => {
  const whole = own(variables, field.text)
  if (whole !== undefined) return Either.right(whole)
  let value = own(variables, field.root)
  if (value === undefined) {
    const help = didYouMean(field.text, Object.keys(variables)).replace(/\.$/, "")
    return failure(template, field.column - 1, `The name "${field.text}" is unknown here; ${help}`).pipe(
      Either.mapLeft((error) => new TemplateError({ ...error, message: error.message.replace(/\?\.$/, "?") }))
    )
  }
  for (const step of field.steps) {
    const found: Value | undefined = stepInto(value, step)
    if (found === undefined) {
      return failure(template, field.column - 1, `"${field.root}" has no "${step.name}" for "{${field.text}}"`)
    }
    value = found
  }
  return Either.right(value)
}

const ascii = (text: string): string =>
  text.replace(/[^\0-\x7f]/gu, (char) => {
    const code = (char.codePointAt(0) ?? 0).toString(16)
    return code.length <= 2
      ? `\\x${code}`
      : code.length <= 4
      ? `\\u${code.padStart(4, "0")}`
      : `\\U${code.padStart(8, "0")}`
  })

const convert = (value: Value, conversion: string | null): Value => {
  switch (conversion) {
    case "s":
      return pyStr(value)
    case "r":
      return pyRepr(value)
    case "a":
      return ascii(pyRepr(value))
    default:
      return value
  }
}

const renderParts = (
  template: string,
  parts: ReadonlyArray<Part>,
  variables: ValueMap,
  insert: (text: string) => string
): Either.Either<string, TemplateError> =>
  Either.gen(function*() {
    let text = ""
    for (const part of parts) {
      if (typeof part === "string") {
        text += part
        continue
      }
      const value = convert(yield* lookUp(template, part, variables), part.conversion)
      const spec = yield* renderParts(template, part.spec, variables, asItIs)
      text += insert(
        yield* Either.orElse(
          formatValue(value, spec),
          (why) => failure(template, part.column - 1, `"{${part.text}}" cannot be formatted: ${why}`)
        )
      )
    }
    return text
  })

const asItIs = (text: string): string => text

/**
 * `template.format(**variables)`. Values are inserted by their text, or by what `insert` makes of that, and never
 * rendered again.
 */
export const formatTemplate = (
  template: string,
  variables: ValueMap,
  insert: (text: string) => string = asItIs
): Either.Either<string, TemplateError> =>
  Either.flatMap(read(template), (parts) => renderParts(template, parts, variables, insert))

/** Templates that were read before: thousands of points have a few of them in common. */
const known = new Map<string, ReturnType<typeof parseParts>>()
const MANY = 256

const read = (template: string): ReturnType<typeof parseParts> => {
  const parts = known.get(template) ?? parseParts(template, 0, template.length, 0)
  if (known.size >= MANY) known.clear()
  known.set(template, parts)
  return parts
}

const fieldsOf = (parts: ReadonlyArray<Part>): ReadonlyArray<TemplateField> =>
  parts.flatMap((part) => (typeof part === "string" ? [] : [part, ...fieldsOf(part.spec)]))

/** Every `{…}` of the template, in their order. */
export const templateFields = (template: string): Either.Either<ReadonlyArray<TemplateField>, TemplateError> =>
  Either.map(parseParts(template, 0, template.length, 0), fieldsOf)

/** The names that the template's `{…}` begin with, each once. */
export const templateNames = (template: string): Either.Either<ReadonlyArray<string>, TemplateError> =>
  Either.map(templateFields(template), (fields) => [...new Set(fields.map(({ root }) => root))])
