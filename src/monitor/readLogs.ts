/** What jobs write: the new bytes of every log that still matters become facts. */
import * as Effect from "effect/Effect"
import type { NewEvent } from "../event/EventRecord.ts"
import { secondsBetween } from "../event/time.ts"
import { type Chunk, Files } from "../port/Files.ts"
import type { Detector } from "../rule/detect.ts"
import { type LogPosition } from "../session/entries.ts"
import { type Job } from "../session/Job.ts"
import { dueTimers, toRead } from "../session/pending.ts"
import { logKey, type Session } from "../session/Session.ts"
import { lineBound } from "./lines.ts"
import { type About, logFacts, tailBytes, whyAnew } from "./logFacts.ts"

type LogFact = NewEvent<"LogRead" | "PatternSwitchedOff" | "LogUnreadable" | "LogReadable">

/** New bytes read at once; and in one turn, of one log and of all. What is more waits for the next turn. */
const readAtOnce = 256 * 1024
const readsOfLog = 64
const readsOfAll = 256

/** Matches after which a log waits for its next turn, and after which facts are recorded: memory is bounded. */
const matchesOfLog = 4096

/** A log of a job. */
interface Log {
  readonly about: About
  /** Whether its last line is taken although nothing ends it: the job is about to be judged. */
  readonly final: boolean
}

/** What reading a job's logs needs of its rules. */
export interface ReadingRules {
  readonly detect: Detector
  /** How long an ended attempt's log must be quiet before the end is judged. */
  readonly settleSeconds: number
}

/** Position after a fact of reading. */
export const positionOf = ({ data }: NewEvent<"LogRead">): LogPosition => ({
  identity: data.identity,
  offset: data.to,
  size: data.size,
  head: data.head ?? null,
  tail: data.tail ?? null,
  within: data.within ?? false,
  held: data.held ?? false
})

const logsOf = ({ attempt, logPath, plan }: Job, final: boolean): ReadonlyArray<Log> =>
  [...new Set([...(logPath === null ? [] : [logPath]), ...plan.output_paths])]
    .map((path) => ({ about: { job: plan.name, attempt, path }, final }))

const matchesIn = (facts: ReadonlyArray<LogFact>): number =>
  facts.reduce((sum, fact) => sum + (fact.type === "LogRead" ? fact.data.matches.length : 0), 0)

/** Whether more of the log is known to be there than a line that is not complete yet. */
const isBehind = (session: Session, { about: { job, path } }: Log): boolean => {
  const key = logKey(job, path)
  const position = session.logs.get(key)
  return position !== undefined && !position.held && position.size - position.offset > lineBound + 1 &&
    !session.unreadable.has(key)
}

/** Reads on in one log, for at most `reads` reads. The facts, and when the file was last written. */
const readLog = (session: Session, { about, final }: Log, reads: number, detect: Detector, off: Set<string>) =>
  Effect.gen(function*() {
    const files = yield* Files
    const facts: Array<LogFact> = []
    const key = logKey(about.job, about.path)
    const { attempt, job, path } = about
    let known = session.logs.get(key)
    let modified = 0

    /** The facts of a chunk of the file that was read so far, or of the beginning of another one. */
    const take = (chunk: Chunk, start: number, limit: number, anew: "truncated" | "replaced" | null, last: boolean) => {
      const atEnd = chunk.bytes.length < limit
      // A log that still grows is not at its end, whatever the scheduler says.
      const quiet = known !== undefined && anew === null && chunk.size === known.size
      const read = logFacts({
        about,
        known: anew === null ? known : undefined,
        anew,
        chunk,
        start,
        atEnd,
        final: atEnd && (last || (final && quiet)),
        detect,
        off
      })
      facts.push(...read)
      const end = read.findLast((fact) => fact.type === "LogRead")
      if (end !== undefined) known = positionOf(end)
      return end !== undefined && !atEnd
    }

    /** Reads the rest of a file that was renamed, if it is found. */
    const takeMoved = (position: LogPosition, last: boolean) =>
      Effect.gen(function*() {
        const there = yield* files.moved(path, position.identity)
        if (there === null) return "lost"
        const start = Math.max(0, position.offset - tailBytes)
        const limit = readAtOnce + position.offset - start
        const chunk = yield* files.read(there, start, limit)
        if (chunk === null || whyAnew(position, chunk, start) !== null) return "lost"
        return take(chunk, start, limit, null, last) ? "more" : "read"
      })

    for (let count = 0; count < reads && matchesIn(facts) < matchesOfLog; count += 1) {
      const from = known?.offset ?? 0
      const start = Math.max(0, from - tailBytes)
      const limit = readAtOnce + from - start
      const chunk = yield* files.read(path, start, limit)
      if (chunk === null) {
        if (known === undefined) break
        const rest = yield* takeMoved(known, false)
        if (rest === "more") continue
        if (rest === "lost" && known.offset < known.size && !session.unreadable.has(key)) {
          const message = "it is gone, and was not read to its end"
          facts.push({ type: "LogUnreadable", job, attempt, data: { path, message } })
        }
        break
      }
      modified = chunk.modified
      if (count === 0 && session.unreadable.has(key)) facts.push({ type: "LogReadable", job, attempt, data: { path } })
      const anew = known === undefined ? null : whyAnew(known, chunk, start)
      if (anew === null || known === undefined) {
        if (!take(chunk, start, limit, null, false)) break
        continue
      }
      if (known.identity !== chunk.identity && (yield* takeMoved(known, true)) === "more") continue
      const first = yield* files.read(path, 0, readAtOnce)
      if (first === null || !take(first, 0, readAtOnce, anew, false)) break
    }
    return { facts, modified }
  }).pipe(
    Effect.catchTag("FileUnreadableError", ({ message }) => {
      const { attempt, job, path } = about
      const facts: ReadonlyArray<LogFact> = session.unreadable.has(logKey(job, path))
        ? []
        : [{ type: "LogUnreadable", job, attempt, data: { path, message } }]
      return Effect.succeed({ facts, modified: 0 })
    })
  )

/**
 * Reads what is new in the logs of all jobs that are not judged yet, and in the output files beside them, and hands it to
 * `record` in portions: each log's facts in its order; of the files of one job, those last written first come first. Old
 * bytes are read only to see that a file is still the same. `which`: all logs, or those of which more is known to be there
 * than a turn may read. Bytes and time of a turn are bounded: no log can keep the others from being read.
 */
export const observeLogs = <E, R>(
  session: Session,
  rulesOf: (job: Job) => ReadingRules,
  at: string,
  which: "all" | "behind",
  record: (facts: ReadonlyArray<LogFact>) => Effect.Effect<void, E, R>
): Effect.Effect<void, E, R | Files> =>
  Effect.gen(function*() {
    const due = new Set(dueTimers(session, at))
    const jobs = toRead(session).flatMap((job) => {
      const rules = rulesOf(job)
      const quiet = job.activeAt === null || secondsBetween(job.activeAt, at) >= rules.settleSeconds
      const logs = logsOf(job, quiet && due.has(`settle ${job.plan.name} ${job.attempt}`))
      const chosen = which === "all" ? logs : logs.filter((log) => isBehind(session, log))
      return chosen.length === 0 ? [] : [{ rules, logs: chosen }]
    })
    const count = jobs.reduce((sum, { logs }) => sum + logs.length, 0)
    const reads = Math.min(readsOfLog, Math.max(1, Math.floor(readsOfAll / Math.max(1, count))))
    const off = new Set(session.patternsOff.keys())
    const one = yield* Effect.makeSemaphore(1)
    let waiting: Array<LogFact> = []
    const flush = one.withPermits(1)(Effect.suspend(() => {
      const facts = waiting
      waiting = []
      return facts.length === 0 ? Effect.void : record(facts)
    }))
    yield* Effect.forEach(jobs, ({ logs, rules }) =>
      Effect.gen(function*() {
        const read = yield* Effect.forEach(logs, (log) => readLog(session, log, reads, rules.detect, off))
        waiting.push(...read.sort((a, b) => a.modified - b.modified).flatMap(({ facts }) => facts))
        if (matchesIn(waiting) >= matchesOfLog) yield* flush
      }), { concurrency: 8, discard: true })
    yield* flush
  })
