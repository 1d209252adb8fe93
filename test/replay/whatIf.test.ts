import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import type { EventRecord } from "../../src/event/EventRecord.ts"
import { whatIf } from "../../src/replay/whatIf.ts"
import { rulesOf } from "../../src/rule/Context.ts"
import { Monitoring } from "../../src/rule/Monitoring.ts"
import { gatedHistory, history, operatedHistory } from "../rule/histories.ts"
import { actor, machine, plannedJob } from "../rule/machine.ts"

type Encoded = typeof Monitoring.Encoded

const under = (records: ReadonlyArray<EventRecord>, monitoring: unknown) =>
  whatIf(records, rulesOf(Schema.decodeUnknownSync(Monitoring)(monitoring)), new Map())

const rulesIn = ([first]: ReadonlyArray<EventRecord>): Encoded =>
  first?.type === "SessionOpened" ? first.data.rules as Encoded : {}

const attach = (m: ReturnType<typeof machine>) => m.fact("MonitorAttached", { actor, tool_version: "0" })

describe("the same rules", () => {
  it.each([["much was decided", history()], ["people decided", operatedHistory()]])(
    "would have done the same when %s",
    (_, records) => {
      const { diff, recorded, replayed, unknown } = under(records, rulesIn(records))
      expect(diff).toEqual([])
      expect(unknown).toEqual([])
      expect(replayed.map(({ key }) => key)).toEqual(recorded.map(({ key }) => key))
      expect(recorded.length).toBeGreaterThan(5)
    }
  )

  it("would have done the same when jobs wait for each other, but for times that their own rule sets gave", () => {
    const records = gatedHistory()
    expect(under(records, rulesIn(records)).diff.filter(({ change }) => change !== "other")).toEqual([])
  })
})

/** A job that fails of an NCCL error in its first attempt after an hour on 4 GPUs, and succeeds in its second one. */
const failing = (monitoring: Encoded) => {
  const m = machine(monitoring, [plannedJob("a", 0, { gpus: 4 }), plannedJob("b", 1, { gpus: 4 })])
  attach(m)
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  m.state("RUNNING", "b")
  m.pass(3600)
  m.log([{ rule: "nccl" }])
  m.state("FAILED", "a", { exit_code: 1 })
  m.pass(10)
  m.accept()
  if (m.job().attempt > 1) {
    m.state("RUNNING")
    m.pass(1800)
    m.state("COMPLETED", "a", { exit_code: 0 })
    m.pass(10)
  }
  m.state("COMPLETED", "b", { exit_code: 0 })
  m.pass(10)
  return m.records
}

const nccl = (
  ...actions: Encoded["log_events"] extends infer A ?
    A extends ReadonlyArray<{ readonly actions?: infer B }> ?
      B extends ReadonlyArray<infer C> ? ReadonlyArray<C> : never
    : never
    : never
): Encoded => ({
  inactivity_threshold_seconds: null,
  poll_interval_seconds: 5,
  log_events: [{ name: "nccl", pattern: "x", state: { class_name: "CrashState" }, actions }]
})
const restarting = nccl({ class_name: "RestartAction" })

describe("other rules", () => {
  it("that would not restart avoid the restart, and save at most what the later attempt ran", () => {
    const records = failing(restarting)
    const { diff } = under(records, nccl())
    expect(diff).toMatchObject([{
      job: "a",
      change: "restart avoided",
      steers: true,
      replayed: [{ type: "EventRaised" }]
    }])
    // The attempt was about to end by itself at the same moment.
    expect(diff[0]?.gpu_hours).toEqual({ least: 0, most: 2 })
  })

  it("that would restart add one, whose cost is not known", () => {
    const { diff, replayed } = under(failing(nccl()), restarting)
    expect(diff).toMatchObject([{ job: "a", change: "restart added", gpu_hours: { least: null, most: 0 } }])
    // Nothing that happened later to the job is used.
    expect(replayed.filter(({ at, job }) => job === "a" && at > (diff[0]?.at ?? "")).length).toBeLessThanOrEqual(2)
  })

  it("leave jobs alone that they decide the same of, whatever became of others", () => {
    const { diff, recorded, replayed } = under(failing(restarting), nccl())
    expect(diff.map(({ job }) => job)).toEqual(["a"])
    const ofB = (deeds: typeof recorded) => deeds.filter(({ job }) => job === "b").map(({ key }) => key)
    expect(ofB(replayed)).toEqual(ofB(recorded))
  })

  it("that only log more are told of, and the job goes on as recorded", () => {
    const both = nccl({ class_name: "RestartAction" }, { class_name: "LogAction", message: "look" })
    const { diff } = under(failing(restarting), both)
    expect(diff.length).toBeGreaterThan(0)
    expect(diff.every(({ steers }) => !steers)).toBe(true)
  })

  it("that notice silence earlier restart earlier, and save at most the time between", () => {
    const stalling = (seconds: number): Encoded => ({
      poll_interval_seconds: 5,
      inactivity_threshold_seconds: seconds,
      state_events: [{ name: "stall", actions: [{ class_name: "RestartAction" }] }]
    })
    const m = machine(stalling(1800), [plannedJob("a", 0, { gpus: 8 })])
    attach(m)
    m.submitAll()
    m.accept()
    m.state("RUNNING")
    m.pass(1800)
    m.state("CANCELLED")
    m.pass(10)
    const { diff } = under(m.records, stalling(600))
    expect(diff).toMatchObject([{ job: "a", fact: null, change: "restart earlier", seconds: 1195 }])
    expect(diff[0]?.gpu_hours?.least).toBe(0)
    expect(diff[0]?.gpu_hours?.most).toBeCloseTo(8 * 1195 / 3600)
    expect(under(m.records, stalling(1e6)).diff).toMatchObject([{
      change: "restart avoided",
      gpu_hours: { least: null }
    }])
  })

  it("that ask what nobody asked leave the answer unknown", () => {
    const asking = nccl({
      class_name: "EventAction",
      mode: "inline",
      conditions: [{ class_name: "FileExistsCondition", path: "/absent", blocking: true }],
      action: { class_name: "RestartAction" }
    })
    const { unknown } = under(failing(restarting), asking)
    expect(unknown).toMatchObject([{ job: "a", event: "nccl", condition: "FileExistsCondition" }])
  })
})
