import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { PlannedJob } from "../../src/event/PlannedJob.ts"
import { look } from "../../src/monitor/held.ts"
import { ask, submitSession } from "../../src/monitor/sessions.ts"
import { FakeCluster } from "../../src/scheduler/fake/FakeScheduler.ts"
import type { Session } from "../../src/session/Session.ts"
import { opening, plannedJob } from "../rule/machine.ts"
import { Disk, runClock, stateDir, watching, world } from "./world.ts"

const rules = { poll_interval_seconds: 600, check_interval_seconds: 5, log_settle_seconds: 1 } as const

const gated = (name: string, command: string | ReadonlyArray<string>, rest: object = {}): PlannedJob =>
  plannedJob(name, 0, { start_conditions: [{ class_name: "CommandCondition", command, ...rest }] })

const needs = (name: string, job: string): PlannedJob =>
  plannedJob(name, 0, { start_conditions: [{ class_name: "JobCondition", job }] })

const ends = (session: Session) =>
  Object.fromEntries([...session.jobs].map(([name, { outcome, state }]) => [name, outcome ?? state]))

const submissions = Effect.gen(function*() {
  const ledger = yield* (yield* FakeCluster).ledger
  return ledger.filter(({ what }) => what === "submit").map(({ name }) => name.split(".").slice(0, 2).join("."))
})

const seen = (dir: string) => Effect.map(look({ stateDir: dir, planId: "plan" }), ({ session }) => session)

const shortRuns = { courses: { "": { endAfterSeconds: 5 } } }

describe("a job whose start a command decides", () => {
  it.scoped("is submitted once the command says yes, asked again every interval, whatever the poll interval is", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const dir = yield* stateDir
      const slow = { ...rules, check_interval_seconds: 600 }
      const fiber = yield* watching(
        dir,
        opening(slow, [gated("a", ["test", "-f", "{output_dir}/go"], { interval_seconds: 10 })])
      )
      yield* runClock(fiber, 25)
      expect(disk.commands).toHaveLength(3)
      expect(yield* submissions).toEqual([])
      yield* disk.append("/out/a/go", "x")
      yield* runClock(fiber, 10)
      expect(yield* submissions).toEqual(["a.1"])
      expect(disk.commands.at(-1)).toEqual(["test", "-f", "/out/a/go"])
      const { records } = yield* look({ stateDir: dir, planId: "plan" })
      expect(records.filter(({ type }) => type === "ConditionObserved")).toHaveLength(1)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world({}))))

  it.scoped("delays no other although its command never ends, and is killed again and again", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const dir = yield* stateDir
      const hanging = gated("a", ["hang"], { timeout_seconds: 10, interval_seconds: 5 })
      const fiber = yield* watching(dir, opening(rules, [hanging, plannedJob("b"), gated("c", ["true"])]))
      yield* runClock(fiber, 40)
      expect(ends(yield* seen(dir))).toEqual({ a: "waiting", b: "success", c: "success" })
      expect(disk.commands.filter(([program]) => program === "hang").length).toBeGreaterThan(1)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world(shortRuns))))

  it.scoped("asks the same question of many jobs once for all of them", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const dir = yield* stateDir
      const jobs = Array.from({ length: 30 }, (_, at) => gated(`j${at}`, ["test", "-f", "/go"]))
      const fiber = yield* watching(dir, opening(rules, jobs))
      yield* runClock(fiber, 5)
      expect(disk.commands).toHaveLength(1)
      yield* disk.append("/go", "x")
      yield* runClock(fiber, 60)
      expect(disk.commands).toHaveLength(2)
      expect(yield* submissions).toHaveLength(30)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world({}))))

  it.scoped("is asked anew by the monitor after one that was killed, and submitted once", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const dir = yield* stateDir
      const first = yield* watching(dir, opening(rules, [gated("a", ["test", "-f", "/go"]), needs("b", "a")]))
      yield* runClock(first, 3)
      yield* Fiber.interrupt(first)
      yield* disk.append("/go", "x")
      const second = yield* watching(dir, null)
      yield* runClock(second, 60)
      expect(ends(yield* Fiber.join(second))).toEqual({ a: "success", b: "success" })
      expect(yield* submissions).toEqual(["a.1", "b.1"])
    }).pipe(Effect.provide(world(shortRuns))))

  it.scoped("is submitted by a command that only submits, if the answer is yes at once", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      const place = { stateDir: dir, planId: "plan" }
      const jobs = [gated("a", ["true"]), gated("b", ["false"]), gated("c", ["hang"])]
      const submitting = yield* Effect.fork(submitSession(place, opening(rules, jobs), "0"))
      yield* runClock(submitting, 20)
      expect(ends(yield* Fiber.join(submitting))).toEqual({ a: "pending", b: "waiting", c: "waiting" })
    }).pipe(Effect.provide(world({}))))
})

describe("a cancel condition that the world answers", () => {
  it.scoped("ends a running job by one scancel and cancels those that need it", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const cluster = yield* FakeCluster
      const stop = { class_name: "FileExistsCondition", path: "/stop" }
      const fiber = yield* watching(
        yield* stateDir,
        opening(rules, [plannedJob("a", 0, { cancel_conditions: [stop] }), needs("b", "a")])
      )
      yield* runClock(fiber, 8)
      yield* disk.append("/stop", "x")
      yield* runClock(fiber, 30)
      expect(ends(yield* Fiber.join(fiber))).toEqual({ a: "cancelled", b: "cancelled" })
      expect((yield* cluster.ledger).map(({ what }) => what)).toEqual(["submit", "cancel"])
    }).pipe(Effect.provide(world({}))))
})

describe("a rate limit", () => {
  it.scoped("spaces submissions, although the world is looked at rarely, and a submit waits for the last", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      const place = { stateDir: dir, planId: "plan" }
      const jobs = ["a", "b", "c"].map((name) => plannedJob(name))
      const slow = { ...rules, check_interval_seconds: 600 }
      const submitting = yield* Effect.fork(
        submitSession(place, opening(slow, jobs, { submit_rate_limit_seconds: 10 }), "0")
      )
      yield* runClock(submitting, 9)
      expect(yield* submissions).toEqual(["a.1"])
      yield* runClock(submitting, 5)
      expect(yield* submissions).toEqual(["a.1", "b.1"])
      yield* runClock(submitting, 10)
      expect(ends(yield* Fiber.join(submitting))).toEqual({ a: "pending", b: "pending", c: "pending" })
      const { records } = yield* look(place)
      const at = records.filter(({ type }) => type === "SubmissionIntended").map((record) => Date.parse(record.at))
      for (const [index, time] of at.slice(1).entries()) expect(time - (at[index] ?? 0)).toBeGreaterThanOrEqual(10_000)
    }).pipe(Effect.provide(world({}))))
})

describe("a session that grows", () => {
  const growth = {
    kind: "grow",
    manifest: "/m",
    manifest_digest: "",
    jobs: [needs("b", "a")],
    rule_sets: [],
    gone: []
  } as const

  it.scoped("is opened again after its end, and runs only what is new", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      const place = { stateDir: dir, planId: "plan" }
      const first = yield* watching(dir, opening(rules, [plannedJob("a")]))
      yield* runClock(first, 30)
      expect(ends(yield* Fiber.join(first))).toEqual({ a: "success" })
      expect((yield* ask(place, growth)).accepted).toBe(true)
      expect((yield* ask(place, growth)).accepted).toBe(true)
      const submitting = yield* Effect.fork(submitSession(place, null, "0"))
      yield* runClock(submitting, 5)
      yield* Fiber.join(submitting)
      const second = yield* watching(dir, null)
      yield* runClock(second, 30)
      expect(ends(yield* Fiber.join(second))).toEqual({ a: "success", b: "success" })
      expect(yield* submissions).toEqual(["a.1", "b.1"])
    }).pipe(Effect.provide(world(shortRuns))))

  it.scoped("grows while it is watched", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      const place = { stateDir: dir, planId: "plan" }
      const fiber = yield* watching(dir, opening(rules, [plannedJob("a")]))
      yield* runClock(fiber, 2)
      const asking = yield* Effect.fork(
        Effect.zip(ask(place, growth), ask(place, { kind: "submit", jobs: [] }))
      )
      yield* runClock(asking, 5)
      yield* Fiber.join(asking)
      yield* runClock(fiber, 60)
      expect(ends(yield* Fiber.join(fiber))).toEqual({ a: "success", b: "success" })
    }).pipe(Effect.provide(world(shortRuns))))
})

describe("rules of a job's own", () => {
  it.scoped("read its log", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const dir = yield* stateDir
      const own = {
        ...rules,
        log_events: [{ name: "own", pattern: "boom", actions: [{ class_name: "LogAction", message: "seen" }] }]
      }
      const jobs = [plannedJob("a", 0, { rule_set: 0 }), plannedJob("b")]
      const fiber = yield* watching(dir, opening(rules, jobs, { rule_sets: [own] }))
      yield* runClock(fiber, 7)
      for (const name of ["a", "b"]) {
        for (const id of [1000, 1001]) yield* disk.append(`/out/${name}/slurm-${id}.out`, "boom\n")
      }
      yield* runClock(fiber, 10)
      const session = yield* seen(dir)
      expect([...session.events.values()].map(({ job, name }) => [job, name])).toEqual([["a", "own"]])
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world({}))))
})
