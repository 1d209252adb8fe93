import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { EventData } from "../../src/event/events.ts"
import { look } from "../../src/monitor/held.ts"
import { actorOf, quietly, submitRequest, watchSession } from "../../src/monitor/sessions.ts"
import type { Session } from "../../src/session/Session.ts"
import { opening, plannedJob } from "../rule/machine.ts"
import { down, makeSlurm } from "./slurmWorld.ts"
import { runClock, stateDir } from "./world.ts"

const restart = { class_name: "RestartAction", max_restarts: 3 } as const
const rules = {
  poll_interval_seconds: 10,
  inactivity_threshold_seconds: null,
  log_settle_seconds: 2,
  state_events: [{ name: "crash", actions: [restart] }, { name: "timeout", actions: [restart] }]
} as const
const planned = ["a", "b", "c"].map((name, index) => plannedJob(name, index))

const watching = (dir: string, opened: EventData<"SessionOpened"> | null) =>
  Effect.fork(watchSession({ stateDir: dir, planId: "plan" }, {
    ...quietly,
    worker: true,
    toolVersion: "0",
    opening: opened,
    requests: opened === null ? [] : [submitRequest(actorOf("operator"))]
  }))

const records = (dir: string) => Effect.map(look({ stateDir: dir, planId: "plan" }), ({ records }) => records)
const outcomes = (session: Session) =>
  [...session.jobs.values()].map(({ attempt, outcome, plan }) => [plan.name, outcome, attempt])

describe("a session on a SLURM", () => {
  it.scoped("W-21: that stops answering right after one empty answer loses no job and restarts nobody", () => {
    const slurm = makeSlurm()
    return Effect.gen(function*() {
      const dir = yield* stateDir
      const fiber = yield* watching(dir, opening(rules, planned, { settle_seconds: 20 }))
      yield* runClock(fiber, 5)
      slurm.jobs.forEach((job) => slurm.set(job, { state: "RUNNING" }))
      yield* runClock(fiber, 11)
      slurm.jobs.forEach((job) => slurm.set(job, { queued: false, booked: false }))
      yield* runClock(fiber, 11)
      slurm.faults.squeue = down
      slurm.faults.sacct = down
      yield* runClock(fiber, 60)
      expect(slurm.jobs).toHaveLength(3)
      delete slurm.faults.squeue
      delete slurm.faults.sacct
      slurm.jobs.forEach((job) => slurm.set(job, { queued: true, booked: true, state: "COMPLETED" }))
      yield* runClock(fiber, 60)
      expect(outcomes(yield* Fiber.join(fiber))).toEqual([["a", "success", 1], ["b", "success", 1], [
        "c",
        "success",
        1
      ]])
      expect(slurm.jobs).toHaveLength(3)
    }).pipe(Effect.provide(slurm.world))
  })

  it.scoped("takes an array's task for cancelled only once scheduler and accounting have had time to know better", () => {
    const slurm = makeSlurm()
    const tasks = ["a", "b"].map((name, index) => plannedJob(name, index, { array: true, task: index, script: "/s" }))
    return Effect.gen(function*() {
      const dir = yield* stateDir
      const fiber = yield* watching(dir, opening(rules, tasks, { settle_seconds: 40 }))
      yield* runClock(fiber, 5)
      slurm.jobs.forEach((job) => slurm.set(job, { state: "RUNNING" }))
      yield* runClock(fiber, 11)
      // It ended and left squeue while the accounting is behind.
      slurm.set(slurm.jobs[1], { queued: false, booked: false, state: "COMPLETED" })
      yield* runClock(fiber, 21)
      slurm.set(slurm.jobs[1], { booked: true })
      yield* runClock(fiber, 41)
      slurm.set(slurm.jobs[0], { state: "COMPLETED" })
      yield* runClock(fiber, 100)
      expect(outcomes(yield* Fiber.join(fiber))).toEqual([["a", "success", 1], ["b", "success", 1]])
    }).pipe(Effect.provide(slurm.world))
  })

  it.scoped("that queued a job on a cluster that is not asked never takes it for lost, and says so", () => {
    const slurm = makeSlurm()
    return Effect.gen(function*() {
      const dir = yield* stateDir
      slurm.faults.sbatch = (real) => ({ stdout: `${real().stdout.trim()};other\n` })
      const fiber = yield* watching(dir, opening(rules, planned.slice(0, 1), { settle_seconds: 20 }))
      yield* runClock(fiber, 1)
      slurm.jobs.forEach((job) => slurm.set(job, { queued: false, booked: false }))
      yield* runClock(fiber, 90)
      expect(slurm.jobs).toHaveLength(1)
      const failed = (yield* records(dir)).filter(({ type }) => type === "SchedulerFailed")
      expect(failed).toMatchObject([{ data: { message: expect.stringContaining("other") } }])
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(slurm.world))
  })

  it.scoped("is not watched from another cluster, which knows none of its jobs", () => {
    const slurm = makeSlurm()
    const elsewhere = makeSlurm()
    elsewhere.move("elsewhere")
    return Effect.gen(function*() {
      const dir = yield* stateDir
      const fiber = yield* watching(dir, opening(rules, planned, { max_jobs: 2, settle_seconds: 20 }))
      yield* runClock(fiber, 15)
      yield* Fiber.interrupt(fiber)
      expect(slurm.jobs).toHaveLength(2)
      const other = yield* Effect.fork(Effect.provide(
        watchSession({ stateDir: dir, planId: "plan" }, { ...quietly, worker: true, toolVersion: "0" }),
        elsewhere.schedulers
      ))
      yield* runClock(other, 90)
      expect(elsewhere.jobs).toEqual([])
      yield* Fiber.interrupt(other)
    }).pipe(Effect.provide(slurm.world))
  })
})
