import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { FakeCluster } from "../../src/scheduler/fake/FakeScheduler.ts"
import { opening, plannedJob } from "../rule/machine.ts"
import { Disk, runClock, stateDir, watching, world } from "./world.ts"

const rules = {
  poll_interval_seconds: 60,
  log_events: [{
    name: "saved",
    pattern: "saved (?P<path>\\S+)",
    extract_groups: { path: "path" },
    actions: [{ class_name: "RunCommandAction", command: ["evaluate", "{path}"] }]
  }]
} as const

describe("a log whose last lines a file system shows late", () => {
  it.scoped("is waited for, also within a line, before the end is judged", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const cluster = yield* FakeCluster
      const late = {
        poll_interval_seconds: 1,
        log_settle_seconds: 4,
        log_events: [{ name: "nccl", pattern: "NCCL WARN$", metadata: { error_type: "nccl" } }]
      }
      const fiber = yield* watching(yield* stateDir, opening(late, [plannedJob("a")]))
      yield* runClock(fiber, 3)
      yield* cluster.set("a", 1, { state: "FAILED", exitCode: 1 })
      yield* runClock(fiber, 3)
      yield* disk.append("/out/a/slurm-1000.out", "NCC")
      yield* runClock(fiber, 3)
      yield* disk.append("/out/a/slurm-1000.out", "L WARN")
      yield* runClock(fiber, 20)
      expect((yield* Fiber.join(fiber)).jobs.get("a")?.why).toBe("FAILED with exit code 1 (nccl)")
    }).pipe(Effect.provide(world({}))))
})

describe("a log that is longer than a cycle reads", () => {
  it.scoped("is read on at once, not one cycle later for each part of it", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const fiber = yield* watching(yield* stateDir, opening(rules, [plannedJob("a")]))
      yield* runClock(fiber, 5)
      const filler = `${"x".repeat(1000)}\n`.repeat(1000)
      for (let part = 1; part <= 60; part++) {
        yield* disk.append("/out/a/slurm-1000.out", part % 20 === 0 ? `${filler}saved /ckpt/${part}\n` : filler)
      }
      yield* runClock(fiber, 66)
      expect(disk.commands).toEqual([["evaluate", "/ckpt/20"], ["evaluate", "/ckpt/40"], ["evaluate", "/ckpt/60"]])
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world({}))), 120_000)
})
