import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { vi } from "vitest"
import { knownStates } from "../../src/backend/slurm/states.ts"
import { look } from "../../src/monitor/held.ts"
import { quietly, submitSession, watchSession } from "../../src/monitor/sessions.ts"
import type { Session } from "../../src/session/Session.ts"
import { opening, plannedJob } from "../rule/machine.ts"
import { type Answer, books, queue } from "../scheduler/support/scriptedSlurm.ts"
import { down, makeSlurm } from "./slurmWorld.ts"
import { runClock, stateDir, watching } from "./world.ts"

// Minutes of the test clock are seconds of a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const restart = { class_name: "RestartAction", max_restarts: 3 } as const
const rules = {
  poll_interval_seconds: 10,
  inactivity_threshold_seconds: null,
  log_settle_seconds: 2,
  state_events: [{ name: "crash", actions: [restart] }, { name: "timeout", actions: [restart] }]
} as const
const planned = ["a", "b", "c"].map((name, index) => plannedJob(name, index))

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

  it.scoped("W-20: that shows a pending array as one line takes none of its tasks for lost, however long it waits", () => {
    const slurm = makeSlurm()
    const tasks = ["a", "b", "c"].map((name, index) =>
      plannedJob(name, index, { array: true, task: index, script: "/s" })
    )
    return Effect.gen(function*() {
      const dir = yield* stateDir
      const fiber = yield* watching(dir, opening(rules, tasks, { settle_seconds: 10 }))
      yield* runClock(fiber, 2)
      const [name = ""] = slurm.jobs.map((job) => job.name)
      slurm.faults.squeue = () => queue(["100_[0-2%1]", "PENDING", name])
      slurm.faults.sacct = () => books()
      yield* runClock(fiber, 40)
      slurm.faults.squeue = () => queue(["100_0", "RUNNING", name], ["100_[1,...]", "PENDING", name])
      yield* runClock(fiber, 40)
      expect(slurm.calls.filter((program) => program === "sbatch" || program === "scancel")).toEqual(["sbatch"])
      delete slurm.faults.squeue
      delete slurm.faults.sacct
      slurm.jobs.forEach((job) => slurm.set(job, { state: "COMPLETED" }))
      yield* runClock(fiber, 40)
      expect(outcomes(yield* Fiber.join(fiber)).map(([, outcome]) => outcome)).toEqual([
        "success",
        "success",
        "success"
      ])
    }).pipe(Effect.provide(slurm.world))
  })

  it.scoped("W-21: an outage of squeue and sacct restarts nobody, and is told once when it begins and once when it ends", () => {
    const slurm = makeSlurm()
    return Effect.gen(function*() {
      const dir = yield* stateDir
      const fiber = yield* watching(dir, opening(rules, planned, { settle_seconds: 10 }))
      yield* runClock(fiber, 5)
      slurm.jobs.forEach((job) => slurm.set(job, { state: "RUNNING" }))
      yield* runClock(fiber, 11)
      slurm.faults.squeue = down
      slurm.faults.sacct = down
      yield* runClock(fiber, 61)
      delete slurm.faults.squeue
      delete slurm.faults.sacct
      yield* runClock(fiber, 41)
      slurm.jobs.forEach((job) => slurm.set(job, { state: "COMPLETED" }))
      yield* runClock(fiber, 60)
      expect(outcomes(yield* Fiber.join(fiber))).toEqual(planned.map(({ name }) => [name, "success", 1]))
      expect(slurm.calls.filter((program) => program === "sbatch")).toHaveLength(3)
      const told = (yield* records(dir)).filter(({ type }) => type.startsWith("Scheduler")).map(({ type }) => type)
      expect(told).toEqual(["SchedulerFailed", "SchedulerRecovered"])
    }).pipe(Effect.provide(slurm.world))
  })

  it.scoped.each([["watched", []], ["restarted", rules.state_events]] as const)(
    "W-22: ends a job in every state that SLURM ends jobs in, and restarts it where a rule says so: %s",
    ([, state_events]) => {
      const slurm = makeSlurm()
      const ends = knownStates.filter(({ phase }) => phase === "ended")
      const jobs = ends.map(({ word }, index) => plannedJob(word, index))
      const set = (attempt: number) =>
        ends.forEach(({ word }) =>
          slurm.set(slurm.of(word)[attempt - 1], { state: word, exit: word === "COMPLETED" ? "0:0" : "1:0" })
        )
      const outcomeOf = (end: string | null) =>
        end === "ok"
          ? "success"
          : end === "timeout" || end === "deadline"
          ? "timeout"
          : end === "cancelled"
          ? "cancelled"
          : "failed"
      // Who cancels a job wants it gone: the rule has to ask for that by metadata to bring it back.
      const attempts = (end: string | null) => end === "ok" || end === "cancelled" || state_events.length === 0 ? 1 : 2
      return Effect.gen(function*() {
        const dir = yield* stateDir
        const fiber = yield* watching(dir, opening({ ...rules, state_events }, jobs))
        yield* runClock(fiber, 3)
        set(1)
        yield* runClock(fiber, 40)
        expect(ends.map(({ word }) => slurm.of(word).length)).toEqual(ends.map(({ end }) => attempts(end)))
        for (const { word } of ends) slurm.set(slurm.of(word)[1], { state: "COMPLETED" })
        yield* runClock(fiber, 40)
        expect(outcomes(yield* Fiber.join(fiber))).toEqual(ends.map(({ end, word }) => {
          const tries = attempts(end)
          return [word, tries === 2 ? "success" : outcomeOf(end), tries]
        }))
      }).pipe(Effect.provide(slurm.world))
    }
  )

  it.scoped("W-13: submits a failed task of an array again under its own index, alone", () => {
    const slurm = makeSlurm()
    const tasks = [3, 5, 8].map((index) => plannedJob(`p${index}`, index, { array: true, task: index, script: "/s" }))
    return Effect.gen(function*() {
      const dir = yield* stateDir
      const fiber = yield* watching(dir, opening(rules, tasks))
      yield* runClock(fiber, 3)
      expect(slurm.jobs.map(({ id }) => id)).toEqual(["100_3", "100_5", "100_8"])
      slurm.jobs.forEach((job) => slurm.set(job, { state: job.id === "100_5" ? "FAILED" : "COMPLETED" }))
      yield* runClock(fiber, 30)
      expect(slurm.jobs.slice(3).map(({ id }) => id)).toEqual(["101_5"])
      slurm.set(slurm.jobs[3], { state: "COMPLETED" })
      yield* runClock(fiber, 30)
      expect(outcomes(yield* Fiber.join(fiber))).toEqual([["p3", "success", 1], ["p5", "success", 2], [
        "p8",
        "success",
        1
      ]])
    }).pipe(Effect.provide(slurm.world))
  })

  it.scoped("W-14: submits no job again that has ended, whoever submits or watches it later", () => {
    const slurm = makeSlurm()
    return Effect.gen(function*() {
      const dir = yield* stateDir
      const first = yield* watching(dir, opening(rules, planned))
      yield* runClock(first, 3)
      slurm.set(slurm.of("a")[0], { state: "COMPLETED" })
      yield* runClock(first, 20)
      yield* Fiber.interrupt(first)
      for (const job of slurm.of("a")) slurm.set(job, { queued: false, booked: false })
      const again = yield* Effect.fork(submitSession({ stateDir: dir, planId: "plan" }, null, "0"))
      yield* runClock(again, 5)
      yield* Fiber.join(again)
      const second = yield* watching(dir, null)
      yield* runClock(second, 15)
      slurm.jobs.forEach((job) => slurm.set(job, { state: "COMPLETED" }))
      yield* runClock(second, 40)
      expect(outcomes(yield* Fiber.join(second))).toEqual(planned.map(({ name }) => [name, "success", 1]))
      expect(slurm.jobs).toHaveLength(3)
    }).pipe(Effect.provide(slurm.world))
  })

  it.scoped("W-16: has never more jobs than max_jobs nor submissions closer than the limit, through restarts and a new monitor", () => {
    const slurm = makeSlurm()
    const jobs = ["a", "b", "c", "d", "e"].map((name, index) => plannedJob(name, index))
    const alive = () => slurm.jobs.filter(({ state }) => state === "PENDING").length
    return Effect.gen(function*() {
      const dir = yield* stateDir
      const opened = opening(rules, jobs, { max_jobs: 2, submit_rate_limit_seconds: 7 })
      let fiber = yield* watching(dir, opened)
      let most = 0
      for (let turn = 0; turn < 40 && (yield* Fiber.poll(fiber))._tag === "None"; turn += 1) {
        yield* runClock(fiber, 6)
        most = Math.max(most, alive())
        // The first attempt of two of them fails; one job ends in a turn.
        const next = slurm.jobs.find(({ state }) => state === "PENDING")
        if (turn % 2 === 1) slurm.set(next, { state: /^[bd]\.1\./.test(next?.name ?? "") ? "FAILED" : "COMPLETED" })
        if (turn % 5 === 4 && (yield* Fiber.poll(fiber))._tag === "None") {
          yield* Fiber.interrupt(fiber)
          fiber = yield* watching(dir, null)
        }
      }
      expect(outcomes(yield* Fiber.join(fiber))).toEqual([
        ["a", "success", 1],
        ["b", "success", 2],
        ["c", "success", 1],
        ["d", "success", 2],
        ["e", "success", 1]
      ])
      expect(slurm.jobs).toHaveLength(7)
      expect(most).toBe(2)
      const at = (yield* records(dir)).filter(({ type }) => type === "SubmissionIntended").map((record) =>
        Date.parse(record.at)
      )
      for (const [index, time] of at.slice(1).entries()) expect(time - (at[index] ?? 0)).toBeGreaterThanOrEqual(7000)
    }).pipe(Effect.provide(slurm.world))
  })
})

describe("a submission on a SLURM", () => {
  const garbage = () => ({ stdout: "Welcome to the cluster, 2 nodes ok\n" })
  it.scoped.each<readonly [string, "before" | "after" | "never", Answer, number]>([
    ["is accepted and hangs", "after", "hang", 1],
    ["is accepted and answered with garbage", "after", garbage(), 1],
    ["is accepted and answered with two ids", "after", { stdout: "100\n200\n" }, 1],
    ["is accepted and ends by a signal", "after", { exitCode: 137 }, 1],
    ["is accepted and answered with a time-out", "after", {
      exitCode: 1,
      stderr: "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n"
    }, 1],
    ["is accepted late, after the time-out", "before", "hang", 1],
    ["is lost on its way", "never", "hang", 1],
    ["is refused for now", "never", {
      exitCode: 1,
      stderr: "sbatch: error: Batch job submission failed: Resource temporarily unavailable\n"
    }, 1]
  ])("that %s is one job, though the monitor is replaced meanwhile", ([, when, answer, expected]) => {
    const slurm = makeSlurm()
    let late: () => void = () => {}
    slurm.faults.sbatch = (real) => {
      delete slurm.faults.sbatch
      if (when === "after") real()
      if (when === "before") late = () => void real()
      return answer
    }
    return Effect.gen(function*() {
      const dir = yield* stateDir
      const first = yield* watching(dir, opening(rules, planned.slice(0, 1), { settle_seconds: 12 }))
      yield* runClock(first, 4)
      late()
      yield* Fiber.interrupt(first)
      const second = yield* watching(dir, null)
      yield* runClock(second, 75)
      slurm.jobs.forEach((job) => slurm.set(job, { state: "COMPLETED" }))
      yield* runClock(second, 25)
      expect(outcomes(yield* Fiber.join(second))).toEqual([["a", "success", 1]])
      expect(slurm.jobs).toHaveLength(expected)
    }).pipe(Effect.provide(slurm.world))
  })
})
