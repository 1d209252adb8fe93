import { describe, expect, it } from "@effect/vitest"
import { behaviour } from "../../src/rule/behaviour.ts"
import { sessionView, waitsFor } from "../../src/session/view.ts"
import { machine, plannedJob, types } from "./machine.ts"

const names = ["a", "b", "c", "d"]
const limit = "QOSMaxSubmitJobPerUserLimit"

const start = (rest: Parameters<typeof machine>[2] = {}) => {
  const m = machine({ log_settle_seconds: 5 }, names.map((name, index) => plannedJob(name, index)), {
    behaviour,
    ...rest
  })
  const open = () => [...m.session.submissions.values()].filter(({ doubted }) => !doubted)
  return {
    ...m,
    open,
    /** The scheduler answers the first open submission: no. */
    refuse: (message = limit) =>
      m.fact("SubmissionRefused", { nonce: open()[0]?.nonce ?? "", message, temporary: true }),
    waiting: () => names.filter((name) => m.job(name).state === "waiting")
  }
}

describe("a limit of the site", () => {
  it("stops all submissions at the first refusal, fails none, and says what is waited for and until when", () => {
    const m = start()
    m.submitAll()
    expect(m.open()).toHaveLength(4)
    m.refuse()
    expect(m.open()).toEqual([])
    expect(m.waiting()).toEqual(names)
    expect(names.map((name) => m.job(name).outcome)).toEqual([null, null, null, null])
    expect(waitsFor(m.session, m.job("c"))).toBe(
      `the site's limit since 2026-11-23T03:00:00.000Z (${limit}), asked again at 2026-11-23T03:01:00.000Z`
    )
    expect(sessionView(m.session).site_limit).toEqual({
      since: "2026-11-23T03:00:00.000Z",
      message: limit,
      asked_again: "2026-11-23T03:01:00.000Z"
    })
  })

  it("is asked about by one submission at a time, ever more seldom, of another job each time, for as long as it lasts", () => {
    const m = start()
    m.submitAll()
    m.refuse()
    const asked: Array<string> = []
    const waits: Array<number> = []
    for (let round = 0; round < 40; round += 1) {
      const due = m.session.timers.get("submit")?.due ?? ""
      const seconds = (Date.parse(due) - Date.parse(m.session.at)) / 1000
      waits.push(seconds)
      m.pass(seconds)
      expect(m.open()).toHaveLength(1)
      asked.push(m.open()[0]?.jobs[0] ?? "")
      m.refuse()
    }
    expect(waits.slice(0, 6)).toEqual([60, 120, 240, 480, 600, 600])
    expect(asked.slice(0, 3)).toEqual(["b", "c", "d"])
    expect(m.waiting()).toEqual(names)
    expect(names.map((name) => m.job(name).attempt)).toEqual([0, 0, 0, 0])
  })

  it("lets jobs go on one by one once it has passed, and is forgotten then", () => {
    const m = start()
    m.submitAll()
    m.refuse()
    m.pass(60)
    for (const left of [3, 2, 1, 0]) {
      expect(m.open()).toHaveLength(1)
      m.accept()
      expect(m.waiting().length).toBe(Math.max(0, left - 1))
    }
    expect(m.session.siteLimit).toBeNull()
    expect(names.map((name) => m.job(name).state)).toEqual(["pending", "pending", "pending", "pending"])
    expect(sessionView(m.session).site_limit).toBeNull()
  })

  it("is asked about soon after a job of the session has ended, since that may have made room", () => {
    const m = start()
    m.submitAll()
    m.accept()
    m.state("RUNNING")
    m.fact("OperatorRequested", {
      request_id: "restart",
      actor: { role: "operator", user: "ada", host: "login1", pid: 1 },
      request: { kind: "job_restart", job: "b", reason: "" }
    })
    m.state("CANCELLED", "b")
    m.pass(10)
    m.refuse()
    m.pass(60)
    m.refuse()
    m.pass(1)
    m.state("COMPLETED")
    expect(Date.parse(m.session.timers.get("submit")?.due ?? "") - Date.parse(m.session.at)).toBe(10_000)
    m.pass(10)
    expect(m.open().map(({ jobs }) => jobs)).toEqual([["b"]])
  })

  it("lets an operator end a job that waits for it", () => {
    const m = start()
    m.submitAll()
    m.refuse()
    m.fact("OperatorRequested", {
      request_id: "cancel",
      actor: { role: "operator", user: "ada", host: "login1", pid: 1 },
      request: { kind: "job_cancel", job: "a", reason: "not needed" }
    })
    expect(m.job("a").outcome).toBe("cancelled")
    m.pass(60)
    expect(m.open().map(({ jobs }) => jobs)).toEqual([["b"]])
  })

  it("decides the same again from the facts alone", () => {
    const m = start()
    m.submitAll()
    m.refuse()
    m.pass(60)
    m.refuse()
    m.pass(120)
    m.accept()
    expect(m.replay()).toEqual(m.records)
  })
})

describe("a controller that is too busy to answer", () => {
  it("loses submission after submission, and fails no job: it is asked less often, and a person is told once", () => {
    const m = start({ settle_seconds: 0 })
    m.submitAll()
    for (let round = 0; round < 12; round += 1) {
      for (const { nonce } of m.open()) {
        m.fact("SubmissionUnanswered", { nonce, message: "Socket timed out on send/recv operation" })
        m.fact("SubmissionNotFound", { nonce })
      }
      m.pass(600)
    }
    expect(names.map((name) => m.job(name).outcome)).toEqual([null, null, null, null])
    expect(m.job("a").attention?.reason).toMatch(/submissions in a row did not reach the scheduler; it is asked again/)
    expect(types(m.records).filter((type) => type === "AttentionNeeded")).toHaveLength(4)
    m.accept()
    expect(m.job("a").state).toBe("pending")
  })
})
