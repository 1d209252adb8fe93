import { describe, expect, it } from "vitest"
import type { EventRecord } from "../../src/event/EventRecord.ts"
import type { Request } from "../../src/event/Request.ts"
import { auditEntries } from "../../src/report/audit/entries.ts"
import { csv, markdown } from "../../src/report/audit/formats.ts"
import { actor, machine, plannedJob } from "../rule/machine.ts"

const monitor = { ...actor, role: "monitor" } as const
const worker = { ...actor, role: "worker", host: "node7" } as const
const command = (...argv: readonly [string, ...ReadonlyArray<string>]) =>
  ({ class_name: "RunCommandAction", command: argv }) as const

/** With the causes that a monitor gives to timers and to answers. */
const linked = (records: ReadonlyArray<EventRecord>): ReadonlyArray<EventRecord> =>
  records.map((record) => {
    const asked = records.findLast((one) =>
      one.seq < record.seq &&
      (record.type === "TimerFired"
        ? one.type === "TimerSet" && one.data.timer === record.data.timer
        : record.type === "ConditionObserved" && one.type === "ConditionWaiting")
    )
    return asked === undefined ? record : { ...record, cause: asked.seq }
  })

/** A running job under these actions of the event `x`, and what was done about it. */
const audited = (actions: ReadonlyArray<object>, metadata: Record<string, string> = {}) => {
  const m = machine({ log_events: [{ name: "x", pattern: "x", actions }] } as Parameters<typeof machine>[0])
  m.fact("MonitorAttached", { actor: monitor, tool_version: "0" })
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  const ask = (request: Request, by: typeof actor | typeof worker = worker) =>
    m.fact("OperatorRequested", { request_id: `r${m.session.seq}`, actor: by, request })
  return {
    ...m,
    ask,
    match: () => m.log([{ rule: "other" }, { rule: "x", groups: metadata }]),
    queueId: () => [...m.session.queue.keys()][0] ?? "",
    entries: () => auditEntries(linked(m.records)).filter(({ action }) => !action.startsWith("subm"))
  }
}
const queue = (rest: object = {}) => ({
  class_name: "EventAction",
  mode: "queue",
  action: command("ls", "{p}"),
  ...rest
})

describe("an audit", () => {
  it("walks from a command down to the line of the log that led to it, through the conditions that it waited for", () => {
    const a = audited([queue({ conditions: [{ class_name: "FileExistsCondition", path: "{p}", blocking: true }] })], {
      p: "/ckpt"
    })
    a.match()
    expect(a.entries()).toMatchObject([{
      action: "RunCommandAction",
      status: "waiting",
      conditions: [{ result: "waiting" }]
    }])
    const [binding = ""] = a.session.bindings.keys()
    a.fact("ConditionObserved", { binding, holds: true, why: "it is there" })
    a.ask({ kind: "claim", queue_id: a.queueId(), lease: "one" })
    a.pass(3)
    const result = { exit_code: 0, stdout: "model.pt\n", stderr: "" }
    a.ask({ kind: "result", queue_id: a.queueId(), lease: "one", outcome: { status: "done", result } })
    const entries = a.entries()
    expect(entries).toMatchObject([{
      action: "RunCommandAction",
      status: "done",
      actor: worker,
      event: "x",
      command: ["ls", "/ckpt"],
      exit_code: 0,
      duration_seconds: 3,
      output: "model.pt\n",
      evidence: { kind: "log", path: "/out/a/slurm-1.out", offset: 1, line: "x" },
      runs: [{ actor: worker, status: "done" }]
    }])
    const types = entries[0]?.cause.map((seq) => a.records[seq - 1]?.type)
    expect(types).toEqual([
      "ActionQueued",
      "ConditionPassed",
      "ConditionObserved",
      "ConditionWaiting",
      "EventRaised",
      "LogRead"
    ])
  })

  it("keeps each attempt of an action, with who made it and what came of it", () => {
    const a = audited([queue({ max_attempts: 2, backoff_seconds: 1 })], { p: "/ckpt" })
    a.match()
    const attempt = (lease: string, status: "done" | "failed", exit_code: number) => {
      a.ask({ kind: "claim", queue_id: a.queueId(), lease })
      const outcome = { status, result: { exit_code, stderr: "no such file" }, duration_seconds: 0.5 }
      a.ask({ kind: "result", queue_id: a.queueId(), lease, outcome })
    }
    attempt("one", "failed", 2)
    expect(a.entries()).toMatchObject([{ status: "queued", exit_code: 2, error: "no such file" }])
    a.pass(1)
    attempt("two", "done", 0)
    expect(a.entries()).toMatchObject([{
      status: "done",
      exit_code: 0,
      runs: [{ status: "failed", exit_code: 2, duration_seconds: 0.5 }, { status: "done", exit_code: 0 }]
    }])
  })

  it("tells of actions whose worker died, and of those that an operator removed", () => {
    const a = audited([queue()], { p: "/ckpt" })
    a.match()
    a.ask({ kind: "claim", queue_id: a.queueId(), lease: "one" })
    a.fact("WorkerLost", { queue_id: a.queueId(), why: "gone" })
    expect(a.entries()).toMatchObject([{ status: "interrupted", runs: [{ status: "interrupted" }] }])
    a.ask({ kind: "queue_retry", queue_id: a.queueId() }, actor)
    a.ask({ kind: "queue_remove", queue_id: a.queueId() }, actor)
    expect(a.entries()).toMatchObject([
      { status: "skipped", reason: "removed from the queue before it ran" },
      { action: "queue_retry", status: "done", actor },
      { action: "queue_remove", status: "done", actor }
    ])
  })

  it("tells of actions that were skipped, and of which condition said no", () => {
    const a = audited([
      { class_name: "EventAction", conditions: [{ class_name: "MetadataCondition", key: "k" }], action: command("f") },
      queue()
    ])
    a.match()
    expect(a.entries()).toMatchObject([
      {
        action: "RunCommandAction",
        status: "skipped",
        conditions: [{ class_name: "MetadataCondition", result: "failed" }]
      },
      { action: "RunCommandAction", status: "skipped", reason: expect.stringContaining("p") }
    ])
  })

  it("tells of restarts with their budgets, by a rule after a SLURM transition and by an operator", () => {
    const m = machine({
      state_events: [{ name: "crash", actions: [{ class_name: "RestartAction", reason: "again", max_restarts: 2 }] }]
    })
    m.fact("MonitorAttached", { actor: monitor, tool_version: "0" })
    m.submitAll()
    m.accept()
    m.state("RUNNING")
    m.state("FAILED", "a", { exit_code: 1 })
    m.pass(60)
    m.accept()
    m.fact("OperatorRequested", { request_id: "r", actor, request: { kind: "job_restart", job: "a", reason: "odd" } })
    const restarts = auditEntries(linked(m.records)).filter(({ action }) => action === "RestartAction")
    expect(restarts).toMatchObject([
      {
        status: "done",
        actor: monitor,
        budgets: expect.arrayContaining([expect.objectContaining({ kind: "rule", before: 2, after: 1 })]),
        evidence: { kind: "slurm", from: "RUNNING", to: "FAILED", exit_code: 1 }
      },
      { status: "running", actor, evidence: { kind: "request", request: "job_restart" } }
    ])
  })

  it("tells which link a restart has taken, of those queued meanwhile nothing else, and of surplus links that are cancelled", () => {
    const chain = {
      links: 4,
      ahead: 1,
      until: null,
      expected_after_seconds: null,
      gate_seconds: 0,
      overrun_seconds: null
    }
    const m = machine({ inactivity_threshold_seconds: null }, [plannedJob("a", 0, { chain })])
    m.fact("MonitorAttached", { actor: monitor, tool_version: "0" })
    m.submitAll()
    while (m.session.submissions.size > 0) m.accept()
    const [taken] = m.job().links
    m.state("RUNNING")
    m.state("TIMEOUT")
    m.pass(60)
    while (m.session.submissions.size > 0) m.accept()
    const [waiting] = m.job().links
    m.state("RUNNING")
    m.fact("OperatorRequested", { request_id: "r", actor, request: { kind: "job_cancel", job: "a", reason: "odd" } })
    const answer = { nonce: waiting?.nonce ?? "", slurm_id: waiting?.slurm?.id ?? "" }
    m.fact("LinkCancelAnswered", answer, { job: "a" })
    const entries = auditEntries(linked(m.records))
    expect(entries.filter(({ action }) => action === "RestartAction")).toMatchObject([
      { status: "done", slurm_id: taken?.slurm?.id }
    ])
    expect(entries.filter(({ action }) => action === "cancel")).toMatchObject([
      { status: "running", slurm_id: taken?.slurm?.id },
      {
        status: "done",
        slurm_id: waiting?.slurm?.id,
        actor,
        reason: expect.stringContaining("odd"),
        evidence: { kind: "request", request: "job_cancel" }
      }
    ])
    m.fact("NodesUpdated", { nonce: "n", slurm_id: "7", nodes: ["n3"], applied: true }, { job: "a" })
    expect(auditEntries(m.records).at(-1)).toMatchObject({
      action: "update nodes",
      status: "done",
      reason: "job 7 waits for nodes other than n3"
    })
  })

  it("tells of requests that were refused, and why", () => {
    const a = audited([])
    a.ask({ kind: "job_release", job: "a", reason: "" }, actor)
    expect(a.entries()).toMatchObject([{
      action: "job_release",
      status: "refused",
      reason: "job a is not held",
      actor
    }])
  })

  it("names the very line where five of a rule stood in one read", () => {
    const a = audited([{ class_name: "LogAction", message: "seen {n}" }])
    a.log([1, 2, 3].map((n) => ({ rule: "x", groups: { n: String(n) } })))
    expect(a.entries().map(({ evidence, reason }) => [reason, evidence])).toMatchObject(
      [0, 1, 2].map((offset) => [`seen ${offset + 1}`, { kind: "log", offset }])
    )
  })
})

describe("as a table", () => {
  const rows = (p: string) => {
    const a = audited([queue({ action: command("ls", "{p}") })], { p })
    a.match()
    return a.entries().map((entry) => ({ plan_id: "plan", ...entry, output: p }))
  }

  it("a text is no formula, whatever a log or a program says, and no field is torn", () => {
    const [head = "", row = ""] = csv(rows("=HYPERLINK(\"x\"),\n\x1b[31m2"))
    expect(head.split(",").slice(-2)).toEqual(["output", "error"])
    expect(row.endsWith("\"'=HYPERLINK(\"\"x\"\"),\n2\",")).toBe(true)
  })

  it("a text is no markup", () => {
    const [head = "", , row = ""] = markdown(rows("<b>|[x](y)`\n$z"))
    expect(row).not.toMatch(/<b>|\[x\]|`/)
    expect(row.split(" | ")).toHaveLength(head.split(" | ").length)
  })
})
