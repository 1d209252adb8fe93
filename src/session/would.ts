/** Observe mode: what is decided and not done. */
import * as Predicate from "effect/Predicate"
import type { EventRecord } from "../event/EventRecord.ts"
import { changeEvent, changeJob, noteAction } from "./change.ts"
import { sectionOf } from "./foldRules.ts"
import type { Job, Would } from "./Job.ts"
import type { Session } from "./Session.ts"

/** Records of what is done: where nothing is to be done they say `would`. */
export type Doing = EventRecord<
  | "SubmissionIntended"
  | "RestartDecided"
  | "CancelDecided"
  | "EndDecided"
  | "NodesExcluded"
  | "ActionStarted"
  | "ActionQueued"
>

/** Most of a job's that are kept. */
const keptBound = 20

/** The record, if it tells of what would have been done. */
export const wouldOf = (record: EventRecord): Doing | null => {
  switch (record.type) {
    case "SubmissionIntended":
    case "RestartDecided":
    case "CancelDecided":
    case "EndDecided":
    case "NodesExcluded":
    case "ActionStarted":
    case "ActionQueued":
      return record.data.would === true ? record : null
    default:
      return null
  }
}

/** Whether the monitor that is attached, or the rules of the job, let nothing be done about it. */
export const isObserved = (session: Session, job: Job): boolean => {
  const rules = sectionOf(session, job)
  return session.observer !== null || Predicate.isRecord(rules) && rules["act"] === false
}

/** Whether that would have been done of the job's present attempt already. */
export const wouldHave = ({ would }: Job, what: Would["what"]): boolean => would.some((one) => one.what === what)

/** The cooldown of an action that would have been started, by its class. */
export const wouldClass = (className: string): string => `would ${className}`

const saying = (record: Doing): Pick<Would, "what" | "why"> => {
  switch (record.type) {
    case "SubmissionIntended":
      return { what: "submit", why: record.data.name }
    case "RestartDecided":
      return { what: "restart", why: record.data.reason }
    case "CancelDecided":
      return { what: "cancel", why: record.data.why }
    case "EndDecided":
      return { what: "end", why: record.data.why }
    case "NodesExcluded":
      return { what: "act", why: `stay away from ${record.data.nodes.join(", ")}` }
    case "ActionStarted":
    case "ActionQueued":
      return { what: "act", why: record.data.action.class_name }
  }
}

/** What would have been done is noted of its job, and changes nothing else. */
export const foldWould = (session: Session, record: Doing): void => {
  const one: Would = { at: record.at, seq: record.seq, ...saying(record) }
  for (const job of record.type === "SubmissionIntended" ? record.data.jobs : [record.job ?? ""]) {
    changeJob(session, { ...record, job }, ({ would }) => ({ would: [...would, one].slice(-keptBound) }))
  }
  if (record.type !== "ActionStarted" && record.type !== "ActionQueued") return
  changeEvent(session, record.data.event_id, { status: "would" })
  noteAction(session, record.data.event_id, wouldClass(record.data.action.class_name), record.at)
}
