import { describe, expect, it } from "vitest"
import { exitCodeOf } from "../../src/cli/watching.ts"
import { ending, hasTrouble, liveRows, needsAttention } from "../../src/report/ending.ts"
import { happening } from "../../src/report/happenings.ts"
import { actor, machine, plannedJob } from "../rule/machine.ts"

const healing = () => {
  const m = machine({
    log_settle_seconds: 1,
    log_events: [
      { name: "iteration", pattern: "x" },
      { name: "nccl", pattern: "x", actions: [{ class_name: "RestartAction", max_restarts: 3, reason: "link down" }] }
    ]
  }, [plannedJob("a"), plannedJob("b", 1)])
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  m.state("RUNNING", "b")
  m.log([{ rule: "iteration", groups: { iteration: "12", lm_loss: "3.129876E+00" }, noted: true }, { rule: "nccl" }])
  m.state("FAILED", "b", { exit_code: 1 })
  m.pass(5)
  return m
}

describe("the live table", () => {
  it("shows attempt, iteration, loss and last event of each job", () => {
    const m = machine({ log_events: [{ name: "iteration", pattern: "x" }] }, [plannedJob("a"), plannedJob("b", 1)])
    m.submitAll()
    m.accept()
    m.state("RUNNING")
    m.log([{ rule: "iteration", groups: { iteration: "12", lm_loss: "3.129876E+00" }, noted: true }])
    expect(liveRows(m.session)).toMatchObject([
      { job: "a", state: "running", attempt: 1, iteration: "12", loss: "3.1299", lastEvent: "iteration" },
      { job: "b", attempt: 1, iteration: null, loss: null }
    ])
  })
})

describe("the summary", () => {
  it("tells what was healed and why, what failed, and how to look further", () => {
    const { session } = healing()
    const lines = ending(session)
    expect(lines).toContainEqual(expect.stringMatching(/^b: failed: .*1/))
    expect(lines).toContain("  attempt 2 began because of nccl: link down")
    expect(lines.at(-1)).toBe("why: autoexp events --session plan --job a")
    expect(hasTrouble(session)).toBe(true)
  })
})

describe("restarts that pause", () => {
  it("need attention: told first of all, with what to type, and with exit code 1 although jobs may still end well", () => {
    const jobs = ["a", "b", "c"].map((name, index) => plannedJob(name, index))
    const rules = {
      log_settle_seconds: 0,
      log_events: [{
        name: "nccl",
        pattern: "x",
        state: { class_name: "CrashState" as const },
        actions: [{ class_name: "RestartAction" as const }]
      }]
    }
    const m = machine(rules, jobs, { breaker: { jobs: 3, within_seconds: 600 } })
    m.submitAll()
    m.accept()
    for (const { name } of jobs) m.state("RUNNING", name)
    expect([needsAttention(m.session), exitCodeOf(m.session, true)]).toEqual([false, 0])
    for (const { name } of jobs) m.log([{ rule: "nccl" }], name)
    expect([needsAttention(m.session), exitCodeOf(m.session, true)]).toEqual([true, 1])
    const [, , first, second] = ending(m.session)
    expect(first).toMatch(/^needs attention since .*: restarts pause: 3 jobs failed alike within 600 s: nccl/)
    expect(second).toBe("  once that is mended: autoexp job ack --session plan --all")
    const request = { kind: "job_ack", job: null, reason: "mended" } as const
    m.fact("OperatorRequested", { request_id: "k", actor, request })
    expect([needsAttention(m.session), exitCodeOf(m.session, true)]).toEqual([false, 0])
  })
})

describe("a job that waits", () => {
  const m = machine({ log_settle_seconds: 0 }, [
    plannedJob("a"),
    plannedJob("b", 1, { start_conditions: [{ class_name: "JobCondition", job: "a" }] }),
    plannedJob("c", 2)
  ], { max_jobs: 1 })
  const told = m.submitAll().map((record) => happening(record)?.text)

  it("says for what, in the live table, in the summary, and when it begins", () => {
    expect(liveRows(m.session).map(({ lastEvent }) => lastEvent)).toEqual([
      null,
      "waits for the end of job a",
      "waits for room: at most 1 jobs at once"
    ])
    expect(ending(m.session)).toContain("b: waiting: waits for the end of job a")
    expect(told).toContain("waits for the end of job a")
  })

  it("says of which end it was cancelled", () => {
    m.accept()
    m.state("RUNNING")
    m.state("FAILED", "a", { exit_code: 1 })
    m.pass(1)
    expect(ending(m.session)).toContain("b: cancelled: job a ended as failed: FAILED with exit code 1 (slurm_failure)")
  })
})

describe("happenings", () => {
  it("tell of what changed, and not of the machinery", () => {
    const told = healing().records.flatMap((record) => {
      const what = happening(record)
      return what === null ? [] : [`${what.job ?? "-"}: ${what.text}`]
    })
    expect(told[0]).toBe("-: session plan opened: 2 jobs")
    expect(told).toContain("a: RUNNING")
    expect(told).toContain("a: restart because of nccl: link down, 2 left")
    expect(told.some((text) => /offset|timer/i.test(text))).toBe(false)
  })
})
