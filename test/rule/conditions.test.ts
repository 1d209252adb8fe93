import { describe, expect, it } from "vitest"
import { isFinished } from "../../src/session/Session.ts"
import { machine, types } from "./machine.ts"

type Conditions = ReadonlyArray<Record<string, unknown>>

const guarded = (conditions: Conditions, className = "RestartAction") => ({
  class_name: "EventAction",
  conditions,
  action: { class_name: className, ...(className === "LogAction" ? { message: "acted" } : {}) }
})

const running = (conditions: Conditions, className?: string) => {
  const rules = {
    inactivity_threshold_seconds: null,
    log_settle_seconds: 0,
    log_events: [
      { name: "x", pattern: "x", actions: [guarded(conditions, className)] },
      { name: "cuda_oom", pattern: "y", state: { class_name: "CrashState" }, metadata: { error_type: "oom" } },
      { name: "nccl", pattern: "z", state: { class_name: "CrashState" }, metadata: { error_type: "nccl" } }
    ],
    state_events: [{ name: "crash", actions: [guarded(conditions, className)] }]
  }
  const m = machine(rules as unknown as Parameters<typeof machine>[0])
  m.submitAll()
  m.accept()
  m.state("RUNNING", "a", { start: "2026-11-23T03:00:00.000Z" })
  return m
}

describe("a cooldown", () => {
  const cooldown = [{ class_name: "CooldownCondition", cooldown_seconds: 60 }]

  it("W-05: delays a restart by a timer and does not turn it into a stop", () => {
    const m = running(cooldown)
    m.state("FAILED", "a", { exit_code: 1 })
    expect(types(m.pass(1))).not.toContain("JobFinished")
    expect(types(m.pass(30))).toEqual([])
    // The attempt was seen dead a minute ago: a fresh look confirms it.
    expect(types(m.pass(31))).toEqual(["ConditionPassed", "RestartDecided", "EndDoubted", "SubmissionIntended"])
    expect(m.replay()).toEqual(m.records)
  })

  it("counts from the last such action, also of an earlier attempt", () => {
    const m = running(cooldown, "LogAction")
    m.log([{ rule: "x" }])
    m.pass(61)
    expect(types(m.log([{ rule: "x" }]))).toContain("ConditionWaiting")
    m.pass(61)
    m.pass(100)
    expect(types(m.log([{ rule: "x" }]))).toContain("ActionLogged")
  })
})

describe("files that match a pattern", () => {
  const rules = (condition: object) => [{ class_name: "GlobExistsCondition", ...condition }]

  it("are asked for with the values of the event by the letter, and waited for while the job lives", () => {
    const m = running(rules({ pattern: "/out/{job_name}/[{parameters[lr]}]*.pt", min_matches: 2 }), "LogAction")
    const asked = m.log([{ rule: "x" }]).find(({ type }) => type === "ConditionWaiting")
    expect(asked?.data).toMatchObject({
      class_name: "GlobExistsCondition",
      asked: {
        question: { kind: "files_match", pattern: "/out/a/[0.1]*.pt", at_least: 2 },
        waitsAfterJob: false,
        timeoutSeconds: null
      }
    })
    m.state("COMPLETED", "a", { exit_code: 0 })
    expect(types(m.pass(1))).toContain("ConditionFailed")
    expect(isFinished(m.session, true)).toBe(true)
  })

  it("are waited for after the job's end where the condition blocks, for so long and no longer", () => {
    const m = running(rules({ pattern: "/ckpt/*", blocking: true, timeout_seconds: 120 }), "LogAction")
    m.log([{ rule: "x" }])
    m.state("COMPLETED", "a", { exit_code: 0 })
    m.pass(1)
    expect(isFinished(m.session, true)).toBe(false)
    expect(types(m.pass(120))).toContain("ConditionFailed")
    expect(types(m.records)).not.toContain("ActionLogged")
  })

  it("let the action go once they are there", () => {
    const m = running(rules({ pattern: "/ckpt/*" }), "LogAction")
    m.log([{ rule: "x" }])
    const [open] = m.session.bindings.keys()
    const told = m.fact("ConditionObserved", { binding: open ?? "", holds: true, why: "the file is there" }, {
      job: "a"
    })
    expect(types(told)).toEqual(["ConditionPassed", "ActionLogged"])
  })
})

describe("elapsed time", () => {
  const elapsed = [{ class_name: "ElapsedTimeCondition", elapsed_seconds: 600 }]

  it("is waited for while the attempt runs, and fails for one that ended too early", () => {
    const alive = running(elapsed, "LogAction")
    alive.pass(100)
    expect(types(alive.log([{ rule: "x" }]))).toContain("ConditionWaiting")
    expect(types(alive.pass(500))).toContain("ActionLogged")
    const short = running(elapsed)
    short.pass(100)
    short.state("FAILED", "a", { exit_code: 1, end: "2026-11-23T03:01:40.000Z" })
    short.pass(1)
    expect(short.job()).toMatchObject({ outcome: "failed", attempt: 1 })
  })
})

describe("evidence", () => {
  const noOom = [{ class_name: "EvidenceCondition", error_types: ["oom"], seen: false }]

  it("keeps an OOM from being restarted that NCCL lines of the other ranks mask", () => {
    const m = running(noOom)
    m.log([{ rule: "cuda_oom" }, { rule: "nccl" }, { rule: "x" }])
    m.state("FAILED", "a", { exit_code: 1 })
    m.pass(1)
    expect(m.job()).toMatchObject({ outcome: "failed", attempt: 1, why: "FAILED with exit code 1 (oom)" })
    expect(m.replay()).toEqual(m.records)
  })

  it("lets NCCL errors alone be restarted", () => {
    const m = running(noOom)
    m.log([{ rule: "nccl" }])
    expect(types(m.log([{ rule: "x" }]))).toContain("RestartDecided")
  })
})

describe("a composite", () => {
  const file = (path: string, rest = {}) => ({ class_name: "FileExistsCondition", path, ...rest })
  const composite = (
    mode: string,
    ...conditions: Conditions
  ) => [{ class_name: "CompositeCondition", mode, conditions }]
  const never = { class_name: "MetadataCondition", key: "nothing" }
  const always = { class_name: "AlwaysTrueCondition" }
  const started = (conditions: Conditions) => {
    const m = running(conditions, "LogAction")
    const raised = types(m.log([{ rule: "x" }]))
    const [binding = ""] = m.session.bindings.keys()
    const answer = (part: number, holds: boolean) =>
      types(m.fact("ConditionObserved", { binding, part, holds, why: "seen" }, { job: "a", attempt: 1 }))
    return { m, raised, answer }
  }

  it("of all waits for every one, whatever the order of the answers", () => {
    const { answer, m } = started(composite("all", always, file("/1"), file("/2")))
    expect(answer(1, true)).toEqual(["ConditionAnswered"])
    expect(answer(1, true)).toEqual([])
    expect(answer(0, true)).toEqual(["ConditionPassed", "ActionLogged"])
    expect(m.replay()).toEqual(m.records)
    expect(m.refold()).toEqual(m.session)
  })

  it("of all fails with its first no, and at once where nothing can help", () => {
    expect(started(composite("all", file("/1"), file("/2"))).answer(0, false)).toEqual(["ConditionFailed"])
    expect(started(composite("all", file("/1"), never)).raised).toEqual(["EventRaised", "ConditionFailed"])
  })

  it("of any passes with its first yes, and fails with the last no", () => {
    const any = composite("any", never, file("/1"), file("/2"))
    expect(started(any).answer(1, true)).toEqual(["ConditionPassed", "ActionLogged"])
    const none = started(any)
    expect(none.answer(0, false)).toEqual(["ConditionAnswered"])
    expect(none.answer(1, false)).toEqual(["ConditionFailed"])
    expect(started(composite("any", file("/1"), always)).raised).toContain("ActionLogged")
  })

  it("nests, and gives each part a time-out of its own", () => {
    const { answer, m } = started(composite(
      "any",
      ...composite("all", file("/1"), file("/2")),
      file("/3", { blocking: true, timeout_seconds: 100 })
    ))
    expect(answer(0, true)).toEqual(["ConditionAnswered"])
    expect(types(m.pass(101))).toEqual(["ConditionAnswered"])
    expect(answer(1, true)).toEqual(["ConditionPassed", "ActionLogged"])
    expect(m.replay()).toEqual(m.records)
  })

  it("that can no longer pass holds no session open", () => {
    const { m } = started(composite("all", file("/1"), file("/2")))
    m.state("COMPLETED", "a", { exit_code: 0 })
    m.pass(1)
    expect(isFinished(m.session, true)).toBe(true)
  })
})
