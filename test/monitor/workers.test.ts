import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { Actor } from "../../src/event/terms.ts"
import * as FileJournal from "../../src/journal/FileJournal.ts"
import { ownLease } from "../../src/journal/holders.ts"
import { look } from "../../src/monitor/held.ts"
import * as LiveFiles from "../../src/monitor/LiveFiles.ts"
import { makeWorkerWatch, stillSeconds } from "../../src/monitor/lostWorkers.ts"
import { ask } from "../../src/monitor/sessions.ts"
import { workQueue } from "../../src/monitor/worker.ts"
import { Commands } from "../../src/port/Commands.ts"
import { FollowUps } from "../../src/port/FollowUps.ts"
import { keep, temporary } from "../cli/autoexp.ts"
import { machine } from "../rule/machine.ts"

const { pid: dead = 0 } = spawnSync("true")
const worker = { role: "worker", user: "ada", host: os.hostname(), pid: process.pid } as const

/** A session with so many queued actions. */
const queue = (entries: number, binding: object = {}) => {
  const action = { class_name: "RunCommandAction", command: ["evaluate", "{n}"] } as const
  const bound = { class_name: "EventAction", mode: "queue", action, ...binding } as const
  const m = machine({ log_events: [{ name: "x", pattern: "x", actions: [bound] }] })
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  m.log(Array.from({ length: entries }, (_, at) => ({ rule: "x", groups: { n: String(at) } })))
  return m
}

describe("a claim", () => {
  const claimed = (actor: Actor, lease?: string) => {
    const m = queue(1)
    const [queue_id = ""] = m.session.queue.keys()
    const claim = { kind: "claim", queue_id, ...(lease === undefined ? {} : { lease }) } as const
    m.fact("OperatorRequested", { request_id: "r", actor, request: claim })
    return m.session
  }
  const elsewhere = { ...worker, host: "elsewhere" } as const

  /** Its heartbeat, and whether it is taken for lost after so many looks, so many seconds apart. */
  const watching = Effect.gen(function*() {
    const place = { stateDir: yield* temporary, planId: "plan" }
    const file = path.join(place.stateDir, "plan.workers", "one")
    fs.mkdirSync(path.dirname(file))
    const own = yield* ownLease
    const watch = makeWorkerWatch(place)
    const lost = (actor: Actor, lease?: string) =>
      Effect.map(watch(claimed(actor, lease)), (claims) => claims.length > 0)
    return {
      lost,
      beat: (count: number, owner: object = { ...own, host: "elsewhere" }) =>
        fs.writeFileSync(file, `${JSON.stringify(owner)}\n${count}\n`),
      own,
      looks: (times: number, seconds: number) =>
        Effect.gen(function*() {
          let found = false
          for (let look = 0; look < times && !found; look += 1) {
            yield* TestClock.adjust(`${seconds} seconds`)
            found = yield* lost(elsewhere, "one")
          }
          return found
        })
    }
  })

  it.scoped("W-17: of a process of this host is lost with that process, at once", () =>
    Effect.gen(function*() {
      const { beat, lost, own } = yield* watching
      beat(1, own)
      expect(yield* lost(worker, "one")).toBe(false)
      beat(1, { ...own, pid: dead })
      expect(yield* lost(worker, "one")).toBe(true)
    }))

  it.scoped("is lost although its number was given to another process", () =>
    Effect.gen(function*() {
      const { beat, lost, own } = yield* watching
      beat(1, { ...own, started: "1" })
      expect(yield* lost(worker, "one")).toBe(true)
    }))

  it.scoped("W-17: of another host is lost when its heartbeat has stood still, and not before", () =>
    Effect.gen(function*() {
      const { beat, looks } = yield* watching
      beat(1)
      expect(yield* looks(stillSeconds / 5, 5)).toBe(false)
      beat(2)
      expect(yield* looks(stillSeconds / 5, 5)).toBe(false)
      expect(yield* looks(2, 5)).toBe(true)
    }))

  it.scoped("of another host is lost when its heartbeat has vanished", () =>
    Effect.gen(function*() {
      const { looks } = yield* watching
      expect(yield* looks(stillSeconds / 5, 5)).toBe(false)
      expect(yield* looks(2, 5)).toBe(true)
    }))

  it.scoped("of another host stands while its heartbeat changes, however slowly the looks come", () =>
    Effect.gen(function*() {
      const { beat, looks } = yield* watching
      for (let count = 0; count < 20; count += 1) {
        beat(count)
        expect(yield* looks(1, 600)).toBe(false)
      }
    }))

  it.scoped("stands when the clock of the one who looks jumps", () =>
    Effect.gen(function*() {
      const { beat, looks } = yield* watching
      beat(1)
      expect(yield* looks(2, 1)).toBe(false)
      expect(yield* looks(1, 86_400)).toBe(false)
    }))

  it.scoped("of before heartbeats is judged by its process alone", () =>
    Effect.gen(function*() {
      const { lost } = yield* watching
      expect(yield* lost({ ...worker, pid: dead })).toBe(true)
      expect(yield* lost(worker)).toBe(false)
      expect(yield* lost({ ...elsewhere, pid: dead })).toBe(false)
    }))
})

describe("workers", () => {
  /** Commands that take a moment, and what was run. */
  const world = (run: (argv: ReadonlyArray<string>) => number = () => 0) => {
    const ran: Array<string> = []
    const commands = Layer.succeed(Commands, {
      run: ({ argv }) =>
        Effect.gen(function*() {
          ran.push(argv.join(" "))
          yield* Effect.sleep("5 millis")
          return { exitCode: run(argv), stdout: "", stderr: "" }
        })
    })
    const followUps = Layer.succeed(FollowUps, { start: ({ planId }) => Effect.succeed({ planId, jobs: 1 }) })
    return { ran, layer: Layer.mergeAll(FileJournal.layer, LiveFiles.layer, commands, followUps) }
  }
  const statuses = (place: { readonly stateDir: string; readonly planId: string }) =>
    Effect.map(look(place), ({ session }) => [...session.queue.values()].map(({ status }) => status))
  const quiet = () => Effect.void

  it.live(
    "W-17: of whom several drain one queue at the same time run each action once",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const place = { stateDir: yield* temporary, planId: "plan" }
        const { layer, ran } = world()
        yield* keep(place, queue(8).records)
        yield* Effect.all([1, 2, 3].map(() => workQueue(place, "drain", quiet, 0.05)), { concurrency: 3 }).pipe(
          Effect.provide(layer)
        )
        expect(ran.toSorted()).toEqual(Array.from({ length: 8 }, (_, at) => `evaluate ${at}`))
        expect(new Set(yield* Effect.provide(statuses(place), layer))).toEqual(new Set(["done"]))
        expect(fs.readdirSync(path.join(place.stateDir, "plan.workers"))).toEqual([])
      })),
    60_000
  )

  it.live("survive an action that cannot be read, and go on with the next", () =>
    Effect.scoped(Effect.gen(function*() {
      const place = { stateDir: yield* temporary, planId: "plan" }
      const { layer, ran } = world()
      const records = queue(2).records.map((record, at, all) =>
        record.type === "ActionQueued" && all.findIndex(({ type }) => type === "ActionQueued") === at
          ? { ...record, data: { ...record.data, action: { class_name: "Nonsense" } } }
          : record
      )
      yield* keep(place, records)
      yield* Effect.provide(workQueue(place, "drain", quiet), layer)
      expect(ran).toEqual(["evaluate 1"])
      expect(yield* Effect.provide(statuses(place), layer)).toEqual(["failed", "done"])
    })))

  it.live("try again what failed, when its time has come", () =>
    Effect.scoped(Effect.gen(function*() {
      const place = { stateDir: yield* temporary, planId: "plan" }
      let runs = 0
      const { layer, ran } = world(() => (runs += 1) < 3 ? 1 : 0)
      yield* keep(place, queue(1, { max_attempts: 3, backoff_seconds: 0.05 }).records)
      yield* Effect.provide(workQueue(place, "drain", quiet, 0.02), layer)
      expect(ran).toHaveLength(3)
      expect(yield* Effect.provide(statuses(place), layer)).toEqual(["done"])
    })))

  it.live("take up what a dead worker or a dead monitor left, as the rule says", () =>
    Effect.scoped(Effect.gen(function*() {
      const place = { stateDir: yield* temporary, planId: "plan" }
      const { layer, ran } = world()
      yield* keep(place, queue(2, { on_interrupt: "retry" }).records)
      const own = yield* ownLease
      const beats = path.join(place.stateDir, "plan.workers")
      fs.mkdirSync(beats)
      fs.writeFileSync(path.join(beats, "one"), `${JSON.stringify({ ...own, pid: dead })}\n1\n`)
      const claim = (queue_id: string, lease: string, role: "worker" | "monitor") =>
        ask(place, { kind: "claim", queue_id, lease }, role)
      yield* Effect.gen(function*() {
        const ids = [...(yield* look(place)).session.queue.keys()]
        yield* claim(ids[0] ?? "", "one", "worker")
        yield* claim(ids[1] ?? "", "1-q-1", "monitor")
        expect(yield* statuses(place)).toEqual(["running", "running"])
        yield* workQueue(place, "drain", quiet)
        expect(yield* statuses(place)).toEqual(["done", "done"])
      }).pipe(Effect.provide(layer))
      expect(ran).toHaveLength(2)
    })))

  it.live("that are interrupted give back what they had claimed, as the rule says", () =>
    Effect.scoped(Effect.gen(function*() {
      const place = { stateDir: yield* temporary, planId: "plan" }
      const begun = yield* Effect.makeLatch()
      const hanging = Layer.succeed(Commands, { run: () => Effect.zipRight(begun.open, Effect.never) })
      const { layer } = world()
      yield* keep(place, queue(1, { on_interrupt: "retry" }).records)
      yield* Effect.raceFirst(
        Effect.provide(workQueue(place, "drain", quiet), Layer.merge(layer, hanging)),
        begun.await
      )
      expect(yield* Effect.provide(statuses(place), layer)).toEqual(["queued"])
    })))
})
