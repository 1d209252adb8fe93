/** The attempts of a job that are over, and how long each ran. */
import { secondsBetween } from "../event/time.ts"
import type { Job, Past, PastAttempt } from "./Job.ts"

export const noPast: Past = { attempts: [], seconds: 0 }

const kept = 100

/**
 * When the present attempt ran, up to `now` if it runs: as the scheduler says, else as it was seen. Null if it has not
 * begun to run.
 */
export const spanOf = (
  { activeAt, end, live, runningAt, seenDead, start }: Job,
  now: string
): { readonly start: string; readonly end: string } | null => {
  const from = start ?? runningAt
  if (from === null) return null
  return { start: from, end: live ? now : end ?? seenDead ?? activeAt ?? from }
}

const lasting = (span: { readonly start: string; readonly end: string } | null): number =>
  span === null ? 0 : Math.max(0, secondsBetween(span.start, span.end))

/** Seconds that all attempts of the job ran, up to `now`. */
export const ranSeconds = (job: Job, now: string): number => job.past.seconds + lasting(spanOf(job, now))

/** The past once a link belongs to it that was no attempt, but had its nodes while it waited at its gate. */
export const withGated = (past: Past, ran: { readonly start: string; readonly end: string } | undefined): Past =>
  ran === undefined ? past : { ...past, seconds: past.seconds + lasting(ran) }

/** The past once the present attempt belongs to it; as it is if that never ran. */
export const withPresent = (job: Job, now: string): Past => {
  const { attempt, counted: { step }, nodes, past, slurm, slurmState } = job
  const span = spanOf(job, now)
  if (span === null) return past
  const one: PastAttempt = {
    attempt,
    id: slurm?.id ?? null,
    ...span,
    slurmState,
    nodes,
    step: step?.attempt === attempt ? step.value : null
  }
  return { attempts: [...past.attempts, one].slice(-kept), seconds: past.seconds + lasting(span) }
}
