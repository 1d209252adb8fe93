import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as path from "node:path"
import type { EventRecord } from "../../src/event/EventRecord.ts"
import { layer } from "../../src/monitor/LiveFiles.ts"
import { observeLogs } from "../../src/monitor/readLogs.ts"
import { Files } from "../../src/port/Files.ts"
import { makeDetector } from "../../src/rule/detect.ts"
import { Monitoring } from "../../src/rule/Monitoring.ts"
import { fold } from "../../src/session/fold.ts"
import { emptySession, type Session } from "../../src/session/Session.ts"
import { sessionView } from "../../src/session/view.ts"
import { begin, machine, plannedJob } from "../rule/machine.ts"
import { stateDir } from "./world.ts"

const monitoring: typeof Monitoring.Encoded = {
  log_events: [
    { name: "step", pattern: "step (?P<n>\\d+)", extract_groups: { n: "n" }, metadata: { kind: "progress" } },
    { name: "slow", pattern: "^(?:a|aa)+$", metadata: { kind: "progress" } }
  ]
}
const detect = Either.getOrThrow(makeDetector(Schema.decodeUnknownSync(Monitoring)(monitoring)))

/** A running job that writes into files of a directory of its own, and a reader of them whose memory is its journal. */
const reader = (names: ReadonlyArray<string> = ["log"]) =>
  Effect.gen(function*() {
    const dir = yield* stateDir
    const [log = "", ...others] = names.map((name) => path.join(dir, name))
    const m = machine(monitoring, [plannedJob("a", 0, { output_paths: others })])
    m.submitAll()
    const [submission] = m.session.submissions.values()
    const about = { job: "a", attempt: 1 }
    const how = "answered" as const
    m.fact("JobSubmitted", {
      nonce: submission?.nonce ?? "",
      name: submission?.name ?? "",
      slurm_id: "1",
      task: null,
      cluster: "",
      log_path: log,
      how
    }, about)
    m.state("RUNNING")
    const records: Array<EventRecord> = [...m.records]
    let session = m.session

    const turn = (which: "all" | "behind" = "all") =>
      Effect.gen(function*() {
        const found: Array<string> = []
        yield* observeLogs(session, () => ({ detect, settleSeconds: 5 }), begin, which, (facts) =>
          Effect.sync(() => {
            for (const fact of facts) {
              // As the journal gives it back.
              const data = JSON.parse(JSON.stringify(fact.data))
              const record = { ...fact, data, seq: session.seq + 1, at: begin, epoch: 1 } as EventRecord
              records.push(record)
              fold(session, record)
              if (fact.type === "LogRead") found.push(...fact.data.matches.map(({ groups }) => groups["n"] ?? ""))
            }
          }))
        return found
      })
    return {
      log,
      others,
      turn,
      records,
      view: () => sessionView(session),
      /** Forgets all but the journal. */
      resume: () => session = records.reduce<Session>(fold, emptySession()),
      last: (type: EventRecord["type"]) => records.findLast((record) => record.type === type)?.data
    }
  })

const append = (file: string, text: string) => fs.appendFileSync(file, text)

/** Counts the bytes that were asked of the file system. */
const counting = (count: { bytes: number }) =>
  Layer.map(layer, (context) => {
    const files = Effect.runSync(Effect.provide(Files, context))
    return Effect.runSync(Effect.provide(
      Effect.context<Files>(),
      Layer.succeed(Files, {
        ...files,
        read: (file, offset, limit) =>
          Effect.tap(files.read(file, offset, limit), (chunk) =>
            Effect.sync(() => {
              count.bytes += (chunk?.bytes.length ?? 0) + (offset === 0 ? 0 : chunk?.head.length ?? 0)
            }))
      })
    ))
  })

describe("a log that is read while a job writes it", () => {
  it.scoped("W-10: is read on where it was left, also by a monitor that knows the journal only", () =>
    Effect.gen(function*() {
      const { log, resume, turn } = yield* reader()
      append(log, "step 1\nstep 2\nst")
      expect(yield* turn()).toEqual(["1", "2"])
      expect(yield* turn()).toEqual([])
      resume()
      append(log, "ep 3\n")
      expect(yield* turn()).toEqual(["3"])
      resume()
      expect(yield* turn()).toEqual([])
    }).pipe(Effect.provide(layer)))

  it.scoped("W-15: gives a line once it is whole, however it was written", () =>
    Effect.gen(function*() {
      const { log, resume, turn } = yield* reader()
      append(log, "st")
      expect(yield* turn()).toEqual([])
      append(log, "ep 10")
      expect(yield* turn()).toEqual([])
      resume()
      append(log, "00\n")
      expect(yield* turn()).toEqual(["1000"])
    }).pipe(Effect.provide(layer)))

  it.scoped("may appear late, go, and come back", () =>
    Effect.gen(function*() {
      const { last, log, turn } = yield* reader()
      expect(yield* turn()).toEqual([])
      append(log, "step 1\n")
      expect(yield* turn()).toEqual(["1"])
      append(log, "half a line")
      yield* turn()
      fs.rmSync(log)
      yield* turn()
      yield* turn()
      expect(last("LogUnreadable")).toMatchObject({ message: expect.stringContaining("not read to its end") })
      append(log, "step 2\nand more of what is longer than before\n")
      expect(yield* turn()).toEqual(["2"])
      expect(last("LogReadable")).toEqual({ path: log })
    }).pipe(Effect.provide(layer)))

  it.scoped("costs its new bytes and a look at its head and its last bytes, whatever its size is", () => {
    const count = { bytes: 0 }
    return Effect.gen(function*() {
      const { log, turn } = yield* reader()
      append(log, "x".repeat(99).concat("\n").repeat(20_000))
      yield* turn()
      const before = count.bytes
      expect(before).toBeLessThan(2_100_000)
      for (let n = 0; n < 10; n++) {
        append(log, `step ${n}\n`)
        expect(yield* turn()).toEqual([`${n}`])
      }
      expect(count.bytes - before).toBeLessThan(10 * 2048)
    }).pipe(Effect.provide(counting(count)))
  })

  it.scoped("is read from its beginning after it was truncated, and no match is found twice", () =>
    Effect.gen(function*() {
      const { last, log, resume, turn } = yield* reader()
      append(log, "step 1\nstep 2\n")
      yield* turn()
      fs.writeFileSync(log, "step 3\n")
      expect(yield* turn()).toEqual(["3"])
      expect(last("LogRead")).toMatchObject({ anew: "truncated", from: 0 })
      resume()
      append(log, "step 4\n")
      expect(yield* turn()).toEqual(["4"])
    }).pipe(Effect.provide(layer)))

  it.scoped.each([
    { how: "of equal size", content: "step 8\nstep 9\n" },
    { how: "that is longer", content: "step 8\nstep 9\nstep 10\n" },
    { how: "that begins alike", content: "step 1\nstep 9\n" }
  ])("is read anew when the same file was given another content $how", ({ content }) =>
    Effect.gen(function*() {
      const { last, log, turn } = yield* reader()
      append(log, "step 1\nstep 2\n")
      yield* turn()
      // The inode stays, as where `cp log old; : > log` rotates, or where a freed inode is given out again.
      fs.writeFileSync(log, content)
      expect(yield* turn()).toEqual([...content.matchAll(/\d+/g)].map(([n]) => n))
      expect(last("LogRead")).toMatchObject({ anew: "replaced" })
      expect(yield* turn()).toEqual([])
    }).pipe(Effect.provide(layer)))

  it.scoped("is known to be another one by its end where a long beginning is the same", () =>
    Effect.gen(function*() {
      const { log, turn } = yield* reader()
      const banner = "loading modules\n".repeat(200)
      append(log, `${banner}step 1\nstep 2\n`)
      yield* turn()
      fs.writeFileSync(log, `${banner}step 3\nstep 4\nstep 5\n`)
      expect(yield* turn()).toEqual(["3", "4", "5"])
    }).pipe(Effect.provide(layer)))

  it.scoped("is read to its end under its new name when it was rotated", () =>
    Effect.gen(function*() {
      const { last, log, resume, turn } = yield* reader()
      append(log, "step 1\n")
      yield* turn()
      append(log, "step 2\nstep 3")
      fs.renameSync(log, `${log}.1`)
      resume()
      expect(yield* turn()).toEqual(["2"])
      expect(last("LogUnreadable")).toBeUndefined()
      append(log, "step 4\n")
      expect(yield* turn()).toEqual(["3", "4"])
      expect(yield* turn()).toEqual([])
    }).pipe(Effect.provide(layer)))

  it.scoped("is replaced by another file: the rest of the old one is gone, the new one is read", () =>
    Effect.gen(function*() {
      const { log, turn } = yield* reader()
      append(log, "step 1\n")
      yield* turn()
      append(`${log}.new`, "step 7\n")
      fs.renameSync(`${log}.new`, log)
      expect(yield* turn()).toEqual(["7"])
    }).pipe(Effect.provide(layer)))

  it.scoped(
    "holds 2 GB: a turn reads a bounded part of it in bounded memory, and the others are read meanwhile",
    () => {
      const count = { bytes: 0 }
      return Effect.gen(function*() {
        const { last, log, others: [other = ""], turn } = yield* reader(["log", "other"])
        append(log, "step 1\n")
        const size = 2 * 1024 ** 3
        fs.truncateSync(log, size)
        append(log, "\nstep 2\n")
        append(other, "step 3\n")
        const before = process.memoryUsage().arrayBuffers
        expect(yield* turn()).toEqual(["1", "3"])
        expect(count.bytes).toBeLessThan(20 * 1024 ** 2)
        append(other, "step 4\n")
        expect(yield* turn()).toEqual(["4"])
        const found: Array<string> = []
        for (let turns = 0; turns < 200 && found.length === 0; turns++) {
          found.push(...(yield* turn("behind")))
          if (turns > 120) found.push(...(yield* turn()))
        }
        expect(found).toEqual(["2"])
        expect(last("LogRead")).toMatchObject({ to: size + 8, size: size + 8 })
        expect(count.bytes).toBeLessThan(size * 1.02)
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(256 * 1024 ** 2)
        expect(yield* turn("behind")).toEqual([])
      }).pipe(Effect.provide(counting(count)))
    },
    120_000
  )

  it.scoped("waits for its next turn after many matches: memory is bounded", () =>
    Effect.gen(function*() {
      const { log, turn } = yield* reader()
      const lines = Array.from({ length: 120_000 }, (_, n) => `step ${n}`)
      append(log, `${lines.join("\n")}\n`)
      const first = yield* turn()
      expect(first.length).toBeLessThan(60_000)
      const rest: Array<string> = []
      for (let turns = 0; turns < 20 && first.length + rest.length < lines.length; turns++) {
        rest.push(...(yield* turn("behind")))
      }
      expect([...first, ...rest].map((n) => `step ${n}`)).toEqual(lines)
    }).pipe(Effect.provide(layer)))

  it.scoped("is no pipe: it is said, and nothing waits for a writer", () =>
    Effect.gen(function*() {
      const { last, log, turn } = yield* reader()
      fs.mkdirSync(log)
      expect(yield* turn()).toEqual([])
      expect(last("LogUnreadable")).toMatchObject({ path: log })
    }).pipe(Effect.provide(layer)))
})

describe("the files of one job", () => {
  it.scoped("come in the order in which they were last written, as far as files can tell", () =>
    Effect.gen(function*() {
      const { log, others: [other = ""], turn } = yield* reader(["log", "other"])
      append(log, "step 2\n")
      append(other, "step 1\n")
      fs.utimesSync(log, 2000, 2000)
      fs.utimesSync(other, 1000, 1000)
      expect(yield* turn()).toEqual(["1", "2"])
      append(log, "step 3\n")
      append(other, "step 4\n")
      fs.utimesSync(other, 4000, 4000)
      fs.utimesSync(log, 3000, 3000)
      expect(yield* turn()).toEqual(["3", "4"])
    }).pipe(Effect.provide(layer)))
})

describe("a pattern that is too slow", () => {
  it.scoped("is switched off once for the whole session, also after a resume", () =>
    Effect.gen(function*() {
      const { log, records, resume, turn, view } = yield* reader()
      append(log, `step 1\n${"a".repeat(200)}b\nstep 2\n`)
      expect(yield* turn()).toEqual(["1", "2"])
      resume()
      append(log, `${"a".repeat(200)}b\nstep 3\n`)
      expect(yield* turn()).toEqual(["3"])
      const off = records.flatMap((record) => record.type === "PatternSwitchedOff" ? [record.data.rule] : [])
      expect(off).toEqual(["slow"])
      expect(view().rules_off).toEqual([{ rule: "slow", why: expect.stringContaining("500 ms"), since: begin }])
    }).pipe(Effect.provide(layer)))
})
