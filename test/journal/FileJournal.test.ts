import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as FileJournal from "../../src/journal/FileJournal.ts"
import { Journal, type SessionPlace } from "../../src/port/Journal.ts"
import { at, facts, failure, fileIn, temporaryPlace } from "./temporary.ts"

const run = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provide(effect, FileJournal.layer)

const quickly = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provide(effect, FileJournal.layerWith({ heartbeat: { seconds: 0.05, missed: 3 } }))

/** Long enough to do something while a heartbeat is watched. */
const watchfully = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provide(effect, FileJournal.layerWith({ heartbeat: { seconds: 1, missed: 3 } }))

const hold = (place: SessionPlace, takeover = false) =>
  Effect.flatMap(Journal, (journal) => journal.hold(place, { takeover }))

/** A session that was held once, without a word that it was let go; `change` says by whom. */
const leftBehind = (place: SessionPlace, change: Record<string, unknown> | string) =>
  Effect.gen(function*() {
    yield* Effect.scoped(Effect.flatMap(hold(place), (writer) => writer.append(at, facts(2))))
    fs.rmSync(fileIn(place, "plan.lease/1.released"))
    const lease = fileIn(place, "plan.lease/1")
    const content = JSON.parse(fs.readFileSync(lease, "utf8"))
    fs.writeFileSync(lease, typeof change === "string" ? change : JSON.stringify({ ...content, ...change }))
  })

/** The number of a process that is no more. */
const gonePid = (): number => spawnSync("true").pid

describe("the files of a session", () => {
  it.scopedLive("are where the design says, for their user alone", () =>
    run(Effect.gen(function*() {
      const place = yield* temporaryPlace
      const journal = yield* Journal
      for (const n of [1, 2, 3]) {
        yield* Effect.scoped(Effect.flatMap(hold(place), (writer) => writer.append(at, facts(n))))
      }
      yield* journal.request(place, { id: "r1", body: { kind: "retry" } })
      expect(fs.readdirSync(place.stateDir).sort()).toStrictEqual([
        "plan.events.2.jsonl",
        "plan.events.3.jsonl",
        "plan.events.jsonl",
        "plan.inbox",
        "plan.lease"
      ])
      expect(fs.readdirSync(fileIn(place, "plan.inbox"))).toStrictEqual(["r1.json"])
      expect(fs.readdirSync(fileIn(place, "plan.lease")).sort()).toStrictEqual(
        ["1", "1.released", "2", "2.released", "3", "3.released"]
      )
      for (const dir of ["", "plan.inbox", "plan.lease"]) {
        expect(fs.statSync(fileIn(place, dir)).mode & 0o777).toBe(0o700)
      }
      expect(JSON.parse(fs.readFileSync(fileIn(place, "plan.lease/1"), "utf8"))).toMatchObject({
        host: os.hostname(),
        pid: process.pid,
        since: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/)
      })
    })))

  it.scopedLive("go all together when it is removed, and no other's", () =>
    run(Effect.gen(function*() {
      const place = yield* temporaryPlace
      const journal = yield* Journal
      const fill = Effect.fnUntraced(function*(planId: string) {
        const own = { ...place, planId }
        yield* Effect.scoped(hold(own))
        yield* Effect.scoped(hold(own))
        yield* journal.request(own, { id: "r", body: null })
        fs.writeFileSync(fileIn(own, `${planId}.json`), "{}")
        fs.mkdirSync(fileIn(own, `${planId}.actions/e1`), { recursive: true })
        fs.writeFileSync(fileIn(own, `${planId}.actions/e1/q1.json`), "{}")
      })
      yield* fill("plan.events")
      yield* fill("plan2")
      const others = fs.readdirSync(place.stateDir)
      yield* fill("plan")
      yield* journal.remove(place, { force: false })
      expect(fs.readdirSync(place.stateDir).sort()).toStrictEqual(others.toSorted())
      expect(yield* journal.list(place.stateDir)).toStrictEqual(["plan.events", "plan2"])
    })))

  it.scopedLive("may lack the leases, after a copy: the next epoch is still a new one", () =>
    run(Effect.gen(function*() {
      const place = yield* temporaryPlace
      for (const n of [1, 2]) {
        yield* Effect.scoped(Effect.flatMap(hold(place), (writer) => writer.append(at, facts(n))))
      }
      fs.rmSync(fileIn(place, "plan.lease"), { recursive: true })
      const writer = yield* hold(place)
      expect(writer.epoch).toBe(3)
      expect(writer.records.map(({ epoch }) => epoch)).toStrictEqual([1, 2, 2, 2, 3])
    })))

  it.scopedLive("begin with a seal if the first holder died before it had a segment", () =>
    run(Effect.gen(function*() {
      const place = yield* temporaryPlace
      fs.mkdirSync(fileIn(place, "plan.lease"), { recursive: true })
      fs.writeFileSync(fileIn(place, "plan.lease/1"), "")
      const journal = yield* Journal
      const writer = yield* hold(place, true)
      yield* writer.append(at, facts(1))
      expect((yield* journal.read(place)).records.map(({ seq, type }) => `${seq} ${type}`))
        .toStrictEqual(["1 SegmentOpened", "2 Fact"])
      expect(yield* journal.list(place.stateDir)).toStrictEqual(["plan"])
    })))

  it.scopedLive("hold requests whole: no temporary one is read, and what is no JSON is null", () =>
    run(Effect.gen(function*() {
      const place = yield* temporaryPlace
      const journal = yield* Journal
      yield* journal.request(place, { id: "good", body: [1] })
      fs.writeFileSync(fileIn(place, "plan.inbox/half.tmp"), "{")
      fs.writeFileSync(fileIn(place, "plan.inbox/bad.json"), "{")
      const old = new Date(Date.now() - 60_000)
      fs.utimesSync(fileIn(place, "plan.inbox/bad.json"), old, old)
      expect(yield* journal.inbox(place)).toStrictEqual([{ id: "bad", body: null }, { id: "good", body: [1] }])
    })))

  it.scopedLive("name their path when the file system refuses, and leave nothing held", () =>
    run(Effect.gen(function*() {
      const place = yield* temporaryPlace
      fs.mkdirSync(path.dirname(place.stateDir), { recursive: true })
      fs.writeFileSync(place.stateDir, "a file where the directory belongs")
      expect(yield* failure(hold(place))).toMatchObject({ _tag: "JournalIoError" })
      fs.rmSync(place.stateDir)
      yield* hold(place)
    })))

  it.scopedLive("are not written again by a writer whose write failed, but by the next", () =>
    run(Effect.gen(function*() {
      const place = yield* temporaryPlace
      const writer = yield* hold(place)
      yield* writer.append(at, facts(1))
      // The check of the epoch fails: whether the record counts is unknown then.
      fs.renameSync(fileIn(place, "plan.lease"), fileIn(place, "aside"))
      fs.writeFileSync(fileIn(place, "plan.lease"), "")
      expect(yield* failure(writer.append(at, facts(1)))).toMatchObject({ _tag: "JournalIoError" })
      fs.rmSync(fileIn(place, "plan.lease"))
      fs.renameSync(fileIn(place, "aside"), fileIn(place, "plan.lease"))
      const size = fs.statSync(fileIn(place, "plan.events.jsonl")).size
      expect(yield* failure(writer.append(at, facts(1)))).toMatchObject({
        _tag: "JournalIoError",
        path: fileIn(place, "plan.events.jsonl"),
        message: expect.stringContaining("open the journal again")
      })
      expect(yield* failure(writer.assertNewest)).toMatchObject({ _tag: "JournalIoError" })
      expect(fs.statSync(fileIn(place, "plan.events.jsonl")).size).toBe(size)
      const next = yield* hold(place, true)
      // What was never acknowledged is left out by the process that knows it.
      expect(next.records.map(({ type }) => type)).toStrictEqual(["Fact", "SegmentOpened"])
    })))
})

describe("a holder that did not let go", () => {
  it.scopedLive("is passed over at once if its process is gone", () =>
    run(Effect.gen(function*() {
      const place = yield* temporaryPlace
      yield* leftBehind(place, { pid: gonePid() })
      const journal = yield* Journal
      expect(yield* journal.holder(place)).toMatchObject({ epoch: 1, alive: "dead" })
      expect((yield* hold(place)).epoch).toBe(2)
    })))

  it.scopedLive("is passed over at once if another process has its number now", () =>
    run(Effect.gen(function*() {
      const place = yield* temporaryPlace
      yield* leftBehind(place, { started: "1" })
      const journal = yield* Journal
      expect(yield* journal.holder(place)).toMatchObject({ epoch: 1, pid: process.pid, alive: "dead" })
      expect((yield* hold(place)).epoch).toBe(2)
    })))

  for (
    const [what, change] of [
      ["another host", { host: "elsewhere" }],
      ["another boot", { boot: "0000" }],
      ["another pid namespace", { pids: "pid:[1]" }],
      ["nobody knows whom", "not a lease"]
    ] as const
  ) {
    it.scopedLive(`and belongs to ${what} is passed over once its heartbeat stood still`, () =>
      quickly(Effect.gen(function*() {
        const place = yield* temporaryPlace
        yield* leftBehind(place, change)
        fs.writeFileSync(fileIn(place, "plan.lease/1.beat"), "41\n")
        const journal = yield* Journal
        expect(yield* journal.holder(place)).toMatchObject({ epoch: 1, alive: "unknown" })
        expect((yield* hold(place)).epoch).toBe(2)
      })))
  }

  it.scopedLive("keeps the session while its heartbeat changes, whatever the clocks say", () =>
    quickly(Effect.gen(function*() {
      const place = yield* temporaryPlace
      yield* leftBehind(place, { host: "elsewhere", since: "1970-01-01T00:00:00.000Z" })
      const beat = fileIn(place, "plan.lease/1.beat")
      let count = 0
      const beating = yield* Effect.forever(Effect.zipRight(
        Effect.sync(() => {
          fs.writeFileSync(beat, `${++count}`)
          fs.utimesSync(beat, 0, 0)
        }),
        Effect.sleep(10)
      )).pipe(Effect.fork)
      expect(yield* failure(hold(place))).toMatchObject({ _tag: "SessionHeldError", host: "elsewhere" })
      const journal = yield* Journal
      expect(yield* failure(journal.remove(place, { force: false }))).toMatchObject({ _tag: "SessionHeldError" })
      yield* Fiber.interrupt(beating)
      expect((yield* hold(place)).epoch).toBe(2)
    })))

  it.scopedLive("still counts what it appends while its heartbeat is watched", () =>
    Effect.gen(function*() {
      const place = yield* temporaryPlace
      const old = yield* run(hold(place))
      const lease = fileIn(place, "plan.lease/1")
      fs.writeFileSync(lease, fs.readFileSync(lease, "utf8").replace(os.hostname(), "elsewhere"))
      const watching = yield* Effect.fork(watchfully(hold(place)))
      yield* Effect.sleep(200)
      const acknowledged = yield* old.append(at, facts(1))
      const writer = yield* Fiber.join(watching)
      expect(writer.epoch).toBe(2)
      expect(writer.records.slice(0, 1)).toStrictEqual(acknowledged)
    }))

  it.scopedLive("is not followed by one who watched it while another already took over", () =>
    Effect.gen(function*() {
      const place = yield* temporaryPlace
      yield* run(leftBehind(place, { host: "elsewhere" }))
      const watching = yield* Effect.fork(watchfully(hold(place)))
      yield* Effect.sleep(200)
      const writer = yield* run(hold(place, true))
      expect(yield* failure(Fiber.join(watching))).toMatchObject({ _tag: "SessionHeldError", pid: process.pid })
      yield* writer.assertNewest
    }))

  it.scopedLive("can be taken over without waiting", () =>
    Effect.provide(
      Effect.gen(function*() {
        const place = yield* temporaryPlace
        yield* leftBehind(place, { host: "elsewhere" })
        expect((yield* hold(place, true)).epoch).toBe(2)
      }),
      FileJournal.layerWith({ heartbeat: { seconds: 3600, missed: 3 } })
    ))
})

describe("a heartbeat", () => {
  it.scopedLive("has ever new content while the session is held", () =>
    quickly(Effect.gen(function*() {
      const place = yield* temporaryPlace
      const beat = fileIn(place, "plan.lease/1.beat")
      const seen = new Set<string>()
      yield* Effect.scoped(Effect.gen(function*() {
        yield* hold(place)
        yield* Effect.repeat(
          Effect.delay(
            Effect.sync(() => {
              if (fs.existsSync(beat)) seen.add(fs.readFileSync(beat, "utf8"))
              return seen.size
            }),
            10
          ),
          { until: (size) => size >= 4 }
        )
      }))
      expect(fs.existsSync(fileIn(place, "plan.lease/1.released"))).toBe(true)
    })))
})
