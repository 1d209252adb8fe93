/** `autoexp events`: the journal, for people. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { decodeRecord } from "../../event/EventRecord.ts"
import * as FileJournal from "../../journal/FileJournal.ts"
import { glance } from "../../monitor/held.ts"
import { tellLeftOut } from "../../monitor/sessions.ts"
import type { Envelope } from "../../port/Journal.ts"
import { sentence } from "../../report/happenings.ts"
import { Screen } from "../../report/Screen.ts"
import { clean, cut } from "../../report/width.ts"
import type { Handler } from "../Handler.ts"
import { makeOutflow } from "../outflow.ts"
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
    const place = yield* findSession(given.session, given["state-dir"])
    const jobs = given.job.length === 0 ? [] : yield* namedJobs((yield* glance(place)).session, given.job)
    const isWanted = wanted(given, new Set(jobs))
    const { columns } = yield* screen.size
    const showNew = makeOutflow(place, (record) =>
      isWanted(record) ? given.json ? JSON.stringify(record) : cut(lineOf(record), columns) : null)
    yield* Effect.flatMap(showNew, ({ leftOut }) =>
      tellLeftOut(leftOut))
    while (given.follow) {
      yield* Effect.sleep(`${followSeconds * 1000} millis`)
      yield* showNew
    }
    return 0
  }).pipe(Effect.provide(FileJournal.layer))
