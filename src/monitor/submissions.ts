/** Effects on the scheduler, each after its intent is on disk; what they return is recorded as facts. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as os from "node:os"
import { expandFileName } from "../backend/slurm/fileNames.ts"
import type { NewEvent } from "../event/EventRecord.ts"
import type { FactType } from "../event/events.ts"
import { withCommand } from "../plan/attemptScript.ts"
import type { Files, FileUnreadableError } from "../port/Files.ts"
import { Scheduler } from "../port/Scheduler.ts"
import type { OpenSubmission } from "../session/entries.ts"
import type { Job } from "../session/Job.ts"
import type { Outdated } from "../session/nodes.ts"
import type { UnwantedLink } from "../session/pending.ts"
import type { Session } from "../session/Session.ts"
import { readClaim, submittedAttempt } from "./claim.ts"
import { writeGate } from "./gateFile.ts"

type Facts = ReadonlyArray<NewEvent<FactType>>

/** What is known of a submission without its intent. */
export type Submitted = Pick<OpenSubmission, "nonce" | "name" | "jobs" | "array" | "attempt" | "intent">

/** The facts of a submission that was accepted as `id`: one for each of its jobs. */
export const accepted = (
  session: Session,
  submission: Submitted,
  answer: {
    readonly id: string
    readonly cluster: string
    readonly how: "answered" | "found"
    readonly argv?: ReadonlyArray<string>
  }
): Facts =>
  submission.jobs.flatMap((name, position): Facts => {
    const job = session.jobs.get(name)
    if (job === undefined) return []
    const task = submission.array === null ? null : job.plan.task ?? job.plan.index
    return [{
      type: "JobSubmitted",
      job: name,
      attempt: submission.attempt,
      cause: submission.intent,
      data: {
        nonce: submission.nonce,
        name: submission.name,
        slurm_id: answer.id,
        task,
        cluster: answer.cluster,
        log_path: expandFileName(job.plan.log_path, {
          jobId: answer.id,
          arrayJobId: task === null ? null : answer.id,
          arrayTask: task,
          jobName: submission.name,
          user: os.userInfo().username,
          node: os.hostname().split(".")[0] ?? ""
        }),
        how: answer.how,
        ...(answer.argv === undefined || position > 0 ? {} : { argv: answer.argv })
      }
    }]
  })

const about = (submission: OpenSubmission) => ({
  ...(submission.jobs.length === 1 && submission.jobs[0] !== undefined ? { job: submission.jobs[0] } : {}),
  attempt: submission.attempt,
  cause: submission.intent
})

export const noteFailure = (
  session: Session,
  { command, message }: { readonly command: string; readonly message: string }
): Facts => session.schedulerFailing ? [] : [{ type: "SchedulerFailed", data: { command, message } }]

/** Options of the command line replace those of the script: nodes that the script itself stays away from are added. */
const withExcluded = (script: string, options: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (!options.some((option) => option.startsWith("--exclude="))) return options
  const own = excludedBy(script)
  return options.map((option) => own === "" || !option.startsWith("--exclude=") ? option : `${option},${own}`)
}

/** The nodes of the script's `#SBATCH --exclude`; a script that cannot be read is the submit command's to complain of. */
const excludedBy = (script: string): string => {
  try {
    const lines = fs.readFileSync(script, "utf8").matchAll(/^#SBATCH\s+(?:--exclude[= ]|-x\s*)(\S+)/gm)
    return [...lines].map(([, nodes]) => nodes).at(-1) ?? ""
  } catch {
    return ""
  }
}

/** Writes the script of an attempt that has one of its own; null if all is well, else a sentence. */
const writeScript = ({ rewritten, script }: OpenSubmission): string | null => {
  if (rewritten === null) return null
  const { argv, command, of } = rewritten
  try {
    const text = withCommand(fs.readFileSync(of, "utf8"), command, argv)
    if (text === null) return `${of} does not hold the job's command, whose arguments a restart changes`
    fs.writeFileSync(`${script}.new`, text, { mode: 0o755 })
    fs.renameSync(`${script}.new`, script)
    return null
  } catch (error) {
    return `${script} could not be made of ${of}: ${String(error)}`
  }
}

/** Runs the submit command, once; no facts: the scheduler is spared now, and the submission is still to be made. */
export const submit = (session: Session, submission: OpenSubmission): Effect.Effect<Facts, never, Scheduler> =>
  Effect.gen(function*() {
    const scheduler = yield* Scheduler
    const { array, name, nonce, options, script } = submission
    const wrong = writeScript(submission)
    for (const job of submission.jobs) writeGate(session, job)
    if (wrong !== null) {
      const data = { nonce, message: wrong, unmade: true }
      return [{ type: "SubmissionRefused" as const, ...about(submission), data }]
    }
    const answer = yield* scheduler.submit({
      script,
      name,
      nonce,
      array,
      cluster: session.cluster,
      options: withExcluded(script, options)
    })
    return accepted(session, submission, { ...answer, how: "answered" })
  }).pipe(
    Effect.catchTags({
      SubmissionRefusedError: ({ message, temporary }) =>
        Effect.succeed<Facts>([{
          type: "SubmissionRefused",
          ...about(submission),
          data: { nonce: submission.nonce, message, ...(temporary ? { temporary } : {}) }
        }]),
      SchedulerBusyError: ({ command, failure }) =>
        Effect.succeed<Facts>(failure === null ? [] : noteFailure(session, { command, message: failure })),
      SchedulerUnavailableError: ({ message }) =>
        Effect.succeed<Facts>([
          { type: "SubmissionUnanswered", ...about(submission), data: { nonce: submission.nonce, message } }
        ])
    })
  )

/** The id under which an attempt of the job says that it runs, by the marker that its script made first of all. */
const claimedId = (
  session: Session,
  submission: OpenSubmission
): Effect.Effect<string | null, FileUnreadableError, Files> =>
  Effect.gen(function*() {
    for (const name of submission.jobs) {
      const job = session.jobs.get(name)
      if (job === undefined) continue
      const number = submittedAttempt(submission.name) ?? submission.attempt
      const claim = yield* readClaim(job.plan.output_dir, session.planId, number)
      if (claim !== null && claim.nonce === submission.nonce) return claim.jobId
    }
    return null
  })

/**
 * Looks doubtful submissions up by their names: in the scheduler, the accounting, and the markers of their jobs. One
 * question, however many they are.
 */
export const lookUp = (
  session: Session,
  submissions: ReadonlyArray<OpenSubmission>
): Effect.Effect<Facts, never, Scheduler | Files> =>
  Effect.gen(function*() {
    const since = submissions.map(({ at }) => at).sort()[0]
    if (since === undefined) return []
    const scheduler = yield* Scheduler
    const found = yield* scheduler.lookup(submissions.map(({ name }) => name), since, session.cluster)
    const facts = yield* Effect.forEach(submissions, (submission) =>
      Effect.gen(function*() {
        const known = found.find(({ name }) => name === submission.name)
        const id = known?.id ?? (yield* claimedId(session, submission))
        const cluster = known?.cluster ?? session.cluster ?? scheduler.kind
        if (id !== null) return accepted(session, submission, { id, cluster, how: "found" })
        return submission.missed && !submission.settled
          ? []
          : [{ type: "SubmissionNotFound" as const, ...about(submission), data: { nonce: submission.nonce } }]
        // A marker that cannot be read says nothing: it may be there.
      }).pipe(Effect.orElseSucceed(() => [])))
    return facts.flat()
  }).pipe(
    Effect.catchTags({
      SchedulerUnavailableError: (error) => Effect.succeed(noteFailure(session, error)),
      SchedulerBusyError: () => Effect.succeed<Facts>([])
    })
  )

/** Asks the scheduler to end a link that waits behind the job's present attempt. */
export const cancelLink = (
  session: Session,
  { job, link: { cancel, nonce }, slurm }: UnwantedLink
): Effect.Effect<Facts, never, Scheduler> =>
  Effect.gen(function*() {
    const scheduler = yield* Scheduler
    yield* scheduler.cancel(slurm)
    return [{
      type: "LinkCancelAnswered" as const,
      job: job.plan.name,
      attempt: job.attempt,
      ...(cancel === null ? {} : { cause: cancel.seq }),
      data: { nonce, slurm_id: slurm.id }
    }]
  }).pipe(
    Effect.catchTags({
      SchedulerUnavailableError: (error) => Effect.succeed(noteFailure(session, error)),
      SchedulerBusyError: () => Effect.succeed<Facts>([])
    })
  )

/** Tells the scheduler which nodes a job that waits in its queue is to stay away from, besides those of its script. */
export const excludeNodes = (
  session: Session,
  { job: { attempt, plan }, nodes, nonce, slurm }: Outdated
): Effect.Effect<Facts, never, Scheduler> =>
  Effect.gen(function*() {
    const scheduler = yield* Scheduler
    const own = excludedBy(plan.script)
    const answer = yield* scheduler.exclude(slurm, own === "" ? nodes : [...nodes, own])
    return [{
      type: "NodesUpdated" as const,
      job: plan.name,
      attempt,
      data: { nonce, slurm_id: slurm.id, nodes, ...answer }
    }]
  }).pipe(
    Effect.catchTags({
      SchedulerUnavailableError: (error) => Effect.succeed(noteFailure(session, error)),
      SchedulerBusyError: () => Effect.succeed<Facts>([])
    })
  )

/** Asks the scheduler to end the job's present attempt. */
export const cancel = (session: Session, job: Job): Effect.Effect<Facts, never, Scheduler> =>
  Effect.gen(function*() {
    const { slurm } = job
    if (slurm === null) return []
    const scheduler = yield* Scheduler
    yield* scheduler.cancel(slurm)
    return [{
      type: "CancelAnswered" as const,
      job: job.plan.name,
      attempt: job.attempt,
      ...(job.cancel === null ? {} : { cause: job.cancel.seq }),
      data: { slurm_id: slurm.id }
    }]
  }).pipe(
    Effect.catchTags({
      SchedulerUnavailableError: (error) => Effect.succeed(noteFailure(session, error)),
      SchedulerBusyError: () => Effect.succeed<Facts>([])
    })
  )
