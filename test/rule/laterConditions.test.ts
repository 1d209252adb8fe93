import { describe, expect, it } from "vitest"
import type { PlannedJob } from "../../src/event/PlannedJob.ts"
import { machine, plannedJob, types } from "./machine.ts"

const quick = { log_settle_seconds: 0, inactivity_threshold_seconds: null }

type Start = PlannedJob["start_conditions"]

const after = (start: Start, rest: Partial<PlannedJob> = {}) => plannedJob("z", 9, { start_conditions: start, ...rest })

/** Job `a` and, behind these conditions, job `z`. */
const pair = (start: Start, rest: Partial<PlannedJob> = {}) => {
  const m = machine(quick, [
    plannedJob("a", 0, { stage: "stable" }),
    plannedJob("b", 1, { stage: "stable" }),
    after(start, rest)
  ])
  m.submitAll()
  return m
}

const asked = (m: ReturnType<typeof machine>) => m.session.gates.get("start z")?.asked.question

const answer = (m: ReturnType<typeof machine>, rest: { readonly part?: number; readonly holds?: boolean } = {}) =>
  m.fact("ConditionObserved", { binding: "start z", ...rest }, { job: "z" })

const end = (m: ReturnType<typeof machine>, job: string, state: string) => {
  m.accept()
  m.state("RUNNING", job)
  m.state(state, job)
  return m.pass(1)
}

const isSubmitted = (m: ReturnType<typeof machine>) => m.session.jobs.get("z")?.state === "submitting"

const file = { class_name: "FileExistsCondition", path: "/out/ready" }

describe("JobStateCondition", () => {
  it("waits until a job runs, by its name in the plan", () => {
    const m = pair([{ class_name: "JobStateCondition", job: "a", state: "running" }])
    m.accept()
    expect(isSubmitted(m)).toBe(false)
    m.state("RUNNING", "b")
    expect(isSubmitted(m)).toBe(false)
    m.state("RUNNING", "a")
    expect(isSubmitted(m)).toBe(true)
    expect(m.replay()).toEqual(m.records)
    expect(m.refold()).toEqual(m.session)
  })

  it("waits for all jobs of a phase, and fails once one of them has ended otherwise", () => {
    const m = pair([{ class_name: "JobStateCondition", stage: "stable" }])
    end(m, "a", "COMPLETED")
    expect(isSubmitted(m)).toBe(false)
    end(m, "b", "FAILED")
    expect(m.job("z")).toMatchObject({ outcome: "cancelled", why: "job b is failed" })
  })

  it("means the jobs of a phase that the point refers to, where it refers to some", () => {
    const m = pair([{ class_name: "JobStateCondition", stage: "stable" }], { needs: ["b"] })
    end(m, "b", "COMPLETED")
    expect(isSubmitted(m)).toBe(true)
  })

  it("is content with any where it says so, and takes the states of SLURM in whatever case", () => {
    const m = pair([{ class_name: "JobStateCondition", job: "?", state: ["timeout", "completed"], mode: "any" }])
    end(m, "a", "FAILED")
    expect(isSubmitted(m)).toBe(false)
    end(m, "b", "COMPLETED")
    expect(isSubmitted(m)).toBe(true)
  })

  it("fails at once where the session has no such job", () => {
    const m = pair([{ class_name: "JobStateCondition", job: "stable_*" }])
    expect(m.job("z")).toMatchObject({ outcome: "cancelled", why: "this session has no job stable_*" })
  })

  it("is what SlurmStateCondition asks for, which never passed in the predecessor", () => {
    const m = pair([{ class_name: "SlurmStateCondition", job_name: "a", state: "COMPLETED" }])
    end(m, "a", "COMPLETED")
    expect(isSubmitted(m)).toBe(true)
  })
})

describe("And, Or and Not", () => {
  it("are composites under other names", () => {
    const m = pair([{ class_name: "AndCondition", conditions: [file, { class_name: "JobCondition", job: "a" }] }])
    answer(m)
    expect(isSubmitted(m)).toBe(false)
    end(m, "a", "COMPLETED")
    expect(isSubmitted(m)).toBe(true)
    const one = pair([{ class_name: "OrCondition", conditions: [file, { class_name: "JobCondition", job: "a" }] }])
    answer(one)
    expect(isSubmitted(one)).toBe(true)
  })

  it("ask the opposite of files, of which both yes and no can be waited for", () => {
    const m = pair([{ class_name: "NotCondition", condition: file }])
    expect(asked(m)).toMatchObject({ kind: "file_exists", path: "/out/ready", negated: true })
    answer(m)
    expect(isSubmitted(m)).toBe(true)
  })

  it("take a job that has not ended, and a time that has not passed, for no", () => {
    const m = pair([
      { class_name: "NotCondition", condition: { class_name: "JobCondition", job: "a" } },
      {
        class_name: "NotCondition",
        condition: { class_name: "ElapsedTimeCondition", elapsed_seconds: 60, since: "event" }
      }
    ])
    expect(isSubmitted(m)).toBe(true)
  })

  it("turn a composite round by its members", () => {
    const both = { class_name: "CompositeCondition", mode: "all", conditions: [file, { ...file, path: "/out/other" }] }
    const m = pair([{ class_name: "NotCondition", condition: both }])
    expect(asked(m)).toMatchObject({ kind: "several", mode: "any" })
    answer(m, { part: 1 })
    expect(isSubmitted(m)).toBe(true)
    const twice = pair([{ class_name: "NotCondition", condition: { class_name: "NotCondition", condition: file } }])
    expect(asked(twice)).not.toHaveProperty("negated")
  })
})

describe("TimeoutCondition", () => {
  const limit = { class_name: "TimeoutCondition", timeout_seconds: 60 }

  it("passes by itself: the time has just begun", () => {
    expect(isSubmitted(pair([limit]))).toBe(true)
  })

  it("bounds how long the others may take", () => {
    const start = [{ class_name: "AndCondition", conditions: [file, limit] }]
    const quickly = pair(start)
    answer(quickly)
    expect(isSubmitted(quickly)).toBe(true)
    const slowly = pair(start)
    slowly.pass(61)
    expect(slowly.job("z")).toMatchObject({
      outcome: "cancelled",
      why: "its start condition AndCondition failed: 60 s have passed"
    })
    expect(slowly.replay()).toEqual(slowly.records)
  })
})

describe("conditions about the lines of a file", () => {
  it("ask for a text or a pattern in a file or at the end of a log", () => {
    expect(asked(pair([{ class_name: "FileContentCondition", path: "{output_dir}/x", pattern: "done" }])))
      .toMatchObject({ kind: "file_contains", path: "/out/z/x", pattern: "done", regex: false, lines: null })
    expect(asked(pair([{ class_name: "LogPatternCondition", log_path: "/l", pattern: "it\\d+", tail_lines: 5 }])))
      .toMatchObject({ kind: "file_contains", path: "/l", pattern: "it\\d+", regex: true, lines: 5 })
  })
})

describe("ShellCommandCondition", () => {
  it("hands values to the shell by its environment", () => {
    expect(asked(pair([{ class_name: "ShellCommandCondition", command: "test -e {output_dir}/x" }]))).toMatchObject({
      kind: "command",
      argv: ["sh", "-c", "test -e \"${AUTOEXP_VALUE_1}\"/x"],
      env: { AUTOEXP_VALUE_1: "/out/z" },
      interval_seconds: 60
    })
  })
})

describe("a condition with persistent_pass", () => {
  const restarting = {
    ...quick,
    state_events: [{ name: "crash" as const, actions: [{ class_name: "RestartAction" as const, max_restarts: 3 }] }]
  }

  const failOnce = (start: Start) => {
    const m = machine(restarting, [plannedJob("z", 0, { start_conditions: start })])
    m.submitAll()
    answer(m)
    m.accept()
    m.state("RUNNING", "z")
    m.state("FAILED", "z", { exit_code: 1 })
    m.pass(1)
    return m
  }

  it("is not asked again before a restart, as others are", () => {
    const asking = failOnce([file])
    expect(types(asking.records.slice(-3))).toContain("ConditionWaiting")
    const kept = failOnce([{ ...file, persistent_pass: true }])
    expect(types(kept.records.slice(-3))).not.toContain("ConditionWaiting")
    expect(kept.records.filter(({ type }) => type === "ConditionPassed").at(-1)?.data).toMatchObject({
      why: "it keeps to what it said: the answer is yes"
    })
    expect(kept.replay()).toEqual(kept.records)
    expect(kept.refold()).toEqual(kept.session)
  })
})
