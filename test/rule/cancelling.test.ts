import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { lintRules } from "../../src/rule/lint.ts"
import { Monitoring } from "../../src/rule/Monitoring.ts"
import { machine, types } from "./machine.ts"

type Rules = Parameters<typeof machine>[0]

const say = (message: string) => ({ class_name: "LogAction" as const, message })
const restart = { class_name: "RestartAction", max_restarts: 2 } as const
const modes = [
  say("{event_name}: {reason}")
]

const running = (rules: Rules) => {
  const m = machine({
    inactivity_threshold_seconds: 100,
    log_settle_seconds: 0,
    state_events: [{ name: "success", actions: modes }, { name: "crash", actions: modes }],
    ...rules
  })
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  return m
}

const done = {
  name: "done",
  pattern: "done",
  state: { class_name: "SuccessState" },
  metadata: { kind: "completion" }
} as const
const fatal = {
  name: "fatal",
  pattern: "fatal",
  state: { class_name: "CrashState" },
  metadata: { error_type: "nan" }
} as const

describe("a log event that looks like a job's end", () => {
  it.each([done, fatal])(
    "W-27: $name does not abandon a live job: it is watched until the scheduler ends it",
    (rule) => {
      const m = running({ log_events: [rule, { name: "later", pattern: "x", actions: [say("seen")] }] })
      expect(types(m.log([{ rule: rule.name }]))).toEqual(["EventRaised"])
      expect(m.job()).toMatchObject({ live: true, outcome: null })
      expect(types(m.log([{ rule: "later" }]))).toContain("ActionLogged")
      m.state("COMPLETED")
      m.pass(1)
      expect(m.job()).toMatchObject({ outcome: "success", cancel: null })
    }
  )

  it("with `cancel: true` cancels by an intent, and the job ends as the rule says", () => {
    const ended = (rule: typeof done | typeof fatal, state = "CANCELLED") => {
      const m = running({ log_events: [{ ...rule, cancel: true }] })
      expect(types(m.log([{ rule: rule.name }, { rule: rule.name }])).filter((type) => type === "CancelDecided"))
        .toHaveLength(1)
      expect(m.job()).toMatchObject({ live: true, outcome: null })
      m.fact("CancelAnswered", { slurm_id: m.job().slurm?.id ?? "" }, { job: "a", attempt: 1 })
      m.state(state)
      const decided = m.pass(1)
      expect(m.replay()).toEqual(m.records)
      return {
        outcome: m.job().outcome,
        raised: decided.flatMap((one) => one.type === "EventRaised" ? [one.data.name] : [])
      }
    }
    expect(ended(done)).toEqual({ outcome: "success", raised: ["success"] })
    expect(ended(done, "FAILED")).toEqual({ outcome: "success", raised: ["success"] })
    expect(ended(fatal)).toEqual({ outcome: "failed", raised: ["crash"] })
    expect(ended(fatal, "COMPLETED")).toEqual({ outcome: "success", raised: ["success"] })
  })

  it("ends as a stall says whose rule cancels, and tells of the stall once", () => {
    const m = running({
      log_events: [{ name: "silent", pattern_type: "inactivity", state: { class_name: "StalledState" }, cancel: true }],
      state_events: [{ name: "stall", actions: [say("stalled")] }]
    })
    m.pass(101)
    m.fact("CancelAnswered", { slurm_id: "1" }, { job: "a", attempt: 1 })
    m.state("CANCELLED")
    m.pass(1)
    expect(m.job()).toMatchObject({ outcome: "failed" })
    expect(types(m.records).filter((type) => type === "ActionLogged")).toHaveLength(1)
  })

  it("is answered by the rules of the mode that it names, a restart among them", () => {
    const m = running({
      log_events: [{ ...fatal, cancel: true }],
      state_events: [{
        name: "crash",
        actions: [{
          class_name: "EventAction",
          conditions: [{ class_name: "MetadataCondition", key: "error_type", equals: "nan" }],
          action: restart
        }]
      }]
    })
    m.log([{ rule: "fatal" }])
    m.state("CANCELLED")
    expect(types(m.pass(1))).toContain("RestartDecided")
    m.accept()
    expect(m.job()).toMatchObject({ attempt: 2, cancel: null })
  })

  it("cancels once where its own restart does too, and the restart goes on", () => {
    const m = running({ log_events: [{ ...fatal, cancel: true, actions: [restart] }] })
    expect(types(m.log([{ rule: "fatal" }])).filter((type) => type === "CancelDecided")).toHaveLength(1)
    m.state("CANCELLED")
    expect(types(m.pass(1))).toContain("SubmissionIntended")
  })

  it("cancels nobody for a line of an attempt that is over", () => {
    const m = running({ log_events: [{ ...done, cancel: true }] })
    m.state("FAILED", "a", { exit_code: 1 })
    expect(types(m.log([{ rule: "done" }]))).toEqual(["EventRaised"])
    m.pass(1)
    expect(m.job()).toMatchObject({ outcome: "failed" })
  })

  it("ends as cancelled where an operator wants that too", () => {
    const m = running({ log_events: [{ ...fatal, cancel: true }] })
    m.log([{ rule: "fatal" }])
    m.fact("OperatorRequested", {
      request_id: "r",
      actor: { role: "operator", user: "ada", host: "login1", pid: 1 },
      request: { kind: "job_cancel", job: "a", reason: "" }
    })
    m.state("CANCELLED")
    m.pass(1)
    expect(m.job()).toMatchObject({ outcome: "cancelled" })
  })

  it("must say what the job ends as", () => {
    const lint = (rule: object) =>
      lintRules(
        Schema.decodeUnknownSync(Monitoring)({ log_events: [{ name: "x", pattern: "x", cancel: true, ...rule }] }),
        []
      )
    expect(lint({ state: { class_name: "SuccessState" } })).toEqual([])
    expect(lint({ metadata: { kind: "x" } })).toMatchObject([{ path: ["log_events", 0, "cancel"] }])
    expect(lint({ state: { class_name: "StartedState" } })).toHaveLength(1)
  })
})

describe("a cancel that the scheduler takes without effect", () => {
  it("is repeated, and needs attention after the third time; the restart still goes on once the job has ended", () => {
    const m = running({ log_events: [{ ...fatal, actions: [restart] }] })
    m.log([{ rule: "fatal" }])
    const again = () => {
      m.fact("CancelAnswered", { slurm_id: "1" }, { job: "a", attempt: 1 })
      return types(m.fact("CancelUnheeded", { slurm_id: "1", state: "COMPLETING" }, { job: "a", attempt: 1 }))
    }
    expect([again(), again(), again()]).toEqual([["CancelDecided"], ["CancelDecided"], ["AttentionNeeded"]])
    expect(m.job().attention?.reason).toContain("COMPLETING still: its restart waits")
    expect(m.job().cancel).toMatchObject({ unheeded: 3 })
    m.state("CANCELLED")
    expect(types(m.pass(1))).toContain("SubmissionIntended")
    expect(m.replay()).toEqual(m.records)
  })

  it("means nothing once the attempt has ended", () => {
    const m = running({ log_events: [{ ...fatal, actions: [restart] }] })
    m.log([{ rule: "fatal" }])
    m.state("CANCELLED")
    expect(types(m.fact("CancelUnheeded", { slurm_id: "1", state: "RUNNING" }, { job: "a", attempt: 1 }))).toEqual([])
  })
})
