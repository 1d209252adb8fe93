/** File systems that hang: nothing of the monitor waits for them but what they hold. */
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Function from "effect/Function"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { look } from "../../src/monitor/held.ts"
import { patientFiles } from "../../src/monitor/patientFiles.ts"
import { Files } from "../../src/port/Files.ts"
import { FakeCluster } from "../../src/scheduler/fake/FakeScheduler.ts"
import { opening, plannedJob } from "../rule/machine.ts"
import { Disk, runClock, stateDir, watching, world } from "./world.ts"

const rules = {
  poll_interval_seconds: 1,
  log_settle_seconds: 1,
  inactivity_threshold_seconds: 60,
  log_events: [{
    name: "nccl",
    pattern: "NCCL",
    metadata: { error_type: "nccl" },
    actions: [{ class_name: "RestartAction" }]
  }],
  state_events: [{ name: "stall", actions: [{ class_name: "RestartAction" }] }]
} as const

/** The world, whose files below `/hung` give no answer before `healed`. */
const hanging = (healed: Deferred.Deferred<void>) =>
  Function.pipe(world({}), (layer) =>
    Layer.merge(
      layer,
      Layer.effect(
        Files,
        Effect.map(Files, (files) => ({
          ...files,
          read: (path, offset, limit) =>
            path.startsWith("/hung")
              ? Effect.andThen(Deferred.await(healed), files.read(path, offset, limit))
              : files.read(path, offset, limit)
        }))
      ).pipe(Layer.provide(layer))
    ))

describe("a log on a mount that hangs", () => {
  it.scoped("keeps no other job from its restart, is no stall, and is read once its mount is back", () =>
    Effect.gen(function*() {
      const healed = yield* Deferred.make<void>()
      yield* Effect.gen(function*() {
        const cluster = yield* FakeCluster
        const disk = yield* Disk
        const dir = yield* stateDir
        const jobs = [plannedJob("hung", 0, { log_path: "/hung/slurm-%j.out" }), plannedJob("well", 1)]
        const fiber = yield* watching(dir, opening(rules, jobs))
        yield* runClock(fiber, 3)
        yield* disk.append("/hung/slurm-1000.out", "NCCL\n")
        yield* disk.append("/out/well/slurm-1001.out", "NCCL\n")
        yield* runClock(fiber, 100)
        const submitted = Effect.map(
          cluster.ledger,
          (entries) =>
            entries.filter(({ what }) => what === "submit").map(({ name }) => name.split(".").slice(0, 2).join("."))
        )
        // It is a stall that brings the healthy log's job back once more: nothing of it grows.
        expect((yield* submitted).slice(0, 3)).toEqual(["hung.1", "well.1", "well.2"])
        expect((yield* submitted).filter((name) => name.startsWith("hung"))).toEqual(["hung.1"])
        const told = Effect.map(
          look({ stateDir: dir, planId: "plan" }),
          ({ records }) =>
            records.filter(({ job, type }) => job === "hung" && /^LogUnr?e?adable|^LogReadable/.test(type))
              .map(({ data, type }) => [type, "message" in data ? data.message : ""])
        )
        expect(yield* told).toEqual([["LogUnreadable", "no answer for 10 s"]])
        yield* Deferred.succeed(healed, undefined)
        yield* runClock(fiber, 12)
        expect((yield* told).map(([type]) => type)).toEqual(["LogUnreadable", "LogReadable"])
        expect(yield* submitted).toContain("hung.2")
        yield* Fiber.interrupt(fiber)
      }).pipe(Effect.provide(hanging(healed)))
    }))
})

describe("many files that hang", () => {
  it.scoped("take no more than their share of what reads files, and what waits behind them is told at once", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const nothing = Effect.succeed(null)
      const files = yield* patientFiles({
        read: (path) =>
          Effect.suspend(() => {
            asked.push(path)
            return path.startsWith("/hung") ? Effect.never : nothing
          }),
        moved: () => nothing,
        exists: () => Effect.never,
        append: () => Effect.succeed(false),
        matches: () => Effect.succeed(true)
      })
      const read = (path: string) => Effect.either(files.read(path, 0, 1))
      const hung = yield* Effect.fork(Effect.all(["/hung/1", "/hung/2"].map(read), { concurrency: "unbounded" }))
      expect(Either.isRight(yield* read("/well"))).toBe(true)
      yield* TestClock.adjust("10 seconds")
      expect((yield* Fiber.join(hung)).map(Either.isLeft)).toEqual([true, true])
      // Not asked again, and not waited for.
      expect(Either.isLeft(yield* read("/hung/1"))).toBe(true)
      expect(Either.isRight(yield* read("/well"))).toBe(true)
      yield* Effect.fork(files.exists("/hung/3"))
      const behind = yield* Effect.fork(read("/well"))
      yield* TestClock.adjust("10 seconds")
      expect(Either.isLeft(yield* Fiber.join(behind))).toBe(true)
      expect(Either.isLeft(yield* read("/well"))).toBe(true)
      expect([...asked].sort()).toEqual(["/hung/1", "/hung/2", "/well", "/well"])
    }))
})
