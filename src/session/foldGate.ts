/** What records make of the conditions that jobs' starts and ends wait for. */
import type { EventRecord } from "../event/EventRecord.ts"
import { type Asked, partsOf } from "../event/Question.ts"
import { changeJob } from "./change.ts"
import type { OpenGate } from "./entries.ts"
import { latchKey, type Session } from "./Session.ts"

type ConditionRecord = EventRecord<"ConditionWaiting" | "ConditionPassed" | "ConditionFailed">

/** Id of the gate before a job's submission. */
export const startGate = (job: string): string => `start ${job}`

/** Id of the gate of one of a job's cancel conditions. */
export const cancelGate = (job: string, condition: number): string => `cancel.${condition} ${job}`

/** Id of the question whether a job's present attempt has done its work. */
export const terminationGate = (job: string): string => `termination ${job}`

/** Id of the question whether a job's work is done already. */
export const doneGate = (job: string): string => `done ${job}`
/** Id of the question whether the work of a job's chain is done. */
export const goalGate = (job: string): string => `goal ${job}`

/** What the gate of that id holds back; null if it is an action's binding. */
export const gateKind = (id: string): OpenGate["kind"] | null =>
  id.startsWith("start ")
    ? "start"
    : id.startsWith("cancel.")
    ? "cancel"
    : id.startsWith("termination ")
    ? "termination"
    : id.startsWith("done ")
    ? "done"
    : id.startsWith("goal ")
    ? "goal"
    : null

/** The jobs that a question is about. */
const jobsOf = ({ question }: Asked): ReadonlyArray<string> =>
  question.kind === "job_ended" ? [question.job] : question.kind === "job_state" ? question.jobs : []

/** Notes that `id` waits for what it asks, where that is how jobs stand. */
export const awaitJob = (session: Session, id: string, asked: Asked): void => {
  for (const job of partsOf(asked).flatMap(jobsOf)) {
    const ids = session.awaited.get(job)
    if (ids === undefined) session.awaited.set(job, new Set([id]))
    else ids.add(id)
  }
}

/** Takes back {@link awaitJob}. */
export const stopAwaiting = (session: Session, id: string, asked: Asked | undefined): void => {
  for (const job of asked === undefined ? [] : partsOf(asked).flatMap(jobsOf)) {
    const ids = session.awaited.get(job)
    ids?.delete(id)
    if (ids?.size === 0) session.awaited.delete(job)
  }
}

const close = (session: Session, id: string): void => {
  stopAwaiting(session, id, session.gates.get(id)?.asked)
  session.gates.delete(id)
}

/** Nobody asks any more whether the job's attempt has done its work. */
export const closeTermination = (session: Session, job: string): void => {
  close(session, terminationGate(job))
  close(session, goalGate(job))
}

/** Nobody asks any more whether the job's work is done already. */
export const closeDone = (session: Session, job: string): void => close(session, doneGate(job))

/** Nothing of a job that has ended waits any more. */
export const closeGates = (session: Session, job: string): void => {
  close(session, startGate(job))
  closeTermination(session, job)
  closeDone(session, job)
  const cancels = session.jobs.get(job)?.plan.cancel_conditions.length ?? 0
  for (let condition = 0; condition < cancels; condition += 1) close(session, cancelGate(job, condition))
}

/** Notes the answer that a condition keeps to. */
export const foldLatch = (
  session: Session,
  { data, job = "", type }: EventRecord<"ConditionPassed" | "ConditionFailed">
) => {
  const { latch, why } = data
  const holds = type === "ConditionPassed"
  if (latch?.keeps.includes(holds ? "pass" : "fail") !== true) return
  const key = latchKey(job, latch.key)
  if (!session.latches.has(key)) session.latches.set(key, { holds, why })
}

export const foldGate = (session: Session, kind: OpenGate["kind"], record: ConditionRecord): void => {
  const { binding: id, class_name: className, condition } = record.data
  close(session, id)
  if (record.type === "ConditionWaiting") {
    const { attempt = 0, at: since, job = "", seq } = record
    const { asked, latch = null } = record.data
    session.gates.set(id, {
      id,
      kind,
      job,
      attempt,
      condition,
      className,
      latch,
      asked,
      answers: new Map(),
      since,
      seq
    })
    awaitJob(session, id, asked)
  }
  if (kind === "termination") return
  changeJob(session, record, ({ live, plan }) => {
    // While the attempt runs, a no is not the last word.
    if (kind === "goal") return live ? {} : { goal: record.type === "ConditionWaiting" ? "asking" : "no" }
    if (kind === "cancel") return { cancelAsked: true }
    if (kind === "done") {
      if (record.type === "ConditionFailed") return { done: "no", doneWhy: null }
      const isLast = condition === plan.finish_conditions.length - 1
      return record.type === "ConditionPassed" && isLast
        ? { done: "yes", doneWhy: record.data.why }
        : { done: "asking", doneWhy: null }
    }
    const last = condition === plan.start_conditions.length - 1
    return { gate: record.type === "ConditionPassed" && last ? "passed" : "asking" }
  })
}
