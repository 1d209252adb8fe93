import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as fs from "node:fs"
import * as path from "node:path"
import { vi } from "vitest"
import { look } from "../../src/monitor/held.ts"
import { actorOf, ask, quietly, submitRequest, watchSession } from "../../src/monitor/sessions.ts"
import { FakeCluster } from "../../src/scheduler/fake/FakeScheduler.ts"
import { toUpdate } from "../../src/session/nodes.ts"
import { opening, plannedJob } from "../rule/machine.ts"
import { Disk, runClock, stateDir, world } from "./world.ts"

// Minutes of the test clock are seconds of a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const bad = {
  name: "bad",
  pattern: "ECC error on (?P<node>\\S+)",
  extract_groups: { node: "node" },
  actions: [{ class_name: "ExcludeNodesAction", nodes: "{node}", scope: "project" }]
} as const
const rules = {
  poll_interval_seconds: 10,
  inactivity_threshold_seconds: null,
  log_settle_seconds: 2,
  log_events: [bad]
}

const watching = (dir: string, planId: string, names: ReadonlyArray<string>) =>
  Effect.fork(watchSession({ stateDir: dir, planId }, {
    ...quietly,
    worker: true,
    toolVersion: "0",
    opening: opening(rules, names.map((name, index) => plannedJob(name, index)), { plan_id: planId }),
    requests: [submitRequest(actorOf("operator"))]
  }))

const waits = { runAfterSeconds: 1000 }

describe("a bad node", () => {
  it.scoped("is kept from jobs that wait by one call each, of this session and of others of the project, until its time is over", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      const disk = yield* Disk
      const dir = yield* stateDir
      const first = yield* watching(dir, "one", ["a", "b"])
      const second = yield* watching(dir, "two", ["c"])
      yield* runClock(first, 15)
      const running = (yield* look({ stateDir: dir, planId: "one" })).session.jobs.get("a")
      expect(running?.slurmState).toBe("RUNNING")
      yield* disk.append(running?.logPath ?? "", "ECC error on lrdn0337\nECC error on lrdn0337\n")
      yield* runClock(first, 40)
      const given = yield* cluster.exclusions
      expect(given.map(({ name, nodes }) => [name.slice(0, 1), nodes])).toEqual([
        ["b", ["lrdn0337"]],
        ["c", ["lrdn0337"]]
      ])
      const file = path.join(dir, "excluded_nodes", "one.json")
      expect(JSON.parse(fs.readFileSync(file, "utf8"))).toMatchObject({
        project: "demo",
        nodes: [{ node: "lrdn0337" }]
      })
      expect((yield* look({ stateDir: dir, planId: "two" })).session.projectNodes)
        .toMatchObject([{ node: "lrdn0337", session: "one" }])

      const refused = yield* Effect.fork(ask({ stateDir: dir, planId: "two" }, {
        kind: "nodes_release",
        nodes: ["lrdn0337"],
        reason: ""
      }))
      yield* runClock(refused, 10)
      expect((yield* Fiber.join(refused)).why).toMatch(/by one: release it there/)
      const released = yield* Effect.fork(ask({ stateDir: dir, planId: "one" }, {
        kind: "nodes_release",
        nodes: ["lrdn0337"],
        reason: "mended"
      }))
      yield* runClock(released, 10)
      yield* runClock(first, 30)
      expect(fs.existsSync(file)).toBe(false)
      expect((yield* cluster.exclusions).slice(2).map(({ name, nodes }) => [name.slice(0, 1), nodes])).toEqual([
        ["b", []],
        ["c", []]
      ])
      yield* Fiber.interrupt(first)
      yield* Fiber.interrupt(second)
    }).pipe(Effect.provide(world({ courses: { b: waits, c: waits } }))))

  it.scoped("is not asked of again for a job that starts just then", () =>
    Effect.gen(function*() {
      const cluster = yield* FakeCluster
      const dir = yield* stateDir
      const fiber = yield* watching(dir, "one", ["b"])
      yield* runClock(fiber, 17)
      // The monitor last saw it wait, and looks again some seconds later; it runs by now.
      const asked = yield* Effect.fork(ask({ stateDir: dir, planId: "one" }, {
        kind: "nodes_exclude",
        nodes: ["lrdn0337"],
        seconds: 3600,
        scope: "session",
        reason: ""
      }))
      yield* runClock(asked, 2)
      yield* Fiber.join(asked)
      yield* runClock(fiber, 40)
      const { records, session } = yield* look({ stateDir: dir, planId: "one" })
      const answers = records.filter((record) => record.type === "NodesUpdated")
      expect(answers.map(({ data }) => data)).toMatchObject([{
        applied: false,
        message: expect.stringMatching(/no longer/)
      }])
      expect(toUpdate(session)).toEqual([])
      expect(yield* cluster.exclusions).toEqual([])
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world({ courses: { b: { runAfterSeconds: 16 } } }))))

  it.scoped("of another project, or in a file that is broken, concerns nobody", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      fs.mkdirSync(path.join(dir, "excluded_nodes"))
      const put = (name: string, text: string) => fs.writeFileSync(path.join(dir, "excluded_nodes", name), text)
      const nodes = [{ node: "n1", until: "2099-01-01T00:00:00.000Z", reason: "" }]
      put("x.json", JSON.stringify({ project: "other", session: "x", nodes }))
      put("y.json", "{\"project\": \"demo\", \"nod")
      put("z.json", JSON.stringify({ project: "demo", session: "z", nodes: [{ ...nodes[0], node: "--all" }] }))
      const fiber = yield* watching(dir, "one", ["a"])
      yield* runClock(fiber, 15)
      expect((yield* look({ stateDir: dir, planId: "one" })).session.projectNodes).toEqual([])
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world({}))))
})
