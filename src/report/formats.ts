/** Rows as comma-separated values and as Markdown. Texts of logs and programs in them stay mere texts. */
import { clean } from "./width.ts"

type Cell = string | number | null
type Cells<Row> = ReadonlyArray<readonly [name: string, value: (row: Row) => Cell]>

const cleanLines = (text: string): string => text.split("\n").map(clean).join("\n").trimEnd()

/** A field of RFC 4180. A text that a spreadsheet would take for a formula begins with an apostrophe. */
const csvField = (value: Cell): string => {
  if (value === null) return ""
  if (typeof value === "number") return String(value)
  const text = cleanLines(value)
  const inert = /^[=+\-@]/.test(text) ? `'${text}` : text
  return /[",\n]/.test(inert) ? `"${inert.replaceAll("\"", "\"\"")}"` : inert
}

/** Lines of comma-separated values, the names of the columns first; a text may hold line ends. */
export const csv = <Row>(columns: Cells<Row>, rows: ReadonlyArray<Row>): ReadonlyArray<string> => [
  columns.map(([name]) => name).join(","),
  ...rows.map((row) => columns.map(([, value]) => csvField(value(row))).join(","))
]

/** A cell of a Markdown table, in which no character means anything. */
const mdCell = (value: Cell): string =>
  value === null
    ? ""
    : cleanLines(String(value)).replace(/[\\`*_{}[\]<>|#~&$]/g, (character) => `&#${character.charCodeAt(0)};`)
      .replaceAll("\n", "<br>")

/** Lines of a Markdown table. */
export const markdown = <Row>(columns: Cells<Row>, rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const line = (cells: ReadonlyArray<string>) => `| ${cells.join(" | ")} |`
  return [
    line(columns.map(([name]) => name)),
    line(columns.map(() => "---")),
    ...rows.map((row) => line(columns.map(([, value]) => mdCell(value(row)))))
  ]
}
