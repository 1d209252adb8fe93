/** The columns of a status table by their names, which of them are shown, and which rows. */
import * as Either from "effect/Either"
import { didYouMean, nearest } from "../../backend/nearest.ts"
import { fitsGlob, type SelectError } from "../../session/select.ts"
import type { StatusRow } from "./rows.ts"

export type ColumnName = keyof StatusRow

/** All of them, as `--columns` and `--filter` name them; a row for programs has each. */
export const columnNames: ReadonlyArray<ColumnName> = [
  "plan_id",
  "name",
  "index",
  "stage",
  "state",
  "outcome",
  "cause",
  "attempts",
  "link",
  "links",
  "restarts",
  "step",
  "best_step",
  "total",
  "percent",
  "rate",
  "seconds_per_step",
  "loss",
  "best_loss",
  "tokens",
  "checkpoint",
  "throughput",
  "progress_at",
  "ran_seconds",
  "gpus",
  "gpu_hours_used",
  "gpu_hours_left",
  "ends_at",
  "nodes",
  "node_list",
  "slurm_id",
  "slurm_state",
  "output_dir",
  "storage_bytes",
  "stalled",
  "held",
  "attention",
  "updated"
]

/** What is shown to people who name no columns. */
export const usualColumns: ReadonlyArray<ColumnName> = [
  "name",
  "state",
  "attempts",
  "link",
  "step",
  "total",
  "percent",
  "rate",
  "loss",
  "gpu_hours_used",
  "gpu_hours_left",
  "ends_at",
  "nodes",
  "attention",
  "cause"
]

const columnOf = (name: string): Either.Either<ColumnName, SelectError> => {
  const found = columnNames.find((known) => known === name.trim())
  return found === undefined
    ? Either.left({
      message: `there is no column "${name.trim()}"; ${didYouMean(name.trim(), columnNames)}`,
      suggestions: nearest(name.trim(), columnNames)
    })
    : Either.right(found)
}

/** The columns that `a,b` names. */
export const columnsOf = (text: string): Either.Either<ReadonlyArray<ColumnName>, SelectError> =>
  Either.all(text.split(",").map(columnOf))

const compare: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b
}

/**
 * A test of rows: `column=text` and `column!=text`, the text with `*` and `?` for anything and empty for nothing;
 * `column<number` and `<=`, `>`, `>=`, which nothing fits that is unknown.
 */
export const filterOf = (text: string): Either.Either<(row: StatusRow) => boolean, SelectError> =>
  Either.gen(function*() {
    const parts = /^([^=<>!]*)(!=|<=|>=|=|<|>)(.*)$/s.exec(text)
    if (parts === null) {
      return yield* Either.left({
        message: `"${text}" is no filter; write it as column=text, column!=text or column<number`,
        suggestions: []
      })
    }
    const [, name = "", sign = "", wanted = ""] = parts
    const column = yield* columnOf(name)
    const test = compare[sign]
    if (test === undefined) {
      return (row) => fitsGlob(wanted.trim(), String(row[column] ?? "")) === (sign === "=")
    }
    const bound = Number(wanted)
    if (wanted.trim() === "" || Number.isNaN(bound)) {
      return yield* Either.left({ message: `the filter "${text}" compares with no number`, suggestions: [] })
    }
    return (row) => {
      const value = row[column]
      return typeof value === "number" && test(value, bound)
    }
  })
