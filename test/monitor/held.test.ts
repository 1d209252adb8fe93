import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { encodeEvent, isFact, type NewEvent } from "../../src/event/EventRecord.ts"
import type { FactType } from "../../src/event/events.ts"
import * as MemoryJournal from "../../src/journal/MemoryJournal.ts"
import { hold, look } from "../../src/monitor/held.ts"
import { makePublisher } from "../../src/monitor/publish.ts"
import { Journal } from "../../src/port/Journal.ts"
import { fold } from "../../src/session/fold.ts"
import { emptySession } from "../../src/session/Session.ts"
import { gatedHistory, history, operatedHistory } from "../rule/histories.ts"
import { stateDir } from "./world.ts"

const place = { stateDir: "/state", planId: "plan" }

describe.each([
  ["when people decided", operatedHistory()],
  ["when much was decided", history()],
  ["when jobs wait for each other", gatedHistory()]
])("a monitor that died between any two records %s", (_, records) => {
  for (let kept = 1; kept <= records.length; kept += 1) {
    it.effect(`after record ${kept} (${records[kept - 1]?.type}) all that follows from its last fact is decided, once`, () =>
      Effect.gen(function*() {
        const journal = yield* Journal
        const prefix = records.slice(0, kept)
        yield* Effect.scoped(Effect.gen(function*() {
          const writer = yield* journal.hold(place, { takeover: false })
          for (const record of prefix) yield* writer.append(record.at, [encodeEvent(record)])
        }))
        const resumed = yield* Effect.scoped(Effect.map(
          hold(place, { takeover: false, opening: null }),
          ({ session }) => ({ ...session })
        ))
        const facts = prefix.filter(isFact)
        const lastFact = facts.at(-1)
        const after = records.slice(kept)
        const nextFact = after.findIndex(isFact)
        const owed = after.slice(0, nextFact === -1 ? after.length : nextFact)
        const told = yield* look(place)
        const types = told.records.filter(({ type }) => type !== "SegmentOpened").map(({ type }) => type)
        expect(types).toEqual([...prefix, ...owed].map(({ type }) => type))
        expect(lastFact).toBeDefined()
        expect(resumed.seq).toBe(told.head.seq)
        expect(told.records.reduce(fold, emptySession()).jobs).toEqual(resumed.jobs)
      }).pipe(Effect.provide(MemoryJournal.layer)))
  }
})

describe("a held session", () => {
  const opening = history()[0]

  it.effect("refuses a session that was never opened", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.scoped(hold(place, { takeover: false, opening: null })))
      expect(error.message).toContain("plan")
    }).pipe(Effect.provide(MemoryJournal.layer)))

  it.effect("refuses to write to a journal with records of a newer release", () =>
    Effect.gen(function*() {
      const journal = yield* Journal
      yield* Effect.scoped(Effect.gen(function*() {
        const writer = yield* journal.hold(place, { takeover: false })
        yield* writer.append("2026-11-23T03:00:00.000Z", [{ type: "QuantumLeap", data: {} }])
      }))
      const error = yield* Effect.flip(Effect.scoped(hold(place, { takeover: false, opening: null })))
      expect(error._tag).toBe("UnreadableRecordError")
    }).pipe(Effect.provide(MemoryJournal.layer)))

  it.effect("stops recording as soon as another monitor has taken over", () =>
    Effect.gen(function*() {
      if (opening?.type !== "SessionOpened") return expect.unreachable()
      const fact: NewEvent<FactType> = { type: "SchedulerFailed", data: { command: "squeue", message: "timed out" } }
      yield* Effect.scoped(Effect.gen(function*() {
        const old = yield* hold(place, { takeover: false, opening: opening.data })
        yield* Effect.scoped(hold(place, { takeover: true, opening: null }))
        const error = yield* Effect.flip(old.record([fact]))
        expect(error._tag).toBe("FencedError")
      }))
      const { records } = yield* look(place)
      expect(records.map(({ type }) => type)).not.toContain("SchedulerFailed")
    }).pipe(Effect.provide(MemoryJournal.layer)))
})

describe("a journal whose last lines were removed", () => {
  it.scoped("is noticed by the session file, which has seen more", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      const here = { stateDir: dir, planId: "plan" }
      const records = history()
      const journal = yield* Journal
      const written = yield* Effect.scoped(Effect.flatMap(
        journal.hold(here, { takeover: false }),
        (writer) => Effect.forEach(records, (record) => writer.append(record.at, [encodeEvent(record)]))
      ))
      const { head, session } = yield* look(here)
      yield* makePublisher(here)(session, head)
      expect(written.flat()).toHaveLength(records.length)

      const shorter = yield* Effect.gen(function*() {
        const cut = yield* Journal
        yield* Effect.scoped(Effect.flatMap(
          cut.hold(here, { takeover: false }),
          (writer) => Effect.forEach(records.slice(0, -1), (record) => writer.append(record.at, [encodeEvent(record)]))
        ))
        return yield* Effect.either(look(here))
      }).pipe(Effect.provide(Layer.fresh(MemoryJournal.layer)))
      expect(Either.isLeft(shorter) ? shorter.left._tag : "read").toBe("JournalDamagedError")
    }).pipe(Effect.provide(MemoryJournal.layer)))
})
