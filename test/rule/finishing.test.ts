import { describe, expect, it } from "vitest"
import { behaviour } from "../../src/rule/behaviour.ts"
import { toAsk } from "../../src/session/pending.ts"
import { machine, plannedJob } from "./machine.ts"

const file = { class_name: "FileExistsCondition", path: "/done" }
const command = { class_name: "CommandCondition", command: ["is-done", "{job_name}"], interval_seconds: 30 }

const rules = {
  log_settle_seconds: 1,
  inactivity_threshold_seconds: null,
  log_events: [
    { name: "step", pattern: "x", progress: { step: "n", total: "of" } },
    { name: "error", pattern: "x", state: { class_name: "CrashState" }, actions: [{ class_name: "RestartAction" }] }
  ]
} as const

const start = (conditions: ReadonlyArray<{ readonly class_name: string }>, more = {}) => {
  const m = machine(rules, [plannedJob("a", 0, { finish_conditions: conditions, ...more })], { behaviour })
  return {
    ...m,
    answer: (holds: boolean) => {
      const { attempt } = m.job()
      m.fact("ConditionObserved", { binding: "done a", holds, why: holds ? "there" : "not there" }, {
        job: "a",
        ...(attempt === 0 ? {} : { attempt })
      })
    },
    intents: () => m.records.filter(({ type }) => type === "SubmissionIntended").length,
    runs: () => {
      m.accept()
      m.state("RUNNING")
    }
  }
}
const holds = ({ records, refold, replay, session }: ReturnType<typeof start>) => {
  expect(refold().jobs).toEqual(session.jobs)
  expect(refold().gates).toEqual(session.gates)
  expect(replay()).toEqual(records)
}

describe("a job with finish conditions", () => {
  it("is asked before its first submission, and ends as a success that was never submitted", () => {
    const m = start([file])
    m.submitAll()
    expect(m.intents()).toBe(0)
    expect(toAsk(m.session).map(({ question }) => question)).toEqual([{
      kind: "file_exists",
      path: "/done",
      once: true
    }])
    m.answer(true)
    expect(m.job()).toMatchObject({ state: "ended", outcome: "success", attempt: 0, why: "already done: there" })
    expect(m.intents()).toBe(0)
    expect(m.session.gates.size).toBe(0)
    holds(m)
  })

  it("is submitted after a no, and asked again before each later submission", () => {
    const m = start([file])
    m.submitAll()
    m.answer(false)
    expect(m.intents()).toBe(1)
    m.runs()
    m.log([{ rule: "error" }])
    m.state("FAILED", "a", { exit_code: 1 })
    m.pass(2)
    // The end itself, then the next submission.
    m.answer(false)
    expect(m.intents()).toBe(1)
    m.answer(false)
    expect(m.intents()).toBe(2)
    m.runs()
    m.log([{ rule: "error" }])
    m.state("FAILED", "a", { exit_code: 1 })
    m.pass(2)
    m.answer(false)
    m.answer(true)
    expect(m.intents()).toBe(2)
    expect(m.job()).toMatchObject({ outcome: "success", why: "already done: there" })
    expect(m.job().restarts).toHaveLength(1)
    holds(m)
  })

  it("is a success although it crashed while it was torn down, and is not restarted", () => {
    const m = start([file])
    m.submitAll()
    m.answer(false)
    m.runs()
    m.log([{ rule: "error" }])
    m.state("FAILED", "a", { exit_code: 1 })
    m.pass(2)
    expect(m.job().verdict).toBeNull()
    m.answer(true)
    expect(m.job()).toMatchObject({ outcome: "success", attempt: 1, restart: null, restarts: [] })
    expect(m.job().why).toContain("already done: there (its last attempt: ")
    expect(m.intents()).toBe(1)
    holds(m)
  })

  it("is not asked after a good end, nor when it was cancelled", () => {
    for (const end of ["COMPLETED", "CANCELLED"]) {
      const m = start([file])
      m.submitAll()
      m.answer(false)
      m.runs()
      if (end === "CANCELLED") {
        const request = { kind: "job_cancel", job: "a", reason: "" } as const
        m.fact("OperatorRequested", {
          request_id: "r",
          actor: { role: "operator", user: "ada", host: "h", pid: 1 },
          request
        })
      }
      m.state(end, "a", { exit_code: 0 })
      m.pass(2)
      expect(m.job().outcome).toBe(end === "COMPLETED" ? "success" : "cancelled")
      holds(m)
    }
  })

  it("is submitted again for an operator who wants that, whatever it says", () => {
    const m = start([file])
    m.submitAll()
    m.answer(false)
    m.runs()
    m.state("COMPLETED", "a", { exit_code: 0 })
    m.pass(2)
    const request = { kind: "job_restart", job: "a", reason: "" } as const
    m.fact("OperatorRequested", {
      request_id: "r",
      actor: { role: "operator", user: "ada", host: "h", pid: 1 },
      request
    })
    expect(m.intents()).toBe(2)
    holds(m)
  })

  it("takes all of them, one after another, each asked once", () => {
    const m = start([file, command])
    m.submitAll()
    m.answer(true)
    expect(toAsk(m.session).map(({ question }) => question)).toMatchObject([
      { kind: "command", argv: ["is-done", "a"], interval_seconds: null }
    ])
    m.answer(false)
    expect(m.intents()).toBe(1)
    holds(m)
  })

  it("does not wait: what would take time is a no, and so is an answer that does not come", () => {
    const waits = start([{ class_name: "ElapsedTimeCondition", elapsed_seconds: 60 } as { class_name: string }])
    waits.submitAll()
    expect(waits.intents()).toBe(1)
    const hangs = start([file])
    hangs.submitAll()
    hangs.pass(601)
    expect(hangs.intents()).toBe(1)
    holds(hangs)
  })

  it("asks for its start only once it is known not to be done", () => {
    const m = start([file], { start_conditions: [{ class_name: "FileExistsCondition", path: "/go" }] })
    m.submitAll()
    expect([...m.session.gates.keys()]).toEqual(["done a"])
    m.answer(false)
    expect([...m.session.gates.keys()]).toEqual(["start a"])
    m.fact("ConditionObserved", { binding: "start a" }, { job: "a" })
    expect(m.intents()).toBe(1)
    holds(m)
  })

  it("is done by its progress: all steps, or so many, in whatever attempt", () => {
    for (const step of ["total", 10]) {
      const m = start([{ class_name: "ProgressCondition", step } as { class_name: string }])
      m.submitAll()
      expect(m.intents()).toBe(1)
      m.runs()
      m.log([{ rule: "step", groups: { progress_step: "9", progress_total: "10" }, noted: true }])
      m.log([{ rule: "error" }])
      m.state("FAILED", "a", { exit_code: 1 })
      m.pass(2)
      expect(m.intents()).toBe(2)
      m.runs()
      m.log([{ rule: "step", groups: { progress_step: "10", progress_total: "10" }, noted: true }])
      m.log([{ rule: "error" }])
      m.state("FAILED", "a", { exit_code: 134 })
      m.pass(2)
      expect(m.job()).toMatchObject({ outcome: "success", attempt: 2 })
      expect(m.job().why).toContain("10 of 10 steps are done")
      holds(m)
    }
  })

  it("keeps asking under a monitor that only observes nothing from happening, and is asked anew by one that acts", () => {
    const m = start([file])
    const attach = (epoch: number, observe: boolean) =>
      m.as(epoch, () =>
        m.fact("MonitorAttached", {
          actor: { role: "monitor", user: "ada", host: "h", pid: 1 },
          tool_version: "0",
          ...(observe ? { observe_only: true } : {})
        }))
    attach(2, true)
    m.as(2, m.submitAll)
    m.as(2, () => m.answer(true))
    expect(m.job()).toMatchObject({ outcome: null, attempt: 0, would: [{ what: "end" }] })
    attach(3, false)
    m.as(3, () => m.answer(false))
    expect(m.intents()).toBe(1)
  })
})
