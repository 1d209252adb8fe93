/** What autoexp asks of a scheduler: SLURM, the local cluster, or a fake one in tests. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** One script to queue. The name carries the nonce and rides on the submit command's own line. */
export interface Submission {
  /** Absolute path of the script; its `#SBATCH` lines count, options given here win over them. */
  readonly script: string
  /** `<job>.<attempt>.<nonce>`: becomes the job's name, by which a lost answer is looked up. */
  readonly name: string
  /** The nonce alone; also given as the job's comment. */
  readonly nonce: string
  /** Array task indices to run, or null for a plain job. Indices are kept as they are, never renumbered. */
  readonly array: ReadonlyArray<number> | null
  /** Options for the submit command's own line, as `--time=08:00:00`; they win over the script's. */
  readonly options?: ReadonlyArray<string>
  /** The cluster that the session's jobs are on, if it has any yet: no other takes the script. */
  readonly cluster?: string | null
}

/** A job as the scheduler knows it: identity is cluster, id, task and the nonce in the name. */
export interface JobRef {
  readonly name: string
  /** The id that the submit command printed (of the whole array for an array task). */
  readonly id: string
  readonly task: number | null
  /** The cluster that took it, if that is known: no other can say that the job is gone. */
  readonly cluster?: string | null
}

/** What scheduler and accounting say of one job (one array task). Times are ISO 8601 UTC. */
export interface JobReport {
  readonly name: string
  readonly id: string
  readonly task: number | null
  /** SLURM's long state word in capitals (`PENDING`, `RUNNING`, `NODE_FAIL`); see the squeue man page. */
  readonly state: string
  readonly exitCode: number | null
  /** Number of the signal that ended the job, null if none did. */
  readonly signal: number | null
  /** SLURM's reason word (`Resources`, `TimeLimit`), null if it gives none. */
  readonly reason: string | null
  readonly nodes: string | null
  readonly start: string | null
  readonly end: string | null
  readonly cluster?: string
  /** Nobody says so: it follows from an array that is known without this task. Believe it once that has lasted. */
  readonly inferred?: boolean
}

/** One look at jobs. A job that is in neither list is one that scheduler and accounting both answered not to know. */
export interface Snapshot {
  readonly reports: ReadonlyArray<JobReport>
  /** Jobs that the answers leave open: nothing about them has changed. */
  readonly unanswered: ReadonlyArray<JobRef>
  /** The call whose failure left them open; null also if they were not asked about, to spare the scheduler. */
  readonly failure: { readonly command: string; readonly message: string } | null
}

/** Whether a name `<job>.<attempt>.<nonce>` has a nonce that begins with one of `entropies`. */
export const hasEntropy = (name: string, entropies: ReadonlyArray<string>): boolean => {
  const nonce = /\.\d+\.([^.]+)$/.exec(name)?.[1]
  return nonce !== undefined && entropies.some((entropy) => nonce.startsWith(entropy))
}

/** The submit command was answered with a refusal: nothing was queued. */
export class SubmissionRefusedError extends Schema.TaggedError<SubmissionRefusedError>()("SubmissionRefusedError", {
  message: Schema.String,
  /** Whether the same submission may be accepted later: a limit on jobs is reached now. */
  temporary: Schema.optionalWith(Schema.Boolean, { default: () => false })
}) {}

/** Nothing was asked: the limit on calls leaves no room now, or a failure is being waited out. Ask again later. */
export class SchedulerBusyError extends Schema.TaggedError<SchedulerBusyError>()("SchedulerBusyError", {
  command: Schema.String,
  /** A failure that was found out on the way, before the command itself. */
  failure: Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null })
}) {
  override get message(): string {
    return `${this.command} was not called, to spare the scheduler; it is called later`
  }
}

/**
 * A call failed, or its answer cannot be trusted. Of a query: nothing is known, so nothing changes.
 * Of a submission: the job may or may not be queued; look its name up.
 */
export class SchedulerUnavailableError
  extends Schema.TaggedError<SchedulerUnavailableError>()("SchedulerUnavailableError", {
    command: Schema.String,
    message: Schema.String
  })
{}

/** The scheduler that runs the jobs. Every call has a time-out of its own. */
export class Scheduler extends Context.Tag("autoexp/Scheduler")<Scheduler, {
  /** `slurm`, `local` or `fake`: for people. */
  readonly kind: string
  /** Queues one script and returns its id. */
  readonly submit: (
    submission: Submission
  ) => Effect.Effect<
    {
      readonly id: string
      readonly cluster: string
      /** The command that was run, if one was. */
      readonly argv?: ReadonlyArray<string>
    },
    SubmissionRefusedError | SchedulerUnavailableError | SchedulerBusyError
  >
  /**
   * All jobs, live or ended, whose name is exactly one of `names`, by one question. A name without a job is one that
   * scheduler and accounting both answered not to know. `since` (ISO 8601 UTC): none was submitted before. `cluster`: no other answers.
   */
  readonly lookup: (
    names: ReadonlyArray<string>,
    since: string,
    cluster?: string | null
  ) => Effect.Effect<ReadonlyArray<JobReport>, SchedulerUnavailableError | SchedulerBusyError>
  /**
   * All jobs, live or ended, whose nonce begins with one of `entropies`: what `lookup` answers for names that are not
   * known any more.
   */
  readonly search: (
    entropies: ReadonlyArray<string>,
    since: string,
    cluster?: string | null
  ) => Effect.Effect<ReadonlyArray<JobReport>, SchedulerUnavailableError | SchedulerBusyError>
  /** One look at all of `jobs`, whatever their number. A failed or partial answer never makes a job missing. */
  readonly snapshot: (jobs: ReadonlyArray<JobRef>) => Effect.Effect<Snapshot, SchedulerUnavailableError>
  /** Asks for the job's end (TERM, grace, KILL). Succeeds also if it has ended already. */
  readonly cancel: (job: JobRef) => Effect.Effect<void, SchedulerUnavailableError | SchedulerBusyError>
  /**
   * Keeps a job that waits in the queue away from the nodes, in place of those that it was kept away from before; none: it
   * may run anywhere. A job that does not wait any more is left as it is, and `message` says so.
   */
  readonly exclude: (
    job: JobRef,
    nodes: ReadonlyArray<string>
  ) => Effect.Effect<
    { readonly applied: true } | { readonly applied: false; readonly message: string },
    SchedulerUnavailableError | SchedulerBusyError
  >
  /** How many calls of each command were made so far by this process. */
  readonly calls: Effect.Effect<Readonly<Record<string, number>>>
}>() {}

/** Which scheduler runs a session's jobs: built from the `slurm.client` section that its manifest holds, encoded. */
export class Schedulers extends Context.Tag("autoexp/Schedulers")<Schedulers, {
  /** The same settings give the same scheduler, so that calls are counted and shared within a process. */
  readonly of: (client: unknown) => Effect.Effect<typeof Scheduler.Service, SchedulerUnavailableError>
}>() {}
