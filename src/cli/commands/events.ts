/** `autoexp events`: the journal, for people. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { decodeRecord } from "../../event/EventRecord.ts"
import * as FileJournal from "../../journal/FileJournal.ts"
import { glance } from "../../monitor/held.ts"
import { type Envelope, Journal } from "../../port/Journal.ts"
import { sentence } from "../../report/happenings.ts"
import { Screen } from "../../report/Screen.ts"
import { clean, cut } from "../../report/width.ts"
import type { Handler } from "../Handler.ts"
import { findSession } from "../place.ts"
import type { Given } from "../spec.ts"
import { namedJobs } from "./job.ts"

const wanted = (given: Given<"events">, jobs: ReadonlySet<string>) => ({ at, job, seq, type }: Envelope): boolean => {
  if (given.job.length > 0 && (job === undefined || !jobs.has(job))) return false
  if (given.type.length > 0 && !given.type.includes(type)) return false
  if (given.since === null) return true
  return "seq" in given.since ? seq >= given.since.seq : Date.parse(at) >= given.since.at
}

/** One line; the type stands for what has no sentence, or is of a newer release. */
const lineOf = (record: Envelope): string => {
  const text = Either.match(decodeRecord(record), { onLeft: () => null, onRight: sentence })
  const about = [record.job, record.attempt].filter((part) => part !== undefined).join("#")
  const cause = record.cause === undefined ? "" : ` ← ${record.cause}`
  return clean(
    `${String(record.seq).padStart(6)}  ${record.at}  ${record.type.padEnd(20)}  ${about.padEnd(20)}  ` +
      `${text ?? ""}${cause}`
  ).trimEnd()
}

const followSeconds = 0.5

export const events: Handler<"events"> = (given) =>
  Effect.gen(function*() {
    const screen = yield* Screen
    const journal = yield* Journal
    const place = yield* findSession(given.session, given["state-dir"])
    const jobs = given.job.length === 0 ? [] : yield* namedJobs((yield* glance(place)).session, given.job)
    const isWanted = wanted(given, new Set(jobs))
    const { columns } = yield* screen.size
    let shown = 0
    for (;;) {
      const { leftOut, records } = yield* journal.read(place)
      if (shown === 0) {
        yield* Effect.forEach(leftOut, ({ bytes, from, path, why }) =>
          Effect.logWarning(`${path}: ${bytes} bytes from ${from} on left out: ${why}`))
      }
      const fresh = records.filter((record) =>
        record.seq > shown
      )
      shown = records.at(-1)?.seq ?? shown
      const lines = fresh.filter(isWanted).map((record) =>
        `${given.json ? JSON.stringify(record) : cut(lineOf(record), columns)}\n`
      )
      if (lines.length > 0) yield* screen.out(lines.join(""))
      if (!given.follow) return 0
      yield* Effect.sleep(`${followSeconds * 1000} millis`)
    }
  }).pipe(Effect.provide(FileJournal.layer))
