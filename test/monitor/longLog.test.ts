import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { actorOf, quietly, submitRequest, watchSession } from "../../src/monitor/sessions.ts"
import { opening, plannedJob } from "../rule/machine.ts"
import { Disk, runClock, stateDir, world } from "./world.ts"

const rules = {
  poll_interval_seconds: 60,
  log_events: [{
    name: "saved",
    pattern: "saved (?P<path>\\S+)",
    extract_groups: { path: "path" },
    actions: [{ class_name: "RunCommandAction", command: ["evaluate", "{path}"] }]
  }]
} as const

describe("a log that is longer than a cycle reads", () => {
  it.scoped("is read on at once, not one cycle later for each part of it", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const place = { stateDir: yield* stateDir, planId: "plan" }
      const fiber = yield* Effect.fork(watchSession(place, {
        ...quietly,
        worker: true,
        toolVersion: "0",
        opening: opening(rules, [plannedJob("a")]),
        requests: [submitRequest(actorOf("operator"))]
      }))
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
