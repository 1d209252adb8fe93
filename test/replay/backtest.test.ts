import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { backtest, explainLine, lineOf } from "../../src/replay/backtest.ts"
import { Monitoring } from "../../src/rule/Monitoring.ts"

const rules = (
  ...events: ReadonlyArray<
    typeof Monitoring.Encoded["log_events"] extends infer A ? A extends ReadonlyArray<infer One> ? One : never : never
  >
) => Schema.decodeUnknownSync(Monitoring)({ log_events: events })

const piecesOf = (log: string, length: number): ReadonlyArray<Uint8Array> => {
  const bytes = Buffer.from(log)
  return Array.from(
    { length: Math.ceil(bytes.length / length) },
    (_, at) => bytes.subarray(at * length, (at + 1) * length)
  )
}

const found = (monitoring: Monitoring, log: string, length = 256 * 1024) => {
  const results = [...Either.getOrThrow(backtest(monitoring, "/log", piecesOf(log, length)))]
  return { hits: results.flatMap(({ hits }) => hits), slow: results.flatMap(({ slow }) => slow) }
}

const hitsOf = (monitoring: Monitoring, log: string) => found(monitoring, log).hits

describe("a backtest", () => {
  const nccl = {
    name: "nccl",
    pattern: "NCCL WARN (?P<what>\\w+)",
    extract_groups: { what: "what" },
    actions: [{ class_name: "RestartAction" as const }]
  }

  it("names file, byte, line, groups, event and actions of each match", () => {
    const log = "héllo\nstep 1\r\nNCCL WARN timeout\n\nxx NCCL WARN abort"
    expect(hitsOf(rules(nccl, { name: "step", pattern: "step" }), log)).toEqual([
      expect.objectContaining({ rule: "step", line_number: 2, offset: 7, event: null, actions: [] }),
      {
        rule: "nccl",
        file: "/log",
        offset: 15,
        line_number: 3,
        line: "NCCL WARN timeout",
        groups: { what: "timeout" },
        event: "nccl",
        actions: [{ class_name: "RestartAction", conditions: [] }]
      },
      expect.objectContaining({ rule: "nccl", line_number: 5, line: "xx NCCL WARN abort", groups: { what: "abort" } })
    ])
  })

  it("finds lines as `grep -n` counts them in a log of many portions, and each once", () => {
    const lines = Array.from(
      { length: 60_000 },
      (_, index) => index % 9_999 === 0 ? `NCCL WARN n${index}` : `iteration ${index} loss`
    )
    const hits = hitsOf(rules(nccl), lines.join("\n"))
    expect(hits.map(({ groups, line_number }) => [groups["what"], line_number])).toEqual(
      lines.flatMap((line, index) => line.startsWith("NCCL") ? [[`n${index}`, index + 1]] : [])
    )
  })

  it("finds the same in whatever pieces the log comes", () => {
    const log = "NCCL WARN é1\r\nNCCL WARN two\n\n\rNCCL WARN 3\nNCCL WARN four"
    const whole = found(rules(nccl), log).hits
    expect(whole.map(({ line_number }) => line_number)).toEqual([1, 2, 4, 5])
    for (let length = 1; length < 20; length += 1) expect(found(rules(nccl), log, length).hits).toEqual(whole)
  })

  it("gives up a pattern that is too slow, says so, and goes on with the others", () => {
    const log = `${"a".repeat(60)}!\nNCCL WARN timeout\n`
    const { hits, slow } = found(rules({ name: "bad", pattern: "(a+)+$" }, nccl), log)
    expect(slow).toMatchObject([{ rule: "bad", file: "/log" }])
    expect(hits).toMatchObject([{ rule: "nccl", line_number: 2 }])
  })
})

describe("a line explained", () => {
  const explain = (monitoring: Monitoring, line: string) => explainLine(monitoring, Buffer.from(line))

  it("says of each rule whether it matches, and if not, how far its pattern comes", () => {
    const monitoring = rules(
      { name: "yes", pattern: "lr=(?P<lr>[\\d.]+)", extract_groups: { lr: "lr" } },
      { name: "far", pattern: "NCCL (WARN|ERROR) timeout after \\d+" },
      { name: "case", pattern: "nccl warn" },
      { name: "text", pattern: "nccl warn", pattern_type: "substring" },
      { name: "none", pattern: "CUDA" },
      { name: "silence", pattern_type: "inactivity" }
    )
    const line = "NCCL WARN timeout later lr=0.1 lr=0.2"
    expect(explain(monitoring, line).map(({ matches, rule, why }) => [rule, matches, why])).toEqual([
      ["yes", true, "its pattern is found at byte 24 of the line, and 1 more after it"],
      ["far", false, "the line has `NCCL (WARN|ERROR) timeout `, but not `after \\d+` after it"],
      ["case", false, "the line has it with other upper and lower case letters"],
      ["text", false, "the line has it with other upper and lower case letters"],
      ["none", false, "the line has not even the beginning of the pattern"],
      ["silence", false, "it looks for silence, not for lines"]
    ])
    expect(explain(monitoring, line)[0]?.groups).toEqual([{ lr: "0.1" }, { lr: "0.2" }])
  })

  it("is told when what is looked for stands beyond the part that is looked at", () => {
    const [verdict] = explain(rules({ name: "late", pattern: "late" }), `${"x".repeat(20_000)}late`)
    expect(verdict).toMatchObject({ matches: false, why: expect.stringContaining("first 16 KiB") })
  })
})

describe("a line", () => {
  it("is found by its number, counted from 1, the last one without an end too", () => {
    for (const length of [1, 2, 3, 4, 100]) {
      const text = (number: number) => {
        const line = lineOf(piecesOf("a\nbcd\n\nd", length), number)
        return line === null ? null : Buffer.from(line).toString()
      }
      expect([1, 2, 3, 4, 5].map(text)).toEqual(["a", "bcd", "", "d", null])
    }
    expect(lineOf([Buffer.from("a\n")], 2)).toBeNull()
  })
})
