/** SLURM: a `Scheduler` over sbatch, squeue, sacct, scancel and scontrol. What their answers mean is `backend/slurm`'s. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import {
  readSacct,
  readSbatch,
  readScontrol,
  readSqueue,
  type Row,
  sacctOptions,
  squeueFormat
} from "../../backend/slurm/answers.ts"
import { formatArrayIndices } from "../../backend/slurm/arraySpec.ts"
import { lives, merge, named, toAccount, toDetail } from "../../backend/slurm/merge.ts"
import { isTransport, judgeRefusal } from "../../backend/slurm/refusal.ts"
import type { CommandResult, Commands } from "../../port/Commands.ts"
import {
  hasEntropy,
  type JobRef,
  Scheduler,
  SchedulerBusyError,
  SchedulerUnavailableError,
  type Snapshot,
  type Submission,
  SubmissionRefusedError
} from "../../port/Scheduler.ts"
import { type Calls, complaint, makeCalls } from "./calls.ts"
import { queryEnvironment, submitEnvironment } from "./environment.ts"
import { askFeatures, type Features } from "./features.ts"

/** A program and its first arguments. */
type Command = ReadonlyArray<string>

export interface SlurmOptions {
  readonly sbatch: Command
  readonly squeue: Command
  readonly sacct: Command
  readonly scancel: Command
  readonly scontrol: Command
  /** Seconds for which one answer of squeue serves all who ask. */
  readonly minPollSeconds: number
  readonly callsPerMinute: number
}

/**
 * Longer than each needs to give up by itself: on a frozen daemon after 10 s, sacct 45 s, at Slurm's default time-outs;
 * and sbatch after 15 tries in 120 s while the controller's queue is full (MaxJobCount), which is a refusal for now.
 */
const timeouts = { sbatch: 150, squeue: 60, sacct: 90, scancel: 60, scontrol: 60 }

/** Of the longest argument that Linux passes on (128 KiB). */
const idsBytes = 100_000

/** Above as many jobs one listing of all is asked for instead of each. */
const detailBound = 4

/** Submissions leave as many calls to the monitor's own questions. */
const submitReserve = 4

/** For how long an answer of squeue tells which job an id is. */
const cancelMillis = 30_000

/** Clocks of this host and of the accounting may differ. */
const clockMarginMillis = 3_600_000

/** The ids, each once, as lists that fit into an argument. */
const chunks = (ids: Iterable<string>): ReadonlyArray<string> => {
  const lists: Array<string> = []
  for (const id of new Set(ids)) {
    const last = lists.at(-1)
    if (last !== undefined && last.length + id.length < idsBytes) lists[lists.length - 1] = `${last},${id}`
    else lists.push(id)
  }
  return lists
}

const keyOf = ({ id, name, task }: JobRef): string => `${id}\0${name}\0${task}`

/** The name that stands in journals for a cluster whose own name was not known. */
const UNNAMED = "slurm"

const isElsewhere = ({ cluster: own }: Features, cluster: string | null | undefined): cluster is string =>
  typeof cluster === "string" && cluster !== UNNAMED && cluster.toLowerCase() !== own.toLowerCase()

/** Why no answer counts about what is on `cluster`: only that cluster may say that a job is gone. */
const notAsked = ({ cluster: own }: Features, cluster: string): string =>
  `jobs are on the cluster ${cluster}, and SLURM's commands ask the cluster ${own} here: watch them from a host of ` +
  `${cluster}, or give --clusters=${cluster} to all commands of slurm.client (submit_cmd, squeue_cmd, …)`

/** Commands that print an error and exit with 0 have not answered: `squeue: error: Invalid user`, an empty list. */
const whole = <A>(read: (stdout: string) => Either.Either<A, string>) => (result: CommandResult) =>
  result.exitCode !== 0 || /\b(error|fatal):/.test(result.stderr)
    ? Either.left(complaint(result))
    : Either.mapLeft(read(result.stdout), (message) => `${message}: ${complaint(result)}`)

const userId = `${process.getuid?.() ?? ""}`

const make = (options: SlurmOptions, calls: Calls): Scheduler["Type"] => {
  let features: Features | null = null
  let queue: { readonly at: number; readonly rows: ReadonlyArray<Row> } | null = null

  const known = Effect.suspend(() =>
    features === null
      ? Effect.tap(askFeatures(calls, options.scontrol), (asked) => features = asked)
      : Effect.succeed(features)
  )

  /** All jobs of this user that the controller remembers, in every state. */
  const askQueue = Effect.gen(function*() {
    const rows = yield* calls.ask({
      name: "squeue",
      daemon: "controller",
      argv: [...options.squeue, "--array", "--states=all", `--user=${userId}`, `--format=${squeueFormat}`],
      env: queryEnvironment,
      timeoutSeconds: timeouts.squeue,
      read: whole(readSqueue)
    })
    queue = { at: yield* Clock.currentTimeMillis, rows }
    return rows
  })

  const askAccounting = (which: ReadonlyArray<string>) =>
    calls.ask({
      name: "sacct",
      daemon: "accounting",
      argv: [...options.sacct, "--parsable2", "--allocations", "--duplicates", ...sacctOptions, ...which],
      env: queryEnvironment,
      timeoutSeconds: timeouts.sacct,
      read: whole(readSacct)
    })

  /** `scontrol show job` of one id, or of all; an id that the controller does not know has no rows. */
  const askDetails = (id: string | null) =>
    calls.ask({
      name: "scontrol",
      daemon: "controller",
      argv: [...options.scontrol, "--oneliner", "show", "job", ...(id === null ? [] : [id])],
      env: queryEnvironment,
      timeoutSeconds: timeouts.scontrol,
      read: (result) =>
        id !== null && result.exitCode === 1 && /Invalid job id specified/.test(result.stderr)
          ? Either.right([])
          : whole(readScontrol)(result)
    })

  const submit = ({ array, cluster, name, nonce, options: chosen = [], script }: Submission) =>
    Effect.gen(function*() {
      const here = yield* Effect.mapError(known, (error) =>
        new SchedulerBusyError({
          command: "sbatch",
          failure: error._tag === "SchedulerUnavailableError" ? error.message : error.failure
        }))
      if (isElsewhere(here, cluster)) {
        return yield* new SchedulerBusyError({ command: "sbatch", failure: notAsked(here, cluster) })
      }
      const argv = [
        ...options.sbatch,
        "--parsable",
        `--job-name=${name}`,
        `--comment=${nonce}`,
        ...(array === null ? [] : [`--array=${formatArrayIndices(array)}`]),
        ...chosen,
        script
      ] as const
      const answer = yield* calls.ask({
        name: "sbatch",
        daemon: "controller",
        reserve: submitReserve,
        argv,
        env: submitEnvironment(process.env),
        timeoutSeconds: timeouts.sbatch,
        read: (result): Either.Either<NonNullable<ReturnType<typeof readSbatch>> | SubmissionRefusedError, string> => {
          const accepted = readSbatch(result.stdout)
          if (accepted !== null && result.exitCode === 0) return Either.right(accepted)
          const verdict = result.exitCode === 0 || result.stdout.trim() !== ""
            ? "unclear"
            : judgeRefusal(result.exitCode, result.stderr)
          if (verdict === "unclear") return Either.left(complaint(result))
          return Either.right(
            new SubmissionRefusedError({ message: complaint(result), temporary: verdict === "not now" })
          )
        }
      })
      if (answer instanceof SubmissionRefusedError) return yield* answer
      return { id: answer.id, cluster: answer.cluster ?? here.cluster, argv }
    })

  const lookup = (names: ReadonlyArray<string>, since: string, cluster?: string | null) =>
    Effect.gen(function*() {
      const here = yield* known
      if (isElsewhere(here, cluster)) {
        return yield* new SchedulerUnavailableError({ command: "squeue", message: notAsked(here, cluster) })
      }
      const wanted = new Set(names)
      const rows = yield* askQueue
      const found = named(wanted, { queue: rows, accounting: null })
      const isWhole = !here.accounts || new Set(found.map(({ name }) => name)).size === wanted.size
      const from = new Date(Date.parse(since) - clockMarginMillis).toISOString().slice(0, 19)
      const accounting = isWhole ? null : yield* askAccounting([`--user=${userId}`, `--starttime=${from}`])
      return named(wanted, { queue: rows, accounting }).map((report) => ({ ...report, cluster: here.cluster }))
    })

  const search = (entropies: ReadonlyArray<string>, since: string, cluster?: string | null) =>
    Effect.gen(function*() {
      const here = yield* known
      if (isElsewhere(here, cluster)) {
        return yield* new SchedulerUnavailableError({ command: "squeue", message: notAsked(here, cluster) })
      }
      const rows = yield* askQueue
      const from = new Date(Date.parse(since) - clockMarginMillis).toISOString().slice(0, 19)
      const accounting = here.accounts ? yield* askAccounting([`--user=${userId}`, `--starttime=${from}`]) : null
      const names = [...rows, ...accounting ?? []].map(({ name }) => name).filter((name) => hasEntropy(name, entropies))
      return named(new Set(names), { queue: rows, accounting }).map((report) => ({ ...report, cluster: here.cluster }))
    })

  const account = (jobs: ReadonlyArray<JobRef>) =>
    Effect.map(
      Effect.forEach(chunks(jobs.map(({ id }) => id)), (ids) => askAccounting([`--jobs=${ids}`])),
      (rows) => rows.flat()
    )

  /** Of each id, or of all jobs at once where those are many. Ids that were not answered about have no entry. */
  const detail = (jobs: ReadonlyArray<JobRef>) =>
    Effect.gen(function*() {
      const ids = [...new Set(jobs.map(({ id }) => id))]
      if (ids.length > detailBound) {
        const details = yield* askDetails(null)
        return ids.map((id) => [id, details.filter((row) => row.id === id)] as const)
      }
      return yield* Effect.forEach(ids, (id) => Effect.map(askDetails(id), (rows) => [id, rows] as const))
    })

  const snapshot = (all: ReadonlyArray<JobRef>) =>
    Effect.gen(function*() {
      const here = yield* known
      const strange = all.filter(({ cluster }) => isElsewhere(here, cluster))
      const [first] = strange
      if (first === undefined) return yield* lookAt(all, here.accounts)
      const failure = { command: "squeue", message: notAsked(here, first.cluster ?? "") }
      const jobs = all.filter(({ cluster }) => !isElsewhere(here, cluster))
      if (jobs.length === 0) return { reports: [], unanswered: all, failure }
      const { reports, unanswered } = yield* lookAt(jobs, here.accounts)
      return { reports, unanswered: [...unanswered, ...strange], failure }
    }).pipe(
      Effect.catchTag("SchedulerBusyError", () =>
        Effect.succeed<Snapshot>({ reports: [], unanswered: all, failure: null }))
    )

  /** One look at jobs of this cluster. */
  const lookAt = (jobs: ReadonlyArray<JobRef>, accounts: boolean) =>
    Effect.gen(function*() {
      let failure: Snapshot["failure"] = null
      /** What is known without the answer is used all the same. */
      const unlessFailed = <A>(ask: Effect.Effect<A, SchedulerUnavailableError | SchedulerBusyError>) =>
        Effect.catchAll(ask, (error) => {
          if (error._tag === "SchedulerUnavailableError") failure = { command: error.command, message: error.message }
          return Effect.succeed(null)
        })
      const now = yield* Clock.currentTimeMillis
      const kept = queue !== null && now - queue.at < options.minPollSeconds * 1000 ? queue.rows : null
      const rows = kept ?? (yield* askQueue)
      const open = toAccount(jobs, rows)
      const accounting = accounts && open.length > 0 ? yield* unlessFailed(account(open)) : null
      const lagging = toDetail(open, { queue: rows, accounting })
      const details = lagging.length > 0 ? (yield* unlessFailed(detail(lagging))) ?? [] : []
      const { reports, unanswered } = merge(jobs, { queue: rows, accounting, accounts, details: new Map(details) })
      if (kept === null) return { reports, unanswered, failure }
      // A job may be younger than an answer that was kept: it is not missing because that does not know it.
      const told = new Set(reports.map(keyOf))
      return { reports, unanswered: jobs.filter((job) => !told.has(keyOf(job))), failure }
    })

  const scancel = (job: ReadonlyArray<string>) =>
    calls.ask({
      name: "scancel",
      daemon: "controller",
      argv: [...options.scancel, ...job],
      env: {},
      timeoutSeconds: timeouts.scancel,
      read: (result) =>
        result.exitCode === 0 || /Invalid job id specified|already complet/i.test(result.stderr)
          ? Either.void
          : Either.left(complaint(result))
    })

  /**
   * An id alone may be somebody's later job: the name must fit too. scancel itself looks at the name of a plain job; for
   * a waiting task `--name` would cancel every waiting task of the array, so that the name is looked up first.
   */
  const cancel = (job: JobRef) =>
    Effect.gen(function*() {
      if (typeof job.cluster === "string") {
        const here = yield* known
        if (isElsewhere(here, job.cluster)) {
          return yield* new SchedulerUnavailableError({ command: "scancel", message: notAsked(here, job.cluster) })
        }
      }
      if (job.task === null) return yield* scancel([`--name=${job.name}`, job.id])
      const now = yield* Clock.currentTimeMillis
      // An answer that was kept may be older than the job: that it does not live is believed of a new one alone.
      const isKnown = queue !== null && now - queue.at < cancelMillis && lives(job, queue.rows)
      if (isKnown || lives(job, yield* askQueue)) yield* scancel([`${job.id}_${job.task}`])
    })

  /** What scontrol itself says is final for this list; what keeps it from the controller is not. */
  const update = (id: string, nodes: ReadonlyArray<string>) =>
    calls.ask({
      name: "scontrol",
      daemon: "controller",
      reserve: submitReserve,
      argv: [...options.scontrol, "update", `JobId=${id}`, `ExcNodeList=${nodes.join(",")}`],
      env: queryEnvironment,
      timeoutSeconds: timeouts.scontrol,
      read: (result): Either.Either<{ applied: true } | { applied: false; message: string }, string> =>
        result.exitCode === 0
          ? Either.right({ applied: true })
          : isTransport(result.stderr) || result.stderr.trim() === ""
          ? Either.left(complaint(result))
          : Either.right({ applied: false, message: complaint(result) })
    })

  const exclude = (job: JobRef, nodes: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      const here = yield* known
      if (isElsewhere(here, job.cluster)) {
        return yield* new SchedulerUnavailableError({ command: "scontrol", message: notAsked(here, job.cluster) })
      }
      const now = yield* Clock.currentTimeMillis
      // An id alone may be somebody's later job: an answer of squeue tells whose it is.
      const isKnown = queue !== null && now - queue.at < cancelMillis && lives(job, queue.rows)
      if (!isKnown && !lives(job, yield* askQueue)) {
        return { applied: false as const, message: "the job is in the queue no more" }
      }
      return yield* update(job.task === null ? job.id : `${job.id}_${job.task}`, nodes)
    })

  return { kind: "slurm", submit, lookup, search, snapshot, cancel, exclude, calls: calls.counts }
}

/** SLURM by its commands. Nothing is asked before the first question. */
export const layer = (options: SlurmOptions): Layer.Layer<Scheduler, never, Commands> =>
  Layer.effect(Scheduler, Effect.map(makeCalls(options.callsPerMinute), (calls) => make(options, calls)))
