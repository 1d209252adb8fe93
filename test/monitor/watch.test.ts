import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as fs from "node:fs"
import * as path from "node:path"
import { look } from "../../src/monitor/held.ts"
import { ask, quietly, submitSession, watchSession } from "../../src/monitor/sessions.ts"
import { FakeCluster } from "../../src/scheduler/fake/FakeScheduler.ts"
import type { Session } from "../../src/session/Session.ts"
import { opening, plannedJob } from "../rule/machine.ts"
import { Disk, runClock, stateDir, watching, world } from "./world.ts"

const restart = { class_name: "RestartAction", max_restarts: 3 } as const
const rules = {
  poll_interval_seconds: 1,
  inactivity_threshold_seconds: 30,
  log_settle_seconds: 2,
  log_events: [
    { name: "nccl", pattern: "NCCL WARN", metadata: { error_type: "nccl" }, actions: [restart] },
    {
      name: "saved",
      pattern: "saved checkpoint (?P<path>\\S+)",
      extract_groups: { path: "path" },
      actions: [{
        class_name: "EventAction",
        mode: "queue",
        conditions: [{ class_name: "FileExistsCondition", path: "{path}", blocking: true }],
        action: { class_name: "RunCommandAction", command: ["evaluate", "{path}"] }
      }]
    }
  ],
  state_events: [{ name: "stall", actions: [restart] }, { name: "timeout", actions: [restart] }]
} as const

const options = { ...quietly, worker: true, toolVersion: "0" }

const outcomes = (session: Session) =>
  [...session.jobs.values()].map(({ attempt, outcome, plan }) => [plan.name, outcome, attempt])

describe("a monitor on the fake cluster", () => {
  it.scoped("carries a job through a failure, a stall and a time limit to its success, one submission each", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      const disk = yield* Disk
      const fiber = yield* watching(yield* stateDir, opening(rules, [plannedJob("a")]))
      yield* runClock(fiber, 5)
      yield* disk.append("/out/a/slurm-1000.out", "x NCCL WARN\n".repeat(5))
      yield* runClock(fiber, 10)
      yield* runClock(fiber, 40)
      yield* cluster.set("a", 3, { state: "TIMEOUT" })
      yield* runClock(fiber, 10)
      yield* cluster.set("a", 4, { state: "COMPLETED", exitCode: 0 })
      yield* runClock(fiber, 20)
      const session = yield* Fiber.join(fiber)
      expect(outcomes(session)).toEqual([["a", "success", 4]])
      expect(session.jobs.get("a")?.restarts.map(({ cause }) => cause)).toEqual(["nccl", "stall", "timeout"])
      const submissions = (yield* cluster.ledger).filter(({ what }) => what === "submit")
      expect(submissions.map(({ name }) => name.split(".").slice(0, 2).join("."))).toEqual(["a.1", "a.2", "a.3", "a.4"])
    }).pipe(Effect.provide(world({}))))

  it.scoped("submits once although the answer is lost, and finds the job by its name", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      yield* cluster.loseNextAnswer
      const fiber = yield* watching(yield* stateDir, opening(rules, [plannedJob("a")], { settle_seconds: 10 }))
      yield* runClock(fiber, 60)
      expect(outcomes(yield* Fiber.join(fiber))).toEqual([["a", "success", 1]])
      expect((yield* cluster.ledger).filter(({ what }) => what === "submit")).toHaveLength(1)
    }).pipe(Effect.provide(world({ courses: { a: { endAfterSeconds: 20 } } }))))

  it.scoped("submits again under a new nonce what the scheduler never accepted, after the settle window", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      yield* cluster.failNextSubmit
      const fiber = yield* watching(yield* stateDir, opening(rules, [plannedJob("a")], { settle_seconds: 10 }))
      yield* runClock(fiber, 5)
      expect(yield* cluster.ledger).toEqual([])
      yield* runClock(fiber, 60)
      expect(outcomes(yield* Fiber.join(fiber))).toEqual([["a", "success", 1]])
      expect((yield* cluster.ledger).filter(({ what }) => what === "submit")).toHaveLength(1)
    }).pipe(Effect.provide(world({ courses: { a: { endAfterSeconds: 5 } } }))))

  it.scoped("changes no job while the scheduler does not answer, and says so once", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      const dir = yield* stateDir
      const fiber = yield* watching(dir, opening({ ...rules, inactivity_threshold_seconds: null }, [plannedJob("a")]))
      yield* runClock(fiber, 3)
      yield* cluster.failQueries(20)
      yield* runClock(fiber, 60)
      expect(outcomes(yield* Fiber.join(fiber))).toEqual([["a", "success", 1]])
      const { records } = yield* look({ stateDir: dir, planId: "plan" })
      expect(records.filter(({ type }) => type === "SchedulerFailed")).toHaveLength(1)
      expect(records.filter(({ type }) => type === "SchedulerRecovered")).toHaveLength(1)
    }).pipe(Effect.provide(world({ courses: { a: { endAfterSeconds: 30 } } }))))

  it.scoped("queues a checkpoint's evaluation once its file is there, and runs it once", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const fiber = yield* watching(yield* stateDir, opening(rules, [plannedJob("a")]))
      yield* runClock(fiber, 3)
      yield* disk.append("/out/a/slurm-1000.out", "saved check")
      yield* runClock(fiber, 3)
      yield* disk.append("/out/a/slurm-1000.out", "point /ckpt/7\n")
      yield* runClock(fiber, 3)
      expect(disk.commands).toEqual([])
      yield* disk.append("/ckpt/7", "weights")
      yield* runClock(fiber, 60)
      const session = yield* Fiber.join(fiber)
      expect(disk.commands).toEqual([["evaluate", "/ckpt/7"]])
      expect([...session.queue.values()].map(({ status }) => status)).toEqual(["done"])
    }).pipe(Effect.provide(world({ courses: { a: { endAfterSeconds: 25 } } }))))

  it.scoped("reads the last line of an ended job although no newline ends it", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const fiber = yield* watching(yield* stateDir, opening(rules, [plannedJob("a")]))
      yield* runClock(fiber, 3)
      yield* disk.append("/ckpt/8", "weights")
      yield* disk.append("/out/a/slurm-1000.out", "saved checkpoint /ckpt/8")
      yield* runClock(fiber, 60)
      yield* Fiber.join(fiber)
      expect(disk.commands).toEqual([["evaluate", "/ckpt/8"]])
    }).pipe(Effect.provide(world({ courses: { a: { endAfterSeconds: 10 } } }))))

  it.scoped("goes on where a monitor that was interrupted left off: no line twice, no job again", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      const disk = yield* Disk
      const dir = yield* stateDir
      const first = yield* watching(dir, opening(rules, [plannedJob("a"), plannedJob("b", 1)]))
      yield* runClock(first, 3)
      yield* disk.append("/ckpt/1", "weights")
      yield* disk.append("/out/a/slurm-1000.out", "saved checkpoint /ckpt/1\n")
      yield* runClock(first, 3)
      yield* Fiber.interrupt(first)
      const second = yield* watching(dir, null)
      yield* runClock(second, 120)
      const session = yield* Fiber.join(second)
      expect(outcomes(session)).toEqual([["a", "success", 1], ["b", "success", 1]])
      expect(disk.commands).toEqual([["evaluate", "/ckpt/1"]])
      expect((yield* cluster.ledger).filter(({ what }) => what === "submit")).toHaveLength(2)
      const { records } = yield* look({ stateDir: dir, planId: "plan" })
      expect(records.filter(({ type }) => type === "MonitorDetached")).toHaveLength(2)
    }).pipe(Effect.provide(world({ courses: { "": { endAfterSeconds: 25 } } }))))

  it.scoped("submits and lets go, so that another monitor can attach", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      const place = { stateDir: dir, planId: "plan" }
      const submitting = yield* Effect.fork(submitSession(place, opening(rules, [plannedJob("a")]), "0"))
      yield* runClock(submitting, 5)
      expect((yield* Fiber.join(submitting)).jobs.get("a")?.state).toBe("pending")
      const again = yield* Effect.fork(submitSession(place, null, "0"))
      yield* runClock(again, 5)
      yield* Fiber.join(again)
      const cluster = yield* FakeCluster
      expect(yield* cluster.ledger).toHaveLength(1)
    }).pipe(Effect.provide(world({}))))

  it.scoped("asks a scheduler that does not answer once a cycle, not once for each of its jobs", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      yield* cluster.failNextSubmit
      const jobs = [0, 1, 2].map((index) => plannedJob(`j${index}`, index))
      const fiber = yield* watching(yield* stateDir, opening(rules, jobs, { settle_seconds: 5 }))
      yield* runClock(fiber, 0.5)
      expect(yield* cluster.ledger).toEqual([])
      yield* runClock(fiber, 60)
      expect(outcomes(yield* Fiber.join(fiber)).map(([, outcome]) => outcome)).toEqual([
        "success",
        "success",
        "success"
      ])
    }).pipe(Effect.provide(world({ courses: { "": { endAfterSeconds: 5 } } }))))

  it.scoped("gives every outcome the cause that it answers", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const dir = yield* stateDir
      const fiber = yield* watching(dir, opening(rules, [plannedJob("a")]))
      yield* runClock(fiber, 3)
      yield* disk.append("/ckpt/1", "weights")
      yield* disk.append("/out/a/slurm-1000.out", "saved checkpoint /ckpt/1\nNCCL WARN\n")
      yield* runClock(fiber, 60)
      yield* Fiber.join(fiber)
      const { records } = yield* look({ stateDir: dir, planId: "plan" })
      const outside = ["SessionOpened", "MonitorAttached", "MonitorDetached", "JobStateChanged", "LogRead"]
      const bare = records.filter(({ cause, data, type }) =>
        cause === undefined && !outside.includes(type) && !("request_id" in data)
      )
      expect(bare.map(({ type }) => type)).toEqual([])
    }).pipe(Effect.provide(world({ courses: { a: [{ endAfterSeconds: null }, { endAfterSeconds: 5 }] } }))))

  it.scoped("waits for an action that it began, although it was asked for one cycle", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const dir = yield* stateDir
      yield* disk.append("/ckpt/1", "weights")
      const first = yield* watching(dir, opening(rules, [plannedJob("a")]))
      yield* runClock(first, 3)
      yield* Fiber.interrupt(first)
      yield* disk.append("/out/a/slurm-1000.out", "saved checkpoint /ckpt/1\n")
      const once = yield* Effect.fork(
        watchSession({ stateDir: dir, planId: "plan" }, { ...options, until: () => true })
      )
      yield* runClock(once, 10)
      const session = yield* Fiber.join(once)
      expect([...session.queue.values()].map(({ status }) => status)).toEqual(["done"])
      expect(disk.commands).toEqual([["evaluate", "/ckpt/1"]])
    }).pipe(Effect.provide(world({}))))

  it.scoped("lets only one of two monitors act", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      const first = yield* watching(dir, opening(rules, [plannedJob("a")]))
      yield* runClock(first, 2)
      const second = yield* watching(dir, null)
      yield* runClock(second, 2)
      expect((yield* Effect.flip(Fiber.join(second)))._tag).toBe("SessionHeldError")
      yield* Fiber.interrupt(first)
    }).pipe(Effect.provide(world({}))))

  it.scoped("answers a request through the inbox while it watches, and directly when nobody does", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      const place = { stateDir: dir, planId: "plan" }
      const fiber = yield* watching(dir, opening(rules, [plannedJob("a")]))
      yield* runClock(fiber, 2)
      const asking = yield* Effect.fork(ask(place, { kind: "queue_retry", queue_id: "q99" }))
      yield* runClock(asking, 5)
      expect(yield* Fiber.join(asking)).toEqual({ accepted: false, why: "there is no queue entry q99" })
      yield* Fiber.interrupt(fiber)
      expect((yield* ask(place, { kind: "queue_retry", queue_id: "q99" })).accepted).toBe(false)
    }).pipe(Effect.provide(world({}))))
})

describe("the files of a session", () => {
  it.scoped("are a function of its journal: made again they are the same bytes", () =>
    Effect.gen(function*() {
      const { makePublisher } = yield* Effect.promise(() => import("../../src/monitor/publish.ts"))
      const disk = yield* Disk
      const dir = yield* stateDir
      yield* disk.append("/ckpt/1", "weights")
      const fiber = yield* watching(dir, opening(rules, [plannedJob("a")]))
      yield* runClock(fiber, 3)
      yield* disk.append("/out/a/slurm-1000.out", "saved checkpoint /ckpt/1\nNCCL WARN\n")
      yield* runClock(fiber, 60)
      yield* Fiber.join(fiber)
      const files = () =>
        fs.readdirSync(dir, { recursive: true, encoding: "utf8" }).sort().flatMap((name) => {
          const file = path.join(dir, name)
          return fs.statSync(file).isFile() ? [[name, fs.readFileSync(file, "utf8")]] : []
        })
      const before = files()
      expect(before.map(([name]) => name)).toEqual([expect.stringContaining("plan.actions/"), "plan.json"])
      fs.rmSync(path.join(dir, "plan.json"))
      fs.rmSync(path.join(dir, "plan.actions"), { recursive: true })
      const { head, session } = yield* look({ stateDir: dir, planId: "plan" })
      yield* makePublisher({ stateDir: dir, planId: "plan" })(session, head)
      expect(files()).toEqual(before)
    }).pipe(Effect.provide(world({ courses: { a: [{ endAfterSeconds: null }, { endAfterSeconds: 5 }] } }))))
})
