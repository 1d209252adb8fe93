import { describe, expect, it } from "vitest"
import { behaviour } from "../../src/rule/behaviour.ts"
import { cancelsEndWithTheirRun } from "../../src/session/foldAttempt.ts"
import { actor, machine, plannedJob } from "./machine.ts"

type Machine = ReturnType<typeof machine>
const types = (records: ReturnType<Machine["fact"]>) => records.map(({ type }) => type)
const restartAction = { class_name: "RestartAction", reason: "again" } as const
const nccl = {
  name: "nccl_error",
  pattern: "NCCL",
  state: { class_name: "CrashState" },
  actions: [restartAction]
} as const

const running = (monitoring: Parameters<typeof machine>[0], of = 0): Machine => {
  const m = machine({ log_settle_seconds: 5, ...monitoring }, [plannedJob("a")], { behaviour: of })
  m.submitAll()
  m.accept()
  m.state("RUNNING", "a", { start: "2026-11-23T03:00:00.000Z" })
  return m
}
/** What the monitor records when SLURM has put the job back. */
const requeue = (m: Machine, to: string) =>
  m.fact("JobStateChanged", {
    from: m.job().slurmState,
    to,
    exit_code: null,
    signal: null,
    reason: "BeginTime",
    nodes: null,
    start: null,
    end: null,
    requeued: true
  }, { job: "a", attempt: m.job().attempt + 1 })

describe("a requeue that is not ours", () => {
  it("is the same job's next attempt: nothing is submitted, cancelled or charged to a budget", () => {
    const m = running({ log_events: [nccl], state_events: [{ name: "crash", actions: [restartAction] }] })
    const { nonce, slurm } = m.job()
    expect(types(requeue(m, "PENDING"))).toEqual([])
    expect(m.job()).toMatchObject({ attempt: 2, state: "pending", live: true, start: null, nonce, slurm, restarts: [] })
    m.state("RUNNING", "a", { start: "2026-11-23T03:05:00.000Z" })
    m.state("COMPLETED", "a", { exit_code: 0 })
    m.pass(10)
    expect(m.job()).toMatchObject({ attempt: 2, outcome: "success", restarts: [] })
  })

  it("is not fought because of what the log said while the run before was torn down", () => {
    const m = running({ log_events: [nccl] })
    requeue(m, "REQUEUED")
    expect(types(m.log([{ rule: "nccl_error" }]))).toEqual(["EventRaised", "ActionSkipped"])
    expect(m.job()).toMatchObject({ restart: null, cancel: null })
    m.state("RUNNING", "a", { start: "2026-11-23T03:05:00.000Z" })
    expect(types(m.log([{ rule: "nccl_error" }]))).toContain("RestartDecided")
  })

  it("after a cancel that took effect is left alone, and cancelled again only for what it does itself", () => {
    const held = { kind: "job_hold", job: "a", reason: "" } as const
    for (const  of of[behaviour, cancelsEndWithTheirRun - 1]) {
      const m = running({ log_events: [nccl] }, of)
      m.fact("OperatorRequested", { request_id: "hold", actor, request: held })
      m.log([{ rule: "nccl_error" }])
      m.fact("CancelAnswered", { slurm_id: m.job().slurm?.id ?? "" }, { job: "a", attempt: 1 })
      m.state("CANCELLED")
      m.pass(10)
      expect(types(requeue(m, "RUNNING"))).toContain("RestartDropped")
      const isNew = of === behaviour
      expect(m.job().cancel === null).toBe(isNew)
      if (isNew) expect(types(m.log([{ rule: "nccl_error" }]))).toContain("CancelDecided")
      expect(m.replay()).toEqual(m.records)
      expect(m.refold().jobs).toEqual(m.session.jobs)
    }
  })

  it("wins over an end that was not judged yet", () => {
    const m = running({ state_events: [{ name: "crash", actions: [restartAction] }] })
    m.state("NODE_FAIL")
    m.pass(2)
    requeue(m, "PENDING")
    expect(types(m.pass(60))).toEqual(["TimerFired"].slice(1))
    expect(m.job()).toMatchObject({ attempt: 2, live: true, verdict: null, restart: null })
  })

  it("begins its silence anew, however long it waited", () => {
    const m = running({
      inactivity_threshold_seconds: 600,
      state_events: [{ name: "stall", actions: [restartAction] }]
    })
    requeue(m, "PENDING")
    m.pass(3600)
    m.state("RUNNING", "a", { start: "2026-11-23T04:00:00.000Z" })
    m.pass(500)
    expect(m.job()).toMatchObject({ stalled: false, restart: null })
    m.pass(200)
    expect(m.job().restart).not.toBeNull()
  })
})

describe("a job that an operator cancelled", () => {
  it("ends as cancelled, although a rule restarts crashes", () => {
    const m = running({ state_events: [{ name: "crash", actions: [restartAction] }] })
    m.state("CANCELLED")
    expect(types(m.pass(10))).toEqual(["JobClassified", "EventRaised", "ActionSkipped", "JobFinished"])
    expect(m.job()).toMatchObject({ outcome: "cancelled", attempt: 1 })
  })

  it("is restarted if the rule asks for that by metadata", () => {
    const conditions = [{ class_name: "MetadataCondition", key: "error_type", equals: "cancelled" }] as const
    const m = running({
      state_events: [{ name: "crash", actions: [{ class_name: "EventAction", conditions, action: restartAction }] }]
    })
    m.state("CANCELLED")
    m.pass(10)
    expect(m.job()).toMatchObject({ attempt: 2, state: "submitting" })
  })
})

describe("a node that fails", () => {
  it("is a crash of the type node_failure", () => {
    const m = running({})
    m.state("NODE_FAIL", "a", { nodes: "n2" })
    expect(m.pass(10)[0]).toMatchObject({
      type: "JobClassified",
      data: { mode: "crash", outcome: "failed", metadata: { error_type: "node_failure", nodes: "n2" } }
    })
  })
})

describe("a submission that SLURM refuses for now", () => {
  it("is made again after a while, under a new nonce, as often as it takes", () => {
    const m = machine({ log_settle_seconds: 5 }, [plannedJob("a"), plannedJob("b", 1)])
    m.submitAll()
    const nonces = new Set<string>()
    for (let turn = 0; turn < 8; turn++) {
      for (const { nonce } of [...m.session.submissions.values()]) {
        expect(nonces.has(nonce)).toBe(false)
        nonces.add(nonce)
        m.fact("SubmissionRefused", { nonce, message: "QOSMaxSubmitJobPerUserLimit", temporary: true })
      }
      expect(m.session.submissions.size).toBe(0)
      expect(types(m.pass(30))).toEqual([])
      m.pass(40)
      expect(m.session.submissions.size).toBe(2)
    }
    m.accept()
    expect([m.job("a"), m.job("b")]).toMatchObject([{ attempt: 1, state: "pending" }, { attempt: 1, state: "pending" }])
  })
})
