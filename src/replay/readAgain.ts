/** Recorded byte ranges of logs, looked through again by rules that look for other things. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { EventRecord } from "../event/EventRecord.ts"
import type { EventData } from "../event/events.ts"
import { readLines } from "../monitor/lines.ts"
import { tailBytes, whyAnew } from "../monitor/logFacts.ts"
import { positionOf } from "../monitor/readLogs.ts"
import { scan } from "../monitor/scan.ts"
import { type Chunk, Files } from "../port/Files.ts"
import { type Rules, rulesFor, rulesInForce } from "../rule/Context.ts"
import { acts, type Detector, makeDetector } from "../rule/detect.ts"
import type { LogEvent } from "../rule/Monitoring.ts"
import { countKeys } from "../session/declared.ts"
import { fold } from "../session/fold.ts"
import { emptySession, logKey } from "../session/Session.ts"
import { sameJson } from "./same.ts"

type Matches = EventData<"LogRead">["matches"]

/** What of a log could not be looked through again, and why. What the changed rules would find there is not known. */
export interface LogUnread {
  readonly job: string
  readonly path: string
  readonly why: string
}

export interface ReadAgain {
  /** The matches of the records (by seq) under the other rules, as far as they differ in what they look for. */
  readonly matches: ReadonlyMap<number, Matches>
  /** Names of rules that look for something else than before, or did not exist. */
  readonly changed: ReadonlyArray<string>
  readonly unread: ReadonlyArray<LogUnread>
}

/** What of a rule decides about its matches, and about what is kept of them. */
const looksFor = (rule: LogEvent) => ({
  pattern: rule.pattern,
  pattern_type: rule.pattern_type,
  extract_groups: rule.extract_groups,
  counts: countKeys(rule),
  acts: acts(rule)
})

const isLine = ({ pattern_type }: LogEvent): boolean => pattern_type !== "inactivity"

interface Change {
  /** Rules that are to look again, in their order. */
  readonly rules: ReadonlyArray<LogEvent>
  readonly detect: Detector
  /** Position of each rule that keeps its recorded matches or is looked for again. */
  readonly order: ReadonlyMap<string, number>
}

const changeBetween = (before: Rules, after: Rules): Change | null => {
  const rules = after.monitoring.log_events.filter((rule) => {
    const known = before.log.get(rule.name)
    return isLine(rule) && (known === undefined || !sameJson(looksFor(known), looksFor(rule)))
  })
  const gone = before.monitoring.log_events.some(({ name }) => !after.log.has(name))
  if (rules.length === 0 && !gone) return null
  return {
    rules,
    detect: Either.getOrElse(makeDetector({ ...after.monitoring, log_events: rules }), (): Detector => []),
    order: new Map(after.monitoring.log_events.map(({ name }, at) => [name, at]))
  }
}

/** The bytes that the record tells of, or why they are not to be had. */
const bytesOf = ({ data }: EventRecord<"LogRead">): Effect.Effect<Either.Either<Uint8Array, string>, never, Files> =>
  Effect.gen(function*() {
    const files = yield* Files
    const { from, identity, path, to } = data
    const known = positionOf({ type: "LogRead", data })
    const tailStart = Math.max(0, to - tailBytes)
    const start = Math.min(from, tailStart)
    const unfit = (chunk: Chunk): string | null =>
      whyAnew(known, { ...chunk, bytes: chunk.bytes.subarray(tailStart - start) }, tailStart)
    const isCopy = (chunk: Chunk): boolean =>
      known.head !== null && known.tail !== null && unfit({ ...chunk, identity }) === null
    const here = yield* files.read(path, start, to - start)
    if (here !== null && (unfit(here) === null || isCopy(here))) return Either.right(here.bytes.subarray(from - start))
    const there = yield* files.moved(path, identity)
    const moved = there === null ? null : yield* files.read(there, start, to - start)
    if (moved !== null && unfit(moved) === null) return Either.right(moved.bytes.subarray(from - start))
    return Either.left(
      here === null
        ? "it is gone"
        : unfit(here) === "truncated"
        ? "it has become shorter than it was"
        : "another file stands there than the one that was read"
    )
  }).pipe(Effect.catchTag("FileUnreadableError", ({ message }) => Effect.succeed(Either.left(message))))

/**
 * Looks again for what changed between the rules that were in force and `rules`, through the same line scanner, in the
 * bytes that the records tell of. Nothing is read if no rule looks for something else.
 */
export const readAgain = (
  records: ReadonlyArray<EventRecord>,
  rules: Rules
): Effect.Effect<ReadAgain, never, Files> =>
  Effect.gen(function*() {
    const session = emptySession()
    const changes = new Map<Rules, Change | null>()
    const changed = new Set<string>()
    const unread = new Map<string, LogUnread>()
    const matches = new Map<number, Matches>()
    const off = new Set<string>()
    for (const record of records) {
      const job = record.job === undefined ? undefined : session.jobs.get(record.job)
      const known = record.type === "LogRead" ? session.logs.get(logKey(record.job ?? "", record.data.path)) : undefined
      fold(session, record)
      if (record.type !== "LogRead" || job === undefined) continue
      const before = rulesFor(session, rulesInForce(session), job.plan)
      const change = changes.has(before) ? changes.get(before) : changeBetween(before, rules)
      changes.set(before, change ?? null)
      if (change === undefined || change === null) continue
      for (const { name } of change.rules) changed.add(name)
      const { data } = record
      const again = new Set(change.rules.map(({ name }) => name))
      const kept = data.matches.filter(({ rule }) => change.order.has(rule) && !again.has(rule))
      const bytes = change.rules.length === 0 || data.from === data.to
        ? Either.right(new Uint8Array())
        : yield* bytesOf(record)
      if (Either.isLeft(bytes)) {
        unread.set(logKey(job.plan.name, data.path), { job: job.plan.name, path: data.path, why: bytes.left })
        matches.set(record.seq, kept)
        continue
      }
      const within = data.anew === undefined && known !== undefined && known.within
      const found = scan(readLines(bytes.right, data.from, within, true).blocks, change.detect, off)
      for (const { rule, why } of found.slow) {
        unread.set(`${rule}\0`, { job: job.plan.name, path: data.path, why: `rule ${rule}: ${why}` })
      }
      const all = [...kept, ...found.matches.map(({ match }) => match)]
      const orderOf = ({ rule }: Matches[number]) => change.order.get(rule) ?? 0
      matches.set(record.seq, all.sort((a, b) => a.offset - b.offset || orderOf(a) - orderOf(b)))
    }
    return { matches, changed: [...changed], unread: [...unread.values()] }
  })
