/** What people, editors, copies and file systems do to the files of a journal: each is named, and none is taken for truth. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import promises from "node:fs/promises"
import { syncBuiltinESMExports } from "node:module"
import { vi } from "vitest"
import * as FileJournal from "../../src/journal/FileJournal.ts"
import { Journal, type SessionPlace } from "../../src/port/Journal.ts"
import { segmentsIn } from "./faults.ts"
import { at, facts, failure, fileIn, quickPlace } from "./temporary.ts"

const first = "plan.events.jsonl"
const middle = "plan.events.2.jsonl"
const third = "plan.events.3.jsonl"
const last = "plan.events.4.jsonl"

/** A journal of four segments, whose records hold numbers from `from` on. */
const make = (from: number) =>
  Effect.gen(function*() {
    const place = yield* quickPlace
    const journal = yield* Journal
    for (let epoch = 0; epoch < 4; epoch += 1) {
      yield* Effect.scoped(Effect.flatMap(
        journal.hold(place, { takeover: false }),
        (writer) => writer.append(at, facts(3, from + 3 * epoch))
      ))
    }
    return place
  })

const read = (place: SessionPlace, name: string) => fs.readFileSync(fileIn(place, name))
const write = (place: SessionPlace, name: string, bytes: Buffer | string) =>
  fs.writeFileSync(fileIn(place, name), bytes)

const swap = (place: SessionPlace, one: string, other: string) => {
  const bytes = read(place, one)
  write(place, one, read(place, other))
  write(place, other, bytes)
}

/** All that may be asked of a journal. */
const attempts = (place: SessionPlace) =>
  Effect.map(Journal, (journal): ReadonlyArray<Effect.Effect<unknown, unknown, Scope.Scope>> => [
    journal.read(place),
    journal.verify(place, null),
    journal.hold(place, { takeover: false }),
    journal.repair(place, null)
  ])

interface Mistake {
  readonly what: string
  readonly make: (place: SessionPlace, other: SessionPlace) => void
  /** The file that is named. */
  readonly names: string
  /** How many of the 15 records can be kept; null: nothing can. */
  readonly keeps: number | null
}

const convert = (name: string) => (place: SessionPlace) =>
  write(place, name, read(place, name).toString("utf8").replaceAll("\n", "\r\n"))

const mistakes: ReadonlyArray<Mistake> = [
  { what: "two segments swapped", make: (place) => swap(place, middle, third), names: third, keeps: 7 },
  {
    what: "the first and the last segment swapped",
    make: (place) => swap(place, first, last),
    names: first,
    keeps: null
  },
  {
    what: "a segment gone from the middle",
    make: (place) => fs.rmSync(fileIn(place, middle)),
    names: middle,
    keeps: 3
  },
  { what: "the first segment gone", make: (place) => fs.rmSync(fileIn(place, first)), names: first, keeps: null },
  {
    what: "a segment of another session in the middle",
    make: (place, other) => write(place, middle, read(other, middle)),
    names: first,
    keeps: 3
  },
  {
    what: "the last segment of another session",
    make: (place, other) => write(place, last, read(other, last)),
    names: third,
    keeps: 11
  },
  { what: "line ends of another system in the first segment", make: convert(first), names: first, keeps: null },
  { what: "line ends of another system in the last segment", make: convert(last), names: last, keeps: 11 },
  {
    what: "a copy of itself behind the last segment",
    make: (place) => fs.appendFileSync(fileIn(place, last), read(place, last)),
    names: last,
    keeps: 15
  },
  {
    what: "the whole journal once more behind the last segment",
    make: (place) =>
      segmentsIn(place.stateDir).forEach((name) => fs.appendFileSync(fileIn(place, last), read(place, name))),
    names: last,
    keeps: 15
  },
  {
    what: "a block of zeros within the last segment",
    make: (place) => write(place, last, Buffer.concat([read(place, last), Buffer.alloc(4096), Buffer.from("\n")])),
    names: last,
    keeps: 15
  }
]

describe("a journal with", () => {
  for (const { keeps, make: mistake, names, what } of mistakes) {
    it.scopedLive(`${what} is refused by the name of the file, and repaired up to there if anything stands before`, () =>
      Effect.gen(function*() {
        const place = yield* make(1)
        const journal = yield* Journal
        const { records } = yield* journal.read(place)
        expect(records).toHaveLength(15)
        mistake(place, yield* make(100))
        const error = yield* failure(journal.read(place))
        expect(error).toMatchObject({ _tag: "JournalDamagedError", path: fileIn(place, names) })
        expect(yield* failure(journal.hold(place, { takeover: false }))).toMatchObject({ _tag: "JournalDamagedError" })
        const repaired = yield* Effect.either(journal.repair(place, null))
        if (keeps === null) {
          return expect(repaired).toMatchObject({ _tag: "Left", left: { _tag: "JournalDamagedError", seq: 1 } })
        }
        expect(repaired).toMatchObject({ _tag: "Right", right: { fault: { seq: keeps + 1 } } })
        const after = yield* journal.read(place)
        expect(after.records.slice(0, -1).map(({ hash }) => hash)).toEqual(
          records.slice(0, keeps).map(({ hash }) => hash)
        )
        expect(after.records.at(-1)).toMatchObject({ type: "SegmentOpened", seq: keeps + 1 })
      }).pipe(Effect.provide(FileJournal.layer)))
  }

  it.scopedLive("a block of zeros at its end, as a crash of the machine leaves it, goes on behind its last record", () =>
    Effect.gen(function*() {
      const place = yield* make(1)
      const journal = yield* Journal
      const { records } = yield* journal.read(place)
      fs.appendFileSync(fileIn(place, last), Buffer.alloc(4096))
      const { leftOut, records: found } = yield* journal.read(place)
      expect(found).toStrictEqual(records)
      expect(leftOut).toMatchObject([{ path: fileIn(place, last), bytes: 4096, why: "torn last line" }])
      const writer = yield* journal.hold(place, { takeover: false })
      yield* writer.append(at, facts(1))
      expect((yield* journal.read(place)).records.slice(0, 15)).toStrictEqual(records)
    }).pipe(Effect.provide(FileJournal.layer)))

  it.scopedLive("a copy of itself behind a sealed segment is read as before, and the copy is told of", () =>
    Effect.gen(function*() {
      const place = yield* make(1)
      const journal = yield* Journal
      const { records } = yield* journal.read(place)
      fs.appendFileSync(fileIn(place, first), read(place, first))
      const after = yield* journal.read(place)
      expect(after.records).toStrictEqual(records)
      expect(after.leftOut).toMatchObject([{ path: fileIn(place, first), why: "beyond the seal of a later epoch" }])
    }).pipe(Effect.provide(FileJournal.layer)))

  it.scopedLive("a directory in the place of a segment is refused by its name, also by a repair, which leaves all as it is", () =>
    Effect.gen(function*() {
      for (const name of [first, middle, last]) {
        const place = yield* make(1)
        fs.rmSync(fileIn(place, name))
        fs.mkdirSync(fileIn(place, name))
        const before = fs.readdirSync(place.stateDir)
        for (
          const effect of yield* attempts(place)
        ) {
          expect(yield* failure(Effect.scoped(effect)), name).toMatchObject({
            _tag: "JournalIoError",
            path: fileIn(place, name)
          })
        }
        expect(fs.readdirSync(place.stateDir)).toEqual(before)
      }
    }).pipe(Effect.provide(FileJournal.layer)))

  it.scopedLive("a segment that may not be read is refused by its name: it is neither missing nor damaged", () =>
    Effect.gen(function*() {
      const place = yield* make(1)
      const journal = yield* Journal
      const { open } = promises
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          vi.restoreAllMocks()
          syncBuiltinESMExports()
        })
      )
      // A test that runs as root may read everything.
      vi.spyOn(promises, "open").mockImplementation((file, ...more) =>
        String(file) === fileIn(place, middle)
          ? Promise.reject(
            Object.assign(new Error(`EACCES: permission denied, open '${String(file)}'`), { code: "EACCES" })
          )
          : open(file, ...more)
      )
      syncBuiltinESMExports()
      for (
        const effect of yield* attempts(place)
      ) {
        expect(yield* failure(Effect.scoped(effect))).toMatchObject({
          _tag: "JournalIoError",
          path: fileIn(place, middle),
          message: expect.stringContaining("permission denied")
        })
      }
      vi.restoreAllMocks()
      syncBuiltinESMExports()
      expect((yield* journal.read(place)).records).toHaveLength(15)
    }).pipe(Effect.provide(FileJournal.layer)))
})
