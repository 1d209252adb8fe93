import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as path from "node:path"
import { expect } from "vitest"
import { layer } from "../../src/config/ConfigFiles.ts"
import { load } from "../../src/config/load.ts"
import type { EventRecord } from "../../src/event/EventRecord.ts"
import { readLines } from "../../src/monitor/lines.ts"
import { logFacts, tailBytes } from "../../src/monitor/logFacts.ts"
import { type Detector, makeDetector } from "../../src/rule/detect.ts"
import { Monitoring } from "../../src/rule/Monitoring.ts"
import { fold } from "../../src/session/fold.ts"
import { emptySession, logKey } from "../../src/session/Session.ts"

const detectorOf = (monitoring: unknown): Detector =>
  Either.getOrThrow(makeDetector(Schema.decodeUnknownSync(Monitoring)(monitoring)))

const rules = detectorOf({
  log_events: [
    {
      name: "saved",
      pattern: "saved (?P<path>\\S+)",
      extract_groups: { path: "path" },
      actions: [{ class_name: "LogAction", message: "saved" }]
    },
    { name: "step", pattern: "step (\\d+)", extract_groups: { n: 1 }, metadata: { kind: "progress" } },
    { name: "literal", pattern_type: "substring", pattern: "a.b (c", metadata: { error_type: "x" } },
    { name: "empty", pattern: "^$", metadata: { error_type: "x" } },
    { name: "end", pattern: "x$", metadata: { error_type: "x" } },
    { name: "word", pattern: "\\bé\\w*", extract_groups: { word: "match" }, metadata: { kind: "progress" } }
  ]
})

const about = { job: "a", attempt: 1, path: "/log" }
const key = logKey("a", "/log")

/**
 * The facts of a log that is read whenever it has grown to one of the sizes, at most `limit` bytes at once, and once more
 * at its end. What is known between two reads is what the journal says.
 */
const readAt = (log: Buffer, sizes: ReadonlyArray<number>, detect = rules, limit = 1 << 20) => {
  const session = emptySession()
  const off = new Set<string>()
  const read = (size: number, final: boolean) => {
    const known = session.logs.get(key)
    const start = Math.max(0, (known?.offset ?? 0) - tailBytes)
    const end = Math.min(size, (known?.offset ?? 0) + limit)
    const chunk = {
      identity: "f",
      size,
      modified: 0,
      bytes: log.subarray(start, end),
      head: log.subarray(0, Math.min(size, 1024))
    }
    const atEnd = end === size
    const facts = logFacts({ about, known, anew: null, chunk, start, atEnd, final: final && atEnd, detect, off })
    for (const fact of facts) {
      const record: EventRecord = { ...fact, seq: session.seq + 1, at: "2026-11-23T03:00:00.000Z", epoch: 1 }
      fold(session, record)
    }
    return facts
  }
  const facts: Array<ReturnType<typeof read>[number]> = []
  for (const size of sizes) facts.push(...read(size, false))
  for (let last = -1; (session.logs.get(key)?.offset ?? 0) !== last;) {
    last = session.logs.get(key)?.offset ?? 0
    facts.push(...read(log.length, true))
  }
  return facts.filter((fact) => fact.type === "LogRead")
}

const matches = (facts: ReturnType<typeof readAt>) => facts.flatMap(({ data }) => data.matches)
const cutLines = (facts: ReturnType<typeof readAt>) => facts.reduce((sum, { data }) => sum + (data.cut ?? 0), 0)

const words = FastCheck.constantFrom(
  ...["saved /ckpt/é/1", "step 12", "x", "\n", "\r\n", "\r", "a.b (c", "日本", "😀", "é", " ", "saved ", "\0", "\ufeff"]
    .map((text) => Buffer.from(text)),
  Buffer.from([0xff, 0xc3]),
  Buffer.from([0xe6, 0x97]),
  Buffer.from("y".repeat(16 * 1024 - 3)),
  Buffer.from("step 7 ".repeat(3000))
)
const logs = FastCheck.oneof(
  { weight: 3, arbitrary: FastCheck.array(words, { maxLength: 60 }).map((parts) => Buffer.concat(parts)) },
  { weight: 1, arbitrary: FastCheck.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)) }
)
/** Sizes to which a log grows, as parts of a thousand, and how much is read at once. */
const splits = FastCheck.tuple(
  FastCheck.array(FastCheck.nat(1000), { maxLength: 20 }),
  FastCheck.constantFrom(17_000, 20_001, 1 << 20)
)

const sizesOf = (log: Buffer, cuts: ReadonlyArray<number>) =>
  cuts.map((cut) => Math.floor(cut * log.length / 1000)).sort((a, b) => a - b)

describe("reading a log", () => {
  it("W-15: finds the same in any split of its bytes as in one read", () => {
    FastCheck.assert(
      FastCheck.property(logs, splits, (log, [cuts, limit]) => {
        const split = readAt(log, sizesOf(log, cuts), rules, limit)
        const whole = readAt(log, [])
        expect(matches(split)).toEqual(matches(whole))
        expect(cutLines(split)).toBe(cutLines(whole))
      }),
      { numRuns: 150 }
    )
  })

  it.effect("finds the same in any split under the rules that are shipped", () =>
    Effect.gen(function*() {
      const configDir = path.resolve(import.meta.dirname, "../../config")
      const request = { configDir, configRef: "autoexp", overrides: ["monitoring=megatron_production"] }
      const { config } = yield* Effect.provide(load(request), layer)
      const shipped = Either.getOrThrow(makeDetector(config.monitoring))
      const lines = FastCheck.constantFrom(
        " [2026-03-14 09:26:53.589793] iteration     1200/   20000 | lm loss: 2.73E+00 | number of nan iterations:   0 |",
        "  successfully saved checkpoint from iteration    1200 to runs/é/ckpt [ t 1/2, p 1/1 ]",
        "[rank3]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB. GPU 3 has",
        "torch.distributed.DistBackendError: NCCL error in: x.hpp:268, unhandled system error, NCCL version 2.21.5",
        "ValueError: naïve",
        "srun: error: gpu07: task 3: Out Of Memory",
        "█████ 42% loss: nan"
      )
      const ends = FastCheck.constantFrom("\n", "\n", "\r\n", "\r", "", "\0")
      const texts = FastCheck.array(FastCheck.tuple(lines, ends).map((parts) => parts.join("")), { maxLength: 30 })
      FastCheck.assert(
        FastCheck.property(texts.map((parts) => Buffer.from(parts.join(""))), splits, (log, [cuts, limit]) => {
          expect(matches(readAt(log, sizesOf(log, cuts), shipped, limit)))
            .toEqual(matches(readAt(log, [], shipped)))
        })
      )
    }))

  it("reads every byte once: reads follow each other without gap or overlap", () => {
    FastCheck.assert(
      FastCheck.property(logs, splits, (log, [cuts, limit]) => {
        let at = 0
        for (const { data } of readAt(log, sizesOf(log, cuts), rules, limit)) {
          expect(data.from).toBe(at)
          at = data.to
        }
        expect(at).toBe(log.length)
      })
    )
  })

  it("points each match to its byte in the file, also behind bytes that are no UTF-8", () => {
    const broken = Buffer.from([0xff, 0xe6, 0x97, 0x20, 0xf0, 0x9f, 0x98])
    const log = Buffer.concat([
      Buffer.from("日本 step 7\nsaved /ckpt/é/1\n"),
      broken,
      Buffer.from("step 9 😀 step 8\n")
    ])
    expect(
      matches(readAt(log, [])).filter(({ rule }) => rule !== "word").map((
        { offset, rule }
      ) => [rule, log.subarray(offset, offset + 6).toString()])
    )
      .toEqual([["step", "step 7"], ["saved", "saved "], ["step", "step 9"], ["step", "step 8"]])
  })

  it("takes the lines of a progress bar one by one, and a line end of Windows for one end", () => {
    const { blocks } = readLines(Buffer.from("1%\r50%\r100%\r\ndone\r\n\r\n"), 0, false, false)
    expect(blocks.map(({ text }) => text)).toEqual(["1%\n50%\n100%\ndone\n"])
  })

  it("looks at the first 16 KiB of a line, tears no character, says that it was cut, and goes on behind it", () => {
    const long = `${"é".repeat(9000)} step 1`
    const [fact, ...rest] = readAt(Buffer.from(`x${long}\nstep 2\n`), [])
    expect(rest).toEqual([])
    expect(fact?.data).toMatchObject({ cut: 1, matches: [{ rule: "step", groups: { n: "2" } }] })
    const { blocks } = readLines(Buffer.from(`x${long}\n`), 0, false, false)
    expect(blocks[0]?.text).toBe(`x${"é".repeat(8191)}`)
  })

  it("does not wait for the end of a line that has none: memory is bounded", () => {
    const facts = readAt(Buffer.from(`step 1 ${"y".repeat(300_000)} step 2`), [20_000, 150_000, 299_000])
    expect(facts.map(({ data }) => [data.to, data.within ?? false, data.matches.length])).toEqual([
      [20_000, true, 1],
      [150_000, true, 0],
      [299_000, true, 0],
      [300_014, true, 0]
    ])
  })

  it("records growth without a whole line as a sign of life, and consumes none of it", () => {
    const facts = readAt(Buffer.from("saved /ckpt/10"), [6])
    expect(facts[0]).toMatchObject({ data: { from: 0, to: 0, size: 6, matches: [] } })
  })

  it("waits once for text that a shared file system shows as NUL bytes", () => {
    const written = Buffer.from("step 1\nsaved /c\nstep 2\n")
    const seen = Buffer.from(written)
    seen.fill(0, 9, 14)
    const session = emptySession()
    const read = (log: Buffer) =>
      logFacts({
        about,
        known: session.logs.get(key),
        anew: null,
        chunk: { identity: "f", size: log.length, modified: 0, bytes: log, head: log },
        start: 0,
        atEnd: true,
        final: false,
        detect: rules,
        off: new Set()
      }).map((fact) => {
        fold(session, { ...fact, seq: 1, at: "", epoch: 1 })
        return fact.type === "LogRead" ? [fact.data.to, ...fact.data.matches.map(({ rule }) => rule)] : []
      })
    expect(read(seen)).toEqual([[7, "step"]])
    expect(read(written)).toEqual([[23, "saved", "step"]])
  })

  it("puts many matches into several records and drops none", () => {
    const log = Buffer.from("saved /c saved /d\n".repeat(500))
    const facts = readAt(log, [])
    expect(facts.length).toBeGreaterThan(1)
    expect(facts.every(({ data }) => data.matches.length <= 257)).toBe(true)
    expect(matches(facts)).toHaveLength(1000)
    for (const { data } of facts) {
      expect(log.subarray(data.from - 1, data.from).toString()).toBe(data.from === 0 ? "" : "\n")
      expect(data.matches.every(({ offset }) => offset >= data.from && offset < data.to)).toBe(true)
    }
  })

  it("keeps a record of long lines small", () => {
    const facts = readAt(Buffer.from(`saved ${"p".repeat(15_000)}\n`.repeat(100)), [])
    expect(facts.every((fact) => JSON.stringify(fact).length < 300_000)).toBe(true)
    expect(matches(facts)).toHaveLength(100)
  })

  it("keeps the line of rules that act, cut at 2 KiB, and not of rules that note progress", () => {
    const [saved, step] = matches(readAt(Buffer.from(`saved /c ${"y".repeat(5000)}\nstep 3\n`), []))
    expect(saved?.line).toHaveLength(2048)
    expect(step).toMatchObject({ groups: { n: "3" } })
    expect(step?.line).toBeUndefined()
  })
})

describe("a pattern that takes too long", () => {
  const slow = detectorOf({
    log_events: [
      { name: "before", pattern: "step", metadata: { error_type: "x" } },
      { name: "slow", pattern: "^(?:a|aa)+$", metadata: { error_type: "x" } },
      { name: "after", pattern: "saved", metadata: { error_type: "x" } }
    ]
  })
  const log = Buffer.from(`step\naa\n${"a".repeat(200)}b\nsaved step\n`)
  const read = (off: Set<string>) =>
    logFacts({
      about,
      known: undefined,
      anew: null,
      chunk: { identity: "f", size: log.length, modified: 0, bytes: log, head: log },
      start: 0,
      atEnd: true,
      final: true,
      detect: slow,
      off
    })

  it("is given up, which is recorded, while the other rules miss nothing", () => {
    const off = new Set<string>()
    const [first, second] = read(off)
    expect(first).toMatchObject({
      type: "PatternSwitchedOff",
      data: { rule: "slow", pattern: "^(?:a|aa)+$", from: 0, to: log.length }
    })
    expect(second).toMatchObject({
      type: "LogRead",
      data: { matches: ["before", "slow", "after", "before"].map((rule) => ({ rule })) }
    })
    expect([...off]).toEqual(["^(?:a|aa)+$"])
  })

  it("is not tried again", () => {
    expect(read(new Set(["^(?:a|aa)+$"])).map(({ type }) => type)).toEqual(["LogRead"])
  })
})
