/** What was done in the records that a repair has cut off, by the lines that can be read and the files made of them. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as fs from "node:fs/promises"
import { decodeRecord, type EventRecord } from "../event/EventRecord.ts"
import type { Told } from "../event/Told.ts"
import { type Envelope, Journal, type JournalIoError, type SessionPlace } from "../port/Journal.ts"
import { eventKey, logKey, type Session } from "../session/Session.ts"
import { queueFile, sessionFile } from "./publish.ts"

// Also of a line that is damaged elsewhere.
const submissionName = /"type":"(?:SubmissionIntended|JobSubmitted)".*?"name":"([^"]+\.\d+\.[^".]+)"/

/** Types of the records that tell anything here. */
const telling = /"type":"(?:LogRead|EventRaised|ActionStarted|ActionQueued|RestartDecided|QueueClaimed|QueueRemoved)"/

const Line = Schema.parseJson(Schema.Struct({
  v: Schema.Int,
  seq: Schema.Int,
  at: Schema.String,
  type: Schema.String,
  job: Schema.optionalWith(Schema.String, { exact: true }),
  attempt: Schema.optionalWith(Schema.Int, { exact: true }),
  epoch: Schema.Int,
  data: Schema.Unknown,
  hash: Schema.String
}))

const decodeLine = Schema.decodeEither(Line)

const recordOf = (line: string): ReadonlyArray<EventRecord> => {
  if (!telling.test(line)) return []
  const record = Either.flatMap(decodeLine(line), (envelope: Envelope) => decodeRecord(envelope))
  return Either.isRight(record) ? [record.right] : []
}

const Published = Schema.parseJson(Schema.Struct({
  jobs: Schema.Array(Schema.Struct({
    name: Schema.String,
    logs_read: Schema.optionalWith(
      Schema.Array(Schema.Struct({ path: Schema.String, identity: Schema.String, to: Schema.Int })),
      { default: () => [] }
    ),
    restarts: Schema.Array(Schema.Struct({ attempt: Schema.Int }))
  })),
  events: Schema.Array(Schema.Struct({
    event_id: Schema.String,
    name: Schema.String,
    job: Schema.String,
    attempt: Schema.Int,
    count: Schema.Int,
    acted: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.String }), { default: () => ({}) })
  }))
}))

const PublishedEntry = Schema.parseJson(Schema.Struct({ attempts: Schema.Int }))

const readAs = <A, I>(schema: Schema.Schema<A, I>, file: string): Effect.Effect<A | null> =>
  Effect.tryPromise(() => fs.readFile(file, "utf8")).pipe(
    Effect.flatMap(Schema.decodeUnknown(schema)),
    Effect.orElseSucceed(() => null)
  )

const logsIn = (records: ReadonlyArray<EventRecord>): Told["logs"] => {
  const files = new Map<string, Array<Told["logs"][number]>>()
  for (const { attempt = 0, data, job = "", type } of records) {
    if (type !== "LogRead") continue
    const { anew, identity, path, to } = data
    const key = logKey(job, `${identity}\0${path}`)
    // What stood in a file before it was cut short does not stand there any more.
    const known = anew === undefined ? files.get(key) ?? [] : []
    files.set(key, [...known.filter((log) => log.attempt !== attempt), { job, attempt, path, identity, to }])
  }
  return [...files.values()].flat()
}

/** The highest number of each key, where it is higher than the one that the session knows. */
const highest = <A>(
  all: Iterable<A>,
  keyOf: (one: A) => string,
  countOf: (one: A) => number,
  known: (key: string) => number
): ReadonlyArray<A> => {
  const best = new Map<string, A>()
  for (const one of all) {
    const key = keyOf(one)
    const before = best.get(key)
    if (countOf(one) > (before === undefined ? known(key) : countOf(before))) best.set(key, one)
  }
  return [...best.values()]
}

/**
 * What a repair has cut off of the session, by its lines and by the files that were made of the journal before. Names are
 * those of submissions.
 */
export const toldOf = (
  place: SessionPlace,
  session: Session,
  cut: Session["cuts"][number]
): Effect.Effect<{ readonly names: ReadonlyArray<string>; readonly told: Told }, JournalIoError, Journal> =>
  Effect.gen(function*() {
    const journal = yield* Journal
    const lines = yield* journal.kept(place, cut)
    const records = lines.flatMap(recordOf)
    // A repair that was cut short has not put it aside.
    const published = (yield* readAs(Published, sessionFile({ ...place, stateDir: cut.kept }))) ??
      (yield* readAs(Published, sessionFile(place)))
    const seen = published?.events ?? []
    const raised = records.flatMap(({ attempt = 0, data, job = "", type }) =>
      type === "EventRaised" ? [{ job, attempt, name: data.name, count: data.count }] : []
    )
    const begun = records.flatMap(({ data, type }) =>
      type === "ActionStarted" || type === "ActionQueued" ? [data.event_id] : []
    )
    const shown = seen.flatMap(({ acted, event_id, job, attempt, name }) => {
      const known = session.events.get(eventKey(job, attempt, name))
      return known?.eventId === event_id && JSON.stringify(known.acted) !== JSON.stringify(acted) ? [event_id] : []
    })
    const restarted = records.flatMap(({ attempt, data, job, type }) =>
      type === "RestartDecided" && data.would !== true && job !== undefined && attempt !== undefined
        ? [{ job, attempt }]
        : []
    )
    const shownRestarts = (published?.jobs ?? []).flatMap(({ name, restarts }) =>
      restarts.slice(session.jobs.get(name)?.restarts.length ?? 0).map(({ attempt }) => ({
        job: name,
        attempt: attempt - 1
      }))
    )
    const logs = logsIn(records)
    const shownLogs = (published?.jobs ?? []).flatMap(({ logs_read, name: job }) =>
      logs_read.flatMap(({ identity, path, to }) => {
        const known = session.logs.get(logKey(job, path))
        const last = logs.findLast((log) => log.job === job && log.path === path && log.identity === identity)
        const read = last?.to ?? (known?.identity === identity ? known.offset : 0)
        // Of whichever attempt it was: what it asked for was decided before the file was written.
        const attempt = last?.attempt ?? session.jobs.get(job)?.attempt ?? 0
        return to > read ? [{ job, attempt, path, identity, to }] : []
      })
    )
    const claims = yield* Effect.forEach(
      session.queue.values(),
      (entry) =>
        Effect.map(readAs(PublishedEntry, queueFile(place, entry)), (file) => {
          const { attempts, queueId: queue_id } = entry
          const lost = records.filter(({ data, type }) =>
            (type === "QueueClaimed" || type === "QueueRemoved") && data.queue_id === queue_id
          )
          return { queue_id, claims: Math.max(attempts + lost.length, file?.attempts ?? 0) }
        })
    )
    return {
      names: [...new Set(lines.flatMap((line) => submissionName.exec(line)?.[1] ?? []))],
      told: {
        since: cut.seq,
        restarts: [...restarted, ...shownRestarts],
        logs: [...logs, ...shownLogs],
        events: highest(
          [...raised, ...seen.map(({ job, attempt, name, count }) => ({ job, attempt, name, count }))],
          ({ attempt, job, name }) => eventKey(job, attempt, name),
          ({ count }) => count,
          (key) => session.events.get(key)?.count ?? 0
        ),
        acted: [...new Set([...begun, ...shown])].filter((id) => session.eventKeys.has(id)),
        claims: claims.filter(({ claims, queue_id }) => claims > (session.queue.get(queue_id)?.attempts ?? 0))
      }
    }
  })
