/** What records make of a job's attempts: submissions, states, restarts, ends. */
import { parseState } from "../backend/slurm/states.ts"
import type { EventRecord } from "../event/EventRecord.ts"
import { changeJob } from "./change.ts"
import { closeDone, closeGates, closeTermination } from "./foldGate.ts"
import { foldLink, intendLink, loseLink, numberedWith, queueLink, takeLink } from "./foldLink.ts"
import { type Job } from "./Job.ts"
import { afterPresent } from "./newAttempt.ts"
import { excludedBy } from "./nodes.ts"
import { eventKey, type Session } from "./Session.ts"

/** The records that are about attempts. */
export type AttemptRecord = EventRecord<
  | "SubmissionIntended"
  | "JobSubmitted"
  | "SubmissionDoubted"
  | "SubmissionNotFound"
  | "SubmissionLost"
  | "JobStateChanged"
  | "RestartDecided"
  | "RestartDropped"
  | "CancelDecided"
  | "CancelAnswered"
  | "CancelUnheeded"
  | "EndDecided"
  | "JobClassified"
  | "JobLost"
  | "JobFinished"
  | "AttentionNeeded"
  | "AttentionCleared"
  | "EndConfirmed"
  | "EndDoubted"
  | "JobReopened"
  | "JobHeld"
  | "JobReleased"
  | "LinkTaken"
  | "LinkCancelDecided"
  | "LinkCancelAnswered"
  | "LinkEnded"
>

/** The behaviour (`rule/behaviour.ts`) from which on a run that follows a cancelled one is not cancelled for what ended that. */
export const cancelsEndWithTheirRun = 8

/** Whether the attempt is over that was cancelled, and nobody wants the job itself to end. */
const hasTakenEffect = ({ cancel, ending, live }: Job): boolean =>
  !live && ending === null && (cancel === null || cancel.mode === null)

/** The next attempt of a job that the scheduler itself runs again, under the same id and name, with the same log. */
const requeued = ({ behaviour }: Session, job: Job, at: string): Partial<Job> => ({
  ...afterPresent(job, at),
  attempt: job.attempt + 1,
  nonce: job.nonce,
  slurm: job.slurm,
  logPath: job.logPath,
  cancel: behaviour >= cancelsEndWithTheirRun && hasTakenEffect(job) ? null : job.cancel,
  excluded: job.excluded,
  requeued: true
})

const jobStates = { ended: "ended", running: "running", waiting: "pending" } as const

const changeState = (session: Session, record: EventRecord<"JobStateChanged">): void => {
  const { data } = record
  if (data.requeued === true) closeDone(session, record.job ?? "")
  changeJob(session, record, (job) => {
    const { phase } = parseState(data.to)
    const ended = phase === "ended"
    const running = phase === "running"
    return {
      ...(data.requeued === true ? requeued(session, job, record.at) : {}),
      slurmState: data.to,
      ...(phase === "unknown" ? {} : { stateKey: null }),
      state: phase === "unknown" ? job.state : jobStates[phase],
      live: !ended,
      seenDead: ended ? record.at : null,
      doubted: false,
      exitCode: data.exit_code,
      signal: data.signal,
      nodes: data.nodes ?? job.nodes,
      start: data.start ?? (data.requeued === true ? null : job.start),
      end: data.end,
      foreignClaim: data.foreign_claim ?? false,
      gated: data.gated ?? false,
      activeAt: running && (job.activeAt === null || data.requeued === true) ? record.at : job.activeAt,
      runningAt: running && (job.runningAt === null || data.requeued === true) ? record.at : job.runningAt
    }
  })
}

/** Forgets the occurrences of a finished job that nothing waits for. */
export const forgetOccurrences = (session: Session, job: string): void => {
  const waiting = new Set([...session.bindings.values()].map(({ occurrence }) => occurrence.seq))
  for (const [seq, occurrence] of session.occurrences) {
    if (occurrence.job === job && !waiting.has(seq)) session.occurrences.delete(seq)
  }
}

/** A job that has ended waits for no submission. */
const closeSubmission = (session: Session, name: string): void => {
  const submission = session.submissions.get(session.jobs.get(name)?.nonce ?? "")
  if (submission === undefined) return
  const jobs = submission.jobs.filter((job) => job !== name)
  if (jobs.length === 0) session.submissions.delete(submission.nonce)
  else session.submissions.set(submission.nonce, { ...submission, jobs })
}

const decideRestart = (session: Session, record: EventRecord<"RestartDecided">): void => {
  const { by, changes, event, fingerprint, progress, reason, unless_completed: unlessCompleted } = record.data
  const rule = by === "rule" ? record.data.rule ?? event : null
  changeJob(session, record, (job) => ({
    restart: { seq: record.seq, reason, unlessCompleted, by, notBefore: record.data.not_before ?? null },
    link: by === "chain" ? job.link + 1 : job.link,
    restarts: [...job.restarts, { attempt: job.attempt + 1, cause: event, reason, rule, fingerprint, progress }],
    ...(changes === undefined ? {} : { changes }),
    // A person has looked: nothing that was counted before counts any more.
    ...(by === "operator"
      ? {
        attention: null,
        held: null,
        budgetFrom: job.restarts.length + 1,
        progressed: { best: {}, advanced: [], read: false }
      }
      : {})
  }))
  if (by !== "rule" || fingerprint === null) return
  const jobs = session.alike.get(fingerprint) ?? new Map<string, string>()
  session.alike.set(fingerprint, jobs.set(record.job ?? "", record.at))
}

export const foldAttempt = (session: Session, record: AttemptRecord): void => {
  switch (record.type) {
    case "SubmissionIntended": {
      const { array, jobs, name, nonce, options, script } = record.data
      const attempt = record.attempt ?? 1
      session.submissions.set(nonce, {
        nonce,
        name,
        script,
        rewritten: record.data.rewritten ?? null,
        jobs,
        array,
        options,
        attempt,
        ahead: record.data.ahead ?? false,
        intent: record.seq,
        at: record.at,
        doubted: false,
        missed: false,
        settled: false
      })
      if (record.data.ahead === true) {
        intendLink(session, record)
        break
      }
      for (const job of jobs) {
        closeTermination(session, job)
        changeJob(
          session,
          { ...record, job },
          (job) => ({
            ...afterPresent(job, record.at),
            state: "submitting",
            attempt,
            nonce,
            link: job.plan.chain === undefined ? 0 : Math.max(1, job.link),
            excluded: excludedBy(options),
            restart: null,
            progressed: { ...job.progressed, advanced: [], read: false }
          })
        )
      }
      break
    }
    case "JobSubmitted": {
      const { adopted, cluster, log_path, name, nonce, slurm_id, task } = record.data
      if (session.submissions.get(nonce)?.ahead === true) {
        queueLink(session, record)
        break
      }
      if (adopted === true) {
        closeSubmission(session, record.job ?? "")
        closeDone(session, record.job ?? "")
      }
      changeJob(session, record, (job) => ({
        ...(adopted === true
          ? {
            ...afterPresent(job, record.at),
            outcome: null,
            why: null,
            ending: null,
            restart: null,
            attempt: record.attempt ?? 1,
            nonce
          }
          : {}),
        state: "pending",
        live: true,
        slurm: { id: slurm_id, task, name, cluster },
        numbered: numberedWith(session, job, name),
        gate: "unasked",
        lostSubmissions: 0,
        logPath: log_path
      }))
      closeSubmission(session, record.job ?? "")
      break
    }
    case "SubmissionDoubted": {
      const submission = session.submissions.get(record.data.nonce)
      if (submission !== undefined) session.submissions.set(submission.nonce, { ...submission, doubted: true })
      break
    }
    case "SubmissionNotFound": {
      const submission = session.submissions.get(record.data.nonce)
      if (submission !== undefined) session.submissions.set(submission.nonce, { ...submission, missed: true })
      break
    }
    case "SubmissionLost": {
      const submission = session.submissions.get(record.data.nonce)
      session.submissions.delete(record.data.nonce)
      if (submission?.ahead === true) {
        loseLink(session, record, submission)
        break
      }
      for (const job of submission?.jobs ?? []) {
        changeJob(session, { ...record, job }, ({ attempt, lostSubmissions }) => ({
          state: "waiting",
          attempt: attempt - 1,
          done: "unasked",
          lostSubmissions: record.data.refused === true ? lostSubmissions : lostSubmissions + 1
        }))
      }
      break
    }
    case "JobStateChanged":
      changeState(session, record)
      break
    case "RestartDecided": {
      const key = eventKey(record.job ?? "", record.attempt ?? 0, record.data.event)
      const raised = session.events.get(key)
      if (raised !== undefined) {
        session.events.set(key, { ...raised, status: "done", acted: { ...raised.acted, RestartAction: record.at } })
      }
      decideRestart(session, record)
      break
    }
    case "RestartDropped":
      changeJob(session, record, ({ budgetFrom, link, restart, restarts }) => ({
        restart: null,
        link: restart?.by === "chain" ? link - 1 : link,
        restarts: restarts.slice(0, -1),
        budgetFrom: Math.min(budgetFrom, restarts.length - 1)
      }))
      break
    case "LinkTaken":
      closeTermination(session, record.job ?? "")
      takeLink(session, record)
      break
    case "LinkCancelDecided":
    case "LinkCancelAnswered":
    case "LinkEnded":
      foldLink(session, record)
      break
    case "EndConfirmed":
      changeJob(session, record, () => ({ seenDead: record.at, doubted: false }))
      break
    case "EndDoubted":
      changeJob(session, record, () => ({ doubted: true }))
      break
    case "JobReopened":
      changeJob(session, record, ({ state, verdict }) => ({
        outcome: null,
        why: null,
        ending: null,
        gate: "unasked",
        done: "unasked",
        cancelAsked: false,
        lostSubmissions: 0,
        state: verdict === null ? "waiting" : state
      }))
      break
    case "JobHeld":
      changeJob(session, record, () => ({ held: { since: record.at, reason: record.data.why } }))
      break
    case "JobReleased":
      changeJob(session, record, () => ({ held: null }))
      break
    case "AttentionCleared":
      changeJob(session, record, ({ changes }) => ({
        attention: null,
        changes: record.data.undone === null ? changes : null
      }))
      break
    case "CancelDecided":
      changeJob(session, record, ({ cancel }) => ({
        cancel: {
          seq: record.seq,
          taken: false,
          at: null,
          unheeded: cancel?.unheeded ?? 0,
          mode: record.data.mode ?? cancel?.mode ?? null
        }
      }))
      break
    case "CancelAnswered":
      changeJob(session, record, ({ cancel }) => ({
        cancel: cancel === null ? null : { ...cancel, taken: true, at: record.at }
      }))
      break
    case "CancelUnheeded":
      changeJob(session, record, ({ cancel }) => ({
        cancel: cancel === null ? null : { ...cancel, unheeded: cancel.unheeded + 1 }
      }))
      break
    case "EndDecided":
      changeJob(session, record, () => ({ ending: { seq: record.seq, why: record.data.why } }))
      break
    case "JobClassified": {
      const { outcome, why } = record.data
      closeTermination(session, record.job ?? "")
      changeJob(session, record, () => ({ verdict: { outcome, why }, done: "unasked" }))
      break
    }
    case "JobLost":
      closeTermination(session, record.job ?? "")
      changeJob(session, record, () => ({
        state: "ended",
        live: false,
        verdict: { outcome: "abandoned", why: "the scheduler no longer knows the job" }
      }))
      break
    case "JobFinished":
      closeSubmission(session, record.job ?? "")
      changeJob(session, record, () => ({
        state: "ended",
        live: false,
        outcome: record.data.outcome,
        why: record.data.why
      }))
      forgetOccurrences(session, record.job ?? "")
      closeGates(session, record.job ?? "")
      break
    case "AttentionNeeded":
      changeJob(session, record, () => ({ attention: { since: record.at, reason: record.data.why } }))
      break
  }
}
