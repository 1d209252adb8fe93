import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { makeDetector } from "../../src/rule/detect.ts"
import { lintRules } from "../../src/rule/lint.ts"
import { Monitoring } from "../../src/rule/Monitoring.ts"
import { matchesIn } from "./finding.ts"
import { machine, types } from "./machine.ts"

type Rules = Parameters<typeof machine>[0]

const say = (message: string) => ({ class_name: "LogAction" as const, message })
const restart = { class_name: "RestartAction", max_restarts: 2 } as const
const told = { rule: "termination-string" }

const running = (rules: Rules) => {
  const m = machine({
    inactivity_threshold_seconds: 100,
    log_settle_seconds: 0,
    poll_interval_seconds: 30,
    state_events: [
      { name: "success", metadata: { note: "well" }, actions: [say("{reason} {note}")] },
      { name: "crash", actions: [restart] },
      { name: "timeout", actions: [restart] },
      { name: "stall", actions: [restart] }
    ],
    ...rules
  })
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  return m
}

const messages = (records: ReturnType<typeof machine>["records"]) =>
  records.flatMap((record) => record.type === "ActionLogged" ? [record.data.message] : [])

describe("termination_string", () => {
  it("raises the success event at once and once, and leaves the job to the scheduler", () => {
    const m = running({ termination_string: "All done." })
    m.log([told, told])
    m.log([told])
    expect(messages(m.records)).toEqual(["termination-string well"])
    expect(m.job()).toMatchObject({ live: true, outcome: null, cancel: null })
    m.state("COMPLETED")
    m.pass(1)
    expect(messages(m.records)).toHaveLength(1)
    expect(m.job()).toMatchObject({ outcome: "success" })
    expect(m.replay()).toEqual(m.records)
  })

  it.each(["FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL"])(
    "W-27: makes a success of an attempt that ends as %s",
    (state) => {
      const m = running({ termination_string: "All done." })
      m.log([told])
      m.state(state, "a", { exit_code: 1 })
      m.pass(1)
      expect(m.job()).toMatchObject({
        outcome: "success",
        attempt: 1,
        why: expect.stringContaining("termination-string")
      })
    }
  )

  it("W-29: counts as well where its line comes after the scheduler has told the end", () => {
    const m = running({ termination_string: "All done.", log_settle_seconds: 5 })
    m.state("FAILED", "a", { exit_code: 1 })
    m.log([told])
    m.pass(6)
    expect(m.job()).toMatchObject({ outcome: "success", attempt: 1 })
  })

  it("voids the restarts that failures asked for, before it and after", () => {
    const nccl = { name: "nccl", pattern: "x", state: { class_name: "CrashState" }, actions: [restart] } as const
    const before = running({ termination_string: "All done.", log_events: [nccl] })
    before.log([{ rule: "nccl" }, told])
    before.state("CANCELLED")
    expect(types(before.pass(1))).toContain("RestartDropped")
    expect(before.job()).toMatchObject({ outcome: "success", attempt: 1 })
    const after = running({ termination_string: "All done.", log_events: [nccl] })
    expect(types(after.log([told, { rule: "nccl" }]))).not.toContain("RestartDecided")
    expect(types(after.pass(101))).not.toContain("RestartDecided")
  })

  it("is not submitted again though the scheduler forgets the job", () => {
    const m = running({ termination_string: "All done." })
    m.log([told])
    m.state("MISSING")
    m.pass(61)
    expect(m.job()).toMatchObject({ outcome: "success", attempt: 1 })
  })

  it("speaks of the attempt that wrote it, and of no later one", () => {
    const m = running({ termination_string: "All done." })
    m.state("FAILED", "a", { exit_code: 1 })
    m.pass(1)
    m.accept()
    m.state("RUNNING")
    m.fact("LogRead", {
      path: "/out/a/slurm-1.out",
      from: 0,
      to: 9,
      size: 9,
      identity: "f",
      matches: [{ rule: "termination-string", offset: 0, groups: {}, line: "All done." }]
    }, { job: "a", attempt: 1 })
    expect(m.job()).toMatchObject({ attempt: 2, completed: null })
  })

  it("is a text and no pattern, and is found as log events are", () => {
    const rules = Schema.decodeUnknownSync(Monitoring)({ termination_string: "done (1+1)." })
    const detector = Either.getOrThrow(makeDetector(rules))
    expect(matchesIn(detector, ["done (1+1)!", "it is done (1+1). Bye"]).map(({ line }) => line)).toEqual([
      "it is done (1+1). Bye"
    ])
  })

  it("must stand in one line, and keeps its name to itself", () => {
    const lint = (rules: unknown) => lintRules(Schema.decodeUnknownSync(Monitoring)(rules), []).map(({ path }) => path)
    expect(lint({ termination_string: "a\nb" })).toEqual([["termination_string"]])
    const rule = { name: "termination-string", pattern: "x", metadata: { a: 1 } }
    expect(lint({ termination_string: "a", log_events: [rule] })).toEqual([["log_events", 0, "name"]])
    expect(lint({ log_events: [rule] })).toEqual([])
  })
})

describe("termination_command", () => {
  const question = (m: ReturnType<typeof machine>) =>
    [...m.session.gates.values()].map(({ asked, id }) => [id, asked.question])

  it("is asked of an attempt that runs, again every poll interval, as the author wrote it", () => {
    const m = running({ termination_command: "grep -c {x} f" })
    expect(question(m)).toEqual([["termination a", {
      kind: "command",
      argv: ["sh", "-c", "grep -c {x} f"],
      cwd: null,
      env: {},
      answer: "value",
      interval_seconds: 30,
      timeout_seconds: 600
    }]])
    m.fact("ConditionObserved", { binding: "termination a", holds: true, why: "1" }, { job: "a", attempt: 1 })
    expect(messages(m.records)).toEqual(["termination-command well"])
    m.state("FAILED", "a", { exit_code: 1 })
    m.pass(1)
    expect(m.job()).toMatchObject({ outcome: "success" })
    expect(m.session.gates.size).toBe(0)
    expect(m.replay()).toEqual(m.records)
  })

  it("is asked anew of the next attempt, and an answer about the one before it counts for nothing", () => {
    const m = running({ termination_command: "check" })
    m.state("FAILED", "a", { exit_code: 1 })
    m.pass(1)
    expect(m.session.gates.size).toBe(0)
    m.accept()
    m.fact("ConditionObserved", { binding: "termination a", holds: true, why: "1" }, { job: "a", attempt: 1 })
    m.state("RUNNING")
    m.fact("ConditionObserved", { binding: "termination a", holds: true, why: "1" }, { job: "a", attempt: 1 })
    expect(m.job()).toMatchObject({ attempt: 2, completed: null })
    expect(question(m)).toHaveLength(1)
  })
})

describe("state_whitelist", () => {
  const seen = { name: "seen", pattern: "x", actions: [say("seen")] }
  const quiet = { name: "quiet", pattern: "q", state: { class_name: "UndefinedState" } } as const
  const awake = { name: "awake", pattern: "w", state: { class_name: "StartedState" } } as const

  it("leaves the events of a log alone while the job is in another state, whatever reads divide it into", () => {
    for (const split of [false, true]) {
      const m = running({ log_events: [seen, quiet, awake] })
      const lines = ["seen", "quiet", "seen", "seen"].map((rule) => ({ rule }))
      if (split) { for (const line of lines) m.log([line]) }
      else m.log(lines)
      expect(messages(m.records)).toEqual(["seen"])
    }
  })

  it("takes any case, names of one's own, and an empty list for always", () => {
    const own = { ...quiet, state: { class_name: "UndefinedState", key: "Warmup" } } as const
    const messagesWith = (state_whitelist: ReadonlyArray<string>) => {
      const m = running({ state_whitelist, log_events: [seen, own, awake] })
      m.log([{ rule: "quiet" }, { rule: "seen" }, { rule: "awake" }, { rule: "seen" }])
      return messages(m.records).length
    }
    expect(messagesWith([])).toBe(2)
    expect(messagesWith(["RUNNING", "warmup"])).toBe(2)
    expect(messagesWith(["warmup"])).toBe(0)
    expect(messagesWith(["running"])).toBe(0)
  })

  it("W-27: goes on after lines that look like an end, and with the last lines of what has ended", () => {
    const m = running({
      log_settle_seconds: 5,
      log_events: [seen, { name: "caught", pattern: "c", state: { class_name: "CrashState" } }]
    })
    m.log([{ rule: "caught" }, { rule: "seen" }])
    m.state("FAILED", "a", { exit_code: 1 })
    m.log([{ rule: "seen" }])
    expect(messages(m.records)).toHaveLength(2)
  })

  it("begins anew with each state that the scheduler tells", () => {
    const m = running({ log_events: [seen, quiet], state_events: [{ name: "crash", actions: [restart] }] })
    m.log([{ rule: "quiet" }])
    m.state("FAILED", "a", { exit_code: 1 })
    m.pass(1)
    m.accept()
    m.state("RUNNING")
    m.log([{ rule: "seen" }])
    expect(messages(m.records)).toHaveLength(1)
  })
})
