/**
 * What squeue, sacct and scontrol say of a job, put together. The controller is right about what lives; the accounting
 * tells the exit code, and what became of jobs that the controller has forgotten.
 */
import type { JobRef, JobReport } from "../../port/Scheduler.ts"
import type { Row } from "./answers.ts"
import { covers } from "./jobIds.ts"

/** Answers of one cycle. */
export interface Answers {
  /** All jobs of the user that the controller remembers, ended ones included. */
  readonly queue: ReadonlyArray<Row>
  /** Rows of those asked for, requeued runs included; null: not asked, or it did not answer. */
  readonly accounting: ReadonlyArray<Row> | null
  /** Rows of `scontrol show job`, newer than the others, by the id asked about; none for an id it does not know. */
  readonly details: ReadonlyMap<string, ReadonlyArray<Row>>
  /** Whether the cluster keeps accounts at all. */
  readonly accounts: boolean
}

export interface Merged {
  readonly reports: ReadonlyArray<JobReport>
  /** Jobs of which nothing can be said yet; those in neither list are known to nobody. */
  readonly unanswered: ReadonlyArray<JobRef>
}

/** What a source says of a job. */
interface Found {
  readonly row: Row
  /** Whether the row is certainly about this very task. */
  readonly exact: boolean
}

interface Source {
  readonly find: (ref: JobRef) => Found | undefined
  /** Whether it knows the job, or any task of the array that the job is of. */
  readonly knows: (ref: JobRef) => boolean
}

const newest = (a: Row, b: Row): number => {
  const time = (row: Row) => [row.submit ?? "", row.start ?? (row.state.phase === "waiting" ? "~" : "")]
  const [submitA = "", startA = ""] = time(a)
  const [submitB = "", startB = ""] = time(b)
  return submitA !== submitB ? (submitA < submitB ? -1 : 1) : startA < startB ? -1 : startA > startB ? 1 : 0
}

/**
 * Finds the row of a job: id, task and the name with its nonce must all fit, since ids are used again. Of several runs
 * of one job the newest counts; a row about this task goes before one that may mean it.
 */
const sourceOf = (rows: ReadonlyArray<Row>): Source => {
  const byJob = new Map<string, Array<Row>>()
  const exact = new Map<string, Row>()
  const sorted = [...rows].sort(newest)
  for (const row of sorted) {
    const key = `${row.id}\0${row.name}`
    const known = byJob.get(key)
    if (known === undefined) byJob.set(key, [row])
    else known.push(row)
    if (row.tasks === "rest") continue
    for (const task of row.tasks ?? [null]) exact.set(`${key}\0${task}`, row)
  }
  return {
    find: ({ id, name, task }) => {
      const row = exact.get(`${id}\0${name}\0${task}`)
      if (row !== undefined) return { row, exact: true }
      const loose = byJob.get(`${id}\0${name}`)?.findLast(({ tasks }) => covers(tasks, task) > 0)
      return loose === undefined ? undefined : { row: loose, exact: false }
    },
    knows: ({ id, name }) => byJob.has(`${id}\0${name}`)
  }
}

const isEnded = (found: Found | undefined): found is Found => found?.row.state.phase === "ended"

/** Jobs that the accounting must be asked about: those of which the controller does not surely say that they live. */
export const toAccount = (jobs: ReadonlyArray<JobRef>, queue: ReadonlyArray<Row>): ReadonlyArray<JobRef> => {
  const queued = sourceOf(queue)
  return jobs.filter((job) => {
    const found = queued.find(job)
    return found === undefined || !found.exact || isEnded(found)
  })
}

/**
 * Jobs that only `scontrol show job` can tell more of: ended ones whose exit code the accounting has not got yet, and
 * those that live by the accounting, which lags, and of which squeue knows nothing.
 */
export const toDetail = (
  jobs: ReadonlyArray<JobRef>,
  { accounting, queue }: Pick<Answers, "queue" | "accounting">
): ReadonlyArray<JobRef> => {
  const queued = sourceOf(queue)
  const accounted = sourceOf(accounting ?? [])
  return jobs.filter((job) => {
    const found = queued.find(job)
    const account = accounted.find(job)
    return found === undefined ? account !== undefined && !isEnded(account) : isEnded(found) && !isEnded(account)
  })
}

const report = (ref: JobRef, { row }: Found, account: Row = row): JobReport => ({
  name: ref.name,
  id: ref.id,
  task: ref.task,
  state: row.state.word,
  exitCode: row.state.phase === "ended" ? account.exitCode : null,
  signal: row.state.phase === "ended" ? account.signal : null,
  reason: row.reason ?? account.reason,
  nodes: row.nodes ?? account.nodes,
  start: account.start ?? row.start,
  end: account.end ?? row.end
})

/** A waiting task that was cancelled alone leaves no record anywhere, while its array is known. */
const cancelled = ({ id, name, task }: JobRef): JobReport => ({
  id,
  name,
  task,
  state: "CANCELLED",
  exitCode: null,
  signal: null,
  reason: "it was taken out of its array before it began",
  nodes: null,
  start: null,
  end: null,
  inferred: true
})

/** One answer for each of `jobs`, or none. */
export const merge = (jobs: ReadonlyArray<JobRef>, answers: Answers): Merged => {
  const queued = sourceOf(answers.queue)
  const accounted = sourceOf(answers.accounting ?? [])
  const detailed = sourceOf([...answers.details.values()].flat())
  const reports: Array<JobReport> = []
  const unanswered: Array<JobRef> = []
  for (const job of jobs) {
    const found = queued.find(job)
    const account = accounted.find(job)
    const detail = detailed.find(job)
    if (detail?.exact === true) reports.push(report(job, detail))
    else if (found !== undefined && (found.exact || !(account?.exact === true && isEnded(account)))) {
      reports.push(report(job, found, isEnded(found) && isEnded(account) ? account.row : found.row))
    } else if (isEnded(account)) reports.push(report(job, account))
    else if (answers.accounts && answers.accounting === null) unanswered.push(job)
    // By the accounting it lives. It is gone only if the controller, asked for this very id, does not know it.
    else if (account !== undefined) {
      if (!answers.details.has(job.id)) unanswered.push(job)
    } else if (job.task !== null && (queued.knows(job) || accounted.knows(job))) reports.push(cancelled(job))
  }
  return { reports, unanswered }
}

/** All jobs whose name is one of `names`: each as a plain job or as the tasks that its rows speak of. */
export const named = (
  names: ReadonlySet<string>,
  answers: Pick<Answers, "queue" | "accounting">
): Merged["reports"] => {
  const refs = new Map<string, JobRef>()
  for (const { id, name, tasks } of [...answers.queue, ...answers.accounting ?? []]) {
    if (!names.has(name)) continue
    for (const task of tasks === "rest" ? [null] : tasks ?? [null]) {
      refs.set(`${id}\0${name}\0${task}`, { id, name, task })
    }
  }
  const queued = sourceOf(answers.queue)
  const accounted = sourceOf(answers.accounting ?? [])
  return [...refs.values()].flatMap((ref) => {
    const found = queued.find(ref) ?? accounted.find(ref)
    return found === undefined ? [] : [report(ref, found)]
  })
}

/** Whether the controller says that the job, of that id and name, has not ended. */
export const lives = (job: JobRef, queue: ReadonlyArray<Row>): boolean => {
  const found = sourceOf(queue).find(job)
  return found !== undefined && !isEnded(found)
}
