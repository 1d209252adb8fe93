import { describe, expect, it } from "vitest"
import { machine, types } from "./machine.ts"

type Rules = Parameters<typeof machine>[0]

const under = (rules: object) => {
  const quick = { log_settle_seconds: 0, inactivity_threshold_seconds: null }
  const m = machine({ ...quick, ...rules } as unknown as Rules)
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  return m
}

const on = (pattern: string, ...actions: ReadonlyArray<object>) => ({
  log_events: [{ name: pattern, pattern, actions }]
})

const last = (m: ReturnType<typeof under>, type: string) => m.records.findLast((record) => record.type === type)?.data

const restarting = { class_name: "RestartAction", max_restarts: 3 }

describe("CancelAction", () => {
  it("cancels the attempt and ends the job as cancelled, whatever restarts", () => {
    const m = under({
      ...on("nan", { class_name: "CancelAction", reason: "the loss is nan" }),
      state_events: [{ name: "crash", actions: [restarting] }]
    })
    expect(types(m.log([{ rule: "nan" }]))).toEqual(["EventRaised", "ActionLogged", "EndDecided", "CancelDecided"])
    m.state("CANCELLED")
    m.pass(1)
    expect(m.job()).toMatchObject({ outcome: "cancelled", why: "the loss is nan", restart: null })
    expect(m.replay()).toEqual(m.records)
    expect(m.refold()).toEqual(m.session)
  })

  it("wins over a restart that the same line asks for", () => {
    const m = under(on("bad", restarting, { class_name: "CancelAction" }))
    m.log([{ rule: "bad" }])
    expect(last(m, "RestartDropped")).toEqual({ why: "event bad" })
    m.state("CANCELLED")
    m.pass(1)
    expect(m.job()).toMatchObject({ outcome: "cancelled", attempt: 1 })
  })

  it("makes of an attempt that has ended a job that is cancelled", () => {
    const m = under({ state_events: [{ name: "crash", actions: [{ class_name: "CancelAction" }] }] })
    m.state("FAILED")
    m.pass(1)
    expect(m.job()).toMatchObject({ outcome: "cancelled", why: "event crash" })
  })
})

describe("FinishAction", () => {
  const finish = { class_name: "FinishAction", reason: "the last checkpoint is there" }

  it("lets the attempt go on, and takes its end for a success, whatever it is", () => {
    const m = under({ ...on("saved", finish), state_events: [{ name: "crash", actions: [restarting] }] })
    expect(types(m.log([{ rule: "saved" }]))).toEqual(["EventRaised", "ActionLogged", "EventRaised"])
    m.state("FAILED", "a", { exit_code: 1 })
    m.pass(1)
    expect(m.job()).toMatchObject({ outcome: "success", attempt: 1 })
    expect(m.records.filter(({ type }) => type === "CancelDecided")).toEqual([])
    expect(m.replay()).toEqual(m.records)
  })

  it("makes of a time limit that was to be expected a success", () => {
    const m = under({ state_events: [{ name: "timeout", actions: [finish] }] })
    m.state("TIMEOUT")
    m.pass(1)
    expect(m.job()).toMatchObject({ outcome: "success", why: "it has done its work: the last checkpoint is there" })
    expect(m.replay()).toEqual(m.records)
    expect(m.refold()).toEqual(m.session)
  })

  it("says nothing of an attempt that is over", () => {
    const m = under({ ...on("saved", finish), state_events: [{ name: "crash", actions: [restarting] }] })
    m.state("FAILED", "a", { exit_code: 1 })
    m.pass(1)
    m.confirm()
    m.fact("LogRead", {
      path: "/out/a/slurm-1.out",
      from: 0,
      to: 1,
      size: 1,
      identity: "f",
      matches: [{ rule: "saved", offset: 0, groups: {}, line: "saved" }]
    }, { job: "a", attempt: 1 })
    expect(last(m, "ActionSkipped")).toMatchObject({ class_name: "FinishAction" })
  })
})

describe("AppendToFileAction", () => {
  it("is executed with its texts rendered, from the queue too", () => {
    const append = { class_name: "AppendToFileAction", path: "{output_dir}/nodes", content: "{node}" }
    const queued = { class_name: "EventAction", mode: "queue", action: append }
    const m = under({
      log_events: [{ name: "bad", pattern: "bad", metadata: { node: "n7" }, actions: [append, queued] }]
    })
    m.log([{ rule: "bad" }])
    const rendered = {
      class_name: "AppendToFileAction",
      path: "/out/a/nodes",
      content: "n7",
      dedup: true,
      create_parents: true
    }
    expect(last(m, "ActionStarted")).toMatchObject({ action: rendered })
    expect(last(m, "ActionQueued")).toMatchObject({ action: rendered })
  })
})
