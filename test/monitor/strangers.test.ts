/** The journal of another session in the place of the own one. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as FileJournal from "../../src/journal/FileJournal.ts"
import { glance, hold, look } from "../../src/monitor/held.ts"
import { repairJournal } from "../../src/monitor/mend.ts"
import { makePublisher } from "../../src/monitor/publish.ts"
import { loadSnapshot, saveSnapshot } from "../../src/monitor/snapshot.ts"
import { Journal, type SessionPlace } from "../../src/port/Journal.ts"
import { keep } from "../cli/autoexp.ts"
import { failure, fileIn, quickPlace } from "../journal/temporary.ts"
import { machine } from "../rule/machine.ts"

const records = (planId: string) => {
  const m = machine({}, undefined, { plan_id: planId })
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  return m.records
}

/** Two sessions in one directory. */
const two = Effect.gen(function*() {
  const place = yield* quickPlace
  const other = { ...place, planId: "other" }
  yield* keep(place, records("plan"))
  yield* keep(other, records("other"))
  return { place, other }
})

const copy = (from: SessionPlace, to: SessionPlace) =>
  fs.copyFileSync(fileIn(from, `${from.planId}.events.jsonl`), fileIn(to, `${to.planId}.events.jsonl`))

const bytesOf = (place: SessionPlace) => fs.readFileSync(fileIn(place, "plan.events.jsonl"))

const attempts = (place: SessionPlace): ReadonlyArray<Effect.Effect<unknown, unknown, Journal | Scope.Scope>> => [
  look(place),
  glance(place),
  hold(place, { takeover: false, opening: null }),
  repairJournal(place)
]

describe("a journal of another session", () => {
  it.scopedLive("is refused by both names, also by a repair, which leaves it as it is", () =>
    Effect.gen(function*() {
      const { other, place } = yield* two
      copy(other, place)
      const before = bytesOf(place)
      for (const attempt of attempts(place)) {
        expect(yield* failure(Effect.scoped(attempt))).toMatchObject({
          _tag: "JournalDamagedError",
          path: fileIn(place, "plan.events.jsonl"),
          message: expect.stringContaining("this is the journal of session other, not of plan")
        })
      }
      expect(bytesOf(place)).toEqual(before)
    }).pipe(Effect.provide(FileJournal.layer)))

  it.scopedLive("is not repaired into the own one where it is damaged too", () =>
    Effect.gen(function*() {
      const { other, place } = yield* two
      copy(other, place)
      const before = bytesOf(place)
      before[before.length - 200] = 0
      fs.writeFileSync(fileIn(place, "plan.events.jsonl"), before)
      expect(yield* failure(repairJournal(place))).toMatchObject({
        message: expect.stringContaining("this is the journal of session other, not of plan")
      })
      expect(bytesOf(place)).toEqual(before)
    }).pipe(Effect.provide(FileJournal.layer)))

  it.scopedLive("is refused although a snapshot of its own session came with it", () =>
    Effect.gen(function*() {
      const { other, place } = yield* two
      const { session } = yield* look(other)
      const { position } = yield* (yield* Journal).walk(other, { from: null, begin: () => () => undefined })
      if (position === null) return expect.unreachable()
      yield* saveSnapshot(other, { session, position })
      expect(yield* loadSnapshot(other)).not.toBe(null)
      copy(other, place)
      fs.copyFileSync(fileIn(other, "other.snapshot"), fileIn(place, "plan.snapshot"))
      expect(yield* loadSnapshot(place)).toBe(null)
      for (const attempt of attempts(place)) {
        expect(yield* failure(Effect.scoped(attempt))).toMatchObject({ _tag: "JournalDamagedError" })
      }
    }).pipe(Effect.provide(FileJournal.layer)))

  it.scopedLive("and a session file that has seen more than there is are refused, and the file is named", () =>
    Effect.gen(function*() {
      const { place } = yield* two
      const { head, session } = yield* look(place)
      yield* makePublisher(place)(session, { ...head, seq: head.seq + 1 })
      for (const attempt of attempts(place).slice(0, 3)) {
        expect(yield* failure(Effect.scoped(attempt))).toMatchObject({
          _tag: "JournalDamagedError",
          path: fileIn(place, "plan.json"),
          message: expect.stringContaining("records were removed or replaced")
        })
      }
    }).pipe(Effect.provide(FileJournal.layer)))
})
