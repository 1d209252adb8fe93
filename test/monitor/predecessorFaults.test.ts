/** What the predecessor lost, repeated or forgot, as sessions that have to keep it. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as path from "node:path"
import { parse } from "yaml"
import { look } from "../../src/monitor/held.ts"
import { actorOf, quietly, submitRequest, watchSession } from "../../src/monitor/sessions.ts"
import { Monitoring } from "../../src/rule/Monitoring.ts"
import { FakeCluster } from "../../src/scheduler/fake/FakeScheduler.ts"
import { opening, plannedJob } from "../rule/machine.ts"
import { Disk, runClock, stateDir, watching, world } from "./world.ts"

/** Rules as the predecessor's users wrote them. */
const rulesOf = (yaml: string) =>
  Schema.encodeSync(Monitoring)(
    Schema.decodeUnknownSync(Monitoring)({
      poll_interval_seconds: 1,
      log_settle_seconds: 2,
      inactivity_threshold_seconds: null,
      ...Schema.decodeUnknownSync(Schema.Object)(parse(yaml))
    })
  )

const healing = rulesOf(`
log_events:
  - name: nccl_error
    pattern: NCCL ERROR
    metadata: {error_type: nccl}
    actions:
      - {class_name: RestartAction, reason: nccl error}
  - name: checkpoint_saved
    pattern: 'saved checkpoint (?P<path>\\S+)'
    metadata: {kind: checkpoint}
    extract_groups: {checkpoint_path: path}
    actions:
      - class_name: EventAction
        mode: queue
        action: {class_name: RunCommandAction, command: [evaluate, "{checkpoint_path}"]}
`)

const place = (dir: string) => ({ stateDir: dir, planId: "plan" })

const submitted = Effect.flatMap(
  FakeCluster,
  ({ ledger }) => Effect.map(ledger, (entries) => entries.filter(({ what }) => what === "submit").map(({ id }) => id))
)

/** The session's own file, as other programs read it. */
const published = (dir: string): unknown => JSON.parse(fs.readFileSync(path.join(dir, "plan.json"), "utf8"))

/** Events like these, among others. */
const among = (...events: ReadonlyArray<object>): unknown =>
  expect.arrayContaining(events.map((event): unknown => expect.objectContaining(event)))

describe("state events of YAML", () => {
  const rules = rulesOf(`
state_events:
  - name: crash
    state: {class_name: CrashState}
    actions:
      - class_name: EventAction
        mode: inline
        conditions:
          - {class_name: MetadataCondition, key: error_type, equals: cancelled}
        action: {class_name: RestartAction, reason: retry cancelled job}
      - class_name: EventAction
        mode: queue
        action: {class_name: RunCommandAction, command: [report, "{job_name}"]}
`)

  it.scoped("W-04: keep their conditions and their mode: a failure is not restarted where only a cancellation may be", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      const disk = yield* Disk
      const dir = yield* stateDir
      const opened = opening(rules, [plannedJob("failed"), plannedJob("cancelled", 1)])
      const fiber = yield* Effect.fork(watchSession(place(dir), {
        ...quietly,
        worker: false,
        toolVersion: "0",
        opening: opened,
        requests: [submitRequest(actorOf("operator"))]
      }))
      yield* runClock(fiber, 3)
      yield* cluster.set("failed", 1, { state: "FAILED", exitCode: 1 })
      yield* cluster.set("cancelled", 1, { state: "CANCELLED" })
      yield* runClock(fiber, 10)
      yield* cluster.set("cancelled", 2, { state: "COMPLETED", exitCode: 0 })
      yield* runClock(fiber, 10)
      const session = yield* Fiber.join(fiber)
      expect([...session.jobs.values()].map(({ attempt, outcome, plan }) => [plan.name, attempt, outcome])).toEqual([
        ["failed", 1, "failed"],
        ["cancelled", 2, "success"]
      ])
      // Without a worker nothing of the queue runs: it was queued, and not run at once.
      expect(disk.commands).toEqual([])
      expect([...session.queue.values()].map(({ job, status }) => [job, status])).toEqual([
        ["failed", "queued"],
        ["cancelled", "queued"]
      ])
    }).pipe(Effect.provide(world({}))))
})

describe("the record of a session", () => {
  it.scoped("W-06: is whole after the restart of its only job, and a new monitor goes on with it", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      const disk = yield* Disk
      const dir = yield* stateDir
      const first = yield* watching(dir, opening(healing, [plannedJob("a")]))
      yield* runClock(first, 3)
      yield* disk.append("/out/a/slurm-1000.out", "NCCL ERROR\n")
      yield* runClock(first, 6)
      const expected = {
        manifest: "/out/manifests/plan.json",
        project: "demo",
        jobs: [{ name: "a", attempts: 2, slurm_id: "1001", restarts: [{ cause: "nccl_error" }] }],
        events: among({ name: "nccl_error", job: "a", attempt: 1, count: 1 })
      }
      expect(published(dir)).toMatchObject(expected)
      yield* Fiber.interrupt(first)
      const second = yield* watching(dir, null)
      yield* runClock(second, 3)
      yield* cluster.set("a", 2, { state: "COMPLETED", exitCode: 0 })
      yield* runClock(second, 10)
      expect((yield* Fiber.join(second)).jobs.get("a")?.outcome).toBe("success")
      expect(published(dir)).toMatchObject({ ...expected, status: "finished" })
    }).pipe(Effect.provide(world({}))))

  it.scoped("W-08: outlives its last job, and what that job queued is run by whoever works later", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const dir = yield* stateDir
      const opened = opening(healing, [plannedJob("a")])
      const first = yield* Effect.fork(watchSession(place(dir), {
        ...quietly,
        worker: false,
        toolVersion: "0",
        opening: opened,
        requests: [submitRequest(actorOf("operator"))]
      }))
      yield* runClock(first, 3)
      yield* disk.append("/out/a/slurm-1000.out", "saved checkpoint /ckpt/9\n")
      yield* runClock(first, 30)
      yield* Fiber.join(first)
      expect(disk.commands).toEqual([])
      expect(published(dir)).toMatchObject({
        jobs: [{ name: "a", outcome: "success" }],
        events: among({ name: "checkpoint_saved" }),
        queue: { queued: 1, failed: 0 }
      })
      const later = yield* watching(dir, null)
      yield* runClock(later, 10)
      const session = yield* Fiber.join(later)
      expect(disk.commands).toEqual([["evaluate", "/ckpt/9"]])
      expect([...session.queue.values()].map(({ status }) => status)).toEqual(["done"])
      expect(published(dir)).toMatchObject({ status: "finished", jobs: [{ name: "a" }], queue: { done: 1 } })
    }).pipe(Effect.provide(world({ courses: { a: { endAfterSeconds: 10 } } }))))
})

describe("a monitor that comes back", () => {
  it.scoped("knows the id of a job that was submitted again while it died, and watches no old one", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      const disk = yield* Disk
      const dir = yield* stateDir
      const first = yield* watching(dir, opening(healing, [plannedJob("a")], { settle_seconds: 5 }))
      yield* runClock(first, 3)
      yield* cluster.loseNextAnswer
      yield* disk.append("/out/a/slurm-1000.out", "NCCL ERROR\n")
      while ((yield* submitted).length < 2) yield* runClock(first, 0.25)
      yield* Fiber.interrupt(first)
      yield* cluster.forget("a", 1)
      const second = yield* watching(dir, null)
      yield* runClock(second, 20)
      expect(published(dir)).toMatchObject({ jobs: [{ attempts: 2, slurm_id: "1001" }] })
      yield* cluster.set("a", 2, { state: "COMPLETED", exitCode: 0 })
      yield* runClock(second, 20)
      expect((yield* Fiber.join(second)).jobs.get("a")).toMatchObject({ outcome: "success", attempt: 2 })
      expect(yield* submitted).toEqual(["1000", "1001"])
    }).pipe(Effect.provide(world({}))))

  it.scoped("takes a job that an administrator requeued meanwhile for that job's next attempt, and submits nothing", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      const disk = yield* Disk
      const dir = yield* stateDir
      const first = yield* watching(dir, opening(healing, [plannedJob("a")]))
      yield* runClock(first, 3)
      yield* disk.append("/out/a/slurm-1000.out", "step 1\n")
      yield* runClock(first, 3)
      yield* Fiber.interrupt(first)
      yield* cluster.set("a", 1, { state: "PENDING" })
      // What the run said while it was torn down belongs to the attempt before.
      yield* disk.append("/out/a/slurm-1000.out", "NCCL ERROR\n")
      const second = yield* watching(dir, null)
      yield* runClock(second, 5)
      yield* cluster.set("a", 1, { state: "RUNNING" })
      yield* runClock(second, 5)
      yield* cluster.set("a", 1, { state: "COMPLETED", exitCode: 0 })
      yield* runClock(second, 15)
      expect((yield* Fiber.join(second)).jobs.get("a")).toMatchObject({ outcome: "success", attempt: 2 })
      expect(yield* submitted).toEqual(["1000"])
      expect(published(dir)).toMatchObject({ jobs: [{ attempts: 2, slurm_id: "1000" }] })
    }).pipe(Effect.provide(world({}))))

  it.scoped("registers no finished job again, though the cluster has forgotten it and the plan is submitted once more", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      const dir = yield* stateDir
      const opened = opening(healing, [plannedJob("a"), plannedJob("b", 1)])
      const first = yield* watching(dir, opened)
      yield* runClock(first, 3)
      yield* cluster.set("a", 1, { state: "COMPLETED", exitCode: 0 })
      yield* runClock(first, 8)
      yield* Fiber.interrupt(first)
      yield* cluster.forget("a", 1)
      const second = yield* watching(dir, opened)
      yield* runClock(second, 8)
      expect(published(dir)).toMatchObject({ jobs: [{ name: "a", outcome: "success" }, { name: "b", outcome: null }] })
      yield* cluster.set("b", 1, { state: "FAILED", exitCode: 1 })
      yield* runClock(second, 15)
      yield* Fiber.join(second)
      const third = yield* watching(dir, opened)
      yield* runClock(third, 8)
      expect([...(yield* Fiber.join(third)).jobs.values()].map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
        [1, "success"],
        [1, "failed"]
      ])
      expect(yield* submitted).toEqual(["1000", "1001"])
    }).pipe(Effect.provide(world({}))))

  it.scoped("W-10: fires nothing a second time that it reads in logs which it knows", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      const disk = yield* Disk
      const dir = yield* stateDir
      let fiber = yield* watching(dir, opening(healing, [plannedJob("a")]))
      yield* runClock(fiber, 3)
      yield* disk.append("/out/a/slurm-1000.out", "saved checkpoint /ckpt/1\n")
      for (const turn of [2, 3, 4]) {
        yield* runClock(fiber, 3)
        yield* Fiber.interrupt(fiber)
        yield* disk.append("/out/a/slurm-1000.out", `saved checkpoint /ckpt/${turn}\n`)
        fiber = yield* watching(dir, null)
      }
      yield* runClock(fiber, 3)
      yield* cluster.set("a", 1, { state: "COMPLETED", exitCode: 0 })
      yield* runClock(fiber, 10)
      const session = yield* Fiber.join(fiber)
      expect(disk.commands).toEqual([1, 2, 3, 4].map((turn) => ["evaluate", `/ckpt/${turn}`]))
      expect([...session.events.values()]).toEqual(
        among({ name: "checkpoint_saved", count: 4 }, { name: "success", count: 1 })
      )
      expect(session.events.size).toBe(2)
    }).pipe(Effect.provide(world({}))))
})

describe("the history of a job", () => {
  it.scoped("tells each attempt: its id, its log, how it ended, and why the next one began", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      const disk = yield* Disk
      const dir = yield* stateDir
      const fiber = yield* watching(dir, opening(healing, [plannedJob("a")]))
      for (const attempt of [1, 2]) {
        yield* runClock(fiber, 3)
        yield* disk.append(`/out/a/slurm-${999 + attempt}.out`, `rank ${attempt}: NCCL ERROR\n`)
        yield* runClock(fiber, 6)
      }
      yield* cluster.set("a", 3, { state: "COMPLETED", exitCode: 0 })
      yield* runClock(fiber, 10)
      yield* Fiber.join(fiber)
      expect(published(dir)).toMatchObject({
        jobs: [{
          attempts: 3,
          slurm_id: "1002",
          outcome: "success",
          restarts: [
            { attempt: 2, cause: "nccl_error", reason: "nccl error" },
            { attempt: 3, cause: "nccl_error", reason: "nccl error" }
          ]
        }],
        events: among({ attempt: 1, name: "nccl_error" }, { attempt: 2, name: "nccl_error" })
      })
      const { records } = yield* look(place(dir))
      expect(
        records.flatMap((record) =>
          record.type === "JobSubmitted" ? [[record.attempt, record.data.slurm_id, record.data.log_path]] : []
        )
      ).toEqual([1, 2, 3].map((attempt) => [attempt, `${999 + attempt}`, `/out/a/slurm-${999 + attempt}.out`]))
      expect(
        records.flatMap((record) => record.type === "JobClassified" ? [[record.attempt, record.data.outcome]] : [])
      )
        .toEqual([[1, "cancelled"], [2, "cancelled"], [3, "success"]])
    }).pipe(Effect.provide(world({}))))
})
