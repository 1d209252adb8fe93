/** What every command prints: one JSON document, or text for people. */
import * as Effect from "effect/Effect"
import { Screen } from "../report/Screen.ts"
import { type Column, table } from "../report/table.ts"

/** Prints `value` as one JSON document. */
export const printJson = (value: unknown): Effect.Effect<void, never, Screen> =>
  Effect.flatMap(Screen, (screen) => screen.out(`${JSON.stringify(value, null, 2)}\n`))

/** Prints lines, each ended. */
export const printLines = (lines: ReadonlyArray<string>): Effect.Effect<void, never, Screen> =>
  lines.length === 0 ? Effect.void : Effect.flatMap(Screen, (screen) => screen.out(`${lines.join("\n")}\n`))

/** Prints rows as an aligned table, or `empty` if there are none. */
export const printTable = <Row>(
  columns: ReadonlyArray<Column<Row>>,
  rows: ReadonlyArray<Row>,
  empty: string
): Effect.Effect<void, never, Screen> =>
  Effect.gen(function*() {
    const screen = yield* Screen
    if (rows.length === 0) return yield* screen.err(`${empty}\n`)
    yield* printLines(table(columns, rows, { columns: (yield* screen.size).columns, color: screen.color }))
  })
