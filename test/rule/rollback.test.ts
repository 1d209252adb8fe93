import { describe, expect, it } from "vitest"
import { toRun } from "../../src/session/pending.ts"
import { waitsFor } from "../../src/session/view.ts"
import { machine, types } from "./machine.ts"

type Rules = Parameters<typeof machine>[0]

const rollback = { class_name: "CheckpointRollbackAction", checkpoint: "{checkpoint}" }

const corrupt = {
  name: "corrupt",
  pattern: "corrupt",
  metadata: { checkpoint: "iter_0001000", error_type: "checkpoint" },
  state: { class_name: "CrashState" },
  actions: [rollback]
}

const running = (rules: object = {}) => {
  const quick = { log_settle_seconds: 0, inactivity_threshold_seconds: null, log_events: [corrupt] }
  const m = machine({ ...quick, ...rules } as unknown as Rules)
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  return m
}

type Machine = ReturnType<typeof running>

const last = (m: Machine, type: string) => m.records.findLast((record) => record.type === type)?.data

/** Says how the rollback that is decided went, as the monitor does once it may run. */
const finished = (m: Machine, result: Record<string, unknown>, status: "done" | "failed" = "done") => {
  const [open] = toRun(m.session)
  if (open === undefined) return expect.unreachable("no rollback may run")
  return m.fact("ActionFinished", { action_id: open.id, outcome: { status, result } }, {
    job: open.job,
    attempt: open.attempt
  })
}

const again = (m: Machine) => {
  m.accept()
  m.state("RUNNING")
}

const dies = (m: Machine, state = "FAILED") => {
  m.state(state)
  m.pass(1)
}

describe("CheckpointRollbackAction", () => {
  it("is decided once although five lines match, and done only when the attempt is dead", () => {
    const m = running()
    const decided = types(m.log(Array.from({ length: 5 }, () => ({ rule: "corrupt" }))))
    expect(decided.filter((type) => type === "ActionStarted" || type === "CancelDecided")).toHaveLength(2)
    expect(last(m, "ActionStarted")).toMatchObject({
      action: { checkpoint_dir: "/out/a/checkpoints", checkpoint: "iter_0001000" }
    })
    expect(toRun(m.session)).toEqual([])
    m.state("CANCELLED")
    expect(toRun(m.session)).toEqual([])
    m.pass(1)
    expect(toRun(m.session)).toHaveLength(1)
    expect(m.job()).toMatchObject({ outcome: null, attempt: 1 })
    expect(waitsFor(m.session, m.job())).toBe("the rollback of its checkpoint")
    finished(m, { iteration: 500 })
    m.confirm()
    expect(last(m, "RestartDecided")).toMatchObject({ reason: "corrupt checkpoint: goes on from iteration 500" })
    expect(m.job()).toMatchObject({ attempt: 2, outcome: null })
    expect(m.replay()).toEqual(m.records)
    expect(m.refold()).toEqual(m.session)
  })

  it("holds back the restart of another rule until the checkpoint is put aside, and adds none", () => {
    const crash = { name: "died", pattern: "died", actions: [{ class_name: "RestartAction", max_restarts: 3 }] }
    const m = running({ log_events: [crash, corrupt] })
    m.log([{ rule: "died" }, { rule: "corrupt" }])
    dies(m, "CANCELLED")
    m.confirm()
    expect(m.job()).toMatchObject({ attempt: 1 })
    finished(m, { iteration: 500 })
    m.confirm()
    expect(m.job()).toMatchObject({ attempt: 2 })
    expect(m.records.filter(({ type }) => type === "RestartDecided")).toHaveLength(1)
    expect(m.replay()).toEqual(m.records)
  })

  it("ends the job with attention where there is no checkpoint before", () => {
    const m = running({
      state_events: [{ name: "crash", actions: [{ class_name: "RestartAction", max_restarts: 3 }] }]
    })
    m.log([{ rule: "corrupt" }])
    dies(m)
    finished(m, { error: "there is no whole checkpoint before it" }, "failed")
    expect(m.job()).toMatchObject({
      outcome: "failed",
      attempt: 1,
      attention: { reason: "the checkpoint cannot be rolled back: there is no whole checkpoint before it" }
    })
    expect(m.replay()).toEqual(m.records)
  })

  it("restarts within the budget, and no more often than its own", () => {
    const m = running({ restarts: { max_restarts: 1 } })
    for (const iteration of [500, 400]) {
      m.log([{ rule: "corrupt" }])
      dies(m, "CANCELLED")
      finished(m, { iteration })
      m.confirm()
      if (m.job().outcome === null) again(m)
    }
    expect(m.job()).toMatchObject({ attempt: 2, outcome: "failed", rollbacks: 2 })
    expect(last(m, "ActionSkipped")).toMatchObject({
      class_name: "RestartAction",
      why: expect.stringContaining("budget")
    })

    const often = running()
    for (const iteration of [500, 400]) {
      often.log([{ rule: "corrupt" }])
      dies(often, "CANCELLED")
      finished(often, { iteration })
      often.confirm()
      again(often)
    }
    expect(often.job()).toMatchObject({ attempt: 3, rollbacks: 2 })
    expect(types(often.log([{ rule: "corrupt" }]))).toEqual(["EventRaised", "ActionSkipped", "AttentionNeeded"])
  })

  it("is void where the attempt completes, somebody cancels, or the scheduler runs the job again", () => {
    const completed = running()
    completed.log([{ rule: "corrupt" }])
    dies(completed, "COMPLETED")
    expect(completed.job()).toMatchObject({ outcome: "success" })
    const cancelled = running()
    cancelled.fact("OperatorRequested", {
      request_id: "r",
      actor: { role: "operator", user: "ada", host: "login1", pid: 1 },
      request: { kind: "job_cancel", job: "a", reason: "" }
    })
    expect(types(cancelled.log([{ rule: "corrupt" }]))).not.toContain("ActionStarted")
    const requeued = running()
    requeued.log([{ rule: "corrupt" }])
    const change = { from: "RUNNING", to: "PENDING", exit_code: null, signal: null, reason: null, nodes: null }
    requeued.fact("JobStateChanged", { ...change, start: null, end: null, requeued: true }, { job: "a", attempt: 2 })
    for (const m of [completed, requeued]) {
      expect(types(m.records)).toContain("ActionInterrupted")
      expect(m.session.actions.size).toBe(0)
      expect(m.replay()).toEqual(m.records)
    }
  })

  it("is done again by the monitor that finds it half done", () => {
    const m = running()
    m.log([{ rule: "corrupt" }])
    dies(m, "CANCELLED")
    m.as(2, () =>
      m.fact("MonitorAttached", {
        actor: { role: "monitor", user: "ada", host: "login2", pid: 2 },
        tool_version: "0"
      }))
    expect(toRun(m.session)).toHaveLength(1)
    expect(types(m.records)).not.toContain("ActionInterrupted")
  })

  it("finds a directory from the job's own on", () => {
    const m = running({ log_events: [{ ...corrupt, actions: [{ ...rollback, checkpoint_dir: "../ckpt" }] }] })
    m.log([{ rule: "corrupt" }])
    expect(last(m, "ActionStarted")).toMatchObject({ action: { checkpoint_dir: "/out/a/../ckpt" } })
  })

  it("takes nothing that a log says into the name of its directory", () => {
    const m = running({
      log_events: [{ ...corrupt, actions: [{ ...rollback, checkpoint_dir: "{checkpoint}" }] }]
    })
    expect(types(m.log([{ rule: "corrupt" }]))).toEqual(["EventRaised", "ActionSkipped"])
  })

  it("is only told of where nothing is to be done", () => {
    const m = running({ act: false })
    m.log([{ rule: "corrupt" }, { rule: "corrupt" }])
    expect(m.records.filter(({ type }) => type === "ActionStarted")).toHaveLength(1)
    expect(m.session.actions.size).toBe(0)
  })
})

describe("the back-off of restarts", () => {
  const backing = () =>
    running({
      state_events: [{
        name: "crash",
        actions: [{ class_name: "RestartAction", max_restarts: 9, max_per_fingerprint: 9, backoff_seconds: 100 }]
      }]
    })

  it("doubles with each restart without progress", () => {
    const m = backing()
    for (const wait of [100, 200, 400]) {
      const { attempt } = m.job()
      dies(m)
      m.confirm()
      expect(waitsFor(m.session, m.job())).toContain("its back-off to end")
      m.pass(wait - 10)
      expect(m.job().attempt).toBe(attempt)
      m.pass(20)
      m.confirm()
      expect(m.job().attempt).toBe(attempt + 1)
      again(m)
    }
    expect(m.replay()).toEqual(m.records)
    expect(m.refold()).toEqual(m.session)
  })

  it("is ended by an operator's restart", () => {
    const m = backing()
    dies(m)
    m.fact("OperatorRequested", {
      request_id: "r",
      actor: { role: "operator", user: "ada", host: "login1", pid: 1 },
      request: { kind: "job_restart", job: "a", reason: "" }
    })
    m.confirm()
    expect(m.job()).toMatchObject({ attempt: 2, state: "submitting" })
    expect(m.replay()).toEqual(m.records)
  })
})
