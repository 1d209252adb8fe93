/** What a session has decided and the world has not yet been asked or has not answered. */
import type { Job, OpenAction, OpenBinding, OpenSubmission, QueueEntry, Session } from "./Session.ts"

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

/** Inline actions to run; those under way are known to whoever runs them. */
export const toRun = (session: Session): ReadonlyArray<OpenAction> => [...session.actions.values()]

export const toAsk = (session: Session): ReadonlyArray<OpenBinding> => [...session.bindings.values()]

export const toClaim = (session: Session): ReadonlyArray<QueueEntry> =>
  [...session.queue.values()].filter(({ status }) => status === "queued")

/** Jobs whose scheduler state may still change. */
export const toObserve = (session: Session): ReadonlyArray<Job> =>
  [...session.jobs.values()].filter(({ live, outcome, slurm }) => live && outcome === null && slurm !== null)

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
