import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import * as FileJournal from "../../src/journal/FileJournal.ts"
import { Journal, type SessionPlace } from "../../src/port/Journal.ts"
import { damage, randomOf, segmentsIn } from "./faults.ts"
import { at, facts, failure, fileIn, quickPlace } from "./temporary.ts"

const settings = FileJournal.layerWith({ segmentBytes: 4000 })

/** A journal of several resumes, one of them with many segments, some of them merged and compressed. */
const long = Effect.gen(function*() {
  const place = yield* quickPlace
  const journal = yield* Journal
  for (const size of [3, 40, 2, 1, 2]) {
    yield* Effect.scoped(Effect.gen(function*() {
      const writer = yield* journal.hold(place, { takeover: false })
      for (let batch = 0; batch < size; batch += 1) yield* writer.append(at, facts(3, batch * 3))
    }))
    if (size === 40) yield* journal.compact(place)
  }
  return { place, journal, records: (yield* journal.read(place)).records }
})

const copy = (place: SessionPlace, name: string): SessionPlace => {
  const stateDir = path.join(path.dirname(place.stateDir), name)
  fs.cpSync(place.stateDir, stateDir, { recursive: true })
  return { ...place, stateDir }
}

describe("segments", () => {
  it.scopedLive("rotate, are merged and compressed, and read as the same chain", () =>
    Effect.gen(function*() {
      const { journal, place, records } = yield* long
      expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index + 1))
      const names = segmentsIn(place.stateDir)
      expect(names.some((name) => name.endsWith(".gz"))).toBe(true)
      const { compressed, merged } = yield* journal.compact(place)
      expect([...merged, ...compressed]).not.toEqual([])
      const after = yield* journal.read(place)
      expect(after.records.slice(0, records.length)).toStrictEqual(records)
      expect(after.leftOut).toEqual([])
      expect(yield* journal.verify(place, 7)).toMatchObject({ faults: [], hash: records[6]?.hash })
    }).pipe(Effect.provide(settings)))

  it.scopedLive("are compressed once each, although others are sealed meanwhile", () =>
    Effect.gen(function*() {
      const place = yield* quickPlace
      const journal = yield* Journal
      const written = yield* Effect.scoped(Effect.gen(function*() {
        const writer = yield* journal.hold(place, { takeover: false })
        return yield* Effect.forEach(Array.from({ length: 60 }), (_, batch) => writer.append(at, facts(20, batch * 20)))
      }))
      expect((yield* journal.read(place)).records).toStrictEqual(written.flat())
      expect(segmentsIn(place.stateDir).some((name) => name.endsWith(".gz"))).toBe(true)
    }).pipe(
      Effect.provide(
        FileJournal.layerWith({
          segmentBytes: 4000,
          compaction: { smallBytes: 100, atLeast: 100, compressFrom: 1000 }
        })
      )
    ))

  it.scopedLive("survive a crash between the merged file and the removal of what it holds", () =>
    Effect.gen(function*() {
      const { journal, place, records } = yield* long
      const before = copy(place, "before")
      yield* journal.compact(place)
      for (const name of segmentsIn(before.stateDir)) {
        if (!fs.existsSync(fileIn(place, name))) fs.copyFileSync(fileIn(before, name), fileIn(place, name))
      }
      const read = yield* journal.read(place)
      expect(read.records.slice(0, records.length)).toStrictEqual(records)
      expect(read.leftOut).toEqual([])
    }).pipe(Effect.provide(settings)))
})

describe("a repair", () => {
  it.scopedLive("cuts at the fault, keeps the files as they were, and says so in the journal", () =>
    Effect.gen(function*() {
      const { journal, place, records } = yield* long
      const file = fileIn(place, segmentsIn(place.stateDir).at(-1) ?? "")
      const bytes = fs.readFileSync(file)
      const name = path.basename(file)
      bytes[bytes.lastIndexOf("Fact")] = 0
      fs.writeFileSync(file, bytes)
      const { faults } = yield* journal.verify(place, null)
      expect(faults).toMatchObject([{ path: file, kind: "zeroed", line: expect.any(Number) }])
      expect(yield* failure(journal.hold(place, { takeover: false }))).toMatchObject({ _tag: "JournalDamagedError" })
      const repaired = yield* journal.repair(place, null)
      expect(repaired?.fault).toStrictEqual(faults[0])
      expect(fs.readFileSync(path.join(repaired?.kept ?? "", name))).toStrictEqual(bytes)
      const after = yield* journal.read(place)
      const before = (faults[0]?.seq ?? 0) - 1
      expect(after.records.slice(0, before)).toStrictEqual(records.slice(0, before))
      expect(after.records.slice(before)).toMatchObject([{ type: "SegmentOpened", data: { repaired } }])
      expect(after.leftOut).toEqual([])
      expect(yield* journal.repair(place, null)).toBe(null)
    }).pipe(Effect.provide(settings)))

  it.scopedLive("is refused while somebody holds the session", () =>
    Effect.gen(function*() {
      const { journal, place } = yield* long
      yield* journal.hold(place, { takeover: false })
      expect(yield* failure(journal.repair(place, null))).toMatchObject({ _tag: "SessionHeldError" })
    }).pipe(Effect.provide(settings)))

  const seed = Number(process.env["AUTOEXP_FAULT_SEED"] ?? 7)
  it.scopedLive(
    `of each of 1,000 random single faults leaves what stands before it, or says that nothing does (AUTOEXP_FAULT_SEED=${seed})`,
    () =>
      Effect.gen(function*() {
        const { journal, place, records } = yield* long
        const random = randomOf(seed)
        const hashes = records.map(({ hash }) => hash)
        const tally = { unnoticed: 0, torn: 0, repaired: 0, refused: 0 }
        const broken = copy(place, "broken")
        const names = fs.readdirSync(place.stateDir, { recursive: true, encoding: "utf8" })
          .filter((name) => fs.statSync(fileIn(place, name)).isFile())
        const whole = names.map((name) => [name, fs.readFileSync(fileIn(place, name))] as const)
        for (let round = 0; round < 1000; round += 1) {
          const what = damage(broken.stateDir, random)
          const read = yield* Effect.either(journal.read(broken))
          if (read._tag === "Left") {
            expect(read.left, what).toMatchObject({ _tag: "JournalDamagedError", path: expect.any(String) })
          }
          const repaired = yield* Effect.either(journal.repair(broken, null))
          if (repaired._tag === "Left") {
            expect(repaired.left, what).toMatchObject({ _tag: "JournalDamagedError", seq: 1 })
            tally.refused += 1
          } else {
            const after = (yield* journal.read(broken)).records
            const cut = repaired.right === null ? after.length : after.length - 1
            expect(after.slice(0, cut).map(({ hash }) => hash), what).toEqual(hashes.slice(0, cut))
            expect(repaired.right === null, what).toBe(read._tag === "Right")
            if (repaired.right !== null) {
              expect(cut, what).toBe(repaired.right.fault.seq - 1)
              expect(after[cut], what).toMatchObject({ type: "SegmentOpened", data: { repaired: repaired.right } })
              tally.repaired += 1
            } else tally[cut < hashes.length ? "torn" : "unnoticed"] += 1
          }
          fs.rmSync(broken.stateDir, { recursive: true })
          for (const [name, bytes] of whole) {
            fs.mkdirSync(path.dirname(fileIn(broken, name)), { recursive: true })
            fs.writeFileSync(fileIn(broken, name), bytes)
          }
        }
        expect(tally.repaired).toBeGreaterThan(700)
        // Bytes that tear the newest file's end look as a crash leaves them; the session file knows of the records.
        expect(tally.torn).toBeLessThan(200)
      }).pipe(Effect.provide(settings)),
    300_000
  )
})
