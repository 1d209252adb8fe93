import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { Scheduler } from "../../src/port/Scheduler.ts"
import { FakeCluster, type FakeOptions, make } from "../../src/scheduler/fake/FakeScheduler.ts"

const withCluster = <A, E>(
  options: FakeOptions,
  body: (services: {
    readonly scheduler: typeof Scheduler.Service
    readonly cluster: typeof FakeCluster.Service
  }) => Effect.Effect<A, E>
) =>
  Effect.gen(function*() {
    return yield* body({ scheduler: yield* Scheduler, cluster: yield* FakeCluster })
  }).pipe(Effect.provide(make(options)))

const submission = (name: string, array: ReadonlyArray<number> | null = null) => ({
  script: "/s.sbatch",
  name,
  nonce: name.split(".").at(-1) ?? "",
  array
})

describe("fake cluster", () => {
  it.effect("leads each attempt through its own course, on the test's clock", () =>
    withCluster({
      courses: {
        "": { endAfterSeconds: 1 },
        "a.": [{ runAfterSeconds: 10, endAfterSeconds: 60, state: "TIMEOUT", reason: "TimeLimit" }, {
          endAfterSeconds: 5
        }]
      }
    }, ({ scheduler }) =>
      Effect.gen(function*() {
        const { id } = yield* scheduler.submit(submission("a.1.x"))
        const look = Effect.map(scheduler.snapshot([{ name: "a.1.x", id, task: null }]), ({ reports }) => reports[0])
        assert.include(yield* look, { state: "PENDING", reason: "Resources", start: null })
        yield* TestClock.adjust("10 seconds")
        assert.include(yield* look, { state: "RUNNING", start: "1970-01-01T00:00:10.000Z", end: null })
        yield* TestClock.adjust("60 seconds")
        assert.include(yield* look, { state: "TIMEOUT", reason: "TimeLimit", end: "1970-01-01T00:01:10.000Z" })
        yield* scheduler.submit(submission("a.2.y"))
        yield* scheduler.submit(submission("b.1.z"))
        yield* TestClock.adjust("5 seconds")
        assert.include((yield* scheduler.lookup(["a.2.y"], ""))[0], { state: "COMPLETED", exitCode: 0 })
        assert.include((yield* scheduler.lookup(["b.1.z"], ""))[0], { state: "COMPLETED" })
        assert.deepStrictEqual(yield* scheduler.calls, { sbatch: 3, squeue: 5, scancel: 0 })
      })))

  it.effect("queues a submission whose answer is lost, and none that is refused or not received", () =>
    withCluster({}, ({ cluster, scheduler }) =>
      Effect.gen(function*() {
        yield* cluster.loseNextAnswer
        assert.strictEqual(
          (yield* Effect.flip(scheduler.submit(submission("a.1.x"))))._tag,
          "SchedulerUnavailableError"
        )
        yield* cluster.refuseNext("Invalid account")
        assert.strictEqual((yield* Effect.flip(scheduler.submit(submission("b.1.y"))))._tag, "SubmissionRefusedError")
        yield* cluster.failNextSubmit
        assert.strictEqual(
          (yield* Effect.flip(scheduler.submit(submission("c.1.z"))))._tag,
          "SchedulerUnavailableError"
        )
        assert.strictEqual((yield* scheduler.lookup(["a.1.x"], "")).length, 1)
        assert.strictEqual((yield* scheduler.lookup(["c.1.z"], "")).length, 0)
        assert.deepStrictEqual((yield* cluster.ledger).map(({ name }) => name), ["a.1.x"])
      })))

  it.effect("fails as many queries as wanted, and forgets a job on demand", () =>
    withCluster({}, ({ cluster, scheduler }) =>
      Effect.gen(function*() {
        const { id } = yield* scheduler.submit(submission("a.1.x"))
        const look = Effect.map(scheduler.snapshot([{ name: "a.1.x", id, task: null }]), ({ reports }) => reports)
        yield* cluster.failQueries(2)
        yield* Effect.flip(look)
        yield* Effect.flip(scheduler.lookup(["a.1.x"], ""))
        assert.strictEqual((yield* look).length, 1)
        yield* cluster.forget("a", 1)
        assert.deepStrictEqual(yield* look, [])
      })))

  it.effect("knows array tasks apart when it is told of one, and when one is cancelled", () =>
    withCluster({}, ({ cluster, scheduler }) =>
      Effect.gen(function*() {
        const name = "arr.1.x"
        const { id } = yield* scheduler.submit(submission(name, [2, 5, 7]))
        yield* TestClock.adjust("3 seconds")
        yield* cluster.set("arr", 1, { state: "FAILED", exitCode: 1 }, 5)
        yield* scheduler.cancel({ name, id, task: 7 })
        yield* scheduler.cancel({ name, id, task: 5 })
        const reports = yield* scheduler.lookup([name], "")
        assert.deepStrictEqual(reports.map(({ state, task }) => [task, state]), [[2, "RUNNING"], [5, "FAILED"], [
          7,
          "CANCELLED"
        ]])
        assert.include(reports[1], { exitCode: 1, end: "1970-01-01T00:00:03.000Z" })
        assert.deepStrictEqual(
          (yield* cluster.ledger).map(({ task, what }) => [what, task]),
          [["submit", null], ["cancel", 7], ["cancel", 5]]
        )
      })))
})
