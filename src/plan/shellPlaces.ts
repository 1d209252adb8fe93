/** A shell template cut where it holds `{…}`, each with how the shell reads what stands there. */

/**
 * Words, within `'…'`, within `"…"`, within `${…}` of these, a comment, a here-document that the shell expands, or one that
 * it does not.
 */
export type Place = "plain" | "single" | "double" | "reference" | "comment" | "document" | "literal"

/** A `{…}` of the template. */
export interface Placeholder {
  /** With its braces. */
  readonly source: string
  /** Its first character in the template, from 0. */
  readonly offset: number
  readonly place: Place
}

/** The position after the `}` that closes the `{` before `from`; the text's length if none does. */
const closing = (text: string, from: number): number => {
  let depth = 1
  for (let at = from; at < text.length; at++) {
    if (text[at] === "{") depth++
    else if (text[at] === "}" && --depth === 0) return at + 1
  }
  return text.length
}

const hereDocument = /<<(-?)[ \t]*(?:'([^'\n]+)'|"([^"\n]+)"|(\\?)([A-Za-z_]\w*))/y

interface Document {
  readonly end: RegExp
  readonly place: Place
}

const documentOf = ([, dash = "", single, double, backslash, bare]: RegExpExecArray): Document => ({
  end: new RegExp(`^${dash === "" ? "" : "\\t*"}${(single ?? double ?? bare ?? "").replace(/\W/g, "\\$&")}$`),
  place: bare === undefined || backslash === "\\" ? "literal" : "document"
})

/**
 * The template's texts and placeholders, in their order. `{{` and `}}` are braces, as are `{` before a blank and a
 * single `}`, which a shell's own groups have; of `${…}` the braces are the shell's, and what it holds may have
 * placeholders of its own.
 */
export const shellPlaces = (template: string): ReadonlyArray<string | Placeholder> => {
  const found: Array<string | Placeholder> = []
  let at = 0
  let copied = ""
  let documents: ReadonlyArray<Document> = []
  const copy = (length: number) => {
    copied += template.slice(at, at + length)
    at += length
  }
  const rest = () => template.length - at
  const is = (text: string) => template.startsWith(text, at)

  /** Takes one character of `place`, or the whole of what begins with a brace there. */
  const take = (place: Place): void => {
    if (is("${") && !is("${{")) return reference(place)
    if (is("{{") || is("}}")) {
      copied += template[at]
      at += 2
    } else if (/^\{\S/.test(template.slice(at, at + 2))) {
      const end = closing(template, at + 1)
      found.push(copied, { source: template.slice(at, end), offset: at, place })
      copied = ""
      at = end
    } else copy(1)
  }
  const reference = (place: Place): void => {
    const end = closing(template, at + 2)
    copy(2)
    while (at < end - 1) take(place === "double" || place === "document" ? "reference" : place)
    copy(1)
  }
  const until = (end: string, place: Place): void => {
    while (rest() > 0 && !is(end)) take(place)
  }
  const double = (): void => {
    copy(1)
    while (rest() > 0 && !is("\"")) {
      if (is("$(")) command()
      else if (/^\\[^{}]/.test(template.slice(at, at + 2))) copy(2)
      else take("double")
    }
    copy(1)
  }
  const command = (): void => {
    copy(is("$(") ? 2 : 1)
    words(")")
    copy(1)
  }
  /** The here-documents whose first line begins now. */
  const bodies = (): void => {
    const begun = documents
    documents = []
    for (const { end, place } of begun) {
      for (let isOver = false; !isOver && rest() > 0;) {
        const line = template.slice(at).split("\n", 1)[0] ?? ""
        isOver = end.test(line)
        if (isOver) copy(line.length)
        else until("\n", place)
        copy(1)
      }
    }
  }
  const words = (end: string | null): void => {
    while (rest() > 0 && (end === null || !is(end))) {
      hereDocument.lastIndex = at
      const document = is("<<") && !is("<<<") && template[at - 1] !== "<" ? hereDocument.exec(template) : null
      if (document !== null) {
        documents = [...documents, documentOf(document)]
        copy(document[0].length)
      } else if (is("'")) {
        copy(1)
        until("'", "single")
        copy(1)
      } else if (is("\"")) double()
      else if (is("(") || is("$(")) command()
      else if (is("#") && /^$|[\s;&|(]/.test(template[at - 1] ?? "")) until("\n", "comment")
      else if (/^\\[^{}]/.test(template.slice(at, at + 2))) copy(2)
      else if (is("\n")) {
        copy(1)
        bodies()
      } else take("plain")
    }
  }
  words(null)
  return [...found, copied]
}
