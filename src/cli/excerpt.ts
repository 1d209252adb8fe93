/** The place of a mistake as people see it best: the line that holds it, with a caret under the place. */
import * as fs from "node:fs"
import { clean, width } from "../report/width.ts"

/** Columns of a line that are shown; of a longer one the part around the place. */
const SHOWN = 100

/** `text` with a caret under its `column` (from 1); `label` stands before it. */
export const caretLines = (label: string, text: string, column: number): ReadonlyArray<string> => {
  const start = text.length <= SHOWN ? 0 : Math.max(0, Math.min(column - 1 - SHOWN / 2, text.length - SHOWN))
  const end = start + SHOWN
  const before = `${start > 0 ? "…" : ""}${clean(text.slice(start, column - 1))}`
  const after = `${clean(text.slice(column - 1, end))}${end < text.length ? "…" : ""}`
  return [
    `  ${label} | ${before}${after}`,
    `  ${" ".repeat(label.length)} | ${" ".repeat(width(before))}^`
  ]
}

const lineOf = (file: string, line: number): string | null => {
  try {
    return fs.readFileSync(file, "utf8").split(/\r?\n/)[line - 1] ?? null
  } catch {
    return null
  }
}

/** The line of a file with a caret under the place; nothing if the file cannot be read any more. */
export const fileExcerpt = (file: string, line: number, column: number): ReadonlyArray<string> => {
  const text = lineOf(file, line)
  return text === null ? [] : caretLines(String(line), text, column)
}
