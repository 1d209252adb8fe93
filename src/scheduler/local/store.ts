/**
 * What the local cluster keeps in its directory:
 *
 * ```
 * jobs/<id>/job.json slurm_script             the submission, never changed after the rename that accepts it
 * jobs/<id>/env.json                          likewise, until no task can start any more: it holds secrets
 * jobs/<id>/state.json                        written by the controller only
 * jobs/<id>/runs/<task>.<restarts>/           claim, exit: written by the task's wrapper
 * requests/<id>_<task>.<cancel|requeue>       waiting for the controller
 * ```
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { Directives } from "./directives.ts"
import { type Identity, parseClaim } from "./processes.ts"

/** The cluster's directory could not be read or written. */
export class LocalStoreError extends Schema.TaggedError<LocalStoreError>()("LocalStoreError", {
  message: Schema.String
}) {}

/** A submission as it was accepted. */
export const JobSpec = Schema.Struct({
  name: Schema.String,
  comment: Schema.String,
  /** Where relative paths start; `--chdir` counts from here. */
  submitDir: Schema.String,
  umask: Schema.Int,
  user: Schema.String,
  submittedAt: Schema.String,
  directives: Directives
})
export type JobSpec = typeof JobSpec.Type

const Environment = Schema.Record({ key: Schema.String, value: Schema.String })

export const TaskState = Schema.Struct({
  state: Schema.Literal(
    "PENDING",
    "RUNNING",
    "COMPLETING",
    "COMPLETED",
    "FAILED",
    "TIMEOUT",
    "CANCELLED",
    "NODE_FAIL"
  ),
  reason: Schema.NullOr(Schema.String),
  exitCode: Schema.NullOr(Schema.Int),
  signal: Schema.NullOr(Schema.Int),
  start: Schema.NullOr(Schema.String),
  end: Schema.NullOr(Schema.String),
  restarts: Schema.Int,
  /** Why it is being ended, and since when (milliseconds since 1970). */
  stop: Schema.NullOr(Schema.Struct({ cause: Schema.Literal("timeout", "cancel", "requeue"), at: Schema.Number })),
  /** Whether the signal before the time limit has been sent. */
  warned: Schema.Boolean
})
export type TaskState = typeof TaskState.Type

export const pending: TaskState = {
  state: "PENDING",
  reason: null,
  exitCode: null,
  signal: null,
  start: null,
  end: null,
  restarts: 0,
  stop: null,
  warned: false
}

/** States of the tasks that left the queue, by key; all others are pending. */
const JobState = Schema.Record({ key: Schema.String, value: TaskState })
export type JobState = typeof JobState.Type

export const isFinal = (task: TaskState): boolean => !["PENDING", "RUNNING", "COMPLETING"].includes(task.state)

/** One run of one task. */
export interface Run {
  readonly id: number
  readonly key: string
  readonly restarts: number
}

/** The key of a plain job's only task. */
export const BATCH = "batch"

/** Keys of a job's tasks in the order in which they start. */
export const taskKeys = (spec: JobSpec): ReadonlyArray<string> =>
  spec.directives.array === null ? [BATCH] : spec.directives.array.indices.map(String)

export const jobDir = (dir: string, id: number): string => join(dir, "jobs", `${id}`)
export const runDir = (dir: string, run: Run): string => join(jobDir(dir, run.id), "runs", `${run.key}.${run.restarts}`)
export const scriptPath = (dir: string, id: number): string => join(jobDir(dir, id), "slurm_script")

/** Runs file operations; whatever they throw becomes the error. */
export const attempt = <A>(operations: () => A): Effect.Effect<A, LocalStoreError> =>
  Effect.try({
    try: operations,
    catch: (cause) => new LocalStoreError({ message: cause instanceof Error ? cause.message : String(cause) })
  })

/** Whether `cause` is one of Node's system errors of these codes. */
export const hasCode = (cause: unknown, ...codes: ReadonlyArray<string>): boolean =>
  cause instanceof Error && "code" in cause && codes.includes(String(cause.code))

/** The result, or null if there is no such file. */
export const unlessAbsent = <A>(operation: () => A): A | null => {
  try {
    return operation()
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return null
    throw cause
  }
}

const writeDurably = (path: string, text: string, mode: number): void => {
  const file = openSync(path, "wx", mode)
  try {
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Replaces a file by rename, so that readers see the old or the new bytes. Only one process may write `path`. */
export const replaceFile = (path: string, text: string, mode = 0o600): void => {
  writeFileSync(`${path}.tmp`, text, { mode })
  renameSync(`${path}.tmp`, path)
}

/** Ids of all accepted jobs, ascending. */
const listIds = (dir: string): ReadonlyArray<number> =>
  (unlessAbsent(() => readdirSync(join(dir, "jobs"))) ?? []).map(Number).sort((a, b) => a - b)

const decodeSpec = Schema.decodeUnknownSync(Schema.parseJson(JobSpec))
const readSpecSync = (dir: string, id: number): JobSpec =>
  decodeSpec(readFileSync(join(jobDir(dir, id), "job.json"), "utf8"))

/** Each array task has a raw id of its own: the job's and those after it. */
const nextId = (dir: string): number => {
  const last = listIds(dir).at(-1)
  return last === undefined ? 1 : last + taskKeys(readSpecSync(dir, last)).length
}

/**
 * Accepts a submission: its files are made aside and one rename puts the job into the queue for ever. A crash at any
 * point leaves no job or one job.
 */
export const accept = (
  dir: string,
  submission: {
    readonly spec: JobSpec
    readonly script: string
    readonly env: Readonly<Record<string, string>>
    readonly unique: string
  }
): Effect.Effect<number, LocalStoreError> =>
  attempt(() => {
    const aside = join(dir, `tmp-${process.pid}-${submission.unique}`)
    mkdirSync(join(dir, "jobs"), { recursive: true, mode: 0o700 })
    mkdirSync(join(aside, "runs"), { recursive: true, mode: 0o700 })
    try {
      writeDurably(join(aside, "job.json"), JSON.stringify(submission.spec), 0o600)
      writeDurably(join(aside, "env.json"), JSON.stringify(submission.env), 0o600)
      writeDurably(join(aside, "slurm_script"), submission.script, 0o700)
      for (;;) {
        const id = nextId(dir)
        try {
          renameSync(aside, jobDir(dir, id))
        } catch (cause) {
          if (hasCode(cause, "EEXIST", "ENOTEMPTY")) continue
          throw cause
        }
        const parent = openSync(join(dir, "jobs"), "r")
        fsyncSync(parent)
        closeSync(parent)
        return id
      }
    } finally {
      rmSync(aside, { recursive: true, force: true })
    }
  })

/** Ids of all accepted jobs, ascending; none where there is no directory yet. */
export const jobIds = (dir: string): Effect.Effect<ReadonlyArray<number>, LocalStoreError> =>
  attempt(() => listIds(dir))

/** Null if no such job was ever accepted. */
export const readSpec = (dir: string, id: number): Effect.Effect<JobSpec | null, LocalStoreError> =>
  attempt(() => unlessAbsent(() => readSpecSync(dir, id)))

const decodeEnvironment = Schema.decodeUnknownSync(Schema.parseJson(Environment))

/** The environment of the process that submitted the job; fails for a job that is over. */
export const readEnvironment = (
  dir: string,
  id: number
): Effect.Effect<Readonly<Record<string, string>>, LocalStoreError> =>
  attempt(() => decodeEnvironment(readFileSync(join(jobDir(dir, id), "env.json"), "utf8")))

/** Forgets the environment; what is gone already stays gone. */
export const dropEnvironment = (dir: string, id: number): Effect.Effect<void, LocalStoreError> =>
  attempt(() => rmSync(join(jobDir(dir, id), "env.json"), { force: true }))

const decodeState = Schema.decodeUnknownEither(Schema.parseJson(JobState))

/** A state that a power cut made unreadable counts as none: the runs themselves tell what has been started. */
export const readState = (dir: string, id: number): Effect.Effect<JobState, LocalStoreError> =>
  attempt(() => {
    const text = unlessAbsent(() => readFileSync(join(jobDir(dir, id), "state.json"), "utf8"))
    return text === null ? {} : Either.getOrElse(decodeState(text), () => ({}))
  })

export const writeState = (dir: string, id: number, state: JobState): Effect.Effect<void, LocalStoreError> =>
  attempt(() => replaceFile(join(jobDir(dir, id), "state.json"), JSON.stringify(state)))

/** Who runs the task and since when; null as long as nobody has started it. */
export const readClaim = (
  dir: string,
  run: Run
): Effect.Effect<{ readonly leader: Identity | null; readonly at: number } | null, LocalStoreError> =>
  attempt(() =>
    unlessAbsent(() => {
      const path = join(runDir(dir, run), "claim")
      return { leader: parseClaim(readFileSync(path, "utf8")), at: statSync(path).mtimeMs }
    })
  )

/** How the task's script ended and when; null as long as that is not known. */
export const readExit = (
  dir: string,
  run: Run
): Effect.Effect<{ readonly code: number; readonly signal: number; readonly at: number } | null, LocalStoreError> =>
  attempt(() =>
    unlessAbsent(() => {
      const path = join(runDir(dir, run), "exit")
      const [code = 1, signal = 0] = readFileSync(path, "utf8").split(" ").map(Number)
      return { code, signal, at: statSync(path).mtimeMs }
    })
  )

const REQUEST_FILE = /^(\d+)_(\w+)\.(cancel|requeue)$/

export interface Request {
  readonly file: string
  readonly id: number
  /** A task's key, or `all`. */
  readonly key: string
  readonly what: "cancel" | "requeue"
}

/** Asks the controller; asking twice is asking once. */
export const putRequest = (dir: string, request: Omit<Request, "file">): Effect.Effect<void, LocalStoreError> =>
  attempt(() => {
    mkdirSync(join(dir, "requests"), { recursive: true, mode: 0o700 })
    writeFileSync(join(dir, "requests", `${request.id}_${request.key}.${request.what}`), "", { mode: 0o600 })
  })

export const readRequests = (dir: string): Effect.Effect<ReadonlyArray<Request>, LocalStoreError> =>
  attempt(() =>
    (unlessAbsent(() => readdirSync(join(dir, "requests"))) ?? []).sort().flatMap((file) => {
      const [, id = "", key = "", what] = REQUEST_FILE.exec(file) ?? []
      return what === "cancel" || what === "requeue" ? [{ file, id: Number(id), key, what }] : []
    })
  )

export const dropRequest = (dir: string, request: Request): Effect.Effect<void, LocalStoreError> =>
  attempt(() => rmSync(join(dir, "requests", request.file), { force: true }))

/** Removes what submitters left behind that were killed before their rename. */
export const sweepAside = (dir: string): Effect.Effect<void, LocalStoreError> =>
  attempt(() => {
    for (const entry of readdirSync(dir)) {
      const pid = /^tmp-(\d+)-/.exec(entry)?.[1]
      if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(dir, entry), { recursive: true, force: true })
    }
  })
