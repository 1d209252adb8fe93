/** How wide a text is on a terminal. */
import { stripVTControlCharacters } from "node:util"

const invisible = /[\p{Mn}\p{Me}\p{Cf}]/u
const wide =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u

const widthOf = (character: string): number => {
  if (character >= " " && character <= "~") return 1
  if (invisible.test(character)) return 0
  return wide.test(character) ? 2 : 1
}

/** The text without escape sequences, its control characters and line ends as spaces. */
export const clean = (text: string): string => stripVTControlCharacters(text).replace(/\p{Cc}/gu, " ")

/** Columns that a clean text takes. */
export const width = (text: string): number => {
  let sum = 0
  for (const character of text) sum += widthOf(character)
  return sum
}

/** A clean text within `columns`; what is cut off shows as `…`. */
export const cut = (text: string, columns: number): string => {
  if (columns === Infinity || width(text) <= columns) return text
  let kept = ""
  let free = columns - 1
  for (const character of text) {
    free -= widthOf(character)
    if (free < 0) break
    kept += character
  }
  return columns < 1 ? "" : `${kept}…`
}
