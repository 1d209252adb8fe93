import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import type { Request } from "../../src/event/Request.ts"
import { lintRules } from "../../src/rule/lint.ts"
import { Monitoring } from "../../src/rule/Monitoring.ts"
import { actor, machine } from "./machine.ts"

const evaluate = { class_name: "RunCommandAction", command: ["evaluate", "{path}"] } as const
const bound = { class_name: "EventAction", mode: "queue", action: evaluate } as const
const worker = { ...actor, role: "worker" } as const
const failure = { status: "failed", result: { exit_code: 7 } } as const
const success = { status: "done", result: { exit_code: 0 } } as const

/** A session with one action in its queue, and what workers and operators ask of it. */
const queued = (binding: object = {}, path = "/ckpt/1") => {
  const m = machine({ log_events: [{ name: "saved", pattern: "x", actions: [{ ...bound, ...binding }] }] })
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  m.log([{ rule: "saved", groups: { path } }])
  const [queue_id = ""] = m.session.queue.keys()
  const ask = (request: Request) =>
    m.fact("OperatorRequested", { request_id: `r${m.session.seq}`, actor: worker, request }).map(({ type }) => type)
  return {
    ...m,
    entry: () => m.session.queue.get(queue_id),
    claim: (lease = "one") => ask({ kind: "claim", queue_id, lease }),
    tell: (outcome: typeof failure | typeof success, lease = "one") =>
      ask({ kind: "result", queue_id, outcome, lease }),
    lose: (lease = "one") => ask({ kind: "worker_lost", queue_id, lease, why: "gone" }),
    retry: () => ask({ kind: "queue_retry", queue_id })
  }
}

describe("an action that fails", () => {
  it("W-17: keeps its error, and can be queued again by hand", () => {
    const q = queued()
    q.claim()
    expect(q.tell(failure)).toEqual(["QueueFinished"])
    expect(q.entry()).toMatchObject({ status: "failed", result: { exit_code: 7 }, attempts: 1 })
    expect(q.retry()).toEqual(["QueueReleased"])
    expect(q.entry()).toMatchObject({ status: "queued", result: { exit_code: 7 } })
    q.claim("two")
    q.tell(success, "two")
    expect(q.entry()).toMatchObject({ status: "done", result: { exit_code: 0 }, attempts: 2 })
  })

  it("is tried again max_attempts times in all, each wait twice the one before", () => {
    const q = queued({ max_attempts: 3, backoff_seconds: 10 })
    q.claim("1")
    expect(q.tell(failure, "1")).toEqual(["QueueFinished", "QueueReleased"])
    q.pass(9)
    expect(q.claim("2")).toEqual(["RequestRefused"])
    q.pass(1)
    expect(q.claim("2")).toEqual(["QueueClaimed"])
    q.tell(failure, "2")
    q.pass(19)
    expect(q.claim("3")).toEqual(["RequestRefused"])
    q.pass(1)
    expect(q.claim("3")).toEqual(["QueueClaimed"])
    expect(q.tell(failure, "3")).toEqual(["QueueFinished"])
    expect(q.entry()).toMatchObject({ status: "failed", attempts: 3, notBefore: null })
  })

  it("does not wait any more once an operator asks for it", () => {
    const q = queued({ max_attempts: 2, backoff_seconds: 3600 })
    q.claim()
    q.tell(failure)
    q.retry()
    expect(q.claim("two")).toEqual(["QueueClaimed"])
  })
})

describe("W-08: queued work", () => {
  it("stays when its job has ended", () => {
    const q = queued()
    q.state("COMPLETED", "a", { exit_code: 0 })
    q.pass(60)
    expect(q.job().outcome).toBe("success")
    expect(q.claim()).toEqual(["QueueClaimed"])
  })

  it("that could not be rendered stays as skipped, and is never run with its texts as they are", () => {
    const q = queued({ action: { ...evaluate, command: ["evaluate", "{nothing}"] } })
    expect(q.entry()).toMatchObject({ status: "skipped", event: "saved", job: "a" })
    expect(String(q.entry()?.result?.["error"])).toContain("nothing")
    expect(q.claim()).toEqual(["RequestRefused"])
    expect(q.retry()).toEqual(["RequestRefused"])
  })
})

it("W-24: text of a log is rendered once, when it is queued, whatever it looks like", () => {
  const q = queued({}, "/ckpt/{job_name}/${x}/{{")
  q.claim()
  expect(q.entry()?.action).toMatchObject({ command: ["evaluate", "/ckpt/{job_name}/${x}/{{"] })
})

describe("W-17: the claim of a worker that died", () => {
  it("ends its action as failed, as nobody knows whether it took effect", () => {
    const q = queued()
    q.claim()
    expect(q.lose()).toEqual(["QueueFinished"])
    expect(q.entry()).toMatchObject({ status: "failed", interrupted: true })
  })

  it("lets it be done again if its rule says so", () => {
    const q = queued({ on_interrupt: "retry" })
    q.claim()
    expect(q.lose()).toEqual(["QueueReleased"])
    expect(q.claim("two")).toEqual(["QueueClaimed"])
  })

  it("lets a follow-up be started again, unless its rule says not to", () => {
    const follow = { action: { class_name: "RunAutoexpAction" } }
    const lost = (binding: object) => {
      const q = queued(binding)
      q.claim()
      q.lose()
      return q.entry()?.status
    }
    expect([lost(follow), lost({ ...follow, on_interrupt: "fail" })]).toEqual(["queued", "failed"])
  })

  it("is not given up twice, nor for another worker's sake", () => {
    const q = queued({ on_interrupt: "retry" })
    q.claim()
    q.lose()
    q.claim("two")
    expect(q.lose("one")).toEqual(["RequestRefused"])
    expect(q.entry()).toMatchObject({ status: "running", lease: "two" })
  })

  it("still takes the result of one that was taken for dead, and lives", () => {
    const failed = queued()
    failed.claim()
    failed.lose()
    expect(failed.tell(success)).toEqual(["QueueFinished"])
    expect(failed.entry()).toMatchObject({ status: "done", result: { exit_code: 0 } })
    const again = queued({ on_interrupt: "retry" })
    again.claim()
    again.lose()
    expect(again.tell(success)).toEqual(["QueueFinished"])
    expect(again.claim("two")).toEqual(["RequestRefused"])
  })

  it("takes no result of it once another has begun", () => {
    const q = queued({ on_interrupt: "retry" })
    q.claim()
    q.lose()
    q.claim("two")
    expect(q.tell(success)).toEqual(["RequestRefused"])
    expect(q.tell(failure, "two")).toEqual(["QueueFinished"])
    expect(q.entry()?.status).toBe("failed")
  })

  it("takes no second result", () => {
    const q = queued()
    q.claim()
    q.tell(failure)
    expect(q.tell(success)).toEqual(["RequestRefused"])
  })
})

describe("an inline action under way when its monitor died", () => {
  const interrupted = (on_interrupt?: "retry") => {
    const m = machine({
      log_events: [{
        name: "saved",
        pattern: "x",
        actions: [{ ...bound, mode: "inline", ...(on_interrupt === undefined ? {} : { on_interrupt }) }]
      }]
    })
    m.submitAll()
    m.accept()
    m.state("RUNNING")
    m.log([{ rule: "saved", groups: { path: "/ckpt/1" } }])
    const decided = m.fact("MonitorAttached", { actor, tool_version: "0" })
    return [decided.some(({ type }) => type === "ActionInterrupted"), m.session.actions.size]
  }
  it("is given up", () => expect(interrupted()).toEqual([true, 0]))
  it("is done again if its rule says so", () => expect(interrupted("retry")).toEqual([false, 1]))
})

describe("attempts of an action", () => {
  const problems = (binding: object) =>
    lintRules(
      Schema.decodeUnknownSync(Monitoring)({
        log_events: [{ name: "saved", pattern: "(?P<path>x)", extract_groups: { path: "path" }, actions: [binding] }]
      }),
      []
    ).map(({ path }) => path.at(-1))

  it("are refused where they would mean nothing", () => {
    expect(problems({ ...bound, max_attempts: 3 })).toEqual([])
    expect(problems({ ...bound, max_attempts: 0 })).toEqual(["max_attempts"])
    expect(problems({ ...bound, max_attempts: 2, mode: "inline" })).toEqual(["max_attempts"])
    expect(problems({ ...bound, max_attempts: 2, action: { class_name: "LogAction", message: "x" } })).toEqual([
      "max_attempts"
    ])
    expect(problems({ ...bound, backoff_seconds: -1 })).toEqual(["backoff_seconds"])
  })
})
