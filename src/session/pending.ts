/** What a session has decided and the world has not yet been asked or has not answered. */
import { type Part, partsOf } from "../event/Question.ts"
import type { OpenAction, OpenBinding, OpenGate, OpenSubmission, QueueEntry } from "./entries.ts"
import type { Job, Link } from "./Job.ts"
import { isRollback } from "./rollback.ts"
import type { Session } from "./Session.ts"

/** Submissions whose submit command may be run: their intent is this monitor's own. */
export const toSubmit = (session: Session): ReadonlyArray<OpenSubmission> =>
  [...session.submissions.values()].filter(({ doubted }) => !doubted)

/** Submissions that may have happened: only a look-up by name tells. */
export const toLookUp = (session: Session): ReadonlyArray<OpenSubmission> =>
  [...session.submissions.values()].filter(({ doubted }) => doubted)

export const toCancel = (session: Session): ReadonlyArray<Job> =>
  [...session.jobs.values()].filter(({ cancel, live, slurm }) =>
    cancel !== null && !cancel.taken && live && slurm !== null
  )

/** A link that waits behind a job's present attempt and is to be cancelled. */
export interface UnwantedLink {
  readonly job: Job
  readonly link: Link
  readonly slurm: NonNullable<Link["slurm"]>
  readonly taken: boolean
  /** Seq of that decision. */
  readonly seq: number
}

/** Links whose cancel was decided, of which nobody knows yet that they are over, in the order of the decisions. */
export const unwantedLinks = ({ chains, jobs }: Session): ReadonlyArray<UnwantedLink> =>
  [...chains].flatMap((name) => {
    const job = jobs.get(name)
    return job === undefined ? [] : job.links.flatMap((link) => {
      const { cancel, slurm } = link
      return cancel === null || slurm === null ? [] : [{ job, link, slurm, taken: cancel.taken, seq: cancel.seq }]
    }).sort((a, b) => a.seq - b.seq)
  })

/** Inline actions to run; those under way are known to whoever runs them. A checkpoint is left alone while its job lives. */
export const toRun = (session: Session): ReadonlyArray<OpenAction> =>
  [...session.actions.values()].filter((open) => {
    const job = session.jobs.get(open.job)
    return !isRollback(open) ||
      job !== undefined && job.attempt === open.attempt && job.verdict !== null && !job.live && job.outcome === null
  })

/** A question to the outside world, and who waits for its answer. */
export interface OpenQuestion {
  /** Of the binding or gate. */
  readonly id: string
  readonly job: string
  readonly attempt: number
  /** Seq of what led to it. */
  readonly cause: number
  /** Which part of what is asked. */
  readonly part: number
  readonly question: Part["question"]
}

const open = (
  { answers, asked, id }: OpenBinding | OpenGate,
  { attempt, cause, job }: Pick<OpenQuestion, "attempt" | "cause" | "job">
): ReadonlyArray<OpenQuestion> =>
  partsOf(asked).flatMap(({ question }, part) =>
    answers.has(part) || question.kind === "job_ended" || question.kind === "job_state" || question.kind === "delay"
      ? []
      : [{ id, job, attempt, cause, part, question }]
  )

/** The questions that the world is to answer; how a job stands, and what time it is, the session knows itself. */
export const toAsk = (session: Session): ReadonlyArray<OpenQuestion> => [
  ...[...session.bindings.values()].flatMap((binding) => {
    const { occurrence: { attempt, job }, seq: cause } = binding
    return open(binding, { attempt, cause, job })
  }),
  ...[...session.gates.values()].flatMap((gate) => {
    const { attempt, job, seq: cause } = gate
    return open(gate, { attempt, cause, job })
  })
]

/** Whether that very question is still open. */
export const isOpen = (session: Session, { attempt, cause, id, part }: OpenQuestion): boolean => {
  const gate = session.gates.get(id)
  if (gate !== undefined) return gate.attempt === attempt && gate.seq === cause && !gate.answers.has(part)
  const binding = session.bindings.get(id)
  return binding !== undefined && binding.seq === cause && !binding.answers.has(part)
}

/** Entries that may be claimed at `at` (ISO 8601 UTC), the oldest first. */
export const toClaim = (session: Session, at: string): ReadonlyArray<QueueEntry> =>
  [...session.queue.values()].filter(({ notBefore, status }) =>
    status === "queued" && (notBefore === null || notBefore <= at)
  )

/** Jobs whose scheduler state may still change: also that of an end that is not judged yet, by a requeue. */
export const toObserve = (session: Session): ReadonlyArray<Job> =>
  [...session.jobs.values()].filter(({ live, outcome, slurm, verdict }) =>
    (live || verdict === null) && outcome === null && slurm !== null
  )

/** Jobs whose end the scheduler is to be asked about once more, before they are submitted again. */
export const toConfirm = (session: Session): ReadonlyArray<Job> =>
  [...session.jobs.values()].filter(({ doubted, outcome, slurm }) => doubted && outcome === null && slurm !== null)

/** Jobs whose log may still grow and still matters. */
export const toRead = (session: Session): ReadonlyArray<Job> =>
  [...session.jobs.values()].filter(({ logPath, outcome, verdict }) =>
    logPath !== null && outcome === null && verdict === null
  )

/** Timers due at `at` (ISO 8601 UTC), the earliest first. */
export const dueTimers = (session: Session, at: string): ReadonlyArray<string> =>
  [...session.timers]
    .filter(([, { due }]) => due <= at)
    .sort(([, a], [, b]) => (a.due < b.due ? -1 : a.due > b.due ? 1 : 0))
    .map(([name]) => name)
