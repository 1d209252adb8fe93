/** Finds the submissions again that a repair has cut out of the journal: by the scheduler, the accounting, and markers. */
import * as Effect from "effect/Effect"
import type { NewEvent } from "../event/EventRecord.ts"
import type { FactType } from "../event/events.ts"
import type { Files } from "../port/Files.ts"
import { hasEntropy, Scheduler } from "../port/Scheduler.ts"
import type { Job } from "../session/Job.ts"
import type { Session } from "../session/Session.ts"
import { readClaim } from "./claim.ts"
import { accepted, noteFailure } from "./submissions.ts"

type Facts = ReadonlyArray<NewEvent<FactType>>

/** A submission that somebody knows of. */
interface Found {
  readonly attempt: number
  readonly name: string
  readonly nonce: string
  readonly id: string
  readonly cluster: string | null
}

const baseOf = (session: Session, { plan }: Job): string => plan.array ? `${session.project}-array` : plan.name

/** Submissions of a session count up in their nonces, behind the random text. */
const numberOf = (nonce: string | null, entropies: ReadonlyArray<string>): number => {
  const entropy = entropies.find((one) => nonce?.startsWith(one))
  return nonce === null || entropy === undefined ? 0 : parseInt(nonce.slice(entropy.length), 36)
}

/** What markers of a job's scripts tell of later attempts than the one that is known. */
const claimed = Effect.fnUntraced(function*(session: Session, job: Job) {
  const found: Array<Found> = []
  for (let attempt = Math.max(1, job.attempt);; attempt += 1) {
    const claim = yield* readClaim(job.plan.output_dir, session.planId, attempt)
    if (claim === null && attempt > job.attempt) return found
    if (claim === null) continue
    const name = `${baseOf(session, job)}.${attempt}.${claim.nonce}`
    found.push({ attempt, name, nonce: claim.nonce, id: claim.jobId, cluster: null })
  }
})

/**
 * The submissions that the session does not know, each as a fact that begins its attempt, and that they were searched;
 * nothing if nothing was cut off. The latest of a job counts: what came before it had ended when that was submitted.
 */
export const recover = (session: Session): Effect.Effect<Facts, never, Scheduler | Files> =>
  Effect.gen(function*() {
    const { cluster, created, pastEntropies: entropies, recovery } = session
    if (recovery === null) return []
    const scheduler = yield* Scheduler
    const reports = yield* scheduler.search(entropies, created, cluster)
    const facts = yield* Effect.forEach([...session.jobs.values()], (job) =>
      Effect.gen(function*() {
        const { array, index, name, task } = job.plan
        const mine = reports.flatMap((report): ReadonlyArray<Found> => {
          const [, base, attempt, nonce] = /^(.+)\.(\d+)\.([^.]+)$/.exec(report.name) ?? []
          if (base !== baseOf(session, job) || nonce === undefined) return []
          if (array && report.task !== null && report.task !== (task ?? index)) return []
          return [{ ...report, attempt: Number(attempt), nonce, cluster: report.cluster ?? null }]
        })
        const own = (yield* claimed(session, job)).filter((found) => hasEntropy(found.name, entropies))
        const rank = ({ attempt, nonce }: Pick<Found, "attempt" | "nonce">) => [attempt, numberOf(nonce, entropies)]
        const [best] = [...own, ...mine].sort((a, b) => compare(rank(b), rank(a)))
        const known = [job.attempt, numberOf(job.nonce, entropies)]
        if (best === undefined || best.nonce === job.nonce || compare(rank(best), known) <= 0) return []
        const submission = { ...best, jobs: [name], array: array ? [task ?? index] : null, intent: recovery.seq }
        return accepted(session, submission, {
          id: best.id,
          cluster: best.cluster ?? cluster ?? scheduler.kind,
          how: "found"
        }).map((fact) =>
          fact.type === "JobSubmitted" ? { ...fact, data: { ...fact.data, adopted: true as const } } : fact
        )
      }))
    return [...facts.flat(), { type: "SubmissionsSearched" as const, cause: recovery.seq, data: {} }]
  }).pipe(
    Effect.catchTags({
      SchedulerUnavailableError: (error) => Effect.succeed(noteFailure(session, error)),
      SchedulerBusyError: () => Effect.succeed<Facts>([]),
      // A marker that cannot be read now may tell of an attempt: all is asked again.
      FileUnreadableError: () => Effect.succeed<Facts>([])
    })
  )

const compare = ([a = 0, b = 0]: ReadonlyArray<number>, [c = 0, d = 0]: ReadonlyArray<number>): number => a - c || b - d
