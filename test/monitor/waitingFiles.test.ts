/** Events and jobs that wait for a file: asked again often enough, through deaths, clocks that jump and edited rules. */
import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { makeFileAsker } from "../../src/monitor/askFiles.ts"
import { look } from "../../src/monitor/held.ts"
import { Files } from "../../src/port/Files.ts"
import { explain } from "../../src/report/explain.ts"
import { behaviour } from "../../src/rule/behaviour.ts"
import { toAsk } from "../../src/session/pending.ts"
import { machine, opening, plannedJob } from "../rule/machine.ts"
import { Configs, Disk, runClock, stateDir, watching, world } from "./world.ts"

const log = "/out/a/slurm-1000.out"
const saved = (rest: object = {}) => ({
  name: "saved",
  pattern: "saved",
  actions: [{
    class_name: "EventAction" as const,
    conditions: [{ class_name: "FileExistsCondition" as const, path: "/ready", blocking: true, ...rest }],
    action: { class_name: "RunCommandAction" as const, command: ["evaluate"] as const }
  }]
})
const rules = (rest: object = {}) => ({
  poll_interval_seconds: 2,
  inactivity_threshold_seconds: null,
  log_settle_seconds: 1,
  log_events: [saved(rest)]
})
const open = (section: Parameters<typeof opening>[0], rest: Parameters<typeof opening>[2] = {}) =>
  opening(section, [plannedJob("a")], { behaviour, ...rest })
const recordsOf = (dir: string) => Effect.map(look({ stateDir: dir, planId: "plan" }), ({ records }) => records)
const typesOf = (dir: string, ...types: ReadonlyArray<string>) =>
  Effect.map(recordsOf(dir), (records) => records.map(({ type }) => type).filter((type) => types.includes(type)))
const long = { courses: { a: { endAfterSeconds: 100_000 } } }

/** The test's clock, whose time of day jumps, as by a hand or a time server; what sleeps does not notice. */
const jumpingClock = Effect.map(Effect.clock, (clock) => {
  let ahead = 0
  const now = () => clock.unsafeCurrentTimeMillis() + ahead
  const jumping: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: now,
    currentTimeMillis: Effect.sync(now),
    unsafeCurrentTimeNanos: () => BigInt(now()) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(now()) * 1_000_000n),
    sleep: (duration) => clock.sleep(duration)
  }
  return { clock: jumping, jump: (seconds: number) => Effect.sync(() => void (ahead += seconds * 1000)) }
})

describe("an event that waits for a file", () => {
  it.scoped("is asked again by its own interval, where the monitor looks at the world more rarely", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const dir = yield* stateDir
      yield* disk.append(log, "saved\n")
      const fiber = yield* watching(dir, open({ ...rules({ poll_interval_seconds: 5 }), poll_interval_seconds: 60 }))
      yield* runClock(fiber, 80)
      expect(disk.commands).toEqual([])
      yield* disk.append("/ready", "x")
      yield* runClock(fiber, 7)
      expect(disk.commands).toEqual([["evaluate"]])
      expect(yield* typesOf(dir, "ConditionWaiting", "ConditionObserved")).toEqual([
        "ConditionWaiting",
        "ConditionObserved"
      ])
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world(long))))

  it.scoped("goes on waiting under the next monitor, which asks anew and acts once", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const dir = yield* stateDir
      yield* disk.append(log, "saved\n")
      const first = yield* watching(dir, open(rules()))
      yield* runClock(first, 7)
      yield* Fiber.interrupt(first)
      const second = yield* watching(dir, null)
      yield* runClock(second, 12)
      expect(disk.commands).toEqual([])
      yield* disk.append("/ready", "x")
      yield* runClock(second, 8)
      yield* Fiber.interrupt(second)
      const third = yield* watching(dir, null)
      yield* runClock(third, 8)
      expect(disk.commands).toEqual([["evaluate"]])
      expect(yield* typesOf(dir, "ConditionWaiting", "EventRaised")).toEqual(["EventRaised", "ConditionWaiting"])
      yield* Fiber.interrupt(third)
    }).pipe(Effect.provide(world(long))))

  it.scoped("is asked on although the clock is put back by an hour, and acts once, however far it jumps then", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const dir = yield* stateDir
      const { clock, jump } = yield* jumpingClock
      yield* disk.append(log, "saved\n")
      const fiber = yield* Effect.withClock(watching(dir, open({ ...rules(), poll_interval_seconds: 10 })), clock)
      yield* runClock(fiber, 12)
      yield* jump(-3600)
      yield* runClock(fiber, 60)
      expect(yield* typesOf(dir, "ConditionFailed")).toEqual([])
      yield* disk.append("/ready", "x")
      yield* runClock(fiber, 8)
      expect(disk.commands).toEqual([["evaluate"]])
      yield* jump(7200)
      yield* runClock(fiber, 30)
      expect(disk.commands).toEqual([["evaluate"]])
      expect(yield* typesOf(dir, "ConditionFailed")).toEqual([])
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world(long))))

  it.scoped("is given up once when the clock jumps over its time-out, and never acts after that", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const dir = yield* stateDir
      const { clock, jump } = yield* jumpingClock
      yield* disk.append(log, "saved\n")
      const fiber = yield* Effect.withClock(watching(dir, open({ ...rules(), poll_interval_seconds: 10 })), clock)
      yield* runClock(fiber, 12)
      yield* jump(86_400)
      yield* runClock(fiber, 15)
      yield* jump(-86_400)
      yield* disk.append("/ready", "x")
      yield* runClock(fiber, 30)
      expect(disk.commands).toEqual([])
      expect(yield* typesOf(dir, "ConditionFailed", "ConditionObserved")).toEqual(["ConditionFailed"])
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world(long))))

  it.scoped("is given up with a sentence when its rule is gone, and goes on by its old terms when it only changed", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const configs = yield* Configs
      const dir = yield* stateDir
      const section = (...log_events: ReadonlyArray<ReturnType<typeof saved>>) => ({
        ...rules(),
        poll_interval_seconds: 2,
        log_events
      })
      const other = { ...saved(), name: "other", pattern: "other" }
      yield* disk.append(log, "saved\nother\n")
      const fiber = yield* watching(dir, open(section(saved(), other)))
      yield* runClock(fiber, 5)
      yield* configs.say({
        said: "rules",
        rules: { rules: section(saved({ path: "/elsewhere" })), sets: [], jobs: new Map() }
      })
      yield* runClock(fiber, 5)
      const gone = (yield* recordsOf(dir)).flatMap((record) =>
        record.type === "ConditionFailed" ? [record.data.why] : []
      )
      expect(gone).toEqual(["the rule other is gone"])
      yield* disk.append("/ready", "x")
      yield* runClock(fiber, 5)
      expect(disk.commands).toEqual([["evaluate"]])
      const { records, session } = yield* look({ stateDir: dir, planId: "plan" })
      expect(JSON.stringify(explain(session, records, "a"))).toContain("the rule other is gone")
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world(long))))
})

describe("a threshold of silence that changes", () => {
  const quiet = (seconds: number | null) => ({
    ...rules(),
    poll_interval_seconds: 1,
    log_events: [],
    inactivity_threshold_seconds: seconds
  })
  const stalls = (dir: string) =>
    Effect.map(
      recordsOf(dir),
      (records) => records.filter((record) => record.type === "EventRaised" && record.data.name === "stall").length
    )

  it.scoped.each(
    [
      ["sooner, once it is shorter", 1000, 20, 30, 1],
      ["later, once it is longer", 20, 1000, 60, 0],
      ["although it was not watched before", null, 20, 30, 1],
      ["never, once it is not watched", 20, null, 60, 0]
    ] as const
  )("is followed: silence is told of %s", ([, before, after, seconds, count]) =>
    Effect.gen(function*() {
      const configs = yield* Configs
      const dir = yield* stateDir
      const fiber = yield* watching(dir, open(quiet(before)))
      yield* runClock(fiber, 10)
      yield* configs.say({ said: "rules", rules: { rules: quiet(after), sets: [], jobs: new Map() } })
      yield* runClock(fiber, seconds)
      expect(yield* stalls(dir)).toBe(count)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world(long))))
})

describe("how often files are asked", () => {
  const intervals = (rest: Parameters<typeof opening>[2]) => {
    const file = { class_name: "FileExistsCondition", path: "/f", poll_interval_seconds: 7 }
    const glob = { class_name: "GlobExistsCondition", pattern: "/g*", poll_interval_seconds: 9 }
    const both = { class_name: "CompositeCondition", conditions: [file, glob] }
    const m = machine({}, [plannedJob("a", 0, { start_conditions: [both] })], rest)
    m.submitAll()
    return toAsk(m.session).map(({ question }) => "interval_seconds" in question ? question.interval_seconds : null)
  }

  it("is part of what is asked, within composites too, and not of sessions that began before it was", () => {
    expect(intervals({ behaviour })).toEqual([7, 9])
    expect(intervals({})).toEqual([null, null])
  })
})

describe("a thousand that wait for files", () => {
  const counting = () => {
    const asked: Array<string> = []
    const files = Layer.succeed(Files, {
      read: () => Effect.succeed(null),
      moved: () => Effect.succeed(null),
      exists: (file) => Effect.sync(() => asked.push(file) > Infinity),
      append: () => Effect.succeed(false),
      matches: () => Effect.succeed(false)
    })
    return { asked, files }
  }
  const settled = Effect.repeatN(Effect.promise(() => new Promise((resolve) => setImmediate(resolve))), 20)

  it.scoped("are asked again a few at a time, each in its turn, and none that waits no longer", () =>
    Effect.gen(function*() {
      const { asked, files } = counting()
      const count = 1000
      const m = machine(
        {},
        Array.from({ length: count }, (_, at) =>
          plannedJob(`j${at}`, at, {
            start_conditions: [{ class_name: "FileExistsCondition", path: `/f${at}`, poll_interval_seconds: 0 }]
          })),
        { behaviour }
      )
      m.submitAll()
      const asker = yield* makeFileAsker(m.session, () => Effect.void)
      const pass = (seconds: number) => Effect.andThen(asker.passed(seconds), settled).pipe(Effect.provide(files))
      yield* Effect.provide(asker.ask, files)
      yield* settled
      expect(asked).toHaveLength(count)
      asked.length = 0
      yield* pass(0.75)
      expect(asked).toEqual([])
      yield* pass(0.25)
      const atOnce = asked.length
      expect(atOnce).toBeGreaterThan(0)
      expect(atOnce).toBeLessThanOrEqual(10)
      for (let turn = 1; turn < count / atOnce; turn += 1) yield* pass(0.25)
      expect(new Set(asked).size).toBe(count)
      expect(asked).toHaveLength(count)
    }))
})
