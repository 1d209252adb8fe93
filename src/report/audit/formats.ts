/** Audits as tables: for people, for spreadsheets, for pages. Texts of logs and programs in them stay mere texts. */
import type { Actor } from "../../event/terms.ts"
import * as formats from "../formats.ts"
import type { Column } from "../table.ts"
import type { AuditEntry } from "./books.ts"
import { evidenceText } from "./evidence.ts"

/** An entry of one of several sessions. */
export type AuditRow = { readonly plan_id: string } & AuditEntry

const actorText = (actor: Actor | null): string =>
  actor === null ? "" : `${actor.role} ${actor.user}@${actor.host} (process ${actor.pid})`

const conditionsText = ({ conditions }: AuditEntry): string =>
  conditions.map(({ class_name, result, why }) => `${class_name} ${result}: ${why}`).join("; ")

const budgetText = ({ budgets }: AuditEntry): string =>
  budgets.map(({ after, before, kind, max }) => `${kind}: ${before} of ${max} before, ${after} after`).join("; ")

/** The columns of all formats, by their names. */
const columns: ReadonlyArray<readonly [name: string, value: (row: AuditRow) => string | number | null]> = [
  ["plan_id", ({ plan_id }) => plan_id],
  ["seq", ({ seq }) => seq],
  ["at", ({ at }) => at],
  ["job", ({ job }) => job],
  ["attempt", ({ attempt }) => attempt],
  ["action", ({ action }) => action],
  ["status", ({ status }) => status],
  ["actor", ({ actor }) => actorText(actor)],
  ["event", ({ event }) => event],
  ["reason", ({ reason }) => reason],
  ["evidence", ({ evidence }) => evidenceText(evidence)],
  ["cause", ({ cause }) => cause.join(" ")],
  ["conditions", conditionsText],
  ["budgets", budgetText],
  ["queue_id", ({ queue_id }) => queue_id],
  ["slurm_id", ({ slurm_id }) => slurm_id],
  ["command", ({ command }) => command === null ? null : JSON.stringify(command)],
  ["runs", ({ runs }) => runs.length],
  ["exit_code", ({ exit_code }) => exit_code],
  ["duration_seconds", ({ duration_seconds }) => duration_seconds],
  ["output", ({ output }) => output],
  ["error", ({ error }) => error]
]

/** Lines of comma-separated values, the names of the columns first; a text may hold line ends. */
export const csv = (rows: ReadonlyArray<AuditRow>): ReadonlyArray<string> => formats.csv(columns, rows)

/** Lines of a Markdown table. */
export const markdown = (rows: ReadonlyArray<AuditRow>): ReadonlyArray<string> => formats.markdown(columns, rows)

const resultText = ({ duration_seconds, exit_code, output, runs }: AuditEntry): string =>
  [
    exit_code === null ? [] : [`exit code ${exit_code}`],
    exit_code === null && output !== null ? [output] : [],
    duration_seconds === null ? [] : [`${duration_seconds} s`],
    runs.length < 2 ? [] : [`${runs.length} runs`]
  ].flat().join(", ")

/** The columns of the table for people. */
export const tableColumns = (several: boolean): ReadonlyArray<Column<AuditRow>> => [
  ...(several ? [{ title: "SESSION", value: ({ plan_id }: AuditRow) => plan_id }] : []),
  { title: "SEQ", value: ({ seq }) => seq, right: true },
  { title: "TIME", value: ({ at }) => at },
  { title: "JOB", value: ({ attempt, job }) => job === null ? null : attempt === null ? job : `${job}#${attempt}` },
  { title: "ACTION", value: ({ action }) => action },
  { title: "STATUS", value: ({ status }) => status },
  { title: "BY", value: ({ actor }) => actor === null ? null : `${actor.role} ${actor.user}@${actor.host}` },
  { title: "RESULT", value: (row) => resultText(row) || null },
  { title: "REASON", value: ({ reason }) => reason || null },
  { title: "BECAUSE OF", value: ({ evidence }) => evidenceText(evidence) || null }
]
