/**
 * What SLURM's commands print, asked for in formats that all of them have had since 20.11 and that no job's name can
 * break. JSON is not used: `sacct --json` says exit code 0 of failed jobs, and `squeue --json` exits 0 when the
 * controller is down. An answer counts only if it is whole: with its header, and to the end of its last line.
 */
import * as Either from "effect/Either"
import { type JobId, parseJobId } from "./jobIds.ts"
import { parseState, type State } from "./states.ts"

/** One line about a job or about some tasks of an array. Times are ISO 8601 UTC. */
export interface Row extends Pick<JobId, "id" | "tasks"> {
  /** Empty if the source does not tell it yet. */
  readonly name: string
  readonly state: State
  readonly exitCode: number | null
  readonly signal: number | null
  readonly reason: string | null
  readonly nodes: string | null
  readonly submit: string | null
  readonly start: string | null
  readonly end: string | null
}

const RECORD = "\u001e"
const FIELD = "\u001f"

/** For `squeue -o`: the name stands last, since it may hold anything, newlines included. */
export const squeueFormat = `${RECORD}${["%i", "%T", "%r", "%N", "%V", "%S", "%e", "%j"].join(FIELD)}${FIELD}`
const squeueColumns = 8

/** For `sacct -P`, whose lines these options separate. */
export const sacctOptions = [
  `--delimiter=${FIELD}`,
  "--format=JobID,State,ExitCode,Submit,Start,End,NodeList,Reason,JobName"
]
const sacctColumns = 9

/** Times without a zone, printed by a command that ran with TZ=UTC. */
const time = (text: string): string | null => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(text) ? `${text}.000Z` : null

const nothing = new Set(["", "None", "(null)", "N/A", "None assigned", "Unknown"])
const told = (text: string): string | null => (nothing.has(text) ? null : text)

/** `code:signal`. */
const exit = (text: string): Pick<Row, "exitCode" | "signal"> => {
  const match = /^(\d+):(\d+)$/.exec(text)
  return match === null
    ? { exitCode: null, signal: null }
    : { exitCode: Number(match[1]), signal: Number(match[2]) === 0 ? null : Number(match[2]) }
}

/** A live job's end is a forecast, as is the start of one that waits. */
const times = (state: State, start: string, end: string): Pick<Row, "start" | "end"> => ({
  start: state.phase === "waiting" ? null : time(start),
  end: state.phase === "ended" ? time(end) : null
})

/** The rows of an answer of `squeue -o squeueFormat` that was asked with its header; the error says what is wrong. */
export const readSqueue = (stdout: string): Either.Either<ReadonlyArray<Row>, string> =>
  Either.gen(function*() {
    // What stands before the first record is not of the format, such as the `CLUSTER: name` line of -M.
    const [, header, ...records] = stdout.split(RECORD)
    if (header === undefined || !header.startsWith("JOBID")) {
      return yield* Either.left("squeue answered without a header")
    }
    const rows: Array<Row> = []
    for (const record of [header, ...records]) {
      const fields = record.split(FIELD)
      if (fields.length <= squeueColumns || !record.endsWith("\n")) {
        return yield* Either.left("squeue's answer is not complete")
      }
      if (record === header) continue
      const [idText = "", stateText = "", reason = "", nodes = "", submit = "", start = "", end = ""] = fields
      const id = parseJobId(idText)
      if (id === null) return yield* Either.left(`squeue answered with a job id that is none: ${idText.slice(0, 80)}`)
      if (id.component !== 0 || id.step !== null) continue
      const state = parseState(stateText)
      rows.push({
        id: id.id,
        tasks: id.tasks,
        name: fields.slice(squeueColumns - 1, -1).join(FIELD),
        state,
        exitCode: null,
        signal: null,
        reason: told(reason),
        nodes: told(nodes),
        submit: time(submit),
        ...times(state, start, end)
      })
    }
    return rows
  })

/** What accounting calls a job whose start it knows, and whose name it has not been told yet. */
const PLACEHOLDER = "allocation"

/** The rows of an answer of `sacct -P -X` with `sacctOptions` and its header; the error says what is wrong. */
export const readSacct = (stdout: string): Either.Either<ReadonlyArray<Row>, string> =>
  Either.gen(function*() {
    const [header = "", ...lines] = stdout.split("\n")
    if (!header.startsWith(`JobID${FIELD}`)) return yield* Either.left("sacct answered without a header")
    if (lines.pop() !== "") return yield* Either.left("sacct's answer is not complete")
    const rows: Array<Row> = []
    for (const line of lines) {
      const fields = line.split(FIELD)
      const id = parseJobId(fields[0] ?? "")
      // A job's name may hold newlines: what follows them is no row.
      if (fields.length < sacctColumns || id === null) continue
      if (id.component !== 0 || id.step !== null) continue
      const [, stateText = "", exitText = "", submit = "", start = "", end = "", nodes = "", reason = ""] = fields
      const state = parseState(stateText)
      const name = fields.slice(sacctColumns - 1).join(FIELD)
      rows.push({
        id: id.id,
        tasks: id.tasks,
        name: name === PLACEHOLDER ? "" : name,
        state,
        ...exit(exitText),
        reason: told(reason),
        nodes: told(nodes),
        submit: time(submit),
        ...times(state, start, end)
      })
    }
    return rows
  })

/** The text of `key` in a line of `scontrol -o`; `until` is the key after it, where a value may hold blanks. */
const value = (line: string, key: string, until?: string): string => {
  const match = until === undefined
    ? new RegExp(`(?:^| )${key}=(\\S*)`).exec(line)
    : new RegExp(`(?:^| )${key}=(.*?) ${until}=`).exec(line)
  return match?.[1] ?? ""
}

/** The rows of an answer of `scontrol -o show job`; the error says what is wrong. */
export const readScontrol = (stdout: string): Either.Either<ReadonlyArray<Row>, string> => {
  if (!stdout.endsWith("\n")) return Either.left("scontrol's answer is not complete")
  const rows: Array<Row> = []
  for (const line of stdout.split("\n")) {
    if (!line.startsWith("JobId=")) continue
    const array = value(line, "ArrayJobId")
    const het = value(line, "HetJobId")
    const id = parseJobId(array !== "" ? `${array}_${arrayTasks(value(line, "ArrayTaskId"))}` : value(line, "JobId"))
    if (id === null || (het !== "" && value(line, "HetJobOffset") !== "0")) continue
    const state = parseState(value(line, "JobState"))
    rows.push({
      id: id.id,
      tasks: id.tasks,
      name: value(line, "JobName", "UserId"),
      state,
      ...(state.phase === "ended" ? exit(value(line, "ExitCode")) : { exitCode: null, signal: null }),
      reason: told(value(line, "Reason", "Dependency")),
      nodes: told(value(line, "NodeList")),
      submit: time(value(line, "SubmitTime")),
      ...times(state, value(line, "StartTime"), value(line, "EndTime"))
    })
  }
  return Either.right(rows)
}

const arrayTasks = (text: string): string => (/^\d+$/.test(text) ? text : `[${text}]`)

/**
 * The id and cluster of an answer of `sbatch --parsable`; null unless exactly one line is of that form: what a site's
 * plugins print around it is left out, and a number in a sentence is no id.
 */
export const readSbatch = (stdout: string): { readonly id: string; readonly cluster: string | null } | null => {
  const found = stdout.split("\n").flatMap((line) => {
    const match = /^(\d+)(?:;([\w.-]+))?$/.exec(line.trim())
    return match === null ? [] : [{ id: match[1] ?? "", cluster: match[2] ?? null }]
  })
  const [only, ...others] = found
  return only === undefined || others.length > 0 ? null : only
}
