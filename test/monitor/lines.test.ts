import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { logFacts } from "../../src/monitor/lines.ts"
import { makeDetector } from "../../src/rule/detect.ts"
import { Monitoring } from "../../src/rule/Monitoring.ts"
import type { LogPosition } from "../../src/session/Session.ts"

const detect = Either.getOrThrow(makeDetector(
  Schema.decodeUnknownSync(Monitoring)({
    log_events: [
      {
        name: "saved",
        pattern: "saved (?P<path>\\S+)",
        extract_groups: { path: "path" },
        actions: [{ class_name: "LogAction", message: "saved" }]
      },
      { name: "step", pattern: "step (\\d+)", extract_groups: { n: 1 }, metadata: { kind: "progress" } },
      { name: "literal", pattern_type: "substring", pattern: "a.b (c", metadata: { error_type: "x" } }
    ]
  })
))

/** What the rules find in a log that is read whenever it has grown to one of the sizes, and once more at the end. */
const readAt = (log: Buffer, sizes: ReadonlyArray<number>) => {
  let known: LogPosition | undefined
  return [...sizes, log.length].flatMap((size, index) => {
    const from = known?.offset ?? 0
    const facts = logFacts({
      job: "a",
      attempt: 1,
      path: "/log",
      known,
      from,
      chunk: { identity: "f", size, bytes: log.subarray(from, size) },
      final: index === sizes.length,
      detect
    })
    const last = facts.at(-1)
    if (last !== undefined) known = { identity: "f", offset: last.data.to, size }
    return facts
  })
}

const words = FastCheck.constantFrom("saved /ckpt/é/1", "step 12", "x", "\n", "\r\n", "a.b (c", "日本", " ", "saved ")
const logs = FastCheck.array(words, { maxLength: 60 }).map((parts) => Buffer.from(parts.join("")))

describe("reading a log", () => {
  it("finds the same in any split of its bytes as in one read", () => {
    FastCheck.assert(
      FastCheck.property(logs, FastCheck.array(FastCheck.nat(400), { maxLength: 20 }), (log, cuts) => {
        const sizes = cuts.filter((cut) => cut <= log.length).sort((a, b) => a - b)
        const matches = (facts: ReturnType<typeof readAt>) => facts.flatMap(({ data }) => data.matches)
        expect(matches(readAt(log, sizes))).toEqual(matches(readAt(log, [])))
      })
    )
  })

  it("reads every byte once: reads follow each other without gap or overlap", () => {
    FastCheck.assert(
      FastCheck.property(logs, FastCheck.array(FastCheck.nat(400), { maxLength: 20 }), (log, cuts) => {
        const sizes = cuts.filter((cut) => cut <= log.length).sort((a, b) => a - b)
        const facts = readAt(log, sizes)
        let at = 0
        for (const { data } of facts) {
          expect(data.from).toBe(at)
          at = data.to
        }
        expect(at).toBe(log.length)
      })
    )
  })

  it("points each match to its byte in the file", () => {
    const log = Buffer.from("日本 step 7\nsaved /ckpt/é/1\n")
    const found = readAt(log, []).flatMap(({ data }) => data.matches)
    expect(found.map(({ offset, rule }) => [rule, log.subarray(offset, offset + 5).toString()])).toEqual([
      ["step", "step "],
      ["saved", "saved"]
    ])
  })

  it("records growth without a whole line as a sign of life, and consumes none of it", () => {
    const facts = readAt(Buffer.from("saved /ckpt/10"), [6])
    expect(facts[0]).toMatchObject({ data: { from: 0, to: 0, size: 6, matches: [] } })
  })

  it("puts many matches into several records and drops none", () => {
    const log = Buffer.from("saved /c\n".repeat(1000))
    const facts = readAt(log, [])
    expect(facts.length).toBeGreaterThan(1)
    expect(facts.every(({ data }) => data.matches.length <= 256)).toBe(true)
    expect(facts.flatMap(({ data }) => data.matches)).toHaveLength(1000)
  })

  it("keeps the line of rules that act, cut at 2 KiB, and not of rules that note progress", () => {
    const [saved, step] = readAt(Buffer.from(`saved /c ${"y".repeat(5000)}\nstep 3\n`), [])
      .flatMap(({ data }) => data.matches)
    expect(saved?.line).toHaveLength(2048)
    expect(step).toMatchObject({ groups: { n: "3" } })
    expect(step?.line).toBeUndefined()
  })

  it("takes a substring rule by the letter", () => {
    expect(readAt(Buffer.from("aXb (c\na.b (c\n"), []).flatMap(({ data }) => data.matches)).toHaveLength(1)
  })
})
