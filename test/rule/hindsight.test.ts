/** What is known only at the end of an attempt, or of a job, decides what was decided before. */
import { describe, expect, it } from "vitest"
import type { Condition } from "../../src/action/conditions.ts"
import { behaviour, evidenceIsHeardAgain, settledLogDecides, successRecovers } from "../../src/rule/behaviour.ts"
import { actor, machine, plannedJob, types } from "./machine.ts"

const unlessOom = { class_name: "EvidenceCondition", error_types: ["oom"], seen: false } as const
const restart = { class_name: "RestartAction" } as const
const crash = { class_name: "CrashState" } as const
const nccl = {
  name: "nccl",
  pattern: "NCCL",
  state: crash,
  actions: [{ class_name: "EventAction", conditions: [unlessOom], action: restart }]
} as const
const oom = { name: "oom", pattern: "memory", state: crash, metadata: { error_type: "oom" } } as const

type Machine = ReturnType<typeof machine>

const running = (monitoring: Parameters<typeof machine>[0], of = behaviour): Machine => {
  const m = machine({ log_settle_seconds: 10, ...monitoring }, [plannedJob("a")], { behaviour: of })
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  return m
}

/** The attempt ends; an NCCL line is read then, and an OOM line before its log has settled. */
const endsOfOom = (m: Machine): void => {
  m.state("FAILED", "a", { exit_code: 1 })
  m.log([{ rule: "nccl" }])
  m.pass(5)
  m.log([{ rule: "oom" }])
  m.pass(11)
}

describe("an attempt whose log tells of an OOM behind the NCCL lines that follow from it", () => {
  it("is not restarted: its settled log decides", () => {
    const m = running({ log_events: [nccl, oom] })
    endsOfOom(m)
    const dropped = m.records.find(({ type }) => type === "RestartDropped")
    expect(dropped?.data).toEqual({
      why: "read to its end, the log says otherwise than at nccl: the attempt has shown oom"
    })
    expect(m.job()).toMatchObject({ outcome: "failed", attempt: 1, restarts: [], why: "FAILED with exit code 1 (oom)" })
    expect(m.replay()).toEqual(m.records)
    expect(m.refold().jobs).toEqual(m.session.jobs)
  })

  it("is restarted all the same by a rule that does not ask for it", () => {
    const m = running({ log_events: [{ ...nccl, actions: [restart] }, oom] })
    endsOfOom(m)
    expect(m.job()).toMatchObject({ state: "submitting", attempt: 2 })
  })

  it("is restarted where another of the rule's restarts still holds", () => {
    const m = running({ log_events: [{ ...nccl, actions: [...nccl.actions, restart] }, oom] })
    endsOfOom(m)
    expect(m.job()).toMatchObject({ state: "submitting", attempt: 2 })
  })

  it("goes on with the restart that it was cancelled for while it lived", () => {
    const m = running({ log_events: [nccl, oom] })
    m.log([{ rule: "nccl" }])
    m.state("CANCELLED")
    m.log([{ rule: "oom" }])
    m.pass(11)
    expect(m.job()).toMatchObject({ state: "submitting", attempt: 2 })
  })

  it("is not restarted either if it was to be cancelled but had ended by itself", () => {
    const m = running({ log_events: [nccl, oom] })
    m.log([{ rule: "nccl" }])
    m.state("FAILED", "a", { exit_code: 1 })
    m.log([{ rule: "oom" }])
    m.pass(11)
    expect(m.job()).toMatchObject({ outcome: "failed", attempt: 1 })
  })

  it("is restarted in a session that began by the older rule, whose journal replays as it was", () => {
    const m = running({ log_events: [nccl, oom] }, settledLogDecides - 1)
    endsOfOom(m)
    expect(m.job()).toMatchObject({ state: "submitting", attempt: 2 })
    expect(m.replay()).toEqual(m.records)
  })
})

describe("evidence within other conditions", () => {
  const file = { class_name: "FileExistsCondition", path: "/ckpt" } as const
  const sure = { class_name: "AlwaysTrueCondition" } as const
  const guarded = (condition: typeof Condition.Encoded) => ({
    ...nccl,
    actions: [{ class_name: "EventAction" as const, conditions: [condition], action: restart }]
  })
  const composed = (mode: "all" | "any", ...conditions: ReadonlyArray<typeof Condition.Encoded>) =>
    guarded({ class_name: "CompositeCondition", mode, conditions })

  it("drops a restart if all must pass, or none of the others could", () => {
    const negated = { class_name: "NotCondition", condition: { ...unlessOom, seen: true } } as const
    const rules = [
      composed("all", sure, unlessOom),
      composed("any", unlessOom),
      guarded({ class_name: "AndCondition", conditions: [sure, negated] }),
      guarded({ class_name: "OrCondition", conditions: [negated] })
    ]
    for (const rule of rules) {
      const m = running({ log_events: [rule, oom] })
      endsOfOom(m)
      expect(types(m.records)).toContain("RestartDropped")
      expect(m.job()).toMatchObject({ outcome: "failed", attempt: 1, restarts: [] })
      expect(m.replay()).toEqual(m.records)
    }
  })

  it("drops none if another may pass in its stead, or in a session that began by the older rule", () => {
    for (const other of [sure, file]) {
      const either = running({ log_events: [composed("any", unlessOom, other), oom] })
      endsOfOom(either)
      expect(either.job()).toMatchObject({ state: "submitting", attempt: 2 })
    }
    const old = running({ log_events: [composed("all", unlessOom), oom] }, evidenceIsHeardAgain - 1)
    endsOfOom(old)
    expect(old.job()).toMatchObject({ state: "submitting", attempt: 2 })
    expect(old.replay()).toEqual(old.records)
  })
})

describe("a restart that waits for a cooldown", () => {
  const cooldown = { class_name: "CooldownCondition", cooldown_seconds: 60 } as const
  const patient = {
    ...nccl,
    actions: [{ class_name: "EventAction" as const, conditions: [unlessOom, cooldown], action: restart }]
  }

  it("is not decided if the log told of an OOM meanwhile, be the attempt judged or alive", () => {
    for (const dies of [true, false]) {
      const m = running({ log_events: [patient, oom] })
      if (dies) endsOfOom(m)
      else {
        m.log([{ rule: "nccl" }])
        m.log([{ rule: "oom" }])
      }
      expect(m.job()).toMatchObject({ outcome: null, restart: null })
      m.pass(61)
      expect(m.records.find(({ type }) => type === "ActionSkipped")?.data).toMatchObject({
        why: "since it was asked for, the attempt has shown oom"
      })
      expect(m.job()).toMatchObject({ outcome: dies ? "failed" : null, attempt: 1, restarts: [], attention: null })
      expect(m.replay()).toEqual(m.records)
    }
  })

  it("is decided if it told of nothing else, or in a session that began by the older rule", () => {
    const calm = running({ log_events: [patient, oom] })
    calm.state("FAILED", "a", { exit_code: 1 })
    calm.log([{ rule: "nccl" }])
    calm.pass(11)
    calm.pass(61)
    expect(calm.job()).toMatchObject({ state: "submitting", attempt: 2 })
    const old = running({ log_events: [patient, oom] }, evidenceIsHeardAgain - 1)
    endsOfOom(old)
    old.pass(61)
    expect(old.job()).toMatchObject({ state: "submitting", attempt: 2 })
    expect(old.replay()).toEqual(old.records)
  })
})

describe("a job that needs attention", () => {
  const spent = { restarts: { max_per_fingerprint: 0 }, log_events: [{ ...nccl, actions: [restart] }] }

  it("needs it no more once it ends in success, by a record that says so", () => {
    const m = running(spent)
    m.log([{ rule: "nccl" }])
    expect(m.job().attention).not.toBeNull()
    m.state("COMPLETED", "a", { exit_code: 0 })
    m.pass(11)
    expect(m.job()).toMatchObject({ outcome: "success", attention: null })
    expect(m.records.at(-1)).toMatchObject({
      type: "AttentionCleared",
      data: { why: "recovered: the job ended in success", undone: null }
    })
    expect(m.replay()).toEqual(m.records)
    expect(m.refold().jobs).toEqual(m.session.jobs)
  })

  it("needs it on if it ends otherwise, or in a session that began by the older rule", () => {
    const failing = running(spent)
    failing.log([{ rule: "nccl" }])
    failing.state("FAILED", "a", { exit_code: 1 })
    failing.pass(11)
    expect(failing.job().attention).not.toBeNull()
    const old = running(spent, successRecovers - 1)
    old.log([{ rule: "nccl" }])
    old.state("COMPLETED", "a", { exit_code: 0 })
    old.pass(11)
    expect(old.job().attention).not.toBeNull()
    expect(old.replay()).toEqual(old.records)
  })
})

it("a restart by hand of a job that is held says that it releases it", () => {
  const m = running({})
  const ask = (kind: "job_hold" | "job_restart") =>
    m.fact("OperatorRequested", { request_id: kind, actor, request: { kind, job: "a", reason: "look" } })
  ask("job_hold")
  const decided = ask("job_restart")
  expect(types(decided)).toEqual(["JobReleased", "RestartDecided", "CancelDecided"])
  expect(decided[0]?.data).toMatchObject({ why: expect.stringContaining("its restart ends the hold: look") })
  expect(m.job().held).toBeNull()
})
