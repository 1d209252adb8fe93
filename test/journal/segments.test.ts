import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as fs from "node:fs"
import * as path from "node:path"
import { encode } from "../../src/journal/chain.ts"
import * as FileJournal from "../../src/journal/FileJournal.ts"
import { sealDraft } from "../../src/journal/seal.ts"
import { type Envelope, Journal, type SessionPlace } from "../../src/port/Journal.ts"
import { at, fact, facts, failure, fileIn, temporaryPlace } from "./temporary.ts"

const first = "plan.events.jsonl"
const second = "plan.events.2.jsonl"

const run = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provide(effect, FileJournal.layer)

/** Holds the session once, appends, and lets go; all records then. */
const session = (place: SessionPlace, count: number, from: number) =>
  Effect.scoped(Effect.gen(function*() {
    const journal = yield* Journal
    const writer = yield* journal.hold(place, { takeover: false })
    return [...writer.records, ...(yield* writer.append(at, facts(count, from)))]
  }))

/** A journal of two segments: three facts, then a seal and three facts. */
const twoSegments = Effect.gen(function*() {
  const place = yield* temporaryPlace
  yield* session(place, 3, 1)
  const records = yield* session(place, 3, 4)
  return { place, records }
})

const read = (place: SessionPlace) => Effect.flatMap(Journal, (journal) => journal.read(place))

const lineOf = (bytes: Buffer, offset: number): { readonly from: number; readonly to: number } => ({
  from: offset === 0 ? 0 : bytes.lastIndexOf(10, offset - 1) + 1,
  to: bytes.indexOf(10, offset) + 1
})

describe("reading segments", () => {
  it.scopedLive("reads one chain through all segments", () =>
    run(Effect.gen(function*() {
      const { place, records } = yield* twoSegments
      expect(yield* read(place)).toMatchObject({ records, leftOut: [] })
      expect(records.map(({ epoch, seq, type }) => [seq, epoch, type])).toStrictEqual([
        [1, 1, "Fact"],
        [2, 1, "Fact"],
        [3, 1, "Fact"],
        [4, 2, "SegmentOpened"],
        [5, 2, "Fact"],
        [6, 2, "Fact"],
        [7, 2, "Fact"]
      ])
      expect(records[3]?.data).toStrictEqual({
        sealed: { path: first, bytes: fs.statSync(fileIn(place, first)).size, hash: records[2]?.hash, seq: 3 }
      })
    })))

  it.scopedLive("reads every truncation of the last segment as a prefix, and reports what is torn", () =>
    run(Effect.gen(function*() {
      const { place, records } = yield* twoSegments
      const file = fileIn(place, second)
      const whole = fs.readFileSync(file)
      for (let size = 0; size < whole.length; size++) {
        fs.writeFileSync(file, whole.subarray(0, size))
        const lines = whole.subarray(0, size).filter((byte) => byte === 10).length
        const from = whole.lastIndexOf(10, size - 1) + 1
        expect(yield* read(place)).toMatchObject({
          records: records.slice(0, 3 + lines),
          leftOut: size === 0 || size === from ? [] : [{ path: file, from, bytes: size - from, why: "torn last line" }]
        })
      }
    })))

  it.scopedLive("names every truncation of a sealed segment as damage", () =>
    run(Effect.gen(function*() {
      const { place } = yield* twoSegments
      const file = fileIn(place, first)
      const whole = fs.readFileSync(file)
      for (let size = 0; size < whole.length; size++) {
        fs.writeFileSync(file, whole.subarray(0, size))
        const error = yield* failure(read(place))
        const { from } = lineOf(whole, size)
        expect(error).toMatchObject({ _tag: "JournalDamagedError", path: file, from, to: whole.length })
      }
    })))

  it.scopedLive(
    "names the line of every flipped byte, unless it tears the last line",
    () =>
      run(Effect.gen(function*() {
        const { place, records } = yield* twoSegments
        for (const [name, before] of [[first, 0], [second, 3]] as const) {
          const file = fileIn(place, name)
          const whole = fs.readFileSync(file)
          for (let offset = 0; offset < whole.length; offset++) {
            const flipped = Buffer.from(whole)
            flipped[offset] = (whole[offset] ?? 0) ^ (1 << (offset % 8))
            fs.writeFileSync(file, flipped)
            const result = yield* Effect.either(read(place))
            const { from } = lineOf(whole, offset)
            if (name === second && offset === whole.length - 1) {
              expect(result).toMatchObject({
                _tag: "Right",
                right: { records: records.slice(0, -1), leftOut: [{ from }] }
              })
            } else {
              const seq = before + whole.subarray(0, from).filter((byte) => byte === 10).length + 1
              expect(result).toMatchObject({ _tag: "Left", left: { _tag: "JournalDamagedError", path: file } })
              // Which record a broken seal is cannot be known: nothing says where its segment goes on.
              if (from > 0 || name === first) expect(result).toMatchObject({ left: { from, seq } })
            }
          }
          fs.writeFileSync(file, whole)
        }
      })),
    60_000
  )

  it.scopedLive("refuses writing behind damage, and does not stay held", () =>
    run(Effect.gen(function*() {
      const { place } = yield* twoSegments
      const file = fileIn(place, second)
      fs.appendFileSync(file, "{\"v\":1}\n")
      const journal = yield* Journal
      const error = yield* failure(journal.hold(place, { takeover: false }))
      expect(error).toMatchObject({ _tag: "JournalDamagedError", path: file, seq: 8 })
      expect(yield* journal.holder(place)).toBe(null)
    })))

  it.scopedLive("leaves a torn last line where it is, goes on behind it and keeps reporting it", () =>
    run(Effect.gen(function*() {
      const { place, records } = yield* twoSegments
      const file = fileIn(place, second)
      const { size } = fs.statSync(file)
      fs.appendFileSync(file, "{\"v\":1,\"se")
      const journal = yield* Journal
      const writer = yield* journal.hold(place, { takeover: false })
      expect(writer.leftOut).toStrictEqual([{ path: file, from: size, bytes: 10, why: "torn last line" }])
      const appended = yield* writer.append(at, facts(1))
      expect(writer.records).toMatchObject([...records, { seq: 8, epoch: 3, type: "SegmentOpened" }])
      const again = yield* journal.read(place)
      expect(again.records).toStrictEqual([...writer.records, ...appended])
      expect(again.leftOut).toStrictEqual([
        { path: file, from: size, bytes: 10, why: "beyond the seal of a later epoch" }
      ])
    })))

  it.scopedLive("leaves out what a fenced writer wrote behind the seal, whole records or not", () =>
    run(Effect.gen(function*() {
      const { place, records } = yield* twoSegments
      const file = fileIn(place, first)
      const { size } = fs.statSync(file)
      const [, , third] = records
      if (third === undefined) return expect.unreachable()
      const late = encode(third, 1, at, [fact(99)]).text
      fs.appendFileSync(file, late)
      expect(yield* read(place)).toMatchObject({
        records,
        leftOut: [{ path: file, from: size, bytes: Buffer.byteLength(late), why: "beyond the seal of a later epoch" }]
      })
    })))

  it.scopedLive("leaves out a whole segment that a paused epoch created after a newer one had sealed its predecessor", () =>
    run(Effect.gen(function*() {
      const { place, records } = yield* twoSegments
      fs.renameSync(fileIn(place, second), fileIn(place, "plan.events.3.jsonl"))
      const [, , third] = records
      if (third === undefined) return expect.unreachable()
      const { size } = fs.statSync(fileIn(place, first))
      const stray = encode(third, 2, at, [sealDraft(first, size, third), fact(99)]).text
      fs.writeFileSync(fileIn(place, second), stray)
      expect(yield* read(place)).toMatchObject({
        records,
        leftOut: [{
          path: fileIn(place, second),
          from: 0,
          bytes: Buffer.byteLength(stray),
          why: "beyond the seal of a later epoch"
        }]
      })
    })))

  it.scopedLive("goes on behind the older segment if the newest has no whole first record", () =>
    run(Effect.gen(function*() {
      const { place, records } = yield* twoSegments
      for (const text of ["", "{\"v\":1"]) {
        fs.writeFileSync(fileIn(place, "plan.events.3.jsonl"), text)
        const loaded = yield* read(place)
        expect(loaded.records).toStrictEqual(records)
        expect(loaded.leftOut).toHaveLength(text.length > 0 ? 1 : 0)
      }
      expect((yield* session(place, 1, 7)).map(({ seq }) => seq)).toStrictEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    })))

  it.scopedLive("names a missing segment, and follows no seal out of the directory", () =>
    run(Effect.gen(function*() {
      const { place, records } = yield* twoSegments
      const saved = fs.readFileSync(fileIn(place, first))
      fs.rmSync(fileIn(place, first))
      expect(yield* failure(read(place))).toMatchObject({
        _tag: "JournalDamagedError",
        path: fileIn(place, first),
        from: 0,
        to: saved.length
      })
      fs.writeFileSync(path.join(path.dirname(place.stateDir), first), saved)
      const [, , third] = records
      if (third === undefined) return expect.unreachable()
      fs.writeFileSync(
        fileIn(place, second),
        encode(third, 2, at, [sealDraft(`../${first}`, saved.length, third)]).text
      )
      expect(yield* failure(read(place))).toMatchObject({ _tag: "JournalDamagedError" })
    })))

  it.scopedLive("reads records longer than a read, and many of them, with characters across the seams", () =>
    run(Effect.gen(function*() {
      const place = yield* temporaryPlace
      const journal = yield* Journal
      const written = yield* Effect.scoped(Effect.gen(function*() {
        const writer = yield* journal.hold(place, { takeover: false })
        const long = { type: "Long", data: "µ€😀".repeat(400_000) }
        return yield* writer.append(at, [...facts(20_000), long, ...facts(3)])
      }))
      const loaded = yield* journal.read(place)
      expect(loaded.records.length).toBe(written.length)
      expect(loaded.records.every((record, index) => record.hash === written[index]?.hash)).toBe(true)
    })))

  it.scopedLive("keeps one chain through any sequence of appends, reopenings and torn ends", () =>
    run(Effect.gen(function*() {
      const step = FastCheck.record({
        batches: FastCheck.array(FastCheck.integer({ min: 0, max: 4 }), { maxLength: 3 }),
        torn: FastCheck.string({ unit: "binary", maxLength: 5 }).map((text) => text.replaceAll("\n", " "))
      })
      const runtime = yield* Effect.runtime<Journal>()
      const property = FastCheck.asyncProperty(FastCheck.array(step, { maxLength: 6 }), async (steps) => {
        const one = Effect.gen(function*() {
          const place = yield* temporaryPlace
          const journal = yield* Journal
          const acknowledged: Array<Envelope> = []
          for (const { batches, torn } of steps) {
            yield* Effect.scoped(Effect.gen(function*() {
              const writer = yield* journal.hold(place, { takeover: false })
              expect(writer.records.slice(0, acknowledged.length)).toStrictEqual(acknowledged)
              acknowledged.splice(0, acknowledged.length, ...writer.records)
              for (const size of batches) acknowledged.push(...(yield* writer.append(at, facts(size))))
              fs.appendFileSync(fileIn(place, writer.epoch === 1 ? first : `plan.events.${writer.epoch}.jsonl`), torn)
            }))
            const { records } = yield* journal.read(place)
            expect(records).toStrictEqual(acknowledged)
            expect(records.map(({ seq }) => seq)).toStrictEqual(records.map((_, index) => index + 1))
          }
        })
        await Effect.runPromise(Effect.provide(Effect.scoped(one), runtime))
      })
      yield* Effect.promise(() => FastCheck.assert(property, { numRuns: 40 }))
    })))
})
