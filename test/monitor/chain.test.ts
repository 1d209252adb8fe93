import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as fs from "node:fs"
import * as path from "node:path"
import type { Chain } from "../../src/event/PlannedJob.ts"
import { FakeCluster } from "../../src/scheduler/fake/FakeScheduler.ts"
import { opening, plannedJob } from "../rule/machine.ts"
import { Disk, runClock, stateDir, watching, world } from "./world.ts"

const rules = {
  poll_interval_seconds: 1,
  inactivity_threshold_seconds: null,
  log_settle_seconds: 1,
  state_events: [{ name: "crash", actions: [{ class_name: "RestartAction", max_restarts: 3 }] }]
} as const

const chain = (rest: Partial<Chain> = {}): Chain => ({
  links: 6,
  ahead: 2,
  until: null,
  expected_after_seconds: null,
  gate_seconds: 60,
  overrun_seconds: null,
  ...rest
})

/** A chain that writes its gate below `dir`. */
const opened = (dir: string, rest: Partial<Chain> = {}) =>
  opening(rules, [
    plannedJob("a", 0, { chain: chain(rest), output_dir: dir, log_path: "/out/a/slurm-%j.out" })
  ], { settle_seconds: 5 })

const gateOf = (dir: string) => fs.readFileSync(path.join(dir, ".attempts/plan.gate"), "utf8")

const link = { runAfterSeconds: 1, endAfterSeconds: 20, state: "TIMEOUT" }

/** Names `a.<number>` of what was submitted and of what was cancelled. */
const ledger = Effect.gen(function*() {
  const entries = yield* (yield* FakeCluster).ledger
  const names = (which: string) =>
    entries.filter(({ what }) => what === which).map(({ name }) => name.split(".").slice(0, 2).join("."))
  return { submitted: names("submit"), cancelled: names("cancel") }
})

const all = ["a.1", "a.2", "a.3", "a.4", "a.5", "a.6"]

describe("a chain on the fake cluster", () => {
  it.scoped("runs its links one after another, each submitted once", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      const fiber = yield* watching(dir, opened(dir))
      yield* runClock(fiber, 200)
      const session = yield* Fiber.join(fiber)
      expect(session.jobs.get("a")).toMatchObject({ outcome: "success", attempt: 6, link: 6, links: [] })
      expect(yield* ledger).toEqual({ submitted: all, cancelled: [] })
      expect(gateOf(dir)).toMatch(/^decision=stop\n/)
    }).pipe(Effect.provide(world({ courses: { a: link } }))))

  it.scoped("goes on where it was when its monitor was dead while two links passed", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      const first = yield* watching(dir, opened(dir))
      yield* runClock(first, 10)
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("45 seconds")
      const next = yield* watching(dir, null)
      yield* runClock(next, 250)
      const session = yield* Fiber.join(next)
      expect(session.jobs.get("a")).toMatchObject({ outcome: "success", attempt: 6, links: [] })
      expect(yield* ledger).toEqual({ submitted: all, cancelled: [] })
    }).pipe(Effect.provide(world({ courses: { a: link } }))))

  it.scoped("queues a link once although the answer to that is lost, and takes it in its turn", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      const cluster = yield* FakeCluster
      const fiber = yield* watching(dir, opened(dir, { ahead: 1 }))
      yield* runClock(fiber, 10)
      yield* cluster.loseNextAnswer
      yield* runClock(fiber, 200)
      const session = yield* Fiber.join(fiber)
      expect(session.jobs.get("a")).toMatchObject({ outcome: "success", attempt: 6 })
      expect((yield* ledger).submitted).toEqual(all)
    }).pipe(Effect.provide(world({ courses: { a: link } }))))

  it.scoped("cancels the surplus when its work is done at link 3 of 10, and leaves nothing in the queue", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      const disk = yield* Disk
      const until = { class_name: "FileExistsCondition", path: "/out/a/done" }
      const fiber = yield* watching(dir, opened(dir, { links: 10, until }))
      yield* runClock(fiber, 60)
      yield* disk.append("/out/a/done", "")
      yield* runClock(fiber, 60)
      const session = yield* Fiber.join(fiber)
      expect(session.jobs.get("a")).toMatchObject({ outcome: "success", attempt: 3, link: 3, links: [] })
      expect(yield* ledger).toEqual({ submitted: all.slice(0, 5), cancelled: ["a.5", "a.4"] })
    }).pipe(Effect.provide(world({ courses: { a: link } }))))

  it.scoped("restarts a link that failed by the one that waits, and never has two alive", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      const fiber = yield* watching(dir, opened(dir, { links: 3 }))
      yield* runClock(fiber, 200)
      const session = yield* Fiber.join(fiber)
      expect(session.jobs.get("a")).toMatchObject({ outcome: "success", attempt: 4, link: 3 })
      expect(session.jobs.get("a")?.restarts.map(({ cause }) => cause)).toEqual(["crash", "link", "link"])
      expect(yield* ledger).toEqual({ submitted: all.slice(0, 4), cancelled: [] })
    }).pipe(
      Effect.provide(world({ courses: { a: [{ endAfterSeconds: 5, state: "NODE_FAIL" }, link, link, link] } }))
    ))
})
