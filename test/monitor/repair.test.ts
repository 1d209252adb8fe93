import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import * as path from "node:path"
import * as FileJournal from "../../src/journal/FileJournal.ts"
import { look } from "../../src/monitor/held.ts"
import { repairJournal } from "../../src/monitor/mend.ts"
import { FakeCluster } from "../../src/scheduler/fake/FakeScheduler.ts"
import { opening, plannedJob } from "../rule/machine.ts"
import { runClock, stateDir, watching, world } from "./world.ts"

const rules = {
  poll_interval_seconds: 5,
  inactivity_threshold_seconds: null,
  log_settle_seconds: 1,
  state_events: [{ name: "crash", actions: [{ class_name: "RestartAction", max_restarts: 5 }] }]
} as const

/** What is done to the journal behind the first attempt: its last lines are cut off, zeroed, or begin with a flipped bit. */
const faults: Readonly<Record<string, (bytes: Buffer, from: number) => Buffer>> = {
  "cut off": (bytes, from) => bytes.subarray(0, from),
  zeroed: (bytes, from) =>
    Buffer.concat([bytes.subarray(0, from), Buffer.alloc(bytes.length - from - 1), Buffer.from("\n")]),
  changed: (bytes, from) => {
    const flipped = Buffer.from(bytes)
    flipped[from + 40] = (bytes[from + 40] ?? 0) ^ 1
    return flipped
  }
}

it.scoped.each(Object.keys(faults))(
  "submits no attempt twice although the records of the latest were %s, and the journal was repaired",
  (fault) =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      const place = { stateDir: dir, planId: "plan" }
      const cluster = yield* FakeCluster
      const jobs = ["a", "b"].map((name, index) => plannedJob(name, index))
      const first = yield* watching(dir, opening(rules, jobs, { settle_seconds: 5 }))
      yield* runClock(first, 40)
      yield* Fiber.interrupt(first)
      const submitted = (yield* cluster.ledger).map(({ name }) => name)
      expect(submitted.filter((name) => name.startsWith("a.2."))).toHaveLength(1)

      const file = path.join(dir, "plan.events.jsonl")
      const bytes = fs.readFileSync(file)
      const restart = bytes.lastIndexOf("\n", bytes.indexOf("RestartDecided")) + 1
      fs.writeFileSync(file, faults[fault]?.(bytes, restart) ?? bytes)
      expect(yield* Effect.flip(look(place))).toMatchObject({ _tag: "JournalDamagedError" })
      expect(yield* repairJournal(place)).toMatchObject({ fault: { path: expect.any(String) } })

      const second = yield* watching(dir, null)
      yield* runClock(second, 400)
      expect((yield* Fiber.poll(second))._tag).toBe("Some")
      const attempts = (yield* cluster.ledger).filter(({ what }) => what === "submit")
        .map(({ name }) => name.replace(/\.[^.]+$/, ""))
      expect(attempts.sort()).toEqual(["a.1", "a.2", "b.1"])
      const { session } = yield* look(place)
      expect([...session.jobs.values()].map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
        [2, "success"],
        [1, "success"]
      ])
    }).pipe(Effect.provide(Layer.merge(
      world({
        courses: {
          "a.": [{ endAfterSeconds: 10, state: "FAILED", exitCode: 1 }, { endAfterSeconds: 100 }],
          "b.": { endAfterSeconds: 120 }
        }
      }),
      FileJournal.layer
    ))),
  120_000
)
