/** How jobs stand, as a table for people and as the columns of other formats. */
import type { Column } from "../table.ts"
import type { ColumnName } from "./columns.ts"
import { type PhaseRow, phasesOf, type StatusRow } from "./rows.ts"

/** A line of the table: a job, or what a phase's jobs are together. */
type Line = { readonly job: StatusRow; readonly phase: null } | { readonly job: null; readonly phase: PhaseRow }

const bytesText = (bytes: number): string => {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"]
  const power = bytes <= 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** power
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`
}

/** To the minute: what follows is noise in a forecast. */
const minuteText = (at: string): string => at.replace("T", " ").replace(/:\d\d\.\d+Z$/, "")

const statesText = ({ states }: PhaseRow): string =>
  Object.entries(states).map(([state, count]) => `${count} ${state}`).join(", ")

const phaseTitle = ({ jobs, stage }: PhaseRow): string =>
  `= ${stage === "" ? "" : `${stage}: `}${jobs} ${jobs === 1 ? "job" : "jobs"}`

const stateText = ({ held, outcome, stalled, state }: StatusRow): string =>
  outcome ?? (stalled ? "stalled" : held ? `${state}, held` : state)

const styleOf = ({ job }: Line): string | null => {
  if (job === null) return "1"
  if (job.attention !== null || job.stalled || (job.outcome !== null && job.outcome !== "success")) return "31"
  return job.outcome === "success" ? "32" : null
}

const titles: Partial<Record<ColumnName, string>> = {
  plan_id: "SESSION",
  gpu_hours_used: "GPU-H USED",
  gpu_hours_left: "GPU-H LEFT",
  ends_at: "ENDS (UTC)",
  rate: "STEPS/H",
  percent: "%",
  storage_bytes: "STORAGE"
}

const numeric: ReadonlySet<ColumnName> = new Set([
  "index",
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
  "ran_seconds",
  "gpus",
  "gpu_hours_used",
  "gpu_hours_left",
  "nodes",
  "storage_bytes"
])

const jobCell = (job: StatusRow, name: ColumnName): string | number | null => {
  const value = job[name]
  if (name === "state") return stateText(job)
  if (name === "link") return job.link === null ? null : `${job.link} of ${job.links ?? "?"}`
  if (name === "storage_bytes") return typeof value === "number" ? bytesText(value) : null
  if (name === "ends_at" && typeof value === "string") return minuteText(value)
  return typeof value === "boolean" ? (value ? "yes" : "") : value
}

/** What of a column a phase has as a whole; empty where that means nothing. */
const phaseCell = (phase: PhaseRow, name: ColumnName): string | number => {
  switch (name) {
    case "plan_id":
      return phase.plan_id
    case "name":
      return phaseTitle(phase)
    case "state":
      return statesText(phase)
    case "attempts":
    case "restarts":
    case "percent":
    case "gpu_hours_used":
    case "gpu_hours_left":
    case "nodes":
      return phase[name] ?? ""
    case "storage_bytes":
      return phase.storage_bytes === null ? "" : bytesText(phase.storage_bytes)
    case "ends_at":
      return phase.ends_at === null ? "" : minuteText(phase.ends_at)
    case "attention":
      return phase.attention === 0 ? "" : `${phase.attention} ${phase.attention === 1 ? "needs it" : "need it"}`
    default:
      return ""
  }
}

/** Columns in which no job has anything to tell are left out, unless somebody named the columns. */
export const told = (columns: ReadonlyArray<ColumnName>, rows: ReadonlyArray<StatusRow>): ReadonlyArray<ColumnName> =>
  columns.filter((name) =>
    name === "name" || name === "state" || rows.some((row) => row[name] !== null && row[name] !== false)
  )

const cellOf = ({ job, phase }: Line, name: ColumnName): string | number | null =>
  job === null ? phaseCell(phase, name) : jobCell(job, name)

/** The columns of the table for people. */
export const tableColumns = (columns: ReadonlyArray<ColumnName>): ReadonlyArray<Column<Line>> =>
  columns.map((name) => ({
    title: titles[name] ?? name.replaceAll("_", " ").toUpperCase(),
    value: (line) => cellOf(line, name),
    ...(numeric.has(name) ? { right: true } : {}),
    ...(name === "name" || name === "state" ? { style: styleOf } : {})
  }))

/** The jobs, those of a phase together and below them what they are as a whole. */
export const lines = (rows: ReadonlyArray<StatusRow>): ReadonlyArray<Line> =>
  phasesOf(rows).flatMap(({ phase, rows: jobs }) => [
    ...jobs.map((job): Line => ({ job, phase: null })),
    { job: null, phase }
  ])

/** The same columns for Markdown, under their own names. */
export const namedCells = (columns: ReadonlyArray<ColumnName>) =>
  columns.map((name) => [name, (line: Line) => cellOf(line, name)] as const)

/** The values of rows as they are, for spreadsheets. */
export const plainCells = (columns: ReadonlyArray<ColumnName>) =>
  columns.map((name) =>
    [name, (row: StatusRow) => {
      const value = row[name]
      return typeof value === "boolean" ? String(value) : value
    }] as const
  )
