import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { look } from "../../src/monitor/held.ts"
import { ask, quietly, watchSession } from "../../src/monitor/sessions.ts"
import { explain } from "../../src/report/explain.ts"
import { sentence } from "../../src/report/happenings.ts"
import { FakeCluster } from "../../src/scheduler/fake/FakeScheduler.ts"
import { wouldOf } from "../../src/session/would.ts"
import { opening, plannedJob } from "../rule/machine.ts"
import { Configs, Disk, runClock, stateDir, watching, world } from "./world.ts"

const rules = {
  poll_interval_seconds: 1,
  inactivity_threshold_seconds: null,
  log_settle_seconds: 2,
  log_events: [
    { name: "nccl", pattern: "NCCL WARN", actions: [{ class_name: "RestartAction", max_restarts: 3 }] },
    { name: "saved", pattern: "saved", actions: [{ class_name: "RunCommandAction", command: ["evaluate"] }] },
    {
      name: "queued",
      pattern: "queued",
      actions: [{
        class_name: "EventAction",
        mode: "queue",
        action: { class_name: "RunCommandAction", command: ["queued"] }
      }]
    }
  ]
} as const
const log = "/out/a/slurm-1000.out"

const observing = (dir: string) =>
  Effect.fork(watchSession({ stateDir: dir, planId: "plan" }, {
    ...quietly,
    worker: false,
    observeOnly: true,
    toolVersion: "0"
  }))

const seen = (dir: string) => look({ stateDir: dir, planId: "plan" })

const wouldOfAll = (dir: string) =>
  Effect.map(seen(dir), ({ records }) => records.flatMap((record) => wouldOf(record) === null ? [] : [record.type]))

/** A session whose job runs, let go by the monitor that submitted it. */
const begun = (dir: string, jobs = [plannedJob("a")]) =>
  Effect.gen(function*() {
    const fiber = yield* watching(dir, opening(rules, jobs))
    yield* runClock(fiber, 3)
    yield* Fiber.interrupt(fiber)
  })

describe("observe mode", () => {
  it.scoped("records what it would do, once, and does nothing of it", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      const disk = yield* Disk
      const dir = yield* stateDir
      yield* begun(dir)
      const fiber = yield* observing(dir)
      yield* runClock(fiber, 3)
      yield* disk.append(log, "NCCL WARN\nNCCL WARN\nsaved\nqueued\nNCCL WARN\n")
      yield* runClock(fiber, 5)
      expect(yield* wouldOfAll(dir)).toEqual(["RestartDecided", "CancelDecided", "ActionStarted", "ActionQueued"])
      yield* cluster.set("a", 1, { state: "FAILED", exitCode: 1 })
      yield* runClock(fiber, 20)
      const session = yield* Fiber.join(fiber)
      expect((yield* cluster.ledger).map(({ what }) => what)).toEqual(["submit"])
      expect(disk.commands).toEqual([])
      expect(session.queue.size).toBe(0)
      expect(session.jobs.get("a")).toMatchObject({ outcome: "failed", attempt: 1, restarts: [] })
      const { records } = yield* seen(dir)
      expect(records.flatMap((record) => wouldOf(record) === null ? [] : [sentence(record)])).toContain(
        "would, if it acted: restart because of nccl: nccl, 2 left"
      )
      expect(explain(session, records, "a")?.statements.map(({ about }) => about)).toContain("would")
    }).pipe(Effect.provide(world({}))))

  it.scoped("leaves nothing behind that a monitor which acts would do later", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      const disk = yield* Disk
      const dir = yield* stateDir
      yield* begun(dir)
      const observer = yield* observing(dir)
      yield* runClock(observer, 3)
      yield* disk.append(log, "NCCL WARN\nsaved\nqueued\n")
      yield* runClock(observer, 3)
      yield* Fiber.interrupt(observer)
      const fiber = yield* watching(dir, null)
      yield* runClock(fiber, 5)
      expect((yield* cluster.ledger).map(({ what }) => what)).toEqual(["submit"])
      expect(disk.commands).toEqual([])
      yield* disk.append(log, "saved\nNCCL WARN\n")
      yield* runClock(fiber, 10)
      expect(disk.commands).toEqual([["evaluate"]])
      expect((yield* cluster.ledger).map(({ what }) => what)).toEqual(["submit", "cancel", "submit"])
      expect((yield* seen(dir)).session.jobs.get("a")?.restarts).toHaveLength(1)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world({}))))

  it.scoped("monitoring.act: false submits nothing of what was asked for until it is true again", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      const configs = yield* Configs
      const dir = yield* stateDir
      const fiber = yield* watching(dir, opening({ ...rules, act: false }, [plannedJob("a"), plannedJob("b", 1)]))
      yield* runClock(fiber, 5)
      expect(yield* cluster.ledger).toEqual([])
      expect(yield* wouldOfAll(dir)).toEqual(["SubmissionIntended", "SubmissionIntended"])
      yield* configs.say({ said: "rules", rules: { rules, sets: [], jobs: new Map() } })
      yield* runClock(fiber, 5)
      expect((yield* cluster.ledger).map(({ what }) => what)).toEqual(["submit", "submit"])
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world({}))))

  it.scoped("a condition that would have ended a job is asked anew by a monitor that acts", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      const disk = yield* Disk
      const dir = yield* stateDir
      yield* begun(dir, [
        plannedJob("a", 0, { cancel_conditions: [{ class_name: "FileExistsCondition", path: "/stop" }] })
      ])
      const observer = yield* observing(dir)
      yield* runClock(observer, 3)
      yield* disk.append("/stop", "")
      yield* runClock(observer, 3)
      expect(yield* wouldOfAll(dir)).toEqual(["EndDecided"])
      yield* Fiber.interrupt(observer)
      const fiber = yield* watching(dir, null)
      yield* runClock(fiber, 5)
      expect((yield* cluster.ledger).map(({ what }) => what)).toEqual(["submit", "cancel"])
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world({}))))

  it.scoped("refuses operators and workers what would change what runs", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      yield* begun(dir)
      const observer = yield* observing(dir)
      yield* runClock(observer, 3)
      const place = { stateDir: dir, planId: "plan" }
      for (const kind of ["job_restart", "job_cancel"] as const) {
        const asking = yield* Effect.fork(ask(place, { kind, job: "a", reason: "" }))
        yield* runClock(asking, 10)
        expect(yield* Fiber.join(asking)).toEqual({
          accepted: false,
          why: "it is only observed at present: nothing is submitted, cancelled or run"
        })
      }
      yield* Fiber.interrupt(observer)
      expect(yield* ask(place, { kind: "job_cancel", job: "a", reason: "" })).toEqual({ accepted: true, why: "" })
    }).pipe(Effect.provide(world({}))))
})
