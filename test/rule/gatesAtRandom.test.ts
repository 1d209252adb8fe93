import { describe, expect, it } from "vitest"
import type { PlannedJob } from "../../src/event/PlannedJob.ts"
import { cancelGate, startGate } from "../../src/session/foldGate.ts"
import { isFinished } from "../../src/session/Session.ts"
import { machine, plannedJob } from "./machine.ts"

/** Numbers from 0 to `bound` - 1, the same for the same seed. Source: the LCG of Numerical Recipes. */
const numbers = (seed: number) => {
  let state = seed
  return (bound: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor(state / 2 ** 32 * bound)
  }
}

const file = { class_name: "FileExistsCondition", path: "/{job_name}" }

/** Jobs that need some of those before them, some also a file, some with cancel conditions. */
const jobsOf = (random: (bound: number) => number): ReadonlyArray<PlannedJob> =>
  Array.from({ length: 8 }, (_, at) => {
    const needs = Array.from({ length: at }, (_, before) => before).filter(() => random(4) === 0)
    return plannedJob(`j${at}`, at, {
      array: random(3) === 0,
      script: "/scripts/x.sbatch",
      start_conditions: [
        ...needs.map((before) => ({ class_name: "JobCondition", job: `j${before}` })),
        ...random(3) === 0 ? [file] : []
      ],
      cancel_conditions: random(4) === 0 ? [file, { class_name: "JobCondition", job: "j0", outcomes: ["failed"] }] : []
    })
  })

const live = (seed: number) => {
  const random = numbers(seed)
  const jobs = jobsOf(random)
  const restart = { class_name: "RestartAction", max_restarts: 1 } as const
  const m = machine(
    {
      log_settle_seconds: 0,
      inactivity_threshold_seconds: null,
      state_events: [{ name: "crash", actions: [restart] }]
    },
    jobs,
    {
      max_jobs: random(2) === 0 ? null : 1 + random(3),
      submit_rate_limit_seconds: random(2) === 0 ? null : 3,
      settle_seconds: 0
    }
  )
  const yes = (id: string) => {
    const gate = m.session.gates.get(id)
    if (gate?.asked.question.kind !== "file_exists") return
    m.fact("ConditionObserved", { binding: id }, {
      job: gate.job,
      ...(gate.attempt === 0 ? {} : { attempt: gate.attempt })
    })
  }
  const happen = (name: string, kind: number, last: boolean) => {
    const job = m.job(name)
    if (kind === 0 || last) yes(startGate(name))
    if (kind === 1 && !last) yes(cancelGate(name, 0))
    if (kind === 2 && !last && job.state === "submitting") {
      const nonce = job.nonce ?? ""
      m.fact("SubmissionUnanswered", { nonce, message: "timed out" })
      m.fact("SubmissionNotFound", { nonce })
    } else if (kind === 3 || last) m.accept()
    if (job.live) m.state(["RUNNING", "COMPLETED", "FAILED", "MISSING", "CANCELLED"][last ? 1 : random(5)] ?? "", name)
  }
  m.submitAll()
  for (let turn = 0; turn < 60; turn += 1) {
    happen(`j${random(jobs.length)}`, random(6), false)
    if (random(3) === 0) m.pass(1 + random(4))
    if (random(20) === 0) {
      m.fact("MonitorAttached", { actor: { role: "monitor", user: "a", host: "b", pid: 1 }, tool_version: "0" })
    }
  }
  for (let turn = 0; turn < 60; turn += 1) {
    for (const { name } of jobs) happen(name, 5, true)
    m.pass(4)
  }
  return { m, jobs }
}

describe("jobs with gates, whatever happens", () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))("end, in order, and replay the same (seed %i)", (seed) => {
    const { jobs, m } = live(seed)
    expect(isFinished(m.session, true)).toBe(true)
    expect([m.session.gates.size, m.session.awaited.size]).toEqual([0, 0])
    const ended = new Map<string, string>()
    for (const record of m.records) {
      if (record.type === "JobFinished") ended.set(record.job ?? "", record.data.outcome)
      if (record.type !== "SubmissionIntended") continue
      for (const name of record.data.jobs) {
        expect(ended.has(name)).toBe(false)
        for (const { class_name, job } of jobs.find((job) => job.name === name)?.start_conditions ?? []) {
          if (class_name === "JobCondition") expect(ended.get(String(job))).toBe("success")
        }
      }
    }
    expect(m.replay()).toEqual(m.records)
    expect(m.refold()).toEqual(m.session)
  })
})
