import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { look } from "../../src/monitor/held.ts"
import { ask } from "../../src/monitor/sessions.ts"
import { FakeCluster } from "../../src/scheduler/fake/FakeScheduler.ts"
import { opening, plannedJob } from "../rule/machine.ts"
import { Configs, Disk, runClock, stateDir, watching, world } from "./world.ts"

const restart = { class_name: "RestartAction", max_restarts: 3 } as const
const command = (...argv: [string, ...Array<string>]) => ({ class_name: "RunCommandAction", command: argv }) as const
const rules = {
  poll_interval_seconds: 1,
  inactivity_threshold_seconds: null,
  log_settle_seconds: 2,
  log_events: [{ name: "nccl", pattern: "NCCL WARN", actions: [command("first")] }]
} as const
const log = "/out/a/slurm-1000.out"

const said = (
  section: unknown,
  sets: ReadonlyArray<unknown> = [],
  jobs: ReadonlyArray<readonly [string, number]> = []
) => ({ said: "rules", rules: { rules: section, sets, jobs: new Map(jobs) } }) as const

const recordsOf = (dir: string) => Effect.map(look({ stateDir: dir, planId: "plan" }), ({ records }) => records)

describe("rules that are edited while a session is watched", () => {
  it.scoped("count from the next cycle on, for new bytes only, and nothing fires twice", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const configs = yield* Configs
      const dir = yield* stateDir
      const fiber = yield* watching(dir, opening(rules, [plannedJob("a")]))
      yield* runClock(fiber, 3)
      yield* disk.append(log, "NCCL WARN\nlate\n")
      yield* runClock(fiber, 3)
      expect(disk.commands).toEqual([["first"]])
      yield* configs.say(said({
        ...rules,
        log_events: [
          { name: "nccl", pattern: "NCCL WARN", actions: [command("second")] },
          { name: "late", pattern: "late", actions: [command("late")] }
        ]
      }))
      yield* runClock(fiber, 5)
      expect(disk.commands).toEqual([["first"]])
      yield* disk.append(log, "late\nNCCL WARN\n")
      yield* runClock(fiber, 60)
      yield* Fiber.join(fiber)
      expect(disk.commands).toEqual([["first"], ["late"], ["second"]])
      const records = yield* recordsOf(dir)
      const changes = records.filter((record) => record.type === "RulesChanged")
      expect(changes.map(({ data }) => data)).toMatchObject([{
        changed: ["log_events.nccl", "log_events.late (new)"],
        rules: { poll_interval_seconds: 1 }
      }])
      const counts = records.flatMap((record) =>
        record.type === "EventRaised" && record.data.name === "nccl" ? [record.data.count] : []
      )
      expect(counts).toEqual([1, 2])
    }).pipe(Effect.provide(world({ courses: { a: { endAfterSeconds: 30 } } }))))

  it.scoped("a broken edit stops nobody: it is told once, and the old rules stay until it is mended", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const configs = yield* Configs
      const dir = yield* stateDir
      const fiber = yield* watching(dir, opening(rules, [plannedJob("a")]))
      yield* runClock(fiber, 3)
      const broken = { said: "unreadable", message: "config/monitoring.yaml:3:1: unknown key" } as const
      yield* configs.say(broken)
      yield* configs.say(broken)
      yield* configs.say(said({ ...rules, log_events: [{ name: "x", pattern: "(", actions: [] }] }))
      yield* runClock(fiber, 5)
      yield* disk.append(log, "NCCL WARN\n")
      yield* runClock(fiber, 5)
      expect(disk.commands).toEqual([["first"]])
      yield* configs.say(said(rules))
      yield* runClock(fiber, 60)
      const session = yield* Fiber.join(fiber)
      expect(session.rulesUnreadable).toBeNull()
      const told = (yield* recordsOf(dir)).filter(({ type }) => type.startsWith("Rules"))
      expect(told.map(({ type }) => type)).toEqual(["RulesUnreadable", "RulesUnreadable", "RulesReadable"])
    }).pipe(Effect.provide(world({ courses: { a: { endAfterSeconds: 30 } } }))))

  it.scoped("budgets survive: restarts that were used up before stay used up", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      const disk = yield* Disk
      const configs = yield* Configs
      const one = {
        ...rules,
        log_events: [{ name: "nccl", pattern: "NCCL WARN", actions: [{ ...restart, max_restarts: 1 }] }]
      }
      const dir = yield* stateDir
      const fiber = yield* watching(dir, opening(one, [plannedJob("a")]))
      yield* runClock(fiber, 3)
      yield* disk.append(log, "NCCL WARN\n")
      yield* runClock(fiber, 10)
      yield* configs.say(said({ ...one, poll_interval_seconds: 2 }))
      yield* runClock(fiber, 5)
      yield* disk.append("/out/a/slurm-1001.out", "NCCL WARN\n")
      yield* runClock(fiber, 10)
      yield* cluster.set("a", 2, { state: "FAILED", exitCode: 1 })
      yield* runClock(fiber, 30)
      const session = yield* Fiber.join(fiber)
      expect(session.jobs.get("a")?.attempt).toBe(2)
      expect(session.jobs.get("a")?.attention).not.toBeNull()
    }).pipe(Effect.provide(world({}))))

  it.scoped("jobs have sets of their own, and a job that the sweep no longer has keeps its set", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const configs = yield* Configs
      const set = (program: string) => ({
        ...rules,
        log_events: [{ name: "nccl", pattern: "NCCL WARN", actions: [command(program)] }]
      })
      const jobs = [
        plannedJob("a"),
        plannedJob("b", 1, { rule_set: 0 }),
        plannedJob("c", 2, { rule_set: 1 }),
        plannedJob("d", 3, { rule_set: 1 })
      ]
      const fiber = yield* watching(yield* stateDir, opening(rules, jobs, { rule_sets: [set("old b"), set("old c")] }))
      yield* runClock(fiber, 3)
      yield* configs.say(said(set("new a"), [set("new b")], [["b", 0]]))
      yield* runClock(fiber, 3)
      for (const [at, name] of ["a", "b", "c", "d"].entries()) {
        yield* disk.append(`/out/${name}/slurm-${1000 + at}.out`, "NCCL WARN\n")
        yield* runClock(fiber, 2)
      }
      yield* runClock(fiber, 60)
      yield* Fiber.join(fiber)
      expect(disk.commands).toEqual([["new a"], ["new b"], ["old c"], ["old c"]])
    }).pipe(Effect.provide(world({
      courses: Object.fromEntries(["a", "b", "c", "d"].map((name) => [name, { endAfterSeconds: 30 }]))
    }))))

  it.scoped("a monitor that comes later works by the rules that were changed, and records no change that is none", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const configs = yield* Configs
      const dir = yield* stateDir
      const fiber = yield* watching(dir, opening(rules, [plannedJob("a")]))
      yield* runClock(fiber, 3)
      const next = { ...rules, log_events: [{ name: "nccl", pattern: "NCCL", actions: [command("next")] }] }
      yield* configs.say(said(next))
      yield* runClock(fiber, 3)
      yield* Fiber.interrupt(fiber)
      yield* configs.say(said({ ...next, log_path_template: "elsewhere" }))
      const again = yield* watching(dir, null)
      yield* runClock(again, 3)
      yield* disk.append(log, "NCCL\n")
      yield* runClock(again, 60)
      yield* Fiber.join(again)
      expect(disk.commands).toEqual([["next"]])
      expect((yield* recordsOf(dir)).filter(({ type }) => type === "RulesChanged")).toHaveLength(1)
    }).pipe(Effect.provide(world({ courses: { a: { endAfterSeconds: 40 } } }))))

  it.scoped("what an operator sets is asked for with the rest, at once, and by every monitor that follows", () =>
    Effect.gen(function*() {
      const configs = yield* Configs
      const dir = yield* stateDir
      const fiber = yield* watching(dir, opening({ ...rules, poll_interval_seconds: 600 }, [plannedJob("a")]))
      yield* runClock(fiber, 3)
      yield* configs.say(said({ ...rules, poll_interval_seconds: 1 }))
      const place = { stateDir: dir, planId: "plan" }
      const asking = yield* Effect.fork(
        ask(place, {
          kind: "set",
          settings: ["++monitoring.poll_interval_seconds=7", "++monitoring.poll_interval_seconds=1"]
        })
      )
      yield* runClock(asking, 10)
      expect(yield* Fiber.join(asking)).toEqual({ accepted: true, why: "" })
      yield* runClock(fiber, 3)
      expect(configs.settings()).toEqual(["++monitoring.poll_interval_seconds=1"])
      const { records } = yield* look(place)
      const changed = records.find(({ type }) => type === "RulesChanged")
      const request = records.findLast(({ type }) => type === "OperatorRequested")
      expect(changed?.cause).toBe(request?.seq)
      yield* Fiber.interrupt(fiber)
      const again = yield* watching(dir, null)
      yield* runClock(again, 3)
      expect(configs.settings()).toHaveLength(1)
      yield* Fiber.interrupt(again)
    }).pipe(Effect.provide(world({}))))
})
