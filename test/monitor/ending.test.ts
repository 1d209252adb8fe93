import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { vi } from "vitest"
import { look } from "../../src/monitor/held.ts"
import { opening, plannedJob } from "../rule/machine.ts"
import { makeSlurm } from "./slurmWorld.ts"
import { Disk, runClock, stateDir, watching } from "./world.ts"

// Minutes of the test clock are seconds of a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const rules = { poll_interval_seconds: 10, inactivity_threshold_seconds: null, log_settle_seconds: 2 }
const done = { name: "done", pattern: "done", state: { class_name: "SuccessState" } } as const
const fatal = {
  name: "fatal",
  pattern: "fatal",
  state: { class_name: "CrashState" },
  actions: [{ class_name: "RestartAction" }]
} as const

const session = (dir: string) => look({ stateDir: dir, planId: "plan" })

describe("a log event on a SLURM that looks like a job's end", () => {
  it.scoped("W-27: leaves the job running and watched, and with `cancel: true` ends it by one scancel as it says", () => {
    const slurm = makeSlurm()
    const jobs = [plannedJob("a", 0), plannedJob("b", 1, { rule_set: 0 })]
    const own = { ...rules, log_events: [{ ...done, cancel: true }] }
    return Effect.gen(function*() {
      const disk = yield* Disk
      const dir = yield* stateDir
      const fiber = yield* watching(dir, opening({ ...rules, log_events: [done] }, jobs, { rule_sets: [own] }))
      yield* runClock(fiber, 3)
      slurm.jobs.forEach((job) => slurm.set(job, { state: "RUNNING" }))
      for (const job of slurm.jobs) {
        yield* disk.append(`/out/${job.name[0] ?? ""}/slurm-${job.id}.out`, "all is done\nall is done\n")
      }
      yield* runClock(fiber, 41)
      expect(slurm.jobs.map(({ state }) => state)).toEqual(["RUNNING", "CANCELLED"])
      expect(slurm.calls.filter((program) => program === "scancel")).toHaveLength(1)
      slurm.set(slurm.of("a")[0], { state: "FAILED", exit: "1:0" })
      yield* runClock(fiber, 30)
      const ended = yield* Fiber.join(fiber)
      expect([...ended.jobs.values()].map(({ outcome }) => outcome)).toEqual(["failed", "success"])
    }).pipe(Effect.provide(slurm.world))
  })

  it.scoped("repeats a scancel without effect, asks for attention, and restarts once the job has ended at last", () => {
    const slurm = makeSlurm()
    // The node hangs: SLURM takes the cancel, and the job is completing for ever.
    slurm.faults.scancel = () => {
      slurm.jobs.forEach((job) => slurm.set(job, { state: "COMPLETING" }))
      return {}
    }
    return Effect.gen(function*() {
      const disk = yield* Disk
      const dir = yield* stateDir
      let fiber = yield* watching(dir, opening({ ...rules, log_events: [fatal] }, [plannedJob("a")]))
      yield* runClock(fiber, 3)
      slurm.jobs.forEach((job) => slurm.set(job, { state: "RUNNING" }))
      yield* disk.append("/out/a/slurm-100.out", "fatal\n")
      yield* runClock(fiber, 190)
      // Another monitor goes on where this one stops.
      yield* Fiber.interrupt(fiber)
      fiber = yield* watching(dir, null)
      yield* runClock(fiber, 400)
      const stuck = yield* session(dir)
      expect(slurm.calls.filter((program) => program === "scancel")).toHaveLength(3)
      expect(stuck.session.jobs.get("a")).toMatchObject({ attempt: 1, outcome: null, live: true })
      expect(stuck.session.jobs.get("a")?.attention?.reason).toMatch(/cancelled 3 times and is COMPLETING still/)
      expect(stuck.records.filter(({ type }) => type === "AttentionNeeded")).toHaveLength(1)
      expect(slurm.jobs).toHaveLength(1)
      slurm.set(slurm.jobs[0], { state: "CANCELLED" })
      yield* runClock(fiber, 30)
      expect(slurm.jobs).toHaveLength(2)
      slurm.set(slurm.jobs[1], { state: "COMPLETED" })
      yield* runClock(fiber, 30)
      expect((yield* Fiber.join(fiber)).jobs.get("a")).toMatchObject({ outcome: "success", attempt: 2 })
    }).pipe(Effect.provide(slurm.world))
  })

  it.scoped("publishes an event whose rules run, once each, also where the monitor is replaced in between", () => {
    const slurm = makeSlurm()
    const published = {
      ...rules,
      log_events: [
        {
          name: "checkpoint_saved",
          pattern: "saved (?P<path>\\S+)",
          extract_groups: { path: "path" },
          actions: [{
            class_name: "PublishEventAction",
            event_name: "evaluate",
            payload: { where: "{path}" }
          }]
        },
        {
          name: "evaluate",
          pattern_type: "published",
          actions: [
            { class_name: "RunCommandAction", command: ["inline", "{where}"] },
            {
              class_name: "EventAction",
              mode: "queue",
              conditions: [{ class_name: "FileExistsCondition", path: "{where}/ready", blocking: true }],
              action: { class_name: "RunCommandAction", command: ["queued", "{where}"] }
            }
          ]
        }
      ]
    } as const
    return Effect.gen(function*() {
      const disk = yield* Disk
      const dir = yield* stateDir
      const first = yield* watching(dir, opening(published, [plannedJob("a")]))
      yield* runClock(first, 3)
      slurm.jobs.forEach((job) => slurm.set(job, { state: "RUNNING" }))
      yield* disk.append("/out/a/slurm-100.out", "saved /c/{job_name} $(rm)\n")
      yield* runClock(first, 15)
      yield* Fiber.interrupt(first)
      const second = yield* watching(dir, null)
      yield* runClock(second, 15)
      yield* disk.append("/c/{job_name}/ready", "")
      yield* runClock(second, 15)
      slurm.set(slurm.jobs[0], { state: "COMPLETED" })
      yield* runClock(second, 30)
      yield* Fiber.join(second)
      expect(disk.commands).toEqual([["inline", "/c/{job_name}"], ["queued", "/c/{job_name}"]])
    }).pipe(Effect.provide(slurm.world))
  })

  it.scoped("counts a job as done whose log holds the termination string, though SLURM then says TIMEOUT", () => {
    const slurm = makeSlurm()
    const restart = [{ class_name: "RestartAction" as const }]
    const terminated = {
      ...rules,
      termination_string: "training finished",
      state_events: [{ name: "timeout" as const, actions: restart }]
    }
    return Effect.gen(function*() {
      const disk = yield* Disk
      const dir = yield* stateDir
      const first = yield* watching(dir, opening(terminated, [plannedJob("a"), plannedJob("b", 1)]))
      yield* runClock(first, 3)
      slurm.jobs.forEach((job) => slurm.set(job, { state: "RUNNING" }))
      yield* disk.append("/out/a/slurm-100.out", "[rank 0] training finis")
      yield* runClock(first, 15)
      yield* Fiber.interrupt(first)
      yield* disk.append("/out/a/slurm-100.out", "hed\n")
      const second = yield* watching(dir, null)
      yield* runClock(second, 15)
      slurm.jobs.forEach((job) => slurm.set(job, { state: "TIMEOUT" }))
      yield* runClock(second, 30)
      slurm.set(slurm.of("b")[1], { state: "COMPLETED" })
      yield* runClock(second, 30)
      const ended = yield* Fiber.join(second)
      expect([...ended.jobs.values()].map(({ attempt, outcome }) => [outcome, attempt])).toEqual([
        ["success", 1],
        ["success", 2]
      ])
      const raised = (yield* session(dir)).records.filter((one) =>
        one.type === "EventRaised" && one.job === "a" && one.data.name === "success"
      )
      expect(raised).toHaveLength(1)
    }).pipe(Effect.provide(slurm.world))
  })
})
