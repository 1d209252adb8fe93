import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as path from "node:path"
import type { EventRecord } from "../../src/event/EventRecord.ts"
import * as LiveFiles from "../../src/monitor/LiveFiles.ts"
import { logFacts } from "../../src/monitor/logFacts.ts"
import { Files } from "../../src/port/Files.ts"
import { readAgain } from "../../src/replay/readAgain.ts"
import { rulesOf } from "../../src/rule/Context.ts"
import { makeDetector } from "../../src/rule/detect.ts"
import { Monitoring } from "../../src/rule/Monitoring.ts"
import { temporary } from "../cli/autoexp.ts"
import { machine } from "../rule/machine.ts"

const encoded = (pattern: string): typeof Monitoring.Encoded => ({
  log_events: [
    { name: "kept", pattern: "loss", metadata: { kind: "progress" } },
    { name: "nccl", pattern, actions: [{ class_name: "LogAction", message: "!" }] }
  ]
})
const rules = (pattern: string) => rulesOf(Schema.decodeUnknownSync(Monitoring)(encoded(pattern)))

const text = "loss 1\nNCCL WARN timeout\nloss 2\nNCCL ERROR abort\nloss 3\n"

/** A session that read `text` from a file by a rule that looks for warnings. */
const read = Effect.gen(function*() {
  const file = path.join(yield* temporary, "a.log")
  fs.writeFileSync(file, text)
  const chunk = yield* (yield* Files).read(file, 0, 1e6)
  const m = machine(encoded("WARN"))
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  if (chunk === null) return expect.unreachable()
  const facts = logFacts({
    about: { job: "a", attempt: 1, path: file },
    known: undefined,
    anew: null,
    chunk,
    start: 0,
    atEnd: true,
    final: false,
    detect: Either.getOrThrow(makeDetector(rules("WARN").monitoring)),
    off: new Set()
  })
  for (const fact of facts) if (fact.type === "LogRead") m.fact("LogRead", fact.data, { job: "a", attempt: 1 })
  return { file, records: m.records as ReadonlyArray<EventRecord> }
})

const found = (again: Effect.Effect.Success<ReturnType<typeof readAgain>>) =>
  [...again.matches.values()].flat().map(({ line, offset, rule }) => [rule, offset, line ?? null])

describe("logs looked through again", () => {
  it.scoped("give the matches of a changed rule, in the order of the log, and keep the others", () =>
    Effect.gen(function*() {
      const { records } = yield* read
      const again = yield* readAgain(records, rules("ERROR"))
      expect(again).toMatchObject({ changed: ["nccl"], unread: [] })
      expect(found(again)).toEqual([
        ["kept", 0, null],
        ["kept", 25, null],
        ["nccl", 37, "NCCL ERROR abort"],
        ["kept", 49, null]
      ])
    }).pipe(Effect.provide(LiveFiles.layer)))

  it.scoped("are not touched where no rule looks for something else", () =>
    Effect.gen(function*() {
      const { file, records } = yield* read
      fs.rmSync(file)
      expect(yield* readAgain(records, rules("WARN"))).toMatchObject({ changed: [], unread: [] })
    }).pipe(Effect.provide(LiveFiles.layer)))

  it.scoped("are found under another name, and as a copy", () =>
    Effect.gen(function*() {
      const { file, records } = yield* read
      fs.renameSync(file, `${file}.1`)
      expect(found(yield* readAgain(records, rules("ERROR")))).toHaveLength(4)
      fs.writeFileSync(file, `${text}and more\n`)
      fs.rmSync(`${file}.1`)
      expect(yield* readAgain(records, rules("ERROR"))).toMatchObject({ unread: [] })
    }).pipe(Effect.provide(LiveFiles.layer)))

  it.scoped("are named where they are gone, shorter, or another file, and what is known of other rules stays", () =>
    Effect.gen(function*() {
      const { file, records } = yield* read
      const why = Effect.map(readAgain(records, rules("ERROR")), (again) => {
        expect(found(again).map(([rule]) => rule)).toEqual(["kept", "kept", "kept"])
        return again.unread.map((one) => one.why)
      })
      fs.writeFileSync(file, text.replace("loss 1", "loss 9"))
      expect(yield* why).toEqual(["another file stands there than the one that was read"])
      fs.truncateSync(file, 10)
      expect(yield* why).toEqual(["it has become shorter than it was"])
      fs.rmSync(file)
      expect(yield* why).toEqual(["it is gone"])
    }).pipe(Effect.provide(LiveFiles.layer)))
})
