/**
 * The plain form for what is of the point: `$${lr}` in a `sweep` section is left alone when the config is resolved, and
 * resolved at each point. Between the two, a character that no text holds stands in for each such `${`.
 */
import { isList, isMap, type Value } from "../backend/Value.ts"

/** Of Unicode's private use area, so that it is plain text to whoever resolves interpolations. */
const MARKER = "\uE05A"

/**
 * `text`, in which every `$${…}` is hidden from interpolation, and all `${` within its braces with it, escaped or not. So
 * is a plain `${…}` that holds one: it has no value before the point has.
 */
export const pointForm = (text: string): string => {
  if (!text.includes("$${")) return text
  const openings = /(\\*)(\$?\$\{)/g
  let hidden = ""
  let at = 0
  for (let found = openings.exec(text); found !== null; found = openings.exec(text)) {
    const [whole, backslashes = "", opening = ""] = found
    if (opening === "${" && backslashes.length % 2 === 1) continue
    const start = found.index + backslashes.length
    const end = closing(text, found.index + whole.length)
    const part = text.slice(start, end)
    hidden += text.slice(at, start) + (part.includes("$${") ? part.replace(/\\*\$?\$\{/g, MARKER) : part)
    at = end
    openings.lastIndex = end
  }
  return hidden + text.slice(at)
}

/** Where an interpolation ends whose opening ends at `from`: behind its brace, or with the text. */
const closing = (text: string, from: number): number => {
  const marks = /\$\{|\\["'\\]|["'{}]/g
  marks.lastIndex = from
  // Of each brace that is open, the quote within which one is, or "": braces in quotes do not count.
  const quotes = [""]
  for (let found = marks.exec(text); found !== null; found = marks.exec(text)) {
    const [mark] = found
    const quote = quotes.at(-1) ?? ""
    if (mark === "${" || (mark === "{" && quote === "")) quotes.push("")
    else if (mark === "}" && quote === "") {
      quotes.pop()
      if (quotes.length === 0) return marks.lastIndex
    } else if (mark === quote) quotes[quotes.length - 1] = ""
    else if (quote === "" && (mark === "'" || mark === "\"")) quotes[quotes.length - 1] = mark
  }
  return text.length
}

/** `value` with the hidden interpolations of all its texts in the open again. */
export const revealed = (value: Value): Value => {
  if (typeof value === "string") return value.includes(MARKER) ? value.replaceAll(MARKER, "${") : value
  if (isList(value)) return value.map(revealed)
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revealed(item)])) : value
}
