import { describe, expect, it } from "vitest"
import { allEnded, isFinished } from "../../src/session/Session.ts"
import { machine, plannedJob, types } from "./machine.ts"

const restart = { class_name: "RestartAction", max_restarts: 2 } as const
const nccl = {
  name: "nccl_error",
  pattern: "NCCL",
  state: { class_name: "CrashState" },
  metadata: { error_type: "nccl" },
  actions: [restart]
} as const

const running = (rules: Parameters<typeof machine>[0], ...rest: ReadonlyArray<never>) => {
  const m = machine({ inactivity_threshold_seconds: 100, log_settle_seconds: 5, ...rules }, ...rest)
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  return m
}

describe("submission", () => {
  it("intends each planned job once, with a nonce of the session and the journal's position", () => {
    const m = machine({}, [plannedJob("a"), plannedJob("b", 1)])
    const intents = m.submitAll()
    expect(types(intents)).toEqual(["SubmissionIntended", "SubmissionIntended"])
    expect(intents.map((intent) => intent.type === "SubmissionIntended" && intent.data.name)).toEqual([
      "a.1.seedseed3",
      "b.1.seedseed4"
    ])
    expect(types(m.submitAll())).toEqual([])
  })

  it("W-13: submits the tasks of one array script together and keeps their indices", () => {
    const script = { script: "/scripts/array.sbatch", array: true }
    const m = machine({}, [plannedJob("a", 3, script), plannedJob("b", 7, script)])
    expect(m.submitAll()).toMatchObject([
      { type: "SubmissionIntended", data: { jobs: ["a", "b"], array: [3, 7], name: "demo-array.1.seedseed3" } }
    ])
  })

  it("W-16: keeps to max_jobs and submits further jobs as others end", () => {
    const m = machine({ log_settle_seconds: 0 }, [plannedJob("a"), plannedJob("b", 1)], { max_jobs: 1 })
    expect(m.submitAll()).toHaveLength(1)
    m.accept()
    m.state("RUNNING")
    m.state("COMPLETED")
    expect(types(m.pass(1))).toContain("SubmissionIntended")
    expect(m.job("b").state).toBe("submitting")
  })

  it("doubts what the monitor before it left unanswered, and never submits that again before the settle window", () => {
    const m = machine({})
    m.submitAll()
    const attached = m.fact("MonitorAttached", {
      actor: { role: "monitor", user: "ada", host: "login1", pid: 2 },
      tool_version: "0"
    })
    expect(types(attached)).toEqual(["SubmissionDoubted"])
    const nonce = m.job().nonce ?? ""
    expect(types(m.fact("SubmissionNotFound", { nonce }))).toEqual(["TimerSet"])
    m.pass(61)
    expect(types(m.fact("SubmissionNotFound", { nonce }))).toEqual(["SubmissionLost", "SubmissionIntended"])
    expect(m.job()).toMatchObject({ attempt: 1, state: "submitting" })
    expect(m.job().nonce).not.toBe(nonce)
  })

  it("gives a job up whose submissions are lost again and again", () => {
    const m = machine({}, [plannedJob("a")], { settle_seconds: 0 })
    m.submitAll()
    for (let lost = 0; lost < 5; lost += 1) {
      const nonce = m.job().nonce ?? ""
      m.fact("SubmissionUnanswered", { nonce, message: "timed out" })
      m.fact("SubmissionNotFound", { nonce })
    }
    expect(m.job()).toMatchObject({ outcome: "abandoned", state: "ended" })
    expect(m.session.submissions.size).toBe(0)
  })

  it("fails a job that the scheduler refuses, with the scheduler's words", () => {
    const m = machine({})
    m.submitAll()
    m.fact("SubmissionRefused", { nonce: m.job().nonce ?? "", message: "Invalid partition" })
    expect(m.job()).toMatchObject({ outcome: "failed", state: "ended" })
    expect(m.job().why).toContain("Invalid partition")
    expect(isFinished(m.session, true)).toBe(true)
  })
})

describe("restarts", () => {
  it("restarts once although five lines match", () => {
    const m = running({ log_events: [nccl] })
    const decisions = m.log(Array.from({ length: 5 }, () => ({ rule: "nccl_error" })))
    expect(types(decisions).filter((type) => type === "RestartDecided")).toHaveLength(1)
    expect(types(decisions).filter((type) => type === "CancelDecided")).toHaveLength(1)
    expect(types(decisions).filter((type) => type === "ActionSkipped")).toHaveLength(4)
  })

  it("submits the next attempt only once the old one is seen dead and its log has settled", () => {
    const m = running({ log_events: [nccl] })
    expect(types(m.log([{ rule: "nccl_error" }]))).not.toContain("SubmissionIntended")
    expect(types(m.state("CANCELLED"))).toEqual(["TimerSet"])
    expect(types(m.pass(6))).toEqual(["JobClassified", "SubmissionIntended"])
    expect(m.job()).toMatchObject({ attempt: 2, state: "submitting", restart: null })
  })

  it("takes the end that its own cancel brought for no crash", () => {
    const m = running({
      log_events: [nccl],
      state_events: [{ name: "crash", actions: [{ class_name: "LogAction", message: "crashed" }] }]
    })
    m.log([{ rule: "nccl_error" }])
    m.state("CANCELLED")
    expect(types(m.pass(6))).not.toContain("ActionLogged")
  })

  it("stops at the rule's budget, says so, and asks for attention", () => {
    const m = running({ log_settle_seconds: 0, log_events: [nccl] })
    for (const attempt of [1, 2]) {
      expect(m.job().attempt).toBe(attempt)
      m.log([{ rule: "nccl_error" }])
      m.state("FAILED", "a", { exit_code: 1 })
      m.pass(1)
      m.accept()
      m.state("RUNNING")
    }
    expect(types(m.log([{ rule: "nccl_error" }]))).toEqual(["EventRaised", "ActionSkipped", "AttentionNeeded"])
    m.state("FAILED", "a", { exit_code: 1 })
    m.pass(1)
    expect(m.job()).toMatchObject({ outcome: "failed", attempt: 3 })
    expect(m.job().attention?.reason).toContain("2 of 2")
    expect(m.job().restarts.map(({ attempt, cause }) => [attempt, cause])).toEqual([[2, "nccl_error"], [
      3,
      "nccl_error"
    ]])
  })

  it("does not restart on lines of an attempt that is over", () => {
    const m = running({ log_settle_seconds: 0, log_events: [nccl] })
    m.log([{ rule: "nccl_error" }])
    m.state("FAILED")
    m.pass(1)
    const late = m.fact("LogRead", {
      path: "/out/a/slurm-1.out",
      from: 0,
      to: 9,
      size: 9,
      identity: "f",
      matches: [{ rule: "nccl_error", offset: 0, groups: {}, line: "NCCL" }]
    }, { job: "a", attempt: 1 })
    expect(types(late)).not.toContain("RestartDecided")
  })

  it("does not start a completed job again because of what its log or its silence said on the way", () => {
    const m = running({
      log_settle_seconds: 0,
      log_events: [nccl],
      state_events: [{ name: "success", actions: [{ class_name: "LogAction", message: "well" }] }]
    })
    m.log([{ rule: "nccl_error" }])
    m.state("COMPLETED", "a", { exit_code: 0 })
    expect(types(m.pass(1))).toEqual([
      "JobClassified",
      "RestartDropped",
      "EventRaised",
      "ActionLogged",
      "JobFinished"
    ])
    expect(m.job()).toMatchObject({ outcome: "success", attempt: 1, restarts: [] })

    const late = running({ log_settle_seconds: 0, log_events: [nccl] })
    late.state("COMPLETED", "a", { exit_code: 0 })
    expect(types(late.log([{ rule: "nccl_error" }]))).toEqual(["EventRaised", "ActionSkipped"])
    late.pass(1)
    expect(late.job()).toMatchObject({ outcome: "success", attempt: 1 })
  })

  it("starts a completed job again where the rule does not speak of a failure", () => {
    const m = running({
      log_settle_seconds: 0,
      log_events: [{ name: "time_is_up", pattern: "exiting program after", actions: [restart] }]
    })
    m.log([{ rule: "time_is_up" }])
    m.state("COMPLETED", "a", { exit_code: 0 })
    expect(types(m.pass(1))).toContain("SubmissionIntended")
  })

  it("never restarts an attempt that another start has claimed: it asks for attention", () => {
    const m = running({ log_settle_seconds: 0, state_events: [{ name: "crash", actions: [restart] }] })
    m.state("FAILED", "a", { exit_code: 75, foreign_claim: true })
    m.pass(1)
    expect(m.job()).toMatchObject({ outcome: "abandoned", attempt: 1 })
    expect(m.job().attention).not.toBeNull()
  })

  it("does not fight a scancel: error lines of a job that is torn down restart nothing", () => {
    const m = running({ log_settle_seconds: 0, log_events: [nccl] })
    m.state("CANCELLED")
    expect(types(m.log([{ rule: "nccl_error" }]))).not.toContain("RestartDecided")
    m.pass(1)
    expect(m.job()).toMatchObject({ outcome: "cancelled", attempt: 1 })
  })

  it("counts attempts for MaxAttemptsCondition with the first included", () => {
    const m = running({
      log_settle_seconds: 0,
      state_events: [{
        name: "timeout",
        actions: [{
          class_name: "EventAction",
          conditions: [{ class_name: "MaxAttemptsCondition", max_attempts: 2 }],
          action: { class_name: "RestartAction" }
        }]
      }]
    })
    m.state("TIMEOUT")
    expect(types(m.pass(1))).toContain("RestartDecided")
    m.accept()
    m.state("RUNNING")
    m.state("TIMEOUT")
    expect(types(m.pass(1))).not.toContain("RestartDecided")
    expect(m.job()).toMatchObject({ outcome: "timeout", attempt: 2 })
  })

  it("submits a job again that the scheduler lost, without touching any budget", () => {
    const m = running({ log_events: [nccl] })
    m.state("MISSING")
    expect(m.job().outcome).toBeNull()
    expect(types(m.pass(61))).toContain("SubmissionIntended")
    m.accept()
    m.state("RUNNING")
    expect(m.log([{ rule: "nccl_error" }])).toContainEqual(expect.objectContaining({
      type: "RestartDecided",
      data: expect.objectContaining({ budget: { before: 2, after: 1 } })
    }))
  })

  it("does not submit a job for ever that the scheduler accepts and never knows, as where a site renames jobs", () => {
    const m = machine({}, [plannedJob("a")], { settle_seconds: 10 })
    m.submitAll()
    let accepted = 0
    while (m.job().outcome === null && accepted < 20) {
      m.accept()
      accepted += 1
      m.state("MISSING")
      m.pass(11)
    }
    expect(accepted).toBeLessThanOrEqual(5)
    expect(m.job()).toMatchObject({ outcome: "abandoned", attention: { reason: expect.stringContaining("in a row") } })
  })

  it("takes a job that was missing for a while for what it is when it is seen again", () => {
    const m = running({})
    m.state("MISSING")
    m.state("RUNNING")
    expect(types(m.pass(61))).not.toContain("JobLost")
    expect(m.job()).toMatchObject({ state: "running", attempt: 1 })
  })
})

describe("ends", () => {
  it("judges an end only after the log has been quiet, so that a late OOM line still counts", () => {
    const m = running({
      log_events: [{ name: "cuda_oom", pattern: "OOM", metadata: { error_type: "oom" } }],
      state_events: [{
        name: "crash",
        actions: [{
          class_name: "EventAction",
          conditions: [{ class_name: "MetadataCondition", key: "error_type", equals: "slurm_failure" }],
          action: restart
        }]
      }]
    })
    m.state("FAILED", "a", { exit_code: 1 })
    expect(types(m.pass(3))).toEqual([])
    m.log([{ rule: "cuda_oom" }])
    expect(types(m.pass(3))).toEqual(["TimerSet"])
    expect(types(m.pass(6))).toEqual(["JobClassified", "EventRaised", "ConditionFailed", "JobFinished"])
    expect(m.job()).toMatchObject({ outcome: "failed", attempt: 1, why: "FAILED with exit code 1 (oom)" })
  })

  it("does not judge an end while bytes of the log are known that were not read", () => {
    const m = running({ log_settle_seconds: 1 })
    m.state("FAILED", "a", { exit_code: 1 })
    const read = (from: number, to: number) =>
      m.fact("LogRead", { path: m.job().logPath ?? "", from, to, size: 100, identity: "f", matches: [] }, {
        job: "a",
        attempt: 1
      })
    read(0, 40)
    expect(types(m.pass(2))).toEqual(["TimerSet"])
    read(40, 80)
    expect(types(m.pass(0))).toEqual(["TimerSet"])
    read(80, 100)
    expect(types(m.pass(0))).toContain("JobClassified")
  })

  it("restarts a failure of unknown cause under the same rules", () => {
    const m = running({
      log_settle_seconds: 0,
      state_events: [{
        name: "crash",
        actions: [{
          class_name: "EventAction",
          conditions: [{ class_name: "MetadataCondition", key: "error_type", equals: "slurm_failure" }],
          action: restart
        }]
      }]
    })
    m.state("FAILED", "a", { exit_code: 1 })
    expect(types(m.pass(1))).toContain("RestartDecided")
  })

  it("watches a job on after a log event that looks like its end", () => {
    const m = running({ log_events: [{ name: "done", pattern: "x", state: { class_name: "SuccessState" } }] })
    m.log([{ rule: "done" }])
    expect(m.job()).toMatchObject({ state: "running", outcome: null })
  })

  it("ends a cancelled job as cancelled and does not start it again", () => {
    const m = running({ log_settle_seconds: 0, log_events: [nccl] })
    m.state("CANCELLED")
    m.pass(1)
    expect(m.job()).toMatchObject({ outcome: "cancelled", attempt: 1 })
  })
})

describe("silence", () => {
  const stall = { name: "stall", actions: [restart] } as const

  it("restarts a job whose log stands still", () => {
    const m = running({ state_events: [stall] })
    expect(types(m.pass(101))).toEqual(["EventRaised", "RestartDecided", "CancelDecided"])
  })

  it("does not take growing logs for silence", () => {
    const m = running({ state_events: [stall] })
    m.pass(60)
    m.log([])
    expect(types(m.pass(60))).toEqual(["TimerSet"])
    expect(types(m.pass(39))).toEqual([])
    expect(types(m.pass(2))).toContain("RestartDecided")
  })

  it("takes a log that cannot be read for no silence", () => {
    const m = running({ state_events: [stall] })
    const about = { job: "a", attempt: 1 }
    m.fact("LogUnreadable", { path: m.job().logPath ?? "", message: "EIO" }, about)
    expect(types(m.pass(101))).toEqual(["TimerSet"])
    m.fact("LogReadable", { path: m.job().logPath ?? "" }, about)
    expect(types(m.pass(101))).toContain("RestartDecided")
  })

  it("does not call a pending job stalled", () => {
    const m = machine({ inactivity_threshold_seconds: 10, state_events: [stall] })
    m.submitAll()
    m.accept()
    m.state("PENDING")
    expect(types(m.pass(1000))).toEqual([])
  })

  it("raises a stall once an episode, and again after new output", () => {
    const m = running({ state_events: [{ name: "stall", actions: [{ class_name: "LogAction", message: "quiet" }] }] })
    expect(types(m.pass(101))).toContain("ActionLogged")
    expect(types(m.pass(500))).toEqual([])
    m.log([])
    expect(types(m.pass(101))).toContain("ActionLogged")
  })
})

describe("conditions and queue", () => {
  const saved = (blocking: boolean) => ({
    name: "checkpoint_saved",
    pattern: "x",
    metadata: { kind: "checkpoint" },
    actions: [{
      class_name: "EventAction",
      mode: "queue",
      conditions: [{ class_name: "FileExistsCondition", path: "{checkpoint_path}", blocking }],
      action: { class_name: "RunAutoexpAction", overrides: ["evaluation.checkpoint={checkpoint_path}"] }
    }]
  } as const)

  it("asks on until the file is there, then queues the rendered action", () => {
    const m = running({ log_events: [saved(true)] })
    expect(types(m.log([{ rule: "checkpoint_saved", groups: { checkpoint_path: "/ckpt/1" } }]))).toEqual([
      "EventRaised",
      "ConditionWaiting",
      "TimerSet"
    ])
    const [binding] = m.session.bindings.keys()
    expect(m.fact("ConditionObserved", { binding: binding ?? "" })).toMatchObject([
      { type: "ConditionPassed" },
      { type: "ActionQueued", data: { action: { overrides: ["evaluation.checkpoint=/ckpt/1"] } } }
    ])
  })

  it("queues one action for each of two checkpoints in one read", () => {
    const m = running({ log_events: [saved(true)] })
    m.log([
      { rule: "checkpoint_saved", groups: { checkpoint_path: "/ckpt/1" } },
      { rule: "checkpoint_saved", groups: { checkpoint_path: "/ckpt/2" } }
    ])
    for (const binding of [...m.session.bindings.keys()]) m.fact("ConditionObserved", { binding })
    expect([...m.session.queue.values()].map(({ action }) => action["overrides"])).toEqual([
      ["evaluation.checkpoint=/ckpt/1"],
      ["evaluation.checkpoint=/ckpt/2"]
    ])
    expect([...m.session.events.values()]).toMatchObject([{ name: "checkpoint_saved", count: 2 }])
  })

  it("fails a blocking condition at its time-out, one that does not block when the job ends", () => {
    const blocking = running({ log_events: [saved(true)] })
    blocking.log([{ rule: "checkpoint_saved", groups: { checkpoint_path: "/ckpt/1" } }])
    expect(types(blocking.pass(601))).toContain("ConditionFailed")

    const other = running({ log_settle_seconds: 0, log_events: [saved(false)] })
    other.log([{ rule: "checkpoint_saved", groups: { checkpoint_path: "/ckpt/1" } }])
    other.state("COMPLETED")
    other.pass(1)
    expect(other.session.bindings.size).toBe(0)
    expect(isFinished(other.session, true)).toBe(true)
  })

  it("keeps a session open while a queued action waits, although all jobs have ended", () => {
    const m = running({ log_settle_seconds: 0, log_events: [saved(true)] })
    m.log([{ rule: "checkpoint_saved", groups: { checkpoint_path: "/ckpt/1" } }])
    for (const binding of [...m.session.bindings.keys()]) m.fact("ConditionObserved", { binding })
    m.state("COMPLETED")
    m.pass(1)
    expect(allEnded(m.session)).toBe(true)
    expect(isFinished(m.session, true)).toBe(false)
    expect(isFinished(m.session, false)).toBe(true)
  })

  it("gives a queue entry to the first who claims it", () => {
    const m = running({ log_events: [saved(true)] })
    m.log([{ rule: "checkpoint_saved", groups: { checkpoint_path: "/ckpt/1" } }])
    for (const binding of [...m.session.bindings.keys()]) m.fact("ConditionObserved", { binding })
    const [queue_id = ""] = m.session.queue.keys()
    const claim = (request_id: string) =>
      m.fact("OperatorRequested", {
        request_id,
        actor: { role: "worker", user: "ada", host: "login1", pid: 7 },
        request: { kind: "claim", queue_id }
      })
    expect(types(claim("one"))).toEqual(["QueueClaimed"])
    expect(types(claim("two"))).toEqual(["RequestRefused"])
  })

  it("runs a follow-up again whose monitor died, and gives up a command that may have taken effect", () => {
    const command = { class_name: "RunCommandAction", command: ["touch", "{output_dir}/x"] } as const
    const m = running({
      log_events: [
        saved(true),
        { name: "convert", pattern: "y", actions: [{ class_name: "EventAction", mode: "queue", action: command }] },
        { name: "note", pattern: "z", actions: [command] }
      ]
    })
    m.log([
      { rule: "checkpoint_saved", groups: { checkpoint_path: "/ckpt/1" } },
      { rule: "convert" },
      { rule: "note" }
    ])
    for (const binding of [...m.session.bindings.keys()]) m.fact("ConditionObserved", { binding })
    const monitor = { role: "monitor", user: "ada", host: "login1", pid: 2 } as const
    for (const queue_id of m.session.queue.keys()) {
      m.fact("OperatorRequested", { request_id: queue_id, actor: monitor, request: { kind: "claim", queue_id } })
    }
    const decisions = m.fact("MonitorAttached", { actor: monitor, tool_version: "0" })
    expect(new Set(types(decisions))).toEqual(new Set(["ActionInterrupted", "QueueReleased", "QueueFinished"]))
    expect([...m.session.queue.values()].map(({ action, status }) => [action.class_name, status]).sort()).toEqual([
      ["RunAutoexpAction", "queued"],
      ["RunCommandAction", "failed"]
    ])
  })

  it("queues a follow-up again whose worker died, and gives up a command of such a one", () => {
    const command = { class_name: "RunCommandAction", command: ["true"] } as const
    const m = running({
      log_events: [
        saved(true),
        { name: "convert", pattern: "y", actions: [{ class_name: "EventAction", mode: "queue", action: command }] }
      ]
    })
    m.log([{ rule: "checkpoint_saved", groups: { checkpoint_path: "/ckpt/1" } }, { rule: "convert" }])
    for (const binding of [...m.session.bindings.keys()]) m.fact("ConditionObserved", { binding })
    const worker = { role: "worker", user: "ada", host: "login1", pid: 7 } as const
    for (const queue_id of m.session.queue.keys()) {
      m.fact("OperatorRequested", { request_id: queue_id, actor: worker, request: { kind: "claim", queue_id } })
      m.fact("WorkerLost", { queue_id })
    }
    expect([...m.session.queue.values()].map(({ action, status }) => [action.class_name, status]).sort()).toEqual([
      ["RunAutoexpAction", "queued"],
      ["RunCommandAction", "failed"]
    ])
  })

  it("skips an action whose template names what is not there, and says so", () => {
    const m = running({
      log_events: [{ name: "x", pattern: "x", actions: [{ class_name: "LogAction", message: "{nothing}" }] }]
    })
    expect(m.log([{ rule: "x" }])).toContainEqual(expect.objectContaining({ type: "ActionSkipped" }))
  })
})

describe("determinism", () => {
  it("decides the same again from the facts alone, and folds to the same session", () => {
    const m = running({ log_settle_seconds: 0, log_events: [nccl] })
    m.log([{ rule: "nccl_error" }, { rule: "nccl_error" }])
    m.state("FAILED", "a", { exit_code: 134 })
    m.pass(2)
    m.accept()
    m.state("RUNNING")
    m.state("COMPLETED", "a", { exit_code: 0 })
    m.pass(2)
    expect(m.replay()).toEqual(m.records)
    expect(m.refold()).toEqual(m.session)
    expect(m.job()).toMatchObject({ outcome: "success", attempt: 2 })
  })

  it("gives every decision a cause that stands before it", () => {
    const m = running({ log_settle_seconds: 0, log_events: [nccl] })
    m.log([{ rule: "nccl_error" }])
    m.state("FAILED")
    m.pass(1)
    for (const record of m.records) {
      if (record.cause !== undefined) expect(record.cause).toBeLessThan(record.seq)
    }
    expect(m.records.map(({ seq }) => seq)).toEqual(m.records.map((_, index) => index + 1))
  })
})
