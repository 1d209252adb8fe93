/** Sessions in which much happened, decided by hand-fed facts. */
import type { EventRecord } from "../../src/event/EventRecord.ts"
import { machine, plannedJob } from "./machine.ts"

/** A journal in which much was decided: two jobs, five NCCL lines, a restart, a checkpoint in the queue, a stall. */
export const history = (): ReadonlyArray<EventRecord> => {
  const m = machine({
    inactivity_threshold_seconds: 50,
    log_settle_seconds: 1,
    log_events: [
      { name: "nccl", pattern: "x", actions: [{ class_name: "RestartAction", max_restarts: 3 }] },
      {
        name: "saved",
        pattern: "x",
        actions: [{
          class_name: "EventAction",
          mode: "queue",
          conditions: [{ class_name: "FileExistsCondition", path: "{path}", blocking: true }],
          action: { class_name: "RunAutoexpAction" }
        }]
      }
    ],
    state_events: [{ name: "stall", actions: [{ class_name: "RestartAction" }] }]
  }, [plannedJob("a"), plannedJob("b", 1)])
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  m.state("RUNNING", "b")
  m.log([{ rule: "saved", groups: { path: "/1" } }, ...Array.from({ length: 5 }, () => ({ rule: "nccl" }))])
  for (const binding of [...m.session.bindings.keys()]) m.fact("ConditionObserved", { binding })
  m.state("FAILED", "a", { exit_code: 134 })
  m.pass(2)
  m.pass(60)
  m.state("COMPLETED", "b", { exit_code: 0 })
  m.pass(5)
  return m.records
}

/** One in which jobs waited: for each other, for a command, for the rate limit; some were cancelled, some came later. */
export const gatedHistory = (): ReadonlyArray<EventRecord> => {
  const needs = (job: string) => ({ start_conditions: [{ class_name: "JobCondition", job }] })
  const stop = { class_name: "FileExistsCondition", path: "/stop" }
  const go = { class_name: "CommandCondition", command: ["test", "-f", "{output_dir}/go"] }
  const m = machine({ log_settle_seconds: 0, inactivity_threshold_seconds: null }, [
    plannedJob("a", 0, { start_conditions: [go, { ...go, command: "true" }], cancel_conditions: [stop] }),
    plannedJob("b", 1, needs("a")),
    plannedJob("c", 2, { ...needs("b"), rule_set: 0 }),
    plannedJob("d", 3)
  ], { submit_rate_limit_seconds: 5, rule_sets: [{ log_settle_seconds: 3 }] })
  const yes = (binding: string) =>
    m.fact("ConditionObserved", { binding, holds: true, why: "exit code 0" }, { job: "a" })
  m.submitAll()
  m.accept()
  yes("start a")
  yes("start a")
  m.pass(5)
  m.accept()
  m.state("RUNNING")
  yes("cancel.0 a")
  m.fact("OperatorRequested", {
    request_id: "grow",
    actor: { role: "operator", user: "ada", host: "login1", pid: 1 },
    request: {
      kind: "grow",
      manifest: "/m",
      manifest_digest: "",
      jobs: [plannedJob("e", 4, needs("d"))],
      rule_sets: [{}],
      gone: ["c"]
    }
  })
  m.submitAll()
  m.state("CANCELLED")
  m.state("COMPLETED", "d")
  m.pass(5)
  return m.records
}

/** One in which people decided: a job held, cancelled on its way, restarted after its budget; and restarts that paused. */
export const operatedHistory = (): ReadonlyArray<EventRecord> => {
  const m = machine(
    {
      log_settle_seconds: 1,
      inactivity_threshold_seconds: null,
      restarts: { max_per_fingerprint: 1 },
      log_events: [
        { name: "step", pattern: "x", metadata: { kind: "progress" } },
        {
          name: "nccl",
          pattern: "x",
          state: { class_name: "CrashState" },
          actions: [{ class_name: "RestartAction", exclude_nodes: "failed", sbatch_overrides: { time: "1:00:00" } }]
        }
      ]
    },
    ["a", "b", "c", "d"].map((name, index) => plannedJob(name, index)),
    { breaker: { jobs: 3, within_seconds: 60 } }
  )
  let id = 0
  const ask = (kind: "job_restart" | "job_cancel" | "job_ack" | "job_hold" | "job_release", job: string | null) =>
    m.fact("OperatorRequested", {
      request_id: `${id += 1}`,
      actor: { role: "operator", user: "ada", host: "login1", pid: 1 },
      request: { kind, job, reason: "so" }
    })
  const fail = (name: string) => m.log([{ rule: "nccl", groups: { node: "nid001" } }], name)
  const end = (...names: ReadonlyArray<string>) => {
    for (const name of names) m.state("FAILED", name, { exit_code: 1 })
    m.pass(2)
    m.accept()
    for (const name of names) if (m.job(name).slurmState === null) m.state("RUNNING", name)
  }
  ask("job_hold", "d")
  m.submitAll()
  ask("job_release", "d")
  ask("job_cancel", "d")
  m.accept()
  for (const name of ["a", "b", "c"]) m.state("RUNNING", name)
  m.state("CANCELLED", "d")
  m.log([{ rule: "step", groups: { step: "1" }, noted: true }])
  fail("a")
  end("a")
  fail("a")
  end("a")
  fail("a")
  end("a")
  ask("job_ack", "a")
  ask("job_restart", "a")
  m.pass(100)
  m.accept()
  m.state("RUNNING", "a")
  for (const name of ["a", "b", "c"]) fail(name)
  end("a", "b", "c")
  ask("job_ack", null)
  m.pass(100)
  ask("job_restart", "nobody")
  return m.records
}
