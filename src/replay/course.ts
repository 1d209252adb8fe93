/** What decisions mean for the course of a job. */
import * as Either from "effect/Either"
import { encodeEvent, type EventRecord } from "../event/EventRecord.ts"

/** A decision that people would notice. */
export interface Deed {
  readonly seq: number
  readonly at: string
  readonly job: string
  readonly attempt: number | null
  readonly type: EventRecord["type"]
  readonly data: unknown
  /** What makes two of them the same. */
  readonly key: string
  /** Whether what happens to the job afterwards depends on it. */
  readonly steers: boolean
}

const deed = (record: EventRecord, job: string, steers: boolean, ...parts: ReadonlyArray<unknown>): Deed => ({
  seq: record.seq,
  at: record.at,
  job,
  attempt: record.attempt ?? null,
  type: record.type,
  data: encodeEvent(record).data,
  key: JSON.stringify([record.type, record.attempt, ...parts]),
  steers
})

/** The deeds of a decision, one for each job that it is about. */
export const deedsOf = (record: EventRecord): ReadonlyArray<Deed> => {
  const { job = "" } = record
  switch (record.type) {
    case "SubmissionIntended":
      return record.data.jobs.map((job) => deed(record, job, true, record.data.options))
    case "RestartDecided":
      return [deed(record, job, true, record.data.changes ?? null)]
    case "RestartDropped":
    case "CancelDecided":
    case "EndDecided":
      return [deed(record, job, true)]
    case "JobFinished":
      return [deed(record, job, true, record.data.outcome)]
    case "AttentionNeeded":
      return [deed(record, job, false)]
    case "EventRaised":
      return [deed(record, job, false, record.data.source, record.data.name)]
    case "ActionStarted":
    case "ActionQueued":
      return [deed(record, job, false, record.data.action)]
    case "ActionLogged":
      return [deed(record, job, false, record.data.message)]
    default:
      return []
  }
}

/** Times (ISO 8601 UTC) between which an attempt ran, by the journal's clock; `end` is null while it runs. */
export interface Run {
  readonly attempt: number
  readonly start: string
  readonly end: string | null
  /** The scheduler's last word for it. */
  readonly state: string
}

const running = ["RUNNING", "COMPLETING"]

/** When each job's attempts ran. */
export const runsOf = (records: ReadonlyArray<EventRecord>): ReadonlyMap<string, ReadonlyArray<Run>> => {
  const runs = new Map<string, Array<Run>>()
  for (const record of records) {
    if (record.type !== "JobStateChanged" || record.job === undefined) continue
    const { at, attempt = 1, data: { end, start, to } } = record
    const own = runs.get(record.job) ?? []
    runs.set(record.job, own)
    const last = own.at(-1)
    if (last?.attempt === attempt) {
      if (last.end === null && !running.includes(to)) own.splice(-1, 1, { ...last, end: at, state: to })
    } else if (running.includes(to)) own.push({ attempt, start: at, end: null, state: to })
    // It began and ended between two looks.
    else if (start !== null && end !== null) {
      own.push({ attempt, start: moment(start) ?? at, end: moment(end) ?? at, state: to })
    }
  }
  return runs
}

const moment = (text: string): string | null => Either.getOrNull(Either.try(() => new Date(text).toISOString()))
