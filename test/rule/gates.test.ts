import { describe, expect, it } from "vitest"
import { decodeRecord, encodeEvent, type EventRecord } from "../../src/event/EventRecord.ts"
import type { PlannedJob } from "../../src/event/PlannedJob.ts"
import type { Request } from "../../src/event/Request.ts"
import { startGate } from "../../src/session/foldGate.ts"
import { isFinished, statusOf } from "../../src/session/Session.ts"
import { sessionView } from "../../src/session/view.ts"
import { actor, machine, plannedJob, types } from "./machine.ts"

const quick = { log_settle_seconds: 0, inactivity_threshold_seconds: null }
const restart = { class_name: "RestartAction", max_restarts: 2 } as const

/** A job that starts once `others` have succeeded. */
const after = (name: string, ...others: ReadonlyArray<string>): PlannedJob =>
  plannedJob(name, 0, { start_conditions: others.map((job) => ({ class_name: "JobCondition", job })) })

type Machine = ReturnType<typeof machine>

/** Lets the job run to this state of the scheduler, and its end be judged. */
const runTo = (m: Machine, name: string, state: string): ReadonlyArray<EventRecord> => {
  m.accept()
  m.state("RUNNING", name)
  m.state(state, name)
  return m.pass(1)
}

const ends = (m: Machine) =>
  Object.fromEntries([...m.session.jobs].map(([name, { outcome, state }]) => [name, outcome ?? state]))

const grow = (m: Machine, jobs: ReadonlyArray<PlannedJob>, rest: Partial<Extract<Request, { kind: "grow" }>> = {}) =>
  m.fact("OperatorRequested", {
    request_id: "grow-1",
    actor,
    request: {
      kind: "grow",
      manifest: "/out/manifests/more.json",
      manifest_digest: "",
      jobs,
      rule_sets: [],
      gone: [],
      ...rest
    }
  })

/** The same facts decide the same again, and all records fold to the same session. */
const holdsOnReplay = (m: Machine) => {
  expect(m.replay()).toEqual(m.records)
  expect(m.refold()).toEqual(m.session)
}

describe("a job that needs another's success", () => {
  it("is submitted when the other has succeeded, not before", () => {
    const m = machine(quick, [plannedJob("a"), after("b", "a")])
    expect(types(m.submitAll())).toEqual(["ConditionWaiting", "SubmissionIntended"])
    expect(m.job("b")).toMatchObject({ state: "waiting", gate: "asking", attempt: 0 })
    const decisions = runTo(m, "a", "COMPLETED")
    expect(types(decisions)).toEqual([
      "JobClassified",
      "EventRaised",
      "JobFinished",
      "ConditionPassed",
      "SubmissionIntended"
    ])
    expect(m.job("b")).toMatchObject({ state: "submitting", attempt: 1 })
    holdsOnReplay(m)
  })

  it("waits through two restarts of the other", () => {
    const m = machine({ ...quick, state_events: [{ name: "crash", actions: [restart] }] }, [
      plannedJob("a"),
      after("b", "a")
    ])
    m.submitAll()
    runTo(m, "a", "FAILED")
    runTo(m, "a", "FAILED")
    expect(m.job("a")).toMatchObject({ attempt: 3, outcome: null })
    expect(m.job("b").state).toBe("waiting")
    runTo(m, "a", "COMPLETED")
    expect(m.job("b").state).toBe("submitting")
    holdsOnReplay(m)
  })

  it("ends as cancelled with the other's failure, which says which job and how, and the session ends with it", () => {
    const m = machine(quick, [plannedJob("a"), after("b", "a")])
    m.submitAll()
    runTo(m, "a", "FAILED")
    expect(m.job("b")).toMatchObject({ outcome: "cancelled", attempt: 0, state: "ended" })
    expect(m.job("b").why).toBe("job a ended as failed: FAILED (slurm_failure)")
    expect(isFinished(m.session, true)).toBe(true)
    holdsOnReplay(m)
  })

  it("pulls a chain of three down, or carries it through", () => {
    const chain = () => machine(quick, [after("c", "b"), after("b", "a"), plannedJob("a")])
    const failing = chain()
    failing.submitAll()
    runTo(failing, "a", "TIMEOUT")
    expect(ends(failing)).toEqual({ a: "timeout", b: "cancelled", c: "cancelled" })
    expect(failing.job("c").why).toContain("job b ended as cancelled: job a ended as timeout")
    const well = chain()
    well.submitAll()
    for (const name of ["a", "b", "c"]) runTo(well, name, "COMPLETED")
    expect(ends(well)).toEqual({ a: "success", b: "success", c: "success" })
    holdsOnReplay(failing)
    holdsOnReplay(well)
  })

  it("pulls a chain of 3,000 down without running out of stack", () => {
    const jobs = Array.from({ length: 3000 }, (_, at) => at === 0 ? plannedJob("0") : after(`${at}`, `${at - 1}`))
    const m = machine(quick, jobs)
    m.submitAll()
    runTo(m, "0", "FAILED")
    expect(m.job("2999").outcome).toBe("cancelled")
  })

  it("waits for all of several, and for the outcome that it names", () => {
    const cleanup = plannedJob("clean", 0, {
      start_conditions: [{ class_name: "JobCondition", job: "a", outcomes: ["failed", "timeout"] }]
    })
    const m = machine(quick, [plannedJob("a"), plannedJob("b"), after("c", "a", "b"), cleanup])
    m.submitAll()
    m.accept()
    runTo(m, "b", "COMPLETED")
    expect(m.job("c").state).toBe("waiting")
    runTo(m, "a", "COMPLETED")
    expect(ends(m)).toMatchObject({ c: "submitting", clean: "cancelled" })
    holdsOnReplay(m)
  })

  it("is cancelled at once if the session has no such job, or its condition cannot be read", () => {
    const m = machine(quick, [
      after("b", "nobody"),
      plannedJob("c", 0, { start_conditions: [{ class_name: "MoonCondition", phase: "full" }] })
    ])
    m.submitAll()
    expect(m.job("b")).toMatchObject({ outcome: "cancelled", why: "this session has no job nobody" })
    expect(m.job("c").outcome).toBe("cancelled")
    expect(m.job("c").why).toContain("cannot be read")
  })

  it("may need a job that ended before it was asked for", () => {
    const m = machine(quick, [plannedJob("a"), after("b", "a")])
    m.fact("OperatorRequested", { request_id: "a", actor, request: { kind: "submit", jobs: ["a"] } })
    runTo(m, "a", "COMPLETED")
    expect(m.job("b").state).toBe("planned")
    expect(types(m.submitAll())).toEqual(["ConditionPassed", "SubmissionIntended"])
  })

  it("takes no room of max_jobs while it waits", () => {
    const m = machine(quick, [after("b", "a"), plannedJob("a"), plannedJob("c")], { max_jobs: 1 })
    m.submitAll()
    expect(ends(m)).toEqual({ b: "waiting", a: "submitting", c: "waiting" })
    runTo(m, "a", "COMPLETED")
    expect(ends(m)).toMatchObject({ b: "submitting", c: "waiting" })
  })

  it("is submitted in its array's name with the tasks that may start with it", () => {
    const task = (name: string, index: number, needs: string) => ({
      ...after(name, needs),
      index,
      script: "/scripts/eval.sbatch",
      array: true
    })
    const m = machine(quick, [plannedJob("a"), plannedJob("b"), task("ea", 4, "a"), task("eb", 7, "b")])
    m.submitAll()
    m.accept()
    runTo(m, "b", "COMPLETED")
    expect([...m.session.submissions.values()]).toMatchObject([{ jobs: ["eb"], array: [7] }])
    m.accept()
    m.state("RUNNING", "a")
    m.state("COMPLETED", "a")
    m.pass(1)
    expect([...m.session.submissions.values()]).toMatchObject([{ jobs: ["ea"], array: [4] }])
  })
})

describe("a gate that the world answers", () => {
  const file = { class_name: "FileExistsCondition", path: "/data/{job_name}/ready" }
  const command = { class_name: "CommandCondition", command: "test -f {output_dir}/go && echo {job_name}" }
  const gated = (...start_conditions: PlannedJob["start_conditions"]) => plannedJob("a", 0, { start_conditions })
  const yes = (m: Machine, attempt = 0) =>
    m.fact("ConditionObserved", { binding: startGate("a") }, { job: "a", ...(attempt === 0 ? {} : { attempt }) })

  it("asks for one condition after another, and submits after the last", () => {
    const m = machine(quick, [gated(file, command)])
    m.submitAll()
    expect(m.session.gates.get("start a")?.asked.question).toEqual({ kind: "file_exists", path: "/data/a/ready" })
    expect(types(yes(m))).toEqual(["ConditionPassed", "ConditionWaiting"])
    expect(m.session.gates.get("start a")?.asked.question).toEqual({
      kind: "command",
      argv: ["sh", "-c", "test -f \"${AUTOEXP_VALUE_1}\"/go && echo \"${AUTOEXP_VALUE_2}\""],
      cwd: null,
      env: { AUTOEXP_VALUE_1: "/out/a", AUTOEXP_VALUE_2: "a" },
      answer: "exit_code",
      interval_seconds: 60,
      timeout_seconds: 60
    })
    expect(types(yes(m))).toEqual(["ConditionPassed", "SubmissionIntended"])
    holdsOnReplay(m)
  })

  it("delays no other job although it never answers", () => {
    const m = machine(quick, [gated(command), plannedJob("b"), plannedJob("c")], { max_jobs: 1 })
    m.submitAll()
    runTo(m, "b", "COMPLETED")
    runTo(m, "c", "COMPLETED")
    expect(ends(m)).toEqual({ a: "waiting", b: "success", c: "success" })
    expect(isFinished(m.session, true)).toBe(false)
    expect(sessionView(m.session).jobs[0]?.waits_for).toContain("a yes of sh -c")
  })

  it("is asked anew before a restart, and takes no late answer to an earlier question", () => {
    const m = machine({ ...quick, state_events: [{ name: "crash", actions: [restart] }] }, [gated(file)])
    m.submitAll()
    yes(m)
    const decisions = runTo(m, "a", "FAILED")
    expect(types(decisions)).toContain("ConditionWaiting")
    expect(types(decisions)).not.toContain("SubmissionIntended")
    expect(types(yes(m, 0))).toEqual([])
    expect(sessionView(m.session).jobs[0]?.waits_for).toBe("/data/a/ready")
    expect(types(yes(m, 1))).toEqual(["ConditionPassed", "SubmissionIntended"])
    expect(m.job().attempt).toBe(2)
    holdsOnReplay(m)
  })

  it("gives up at its time-out, not at that of a question before it", () => {
    const blocking = (path: string, timeout_seconds: number) => ({ ...file, path, blocking: true, timeout_seconds })
    const m = machine(quick, [gated(blocking("/1", 10), blocking("/2", 1000))])
    m.submitAll()
    m.pass(5)
    yes(m)
    m.pass(10)
    expect(m.job().outcome).toBeNull()
    m.pass(1000)
    expect(m.job()).toMatchObject({ outcome: "cancelled" })
    expect(m.job().why).toContain("no within 1000 s")

    const other = machine(quick, [gated(blocking("/1", 10), file)])
    other.submitAll()
    other.pass(5)
    yes(other)
    other.pass(100)
    expect(other.job().outcome).toBeNull()
  })

  it("is still open for a submission that was lost: nobody is asked twice for one attempt", () => {
    const m = machine(quick, [gated(file)], { settle_seconds: 0 })
    m.submitAll()
    yes(m)
    m.fact("MonitorAttached", { actor: { ...actor, role: "monitor" }, tool_version: "0" })
    const lost = m.fact("SubmissionNotFound", { nonce: m.job().nonce ?? "" })
    expect(types(lost)).toEqual(["SubmissionLost", "SubmissionIntended"])
    expect(m.job()).toMatchObject({ attempt: 1 })
  })

  it("ends the job that it was to start, if the answer is no for good", () => {
    const m = machine(quick, [gated(command)])
    m.submitAll()
    m.fact("ConditionObserved", { binding: "start a", holds: false, why: "exit code 3" }, { job: "a" })
    expect(m.job()).toMatchObject({
      outcome: "cancelled",
      why: "its start condition CommandCondition failed: exit code 3"
    })
  })
})

describe("a cancel condition", () => {
  const stop = { class_name: "FileExistsCondition", path: "/stop" }
  const stoppable = (rest: Partial<PlannedJob> = {}) => plannedJob("a", 0, { cancel_conditions: [stop], ...rest })
  const yes = (m: Machine, binding = "cancel.0 a") =>
    m.fact("ConditionObserved", { binding, why: "the file is there" }, { job: "a" })
  const rules = {
    ...quick,
    log_events: [{ name: "nccl", pattern: "x", actions: [restart] }],
    state_events: [{ name: "crash", actions: [restart] }]
  } as const

  it("ends a running job: one scancel, no restart whatever its end looks like, cancelled", () => {
    const m = machine(rules, [stoppable()])
    m.submitAll()
    m.accept()
    m.state("RUNNING")
    expect(types(yes(m))).toEqual(["ConditionPassed", "EndDecided", "CancelDecided"])
    expect(types(m.log([{ rule: "nccl" }]))).toEqual(["EventRaised", "ActionSkipped"])
    m.state("FAILED", "a", { exit_code: 143 })
    expect(types(m.pass(1))).toEqual(["JobClassified", "JobFinished"])
    expect(m.job()).toMatchObject({ outcome: "cancelled", attempt: 1 })
    expect(m.job().why).toBe("its cancel condition 0 (FileExistsCondition) holds: the file is there")
    expect(m.session.gates.size).toBe(0)
    holdsOnReplay(m)
  })

  it("lets a success be one that came first", () => {
    const m = machine(rules, [stoppable()])
    m.submitAll()
    m.accept()
    m.state("RUNNING")
    yes(m)
    m.state("COMPLETED")
    m.pass(1)
    expect(m.job().outcome).toBe("success")
  })

  it("ends a job that waits for its start, and those that need it", () => {
    const m = machine(rules, [
      plannedJob("z"),
      stoppable({ start_conditions: [{ class_name: "JobCondition", job: "z" }] }),
      after("b", "a")
    ])
    m.submitAll()
    yes(m)
    expect(ends(m)).toEqual({ z: "submitting", a: "cancelled", b: "cancelled" })
    holdsOnReplay(m)
  })

  it("cancels a job that was on its way to the scheduler as soon as its id is known", () => {
    const m = machine(rules, [stoppable()])
    m.submitAll()
    expect(types(yes(m))).toEqual(["ConditionPassed", "EndDecided"])
    expect(m.job().outcome).toBeNull()
    expect(types(m.accept())).toEqual(["CancelDecided"])
    m.state("CANCELLED")
    m.pass(1)
    expect(m.job().outcome).toBe("cancelled")
    holdsOnReplay(m)
  })

  it("ends a job whose submission was lost instead of submitting it again", () => {
    const m = machine(rules, [stoppable()], { settle_seconds: 0 })
    m.submitAll()
    yes(m)
    const nonce = m.job().nonce ?? ""
    m.fact("SubmissionUnanswered", { nonce, message: "timed out" })
    expect(types(m.fact("SubmissionNotFound", { nonce }))).toEqual(["SubmissionLost", "JobFinished"])
    expect(m.job()).toMatchObject({ outcome: "cancelled" })
    expect(isFinished(m.session, true)).toBe(true)
  })

  it("takes back a restart that was decided", () => {
    const m = machine(rules, [stoppable()])
    m.submitAll()
    m.accept()
    m.state("RUNNING")
    m.log([{ rule: "nccl" }])
    expect(types(yes(m))).toEqual(["ConditionPassed", "EndDecided", "RestartDropped"])
    m.state("CANCELLED")
    m.pass(1)
    expect(m.job()).toMatchObject({ outcome: "cancelled", attempt: 1, restarts: [] })
    holdsOnReplay(m)
  })

  it("may be another job's end, and means nothing once that is not to come", () => {
    const failed = { class_name: "JobCondition", job: "b", outcomes: ["failed"] }
    const jobs = [plannedJob("a", 0, { cancel_conditions: [failed] }), plannedJob("b")]
    const m = machine(quick, jobs)
    m.submitAll()
    m.accept()
    m.state("RUNNING")
    runTo(m, "b", "FAILED")
    m.state("CANCELLED")
    m.pass(1)
    expect(m.job()).toMatchObject({ outcome: "cancelled" })
    const other = machine(quick, jobs)
    other.submitAll()
    other.accept()
    other.state("RUNNING")
    runTo(other, "b", "COMPLETED")
    expect(other.job()).toMatchObject({ outcome: null, state: "running", ending: null })
  })
})

describe("many waiting jobs", () => {
  it("are looked at when what they need has ended, not on every fact", () => {
    const jobs = [plannedJob("x"), plannedJob("y"), ...Array.from({ length: 500 }, (_, at) => after(`d${at}`, "x"))]
    const m = machine({ ...quick, log_events: [{ name: "n", pattern: "x" }] }, jobs)
    m.submitAll()
    m.accept()
    m.state("RUNNING", "x")
    m.state("RUNNING", "y")
    let looks = 0
    const { get, values } = m.session.gates
    Object.assign(m.session.gates, {
      get: (id: string) => (looks += 1, get.call(m.session.gates, id)),
      values: () => (looks += m.session.gates.size, values.call(m.session.gates))
    })
    for (let read = 0; read < 20; read += 1) m.log([{ rule: "n", noted: true }], "y")
    m.state("COMPLETED", "y")
    m.pass(1)
    expect(looks).toBeLessThan(20)
    m.state("COMPLETED", "x")
    m.pass(1)
    expect(m.job("d499").state).toBe("submitting")
    expect(looks).toBeLessThan(5000)
  })
})

describe("a rate limit", () => {
  it("keeps submissions apart, arrays as one, in the order of the jobs", () => {
    const array = { script: "/scripts/array.sbatch", array: true }
    const m = machine(quick, [plannedJob("a"), plannedJob("b", 1, array), plannedJob("c", 2, array), plannedJob("d")], {
      submit_rate_limit_seconds: 10
    })
    m.submitAll()
    expect(ends(m)).toEqual({ a: "submitting", b: "waiting", c: "waiting", d: "waiting" })
    expect(sessionView(m.session).jobs[3]?.waits_for).toBe("the limit of a submission every 10 s")
    m.pass(9)
    m.submitAll()
    expect(ends(m)).toMatchObject({ b: "waiting" })
    m.pass(1)
    expect(ends(m)).toMatchObject({ b: "submitting", c: "submitting", d: "waiting" })
    m.pass(10)
    expect(ends(m)).toMatchObject({ d: "submitting" })
    holdsOnReplay(m)
  })

  it("holds for restarts too, and lets a lone one go at once", () => {
    const m = machine({ ...quick, state_events: [{ name: "crash", actions: [restart] }] }, [plannedJob("a")], {
      submit_rate_limit_seconds: 10
    })
    m.submitAll()
    runTo(m, "a", "FAILED")
    expect(m.job()).toMatchObject({ attempt: 1 })
    m.pass(10)
    expect(m.job()).toMatchObject({ attempt: 2 })
    m.pass(100)
    runTo(m, "a", "FAILED")
    expect(m.job()).toMatchObject({ attempt: 3, state: "submitting" })
  })
})

describe("growing a session", () => {
  it("adds what is new as planned, keeps what is known, and submits it when asked", () => {
    const m = machine(quick, [plannedJob("a")])
    m.submitAll()
    const changed = plannedJob("a", 0, { output_dir: "/elsewhere" })
    expect(grow(m, [changed, after("b", "a")], { gone: ["z"] })).toMatchObject([
      { type: "SessionGrown", data: { added: ["b"], known: ["a"], gone: ["z"] } }
    ])
    expect(m.job("a")).toMatchObject({ state: "submitting", plan: { output_dir: "/out/a" } })
    expect(m.job("b").state).toBe("planned")
    m.submitAll()
    expect(m.job("b")).toMatchObject({ state: "waiting", gate: "asking" })
    holdsOnReplay(m)
  })

  it("counts once, however often it is asked for", () => {
    const m = machine(quick, [plannedJob("a")])
    grow(m, [plannedJob("b", 1, { rule_set: 0 })], { rule_sets: [{}] })
    const before = [...m.session.jobs.keys()]
    grow(m, [plannedJob("b", 1, { rule_set: 0 })], { rule_sets: [{}] })
    expect([...m.session.jobs.keys()]).toEqual(before)
    expect(m.job("b").plan.rule_set).toBe(0)
    holdsOnReplay(m)
  })

  it("opens a finished session again", () => {
    const m = machine(quick, [plannedJob("a")])
    m.submitAll()
    runTo(m, "a", "COMPLETED")
    expect(statusOf(m.session)).toBe("finished")
    grow(m, [after("b", "a")])
    expect(statusOf(m.session)).not.toBe("finished")
    m.submitAll()
    runTo(m, "b", "COMPLETED")
    expect(statusOf(m.session)).toBe("finished")
  })

  it("refuses rules that cannot be read, and adds nothing then", () => {
    const m = machine(quick, [plannedJob("a")])
    const refused = grow(m, [plannedJob("b", 1, { rule_set: 0 })], { rule_sets: [{ log_settle_seconds: "soon" }] })
    expect(types(refused)).toEqual(["RequestRefused"])
    expect(types(grow(m, [plannedJob("c", 1, { rule_set: 3 })]))).toEqual(["RequestRefused"])
    expect([...m.session.jobs.keys()]).toEqual(["a"])
    expect(m.session.growth).toBeNull()
  })

  it("does not mistake the new plan's rule sets for those that were there", () => {
    const set = (attempts: number) => ({
      ...quick,
      state_events: [{ name: "crash", actions: [{ ...restart, max_restarts: attempts }] }]
    })
    const m = machine(quick, [plannedJob("a", 0, { rule_set: 0 })], { rule_sets: [set(0)] })
    grow(m, [plannedJob("b", 1, { rule_set: 0 }), plannedJob("c", 2)], { rule_sets: [set(2)] })
    m.submitAll()
    m.accept()
    for (const name of ["a", "b", "c"]) runTo(m, name, "FAILED")
    expect(ends(m)).toEqual({ a: "failed", b: "pending", c: "failed" })
    expect(m.job("b").attempt).toBe(2)
    expect(m.job("a").attention?.reason).toContain("budget")
    holdsOnReplay(m)
  })
})

describe("rules of a job's own", () => {
  it("decide on its settle time, silence and events; the session's on everybody else's", () => {
    const m = machine({ inactivity_threshold_seconds: 100, log_settle_seconds: 5 }, [
      plannedJob("a"),
      plannedJob("b", 1, { rule_set: 0 })
    ], {
      rule_sets: [{
        inactivity_threshold_seconds: 10,
        log_settle_seconds: 50,
        state_events: [{ name: "stall", actions: [restart] }]
      }]
    })
    m.submitAll()
    m.accept()
    m.state("RUNNING", "a")
    m.state("RUNNING", "b")
    m.pass(11)
    expect(m.job("a").restart).toBeNull()
    expect(m.job("b").restart).not.toBeNull()
    m.state("FAILED", "a")
    m.state("CANCELLED", "b")
    m.pass(6)
    expect(ends(m)).toMatchObject({ a: "failed", b: "ended" })
    m.pass(50)
    expect(ends(m)).toMatchObject({ b: "submitting" })
    holdsOnReplay(m)
  })
})

describe("journals of before", () => {
  it("open without gates, rule sets and limits", () => {
    const { data } = encodeEvent(machine(quick, [plannedJob("a")]).records[0] as EventRecord<"SessionOpened">)
    const old = structuredClone(data) as Record<string, unknown>
    delete old["rule_sets"]
    delete old["submit_rate_limit_seconds"]
    const known = ["name", "index", "parameters", "script", "array", "log_path", "output_dir", "output_paths"]
    old["jobs"] = (old["jobs"] as ReadonlyArray<object>).map((job) =>
      Object.fromEntries(Object.entries(job).filter(([key]) => known.includes(key)))
    )
    expect(decodeRecord({ v: 1, seq: 1, at: "", epoch: 1, type: "SessionOpened", data: old, hash: "" })).toMatchObject({
      right: { data: { rule_sets: [], jobs: [{ name: "a", start_conditions: [], rule_set: null }] } }
    })
  })
})
