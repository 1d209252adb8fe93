/**
 * A fake cluster for users: it starts nothing, its jobs go as their courses say and print what these say, so that it can
 * be seen what rules would do. What was asked of it stands in files, and all else follows from these and the time: every
 * process sees the same cluster, and a session goes on with it after any interruption.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { expandFileName } from "../../backend/slurm/fileNames.ts"
import {
  hasEntropy,
  type JobRef,
  type JobReport,
  Scheduler,
  SchedulerUnavailableError,
  type Submission,
  SubmissionRefusedError
} from "../../port/Scheduler.ts"
import { type FakeClient, FakeCourse } from "../Client.ts"
import { type Directives, parseDirectives } from "../local/directives.ts"
import { type CourseTask, iso, onCourse, timesOf } from "./course.ts"

/** What was submitted, as it stands in `<id>.json`. */
const Job = Schema.Struct({
  name: Schema.String,
  /** Milliseconds since 1970. */
  submitted: Schema.Number,
  speed: Schema.Number,
  /** Seconds of the course; null for no limit. */
  time_limit: Schema.NullOr(Schema.Number),
  tasks: Schema.Array(Schema.Struct({
    task: Schema.NullOr(Schema.Int),
    log: Schema.NullOr(Schema.String),
    /** Bytes that stood in the log before. */
    from: Schema.Int,
    course: FakeCourse
  }))
})
type Job = typeof Job.Type
const JobText = Schema.parseJson(Job)

const keptMillis = 14 * 24 * 3600 * 1000

const standard = Schema.decodeSync(FakeCourse)({})

const jobPart = (name: string): string => /^(.*)\.\d+\.[^.]*$/s.exec(name)?.[1] ?? name
const attemptOf = (name: string): number => Number(/\.(\d+)\.[^.]*$/.exec(name)?.[1] ?? 1)

/** The course of the job or task that is called `subject`. */
const courseOf = (courses: FakeClient["courses"], subject: string, attempt: number): FakeCourse => {
  const fits = (pattern: string): boolean =>
    pattern === subject ||
    new RegExp(`^${pattern.split("*").map((part) => part.replace(/\W/g, "\\$&")).join("[^]*")}$`, "u").test(subject)
  const [pattern] = Object.keys(courses).filter(fits).sort((a, b) => b.length - a.length)
  const found = pattern === undefined ? undefined : courses[pattern]
  if (found === undefined) return standard
  return "length" in found ? found[Math.min(attempt, found.length) - 1] ?? standard : found
}

const sizeOf = (file: string | null): number =>
  file === null ? 0 : fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0

/** The course in real seconds, cut off at the time limit. */
const onClock = (id: string, { name, speed, submitted, time_limit: limit }: Job, at: Job["tasks"][number]) => {
  const { course, task } = at
  const lasts = course.running_seconds
  const isTimeout = limit !== null && (lasts === null || lasts > limit)
  const end = isTimeout ? limit : lasts
  const exitCode = course.exit_code ?? (course.state === "COMPLETED" ? 0 : 1)
  const said = {
    ...course.signal === null ? {} : { signal: course.signal },
    ...course.reason === null ? {} : { reason: course.reason }
  }
  return {
    name,
    id,
    task,
    submitted,
    course: {
      runAfterSeconds: course.pending_seconds / speed,
      endAfterSeconds: end === null ? null : end / speed,
      ...isTimeout ? { state: "TIMEOUT", exitCode: 0, reason: "TimeLimit" } : { state: course.state, exitCode, ...said }
    }
  } satisfies CourseTask
}

/** All that a task has printed at `now`. */
const printed = ({ log }: FakeCourse, speed: number, start: number, now: number): string =>
  log.flatMap(({ after_seconds: after, every_seconds: every, line, times }) =>
    Array.from({ length: times }, (_, i) => ({
      at: start + (after + i * every) * 1000 / speed,
      line: line.replaceAll("{n}", `${i + 1}`)
    }))
  ).filter(({ at }) => at <= now).sort((a, b) => a.at - b.at).map(({ line }) => `${line}\n`).join("")

/** Writes what is due and does not stand in the log yet; two who do so at once write the same bytes in the same place. */
const print = (file: string, from: number, text: string): void => {
  const bytes = Buffer.from(text)
  const done = Math.max(0, sizeOf(file) - from)
  if (done >= bytes.length && fs.existsSync(file)) return
  const handle = fs.openSync(file, fs.constants.O_WRONLY | fs.constants.O_CREAT, 0o666)
  fs.writeSync(handle, bytes, done, bytes.length - done, from + done)
  fs.closeSync(handle)
}

/** `dir` is absolute, and made when it is needed. */
export const layer = ({ courses, dir, speed }: FakeClient & { readonly dir: string }): Layer.Layer<Scheduler> =>
  Layer.sync(Scheduler, () => {
    const calls = { sbatch: 0, squeue: 0, scancel: 0 }
    const fileOf = (id: string) => path.join(dir, `${id}.json`)
    const cancelOf = (id: string, task: number | null) => path.join(dir, `${id}.${task ?? "all"}.cancel`)

    const attempt = <A>(command: string, call: () => A): Effect.Effect<A, SchedulerUnavailableError> =>
      Effect.try({
        try: call,
        catch: (cause) => new SchedulerUnavailableError({ command, message: `fake cluster: ${String(cause)}` })
      })

    const ids = (): ReadonlyArray<string> =>
      fs.existsSync(dir) ? fs.readdirSync(dir).flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? []) : []

    const prune = (now: number): void => {
      for (const name of fs.readdirSync(dir)) {
        const file = path.join(dir, name)
        if (now - (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? now) > keptMillis) {
          fs.rmSync(file, { force: true })
        }
      }
    }

    /** Gives the job an id that nobody else has. */
    const keep = (job: (id: string) => Job): string => {
      for (let next = Math.max(999, ...ids().map(Number)) + 1;; next++) {
        const id = `${next}`
        const temporary = path.join(dir, `.${id}.${process.pid}`)
        fs.writeFileSync(temporary, Schema.encodeSync(JobText)(job(id)))
        try {
          fs.linkSync(temporary, fileOf(id))
          return id
        } catch (cause) {
          if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) throw cause
        } finally {
          fs.rmSync(temporary)
        }
      }
    }

    const taskOf = (
      { array, name }: Submission,
      { output }: Directives,
      id: string,
      task: number | null
    ): Job["tasks"][number] => {
      const subject = task === null ? jobPart(name) : `${jobPart(name)}[${task}]`
      const log = output === null ? null : expandFileName(output, {
        jobId: id,
        arrayJobId: array === null ? null : id,
        arrayTask: task,
        jobName: name,
        user: os.userInfo().username,
        node: os.hostname().split(".")[0] ?? ""
      })
      return { task, log, from: sizeOf(log), course: courseOf(courses, subject, attemptOf(name)) }
    }

    const submit = (submission: Submission) =>
      Effect.gen(function*() {
        calls.sbatch++
        if (!(speed > 0)) {
          return yield* new SubmissionRefusedError({ message: "slurm.client.speed must be more than 0" })
        }
        const now = yield* Clock.currentTimeMillis
        const script = yield* Effect.try({
          try: () => fs.readFileSync(submission.script, "utf8"),
          catch: () => new SubmissionRefusedError({ message: `Unable to open file ${submission.script}` })
        })
        const directives = yield* Either.mapLeft(
          parseDirectives(script, submission.options),
          (message) => new SubmissionRefusedError({ message })
        )
        const id = yield* attempt("sbatch", () => {
          fs.mkdirSync(dir, { recursive: true, mode: 0o700 })
          prune(now)
          return keep((id) => ({
            name: submission.name,
            submitted: now,
            speed,
            time_limit: directives.timeLimit,
            tasks: (submission.array ?? [null]).map((task) => taskOf(submission, directives, id, task))
          }))
        })
        return { id, cluster: "fake" }
      })

    /** When the task was cancelled; null if it was not. */
    const cancelled = (id: string, task: number | null): number | null => {
      const times = [cancelOf(id, null), cancelOf(id, task)]
        .flatMap((file) => fs.existsSync(file) ? [fs.statSync(file).mtimeMs] : [])
      return times.length === 0 ? null : Math.min(...times)
    }

    const reportOf = (id: string, job: Job, at: Job["tasks"][number], now: number): JobReport => {
      const task = onClock(id, job, at)
      const { end, start } = timesOf(task)
      const cut = cancelled(id, at.task)
      const isCut = cut !== null && cut < end
      if (at.log !== null && now >= start && !(isCut && cut < start)) {
        print(at.log, at.from, printed(at.course, job.speed, start, Math.min(now, end, cut ?? now)))
      }
      const before = onCourse(task, isCut ? cut : now)
      return isCut ? { ...before, state: "CANCELLED", exitCode: 0, signal: 15, reason: null, end: iso(cut) } : before
    }

    const read = (id: string): Job | null =>
      fs.existsSync(fileOf(id)) ? Schema.decodeSync(JobText)(fs.readFileSync(fileOf(id), "utf8")) : null

    const query = (
      wanted: () => ReadonlyArray<string>,
      isMeant: (job: Job, id: string, task: number | null) => boolean
    ) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        attempt("squeue", () => {
          calls.squeue++
          return wanted().flatMap((id) => {
            const job = read(id)
            if (job === null) return []
            return job.tasks.filter(({ task }) => isMeant(job, id, task)).map((at) => reportOf(id, job, at, now))
          })
        }))

    const snapshot = (jobs: ReadonlyArray<JobRef>) =>
      Effect.map(
        query(() => [...new Set(jobs.map(({ id }) => id))], (job, id, task) =>
          jobs.some((ref) =>
            ref.id === id && ref.name === job.name && (ref.task === null || ref.task === task)
          )),
        (reports) => ({ reports, unanswered: [], failure: null })
      )

    const cancel = (job: JobRef) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        attempt("scancel", () => {
          calls.scancel++
          const file = cancelOf(job.id, job.task)
          if (read(job.id)?.name !== job.name || fs.existsSync(file)) return
          fs.writeFileSync(file, "")
          fs.utimesSync(file, now / 1000, now / 1000)
        }))

    return {
      kind: "fake",
      submit,
      search: (entropies) => query(ids, (job) => hasEntropy(job.name, entropies)),
      lookup: (names) => query(ids, (job) => names.includes(job.name)),
      snapshot,
      cancel,
      // Its jobs run nowhere.
      exclude: () => Effect.succeed({ applied: true }),
      calls: Effect.sync(() => ({ ...calls }))
    }
  })
