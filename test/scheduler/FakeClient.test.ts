import { afterEach, describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Scheduler } from "../../src/port/Scheduler.ts"
import { FakeClient } from "../../src/scheduler/Client.ts"
import * as fake from "../../src/scheduler/fake/layer.ts"

const folders: Array<string> = []
afterEach(() => folders.splice(0).forEach((folder) => fs.rmSync(folder, { recursive: true, force: true })))

interface World {
  readonly home: string
  /** Another process's view of the same cluster. */
  readonly open: () => Effect.Effect<typeof Scheduler.Service>
}

const world = (settings: Omit<typeof FakeClient.Encoded, "class_name">): World => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-fake-"))
  folders.push(home)
  const client = Schema.decodeSync(FakeClient)({ class_name: "FakeClient", ...settings })
  const layer = fake.layer({ ...client, dir: path.join(home, "cluster") })
  return {
    home,
    open: () => Effect.scoped(Effect.map(Layer.build(layer), (context) => Context.get(context, Scheduler)))
  }
}

const script = (home: string, directives = ""): string => {
  const file = path.join(home, "job.sbatch")
  fs.writeFileSync(file, `#!/bin/bash\n#SBATCH --output=${home}/log-%A_%a.txt\n${directives}\nexit 1\n`)
  return file
}

const submission = (home: string, job = "lr_0", attempt = 1, array: ReadonlyArray<number> | null = null) => ({
  script: script(home),
  name: `${job}.${attempt}.abc${attempt}`,
  nonce: `abc${attempt}`,
  array
})

const states = (scheduler: typeof Scheduler.Service, id: string, name: string) =>
  Effect.map(
    scheduler.snapshot([{ id, name, task: null }]),
    ({ reports }) => reports.map(({ exitCode, state }) => exitCode === null ? state : `${state} ${exitCode}`)
  )

describe("a job of the users' fake cluster", () => {
  it.effect("goes as its course says, and prints what it says, whoever looks and whenever", () =>
    Effect.gen(function*() {
      const { home, open } = world({
        courses: {
          "lr_*": {
            pending_seconds: 2,
            running_seconds: 10,
            state: "FAILED",
            exit_code: 134,
            log: [{ after_seconds: 1, every_seconds: 3, times: 9, line: "iteration {n}" }, {
              after_seconds: 4.5,
              line: "oops"
            }]
          }
        }
      })
      const first = yield* open()
      const { id } = yield* first.submit(submission(home))
      const log = `${home}/log-${id}_4294967294.txt`
      expect(yield* states(first, id, "lr_0.1.abc1")).toEqual(["PENDING"])
      expect(fs.existsSync(log)).toBe(false)
      yield* TestClock.adjust("7 seconds")
      const second = yield* open()
      expect(yield* states(second, id, "lr_0.1.abc1")).toEqual(["RUNNING"])
      expect(fs.readFileSync(log, "utf8")).toBe("iteration 1\niteration 2\noops\n")
      yield* TestClock.adjust("1 hour")
      expect(yield* states(first, id, "lr_0.1.abc1")).toEqual(["FAILED 134"])
      expect(yield* states(second, id, "lr_0.1.abc1")).toEqual(["FAILED 134"])
      expect(fs.readFileSync(log, "utf8")).toBe("iteration 1\niteration 2\noops\niteration 3\niteration 4\n")
      const [found] = yield* second.lookup(["lr_0.1.abc1", "other"], "")
      expect(found).toMatchObject({ id, start: "1970-01-01T00:00:02.000Z", end: "1970-01-01T00:00:12.000Z" })
    }))

  it.effect("has a course for each attempt, the nearest pattern's, and time may pass faster", () =>
    Effect.gen(function*() {
      const { home, open } = world({
        speed: 60,
        courses: {
          "*": { state: "NODE_FAIL" },
          lr_0: [{ running_seconds: 60, state: "OUT_OF_MEMORY", exit_code: 0 }, { running_seconds: 60 }],
          "array[2]": { running_seconds: null }
        }
      })
      const cluster = yield* open()
      const once = yield* cluster.submit(submission(home))
      const again = yield* cluster.submit(submission(home, "lr_0", 2))
      const third = yield* cluster.submit(submission(home, "lr_0", 3))
      const other = yield* cluster.submit(submission(home, "lr_00"))
      const array = yield* cluster.submit(submission(home, "array", 1, [0, 2]))
      yield* TestClock.adjust("2 seconds")
      expect(yield* states(cluster, once.id, "lr_0.1.abc1")).toEqual(["OUT_OF_MEMORY 0"])
      expect(yield* states(cluster, again.id, "lr_0.2.abc2")).toEqual(["COMPLETED 0"])
      expect(yield* states(cluster, third.id, "lr_0.3.abc3")).toEqual(["COMPLETED 0"])
      expect(yield* states(cluster, other.id, "lr_00.1.abc1")).toEqual(["NODE_FAIL 1"])
      expect(yield* states(cluster, array.id, "array.1.abc1")).toEqual(["NODE_FAIL 1", "RUNNING"])
      yield* cluster.cancel({ id: array.id, name: "array.1.abc1", task: 2 })
      yield* TestClock.adjust("2 seconds")
      expect(yield* states(cluster, array.id, "array.1.abc1")).toEqual(["NODE_FAIL 1", "CANCELLED 0"])
    }))

  it.effect("ends at its time limit, and says no more once it is cancelled", () =>
    Effect.gen(function*() {
      const { home, open } = world({
        courses: { "*": { pending_seconds: 0, running_seconds: null, log: [{ line: "{n}", times: 1000 }] } }
      })
      const cluster = yield* open()
      const file = script(home, "#SBATCH --time=00:00:10")
      const limited = yield* cluster.submit({ script: file, name: "a.1.x", nonce: "x", array: null })
      const stopped = yield* cluster.submit({ script: file, name: "b.1.y", nonce: "y", array: null })
      yield* TestClock.adjust("5500 millis")
      yield* cluster.cancel({ id: stopped.id, name: "stranger.1.z", task: null })
      expect(yield* states(cluster, stopped.id, "b.1.y")).toEqual(["RUNNING"])
      yield* cluster.cancel({ id: stopped.id, name: "b.1.y", task: null })
      yield* TestClock.adjust("1 minute")
      yield* cluster.cancel({ id: limited.id, name: "a.1.x", task: null })
      expect(yield* states(cluster, limited.id, "a.1.x")).toEqual(["TIMEOUT 0"])
      expect(yield* states(cluster, stopped.id, "b.1.y")).toEqual(["CANCELLED 0"])
      const lines = (id: string) =>
        fs.readFileSync(`${home}/log-${id}_4294967294.txt`, "utf8").trim().split("\n").length
      expect(lines(limited.id)).toBe(11)
      expect(lines(stopped.id)).toBe(6)
    }))

  it.effect("begins where the log of the attempt before ends, if they share one", () =>
    Effect.gen(function*() {
      const { home, open } = world({ courses: { "*": { pending_seconds: 0, log: [{ line: "hello" }] } } })
      fs.writeFileSync(`${home}/same.txt`, "before\n")
      const file = path.join(home, "job.sbatch")
      fs.writeFileSync(file, `#!/bin/bash\n#SBATCH --output=${home}/same.txt\n`)
      const cluster = yield* open()
      const { id } = yield* cluster.submit({ script: file, name: "a.2.x", nonce: "x", array: null })
      yield* states(cluster, id, "a.2.x")
      yield* states(yield* open(), id, "a.2.x")
      expect(fs.readFileSync(`${home}/same.txt`, "utf8")).toBe("before\nhello\n")
      expect(yield* Effect.flip(cluster.submit({ script: `${home}/none`, name: "n.1.x", nonce: "x", array: null })))
        .toMatchObject({ _tag: "SubmissionRefusedError" })
    }))
})
