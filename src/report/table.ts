/** Text in columns, as squeue prints it. */
import { clean, cut, width } from "./width.ts"

export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => string | number | null
  /** Numbers stand at the right. */
  readonly right?: boolean
  /** SGR parameters of a cell (`32` is green), for terminals with colours. */
  readonly style?: (row: Row) => string | null
}

/** Aligned lines, the titles first, each at most `columns` wide. Cells are cleaned: logs and names may hold anything. */
export const table = <Row>(
  columns: ReadonlyArray<Column<Row>>,
  rows: ReadonlyArray<Row>,
  screen: { readonly columns: number; readonly color: boolean }
): ReadonlyArray<string> => makeTable(columns, screen)(rows)

/**
 * A table of rows that come in stretches, which are too many to be kept: gives the lines of each, those of the first one
 * with the titles. A column grows where a stretch needs that.
 */
export const makeTable = <Row>(
  columns: ReadonlyArray<Column<Row>>,
  screen: { readonly columns: number; readonly color: boolean }
): (rows: ReadonlyArray<Row>) => ReadonlyArray<string> => {
  let widths: ReadonlyArray<number> | null = null
  return (rows) => {
    const texts = rows.map((row) => columns.map(({ value }) => clean(String(value(row) ?? "-"))))
    const known = widths
    const now = columns.map(({ title }, at) =>
      texts.reduce((most, cells) => Math.max(most, width(cells[at] ?? "")), known?.[at] ?? width(title))
    )
    widths = now
    const lines = aligned(columns, now, screen)
    return [
      ...(known === null ? [lines(columns.map(({ title }) => title), null)] : []),
      ...texts.map((cells, at) => lines(cells, rows[at] ?? null))
    ]
  }
}

const aligned = <Row>(
  columns: ReadonlyArray<Column<Row>>,
  widths: ReadonlyArray<number>,
  screen: { readonly columns: number; readonly color: boolean }
) =>
(cells: ReadonlyArray<string>, row: Row | null): string => {
  let free = screen.columns
  let text = ""
  for (const [at, { right, style }] of columns.entries()) {
    const gap = at === 0 ? "" : "  "
    if (free <= gap.length) break
    const cell = cut(cells[at] ?? "", free - gap.length)
    const pad = " ".repeat(Math.max(0, Math.min(widths[at] ?? 0, free - gap.length) - width(cell)))
    const paint = screen.color && row !== null ? style?.(row) ?? null : null
    const painted = paint === null ? cell : `\x1b[${paint}m${cell}\x1b[0m`
    text += gap + (right === true ? pad + painted : painted + pad)
    free -= gap.length + width(cell) + pad.length
  }
  return text.trimEnd()
}
