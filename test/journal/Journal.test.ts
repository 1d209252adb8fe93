/** What every layer of the journal promises. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as FileJournal from "../../src/journal/FileJournal.ts"
import * as MemoryJournal from "../../src/journal/MemoryJournal.ts"
import { type Envelope, Journal, type SessionPlace } from "../../src/port/Journal.ts"
import { at, fact, facts, failure, temporaryPlace } from "./temporary.ts"

const hold = (place: SessionPlace, takeover = false) =>
  Effect.flatMap(Journal, (journal) => journal.hold(place, { takeover }))

const numbers = (records: ReadonlyArray<Envelope>) => records.map(({ epoch, seq, type }) => `${seq} ${epoch} ${type}`)

for (const [name, layer] of [["files", FileJournal.layer], ["memory", MemoryJournal.layer]] as const) {
  const run = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provide(effect, layer)

  describe(`the journal in ${name}`, () => {
    it.scopedLive("numbers, stamps and keeps what is appended", () =>
      run(Effect.gen(function*() {
        const place = yield* temporaryPlace
        const journal = yield* Journal
        const writer = yield* hold(place)
        expect(writer).toMatchObject({ epoch: 1, records: [], leftOut: [] })
        const [one] = yield* writer.append(at, [fact(1)])
        expect(one).toMatchObject({ v: 1, seq: 1, at, type: "Fact", epoch: 1, data: { n: 1 } })
        expect(yield* writer.append(at, [])).toStrictEqual([])
        const more = yield* writer.append(at, [
          { type: "Fact", job: "a", attempt: 2, cause: 1, data: [undefined, -0] },
          fact(3)
        ])
        expect(more[0]).toMatchObject({ seq: 2, job: "a", attempt: 2, cause: 1, data: [null, 0] })
        expect((yield* journal.read(place)).records).toStrictEqual([one, ...more])
      })))

    it.scopedLive("puts appends from many fibers behind one another", () =>
      run(Effect.gen(function*() {
        const place = yield* temporaryPlace
        const journal = yield* Journal
        const writer = yield* hold(place)
        const batches = yield* Effect.forEach(
          Array.from({ length: 30 }, (_, index) => index),
          (index) => writer.append(at, facts(2, index * 2)),
          { concurrency: "unbounded" }
        )
        const { records } = yield* journal.read(place)
        expect(records.map(({ seq }) => seq)).toStrictEqual(records.map((_, index) => index + 1))
        expect([...batches.flat()].sort((a, b) => a.seq - b.seq)).toStrictEqual(records)
        for (const [a, b] of batches) expect(b?.seq).toBe((a?.seq ?? 0) + 1)
      })))

    it.scopedLive("completes an append that is interrupted, so that nobody is left in doubt", () =>
      run(Effect.gen(function*() {
        const place = yield* temporaryPlace
        const journal = yield* Journal
        const writer = yield* hold(place)
        const fiber = yield* Effect.fork(writer.append(at, facts(100)))
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(fiber)
        const next = yield* writer.append(at, [fact(0)])
        const { records } = yield* journal.read(place)
        expect(records.at(-1)).toStrictEqual(next[0])
        expect([1, 101]).toContain(records.length)
      })))

    it.scopedLive("refuses a second holder while the first lives, and lets one in once it let go", () =>
      run(Effect.gen(function*() {
        const place = yield* temporaryPlace
        const journal = yield* Journal
        expect(yield* journal.holder(place)).toBe(null)
        const scope = yield* Scope.make()
        const writer = yield* Scope.extend(hold(place), scope)
        yield* writer.append(at, facts(2))
        const holder = yield* journal.holder(place)
        expect(holder).toMatchObject({ epoch: 1, pid: process.pid, alive: "alive" })
        expect(yield* failure(hold(place))).toMatchObject({
          _tag: "SessionHeldError",
          planId: place.planId,
          pid: process.pid,
          since: holder?.since
        })
        yield* Scope.close(scope, Exit.void)
        expect(yield* journal.holder(place)).toBe(null)
        expect(yield* failure(writer.append(at, facts(1)))).toMatchObject({ _tag: "JournalIoError" })
        const next = yield* hold(place)
        expect(next.epoch).toBe(2)
        expect(numbers(next.records)).toStrictEqual(["1 1 Fact", "2 1 Fact", "3 2 SegmentOpened"])
        expect((yield* journal.read(place)).records).toStrictEqual(next.records)
      })))

    it.scopedLive("fences the old writer after a takeover: what it appends is refused and never in the chain", () =>
      run(Effect.gen(function*() {
        const place = yield* temporaryPlace
        const journal = yield* Journal
        const old = yield* hold(place)
        yield* old.append(at, facts(2))
        const writer = yield* hold(place, true)
        const fenced = { _tag: "FencedError", planId: place.planId, epoch: 1, newest: 2 }
        expect(yield* failure(old.assertNewest)).toMatchObject(fenced)
        expect(yield* failure(old.append(at, [{ type: "Late", data: null }]))).toMatchObject(fenced)
        expect(yield* failure(old.append(at, [{ type: "Later", data: null }]))).toMatchObject(fenced)
        yield* writer.assertNewest
        yield* writer.append(at, [fact(3)])
        const { records } = yield* journal.read(place)
        expect(numbers(records)).toStrictEqual(["1 1 Fact", "2 1 Fact", "3 2 SegmentOpened", "4 2 Fact"])
      })))

    it.scopedLive("does not let go for the new holder when the fenced one ends", () =>
      run(Effect.gen(function*() {
        const place = yield* temporaryPlace
        const journal = yield* Journal
        const scope = yield* Scope.make()
        yield* Scope.extend(hold(place), scope)
        yield* hold(place, true)
        yield* Scope.close(scope, Exit.void)
        expect(yield* journal.holder(place)).toMatchObject({ epoch: 2 })
        expect(yield* failure(hold(place))).toMatchObject({ _tag: "SessionHeldError" })
      })))

    it.scopedLive("gives the session to one of many who want it at once", () =>
      run(Effect.gen(function*() {
        const place = yield* temporaryPlace
        const results = yield* Effect.all(Array.from({ length: 8 }, () => Effect.either(hold(place))), {
          concurrency: "unbounded"
        })
        const winners = results.flatMap((result) => result._tag === "Right" ? [result.right.epoch] : [])
        const errors = results.flatMap((result) => result._tag === "Left" ? [result.left._tag] : [])
        expect(winners).toStrictEqual([1])
        expect(errors).toStrictEqual(Array.from({ length: 7 }, () => "SessionHeldError"))
      })))

    it.scopedLive("knows no journal that nobody opened, and lists the sessions there are", () =>
      run(Effect.gen(function*() {
        const place = yield* temporaryPlace
        const journal = yield* Journal
        expect(yield* journal.list(place.stateDir)).toStrictEqual([])
        yield* journal.request(place, { id: "r", body: null })
        expect(yield* failure(journal.read(place))).toMatchObject({ _tag: "NoJournalError", ...place })
        for (const planId of ["b", "a.events", "a"]) {
          for (const n of [1, 2]) {
            const writer = yield* hold({ ...place, planId }, n === 2)
            yield* writer.append(at, facts(n))
          }
        }
        expect(yield* journal.list(place.stateDir)).toStrictEqual(["a", "a.events", "b"])
      })))

    it.scopedLive("keeps requests in their order until they are discarded", () =>
      run(Effect.gen(function*() {
        const place = yield* temporaryPlace
        const journal = yield* Journal
        expect(yield* journal.inbox(place)).toStrictEqual([])
        const requests = ["z", "b", "m", "a"].map((id, n) => ({ id, body: { n } }))
        for (const request of requests) {
          yield* journal.request(place, request)
          // Longer than the coarsest clock of a file system here.
          yield* Effect.sleep(20)
        }
        expect(yield* journal.inbox(place)).toStrictEqual(requests)
        yield* journal.discard(place, "b")
        yield* journal.discard(place, "b")
        expect((yield* journal.inbox(place)).map(({ id }) => id)).toStrictEqual(["z", "m", "a"])
        yield* Effect.sleep(20)
        yield* journal.request(place, { id: "z", body: "again" })
        expect((yield* journal.inbox(place)).map(({ id }) => id)).toStrictEqual(["m", "a", "z"])
      })))

    it.scopedLive("refuses names that are no file names", () =>
      run(Effect.gen(function*() {
        const place = yield* temporaryPlace
        const journal = yield* Journal
        for (const bad of ["", "a/b", "..", "a..b", "a\0b", "-a", "/"]) {
          const there = { ...place, planId: bad }
          const refused: ReadonlyArray<Effect.Effect<unknown, unknown, Journal | Scope.Scope>> = [
            hold(there),
            journal.read(there),
            journal.holder(there),
            journal.request(there, { id: "r", body: null }),
            journal.inbox(there),
            journal.discard(there, "r"),
            journal.remove(there, { force: true }),
            journal.request(place, { id: bad, body: null }),
            journal.discard(place, bad)
          ]
          for (const effect of refused) {
            expect(yield* failure(effect)).toMatchObject({ _tag: "JournalIoError" })
          }
        }
        expect(fs.existsSync(place.stateDir)).toBe(false)
      })))

    it.scopedLive("removes a session nobody holds, and begins it anew", () =>
      run(Effect.gen(function*() {
        const place = yield* temporaryPlace
        const other = { ...place, planId: "plan2" }
        const journal = yield* Journal
        yield* Effect.scoped(Effect.flatMap(hold(other), (writer) => writer.append(at, facts(1))))
        yield* Effect.scoped(Effect.flatMap(hold(place), (writer) => writer.append(at, facts(1))))
        yield* journal.request(place, { id: "r", body: null })
        yield* journal.remove(place, { force: false })
        yield* journal.remove(place, { force: false })
        expect(yield* journal.list(place.stateDir)).toStrictEqual(["plan2"])
        expect(yield* journal.inbox(place)).toStrictEqual([])
        expect(yield* failure(journal.read(place))).toMatchObject({ _tag: "NoJournalError" })
        expect((yield* journal.read(other)).records).toHaveLength(1)
        expect(yield* hold(place)).toMatchObject({ epoch: 1, records: [] })
      })))

    it.scopedLive("removes a held session only by force, and then its holder is fenced", () =>
      run(Effect.gen(function*() {
        const place = yield* temporaryPlace
        const journal = yield* Journal
        const writer = yield* hold(place)
        yield* writer.append(at, facts(1))
        expect(yield* failure(journal.remove(place, { force: false }))).toMatchObject({ _tag: "SessionHeldError" })
        yield* journal.remove(place, { force: true })
        expect(yield* failure(journal.read(place))).toMatchObject({ _tag: "NoJournalError" })
        expect(yield* failure(writer.assertNewest)).toMatchObject({ _tag: "FencedError" })
        const anew = yield* hold(place)
        expect(anew.epoch).toBe(writer.epoch)
        expect(yield* failure(writer.append(at, facts(1)))).toMatchObject({ _tag: "FencedError" })
        yield* anew.append(at, facts(1))
      })))
  })
}
