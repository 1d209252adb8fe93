import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as v8 from "node:v8"
import { encodeEvent, type EventRecord } from "../../src/event/EventRecord.ts"
import { encode, genesis, type Head } from "../../src/journal/chain.ts"
import * as FileJournal from "../../src/journal/FileJournal.ts"
import { glance, hold, look } from "../../src/monitor/held.ts"
import { makeResumption } from "../../src/monitor/resume.ts"
import { loadSnapshot, saveSnapshot, type Snapshot } from "../../src/monitor/snapshot.ts"
import { Journal, type Position, type SessionPlace } from "../../src/port/Journal.ts"
import { fold } from "../../src/session/fold.ts"
import { emptySession } from "../../src/session/Session.ts"
import { fileIn, temporaryPlace } from "../journal/temporary.ts"
import { gatedHistory, history, operatedHistory } from "../rule/histories.ts"

interface Line {
  readonly record: EventRecord
  readonly text: string
  readonly head: Head
}

const linesOf = (records: ReadonlyArray<EventRecord>): ReadonlyArray<Line> => {
  let head: Head = genesis
  return records.map((record) => {
    const batch = encode(head, record.epoch, record.at, [encodeEvent(record)])
    head = batch.head
    return { record, text: batch.text, head }
  })
}

const histories = [history(), gatedHistory(), operatedHistory()].map(linesOf)
const [told = []] = histories

const segment = "plan.events.jsonl"

const textOf = (lines: ReadonlyArray<Line>): string => lines.map(({ text }) => text).join("")

const write = (place: SessionPlace, lines: ReadonlyArray<Line>): void => {
  fs.mkdirSync(place.stateDir, { recursive: true })
  fs.writeFileSync(fileIn(place, segment), textOf(lines))
}

/** The session after so many records, and where that is. */
const snapshotOf = (lines: ReadonlyArray<Line>, count: number): Snapshot => {
  const before = lines.slice(0, count)
  const position: Position = {
    segment,
    bytes: Buffer.byteLength(textOf(before)),
    ...before.at(-1)?.head ?? genesis
  }
  return { session: before.reduce((session, { record }) => fold(session, record), emptySession()), position }
}

/** Whether the snapshot on disk serves, and the session that comes of it. */
const resume = Effect.fnUntraced(function*(place: SessionPlace) {
  const journal = yield* Journal
  const resumption = makeResumption(place, null, yield* loadSnapshot(place))
  yield* journal.walk(place, resumption.reader)
  yield* resumption.check
  return { resumed: resumption.resumed(), session: resumption.session(), read: resumption.count() }
})

/** Counts of records behind which a snapshot may be made: nothing is missing that follows from the last fact. */
const cutsOf = (lines: ReadonlyArray<Line>): ReadonlyArray<number> =>
  lines.flatMap((line, index) => index > 0 && line.record.cause === undefined ? [index] : []).concat(lines.length)

const anyCut = fc.constantFrom(...histories).chain((lines) =>
  fc.record({
    lines: fc.constant(lines),
    cut: fc.constantFrom(...cutsOf(lines)),
    end: fc.nat(lines.length)
  })
)

describe("a snapshot", () => {
  it.scopedLive(
    "and what came after it tell the session that the whole journal tells, wherever it was made",
    () =>
      Effect.gen(function*() {
        const place = yield* temporaryPlace
        for (const { cut, end, lines } of fc.sample(anyCut, { numRuns: 150, seed: 11 })) {
          const until = Math.max(cut, end)
          write(place, lines.slice(0, until))
          yield* saveSnapshot(place, snapshotOf(lines, cut))
          const { read, resumed, session } = yield* resume(place)
          expect([resumed, read]).toEqual([true, until - cut])
          const whole = yield* look(place)
          expect(session).toStrictEqual(whole.session)
          expect((yield* glance(place)).head).toEqual(whole.head)
        }
      }).pipe(Effect.provide(FileJournal.layer)),
    60_000
  )

  it.scoped(
    "lets a new holder go on as the whole journal does, also where a crash kept decisions from it",
    () =>
      Effect.gen(function*() {
        for (const { cut, end, lines } of fc.sample(anyCut, { numRuns: 12, seed: 12 })) {
          const held = yield* Effect.forEach([true, false], (isSaved) =>
            Effect.scoped(Effect.gen(function*() {
              const place = yield* temporaryPlace
              write(place, lines.slice(0, Math.max(cut, end)))
              if (isSaved) yield* saveSnapshot(place, snapshotOf(lines, cut))
              const { session } = yield* hold(place, { takeover: true, opening: null })
              const { records } = yield* look(place)
              return { session: structuredClone(session), records }
            })))
          expect(held[0]).toStrictEqual(held[1])
        }
      }).pipe(Effect.provide(FileJournal.layer)),
    60_000
  )

  const cut = told.length - 6
  const file = (place: SessionPlace) => fileIn(place, "plan.snapshot")
  const rewrite = (place: SessionPlace, change: (bytes: Buffer) => Buffer) =>
    fs.writeFileSync(file(place), change(fs.readFileSync(file(place))))
  /** A snapshot that tells wrong: whoever believes it is noticed. */
  const wrong = (position: Partial<Position> = {}): Snapshot => {
    const { position: right, session } = snapshotOf(told, cut)
    session.jobs.clear()
    return { session, position: { ...right, ...position } }
  }
  const doubts: Readonly<Record<string, (place: SessionPlace) => void>> = {
    "whose digest is another": (place) =>
      rewrite(place, (bytes) => Buffer.concat([Buffer.from("0"), bytes.subarray(1)])),
    "of which a bit is flipped": (place) =>
      rewrite(place, (bytes) => {
        const at = bytes.length - 20
        bytes[at] = (bytes[at] ?? 0) ^ 1
        return bytes
      }),
    "that another version of the program wrote": (place) =>
      rewrite(place, (bytes) => {
        const at = bytes.indexOf(" ") + 1
        bytes[at] = bytes[at] === 97 ? 98 : 97
        return bytes
      }),
    "that was cut short": (place) => rewrite(place, (bytes) => bytes.subarray(0, bytes.length - 9)),
    "that is empty": (place) => rewrite(place, () => Buffer.alloc(0)),
    "that is no session at all": (place) =>
      rewrite(place, (bytes) => {
        const text = v8.serialize("nothing")
        const program = bytes.toString("latin1", bytes.indexOf(" "), bytes.indexOf("\n") + 1)
        return Buffer.concat([Buffer.from(crypto.createHash("sha256").update(text).digest("hex") + program), text])
      })
  }
  it.scopedLive.each(Object.entries(doubts))("%s is thrown away", ([, spoil]) =>
    Effect.gen(function*() {
      const place = yield* temporaryPlace
      write(place, told)
      yield* saveSnapshot(place, wrong())
      // As it stands it would serve.
      expect((yield* resume(place)).resumed).toBe(true)
      spoil(place)
      const { resumed, session } = yield* resume(place)
      expect(resumed).toBe(false)
      expect(session).toStrictEqual((yield* look(place)).session)
    }).pipe(Effect.provide(FileJournal.layer)))

  const { position } = snapshotOf(told, cut)
  const elsewhere: Readonly<Record<string, Snapshot>> = {
    "one byte further": wrong({ bytes: position.bytes + 1 }),
    "one record further": wrong(snapshotOf(told, cut + 1).position),
    "in a segment that is not there": wrong({ segment: "plan.events.7.jsonl" }),
    "behind a record of another history": wrong({ hash: "f".repeat(64) }),
    "behind the end of the journal": wrong({ bytes: position.bytes * 9 })
  }
  it.scopedLive.each(Object.entries(elsewhere))(
    "that stands %s is thrown away",
    ([, snapshot]) =>
      Effect.gen(function*() {
        const place = yield* temporaryPlace
        write(place, told)
        yield* saveSnapshot(place, snapshot)
        const { resumed, session } = yield* resume(place)
        expect(resumed).toBe(false)
        expect(session).toStrictEqual((yield* look(place)).session)
      }).pipe(Effect.provide(FileJournal.layer))
  )

  it.scopedLive("that is newer than the journal is thrown away", () =>
    Effect.gen(function*() {
      const place = yield* temporaryPlace
      for (let count = 1; count < cut; count += 7) {
        write(place, told.slice(0, count))
        yield* saveSnapshot(place, snapshotOf(told, cut))
        const { resumed, session } = yield* resume(place)
        expect(resumed).toBe(false)
        expect(session).toStrictEqual((yield* look(place)).session)
      }
    }).pipe(Effect.provide(FileJournal.layer)))

  it.scopedLive("of another plan is thrown away, although its journal has the same bytes", () =>
    Effect.gen(function*() {
      const place = yield* temporaryPlace
      write(place, told)
      yield* saveSnapshot(place, snapshotOf(told, cut))
      const other = { ...place, planId: "other" }
      fs.renameSync(file(place), fileIn(other, "other.snapshot"))
      expect(yield* loadSnapshot(other)).toBe(null)
    }))

  it.scopedLive("is not loaded with any single byte changed", () =>
    Effect.gen(function*() {
      const place = yield* temporaryPlace
      write(place, told)
      yield* saveSnapshot(place, snapshotOf(told, cut))
      const whole = fs.readFileSync(file(place))
      const places = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }))
      for (const [at, change] of fc.sample(places, { numRuns: 200, seed: 13 })) {
        const bytes = Buffer.from(whole)
        bytes[at] = (bytes[at] ?? 0) ^ change
        fs.writeFileSync(file(place), bytes)
        expect(yield* loadSnapshot(place)).toBe(null)
      }
    }))

  it.scopedLive("left half written by a kill changes nothing: the one before it still serves", () =>
    Effect.gen(function*() {
      const place = yield* temporaryPlace
      write(place, told)
      yield* saveSnapshot(place, snapshotOf(told, cut))
      fs.writeFileSync(fileIn(place, "plan.snapshot.4242.tmp"), fs.readFileSync(file(place)).subarray(0, 300))
      const { read, resumed, session } = yield* resume(place)
      expect([resumed, read]).toEqual([true, told.length - cut])
      expect(session).toStrictEqual((yield* look(place)).session)
    }).pipe(Effect.provide(FileJournal.layer)))

  it.scopedLive("serves a writer that was killed in its next append, which leaves a torn line behind it", () =>
    Effect.gen(function*() {
      const place = yield* temporaryPlace
      write(place, told.slice(0, cut))
      yield* saveSnapshot(place, snapshotOf(told, cut))
      fs.appendFileSync(fileIn(place, segment), (told[cut]?.text ?? "").slice(0, -20))
      const { read, resumed, session } = yield* resume(place)
      expect([resumed, read]).toEqual([true, 0])
      expect(session).toStrictEqual(snapshotOf(told, cut).session)
    }).pipe(Effect.provide(FileJournal.layer)))

  it.scopedLive("is not made of a session that is ahead of the journal", () =>
    Effect.gen(function*() {
      const place = yield* temporaryPlace
      write(place, told)
      yield* saveSnapshot(place, { ...snapshotOf(told, cut), position: snapshotOf(told, cut - 1).position })
      expect(yield* loadSnapshot(place)).toBe(null)
    }))
})
