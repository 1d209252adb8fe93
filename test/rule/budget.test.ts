import { describe, expect, it } from "vitest"
import { behaviour } from "../../src/rule/behaviour.ts"
import { machine, plannedJob } from "./machine.ts"

type Machine = ReturnType<typeof machine>
const types = (records: ReturnType<Machine["fact"]>) => records.map(({ type }) => type)
const restart = { class_name: "RestartAction" } as const
const crash = { class_name: "CrashState" } as const
const iteration = { name: "iteration", pattern: "x", metadata: { kind: "progress" } }
const nccl = { name: "nccl", pattern: "x", state: crash, actions: [restart] }

const start = (monitoring: Parameters<typeof machine>[0], jobs = [plannedJob("a")], rest = {}): Machine => {
  const m = machine({ log_settle_seconds: 1, ...monitoring }, jobs, rest)
  m.submitAll()
  again(m)
  return m
}
const again = (m: Machine): void => {
  m.accept()
  for (const { live, plan, slurmState } of m.session.jobs.values()) {
    if (live && slurmState === null) m.state("RUNNING", plan.name)
  }
}
/** The attempt dies; whether there is a next one. */
const dies = (m: Machine, name = "a"): boolean => {
  const { attempt } = m.job(name)
  m.state("FAILED", name, { exit_code: 1 })
  m.pass(2)
  again(m)
  return m.job(name).attempt > attempt
}
const replays = (m: Machine) => expect(m.replay()).toEqual(m.records)

describe("the budget of a failure", () => {
  it("W-19: five NCCL lines of one read are one restart, charged once", () => {
    const m = start({ log_events: [nccl] })
    const decided = m.log(Array.from({ length: 5 }, () => ({ rule: "nccl" })))
    expect(types(decided).filter((type) => type === "RestartDecided")).toHaveLength(1)
    expect(types(decided).filter((type) => type === "CancelDecided")).toHaveLength(1)
    expect(m.job().restarts).toHaveLength(1)
    replays(m)
  })

  it("W-28: a rule without a number of its own stops after three restarts of one failure, and asks for attention", () => {
    const m = start({ log_events: [nccl] })
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      m.log([{ rule: "nccl" }])
      expect(dies(m)).toBe(true)
    }
    m.log([{ rule: "nccl" }])
    expect(dies(m)).toBe(false)
    expect(m.job()).toMatchObject({ attempt: 4, outcome: "failed" })
    expect(m.job().attention?.reason).toContain("restart budget of this failure is spent (3 of 3)")
    expect(m.refold().jobs).toEqual(m.session.jobs)
    replays(m)
  })

  it("is given back by progress of an attempt that the scheduler lost, in journals that began so", () => {
    for (const began of [0, behaviour]) {
      const m = start(
        {
          restarts: { max_per_fingerprint: 1 },
          log_events: [iteration],
          state_events: [{ name: "crash", actions: [restart] }]
        },
        [plannedJob("a")],
        { behaviour: began, settle_seconds: 0 }
      )
      expect(dies(m)).toBe(true)
      m.log([{ rule: "iteration", groups: { iteration: "7" }, noted: true }])
      m.state("MISSING")
      again(m)
      expect(m.job().restarts.map(({ cause }) => cause)).toEqual(["crash", "lost"])
      expect(dies(m)).toBe(began === behaviour)
      replays(m)
    }
  })

  it("asks for attention once although a storm of lines spends nothing more", () => {
    const m = start({ restarts: { max_per_fingerprint: 0 }, log_events: [nccl] })
    const decided = m.log(Array.from({ length: 100 }, () => ({ rule: "nccl" })))
    expect(types(decided).filter((type) => type === "AttentionNeeded")).toHaveLength(1)
    expect(m.job().restarts).toEqual([])
  })

  it("is shared by rules that see the same failure, and another failure has its own", () => {
    const rules = [nccl, { ...nccl, name: "other" }]
    const m = start({ restarts: { max_per_fingerprint: 1, max_no_progress: null }, log_events: rules })
    m.log([{ rule: "nccl" }])
    expect(dies(m)).toBe(true)
    m.log([{ rule: "other" }])
    expect(dies(m)).toBe(true)
    m.log([{ rule: "nccl" }])
    expect(dies(m)).toBe(false)
  })

  it("is spent for the lines that follow from it, too: a crash of many lines restarts no more than one of one line", () => {
    const rules = [nccl, { ...nccl, name: "other" }]
    const m = start({ restarts: { max_per_fingerprint: 1, max_no_progress: null }, log_events: rules }, [
      plannedJob("a")
    ], { behaviour })
    const crashes = () => {
      m.log([{ rule: "nccl" }])
      m.log([{ rule: "other" }])
      return dies(m)
    }
    expect(crashes()).toBe(true)
    expect(crashes()).toBe(false)
    expect(m.job()).toMatchObject({ attempt: 2, outcome: "failed" })
    expect(m.job().attention?.reason).toBe("the restart budget of this failure is spent (1 of 1): nccl")
    replays(m)
  })

  it("is one of the job in all, too, which no progress gives back", () => {
    const m = start({ restarts: { max_restarts: 2 }, log_events: [iteration, nccl] })
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      m.log([{ rule: "iteration", groups: { iteration: `${attempt}` }, noted: true }, { rule: "nccl" }])
      expect(dies(m)).toBe(true)
    }
    m.log([{ rule: "iteration", groups: { iteration: "3" }, noted: true }, { rule: "nccl" }])
    expect(dies(m)).toBe(false)
    expect(m.job().attention?.reason).toContain("budget of the job is spent (2 of 2)")
  })
})

describe("progress", () => {
  it("gives the budget back, for as long as a run comes further", () => {
    const m = start({ log_events: [iteration, { ...nccl, actions: [{ ...restart, max_restarts: 1 }] }] })
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      m.log([{ rule: "iteration", groups: { iteration: `${attempt * 100}` }, noted: true }, { rule: "nccl" }])
      expect(dies(m)).toBe(true)
    }
    replays(m)
  })

  it("is none where a run only comes as far as before: a crash loop ends", () => {
    const m = start({ restarts: { max_per_fingerprint: null, max_no_progress: 2 }, log_events: [iteration, nccl] })
    const round = (to: number) => {
      m.log([{ rule: "iteration", groups: { iteration: `${to}`, total: "9000" }, noted: true }, { rule: "nccl" }])
      return dies(m)
    }
    expect([round(500), round(500), round(499), round(500)]).toEqual([true, true, true, false])
    expect(m.job().attention?.reason).toContain("restarts without progress are spent (2 of 2)")
  })

  it("that nobody can know neither refills nor drains", () => {
    const m = start({ restarts: { max_per_fingerprint: null, max_no_progress: 0 }, log_events: [nccl] })
    m.log([{ rule: "nccl" }])
    expect(dies(m)).toBe(true)
    expect(m.job().restarts[0]?.progress).toBeNull()
    // A progress event is known, and nothing at all was read of the attempt: unknown as well.
    const n = start({
      restarts: { max_per_fingerprint: 1, max_no_progress: 0 },
      log_events: [iteration],
      state_events: [{ name: "crash", actions: [restart] }]
    })
    expect([dies(n), dies(n)]).toEqual([true, false])
  })

  it("is what the rule names", () => {
    const saved = { name: "saved", pattern: "x" }
    const m = start({
      restarts: { max_per_fingerprint: 1 },
      log_events: [iteration, saved, { ...nccl, actions: [{ ...restart, progress: ["saved"] }] }]
    })
    m.log([{ rule: "iteration", groups: { iteration: "1" }, noted: true }, { rule: "saved", noted: true }, {
      rule: "nccl"
    }])
    expect(dies(m)).toBe(true)
    expect(m.job().restarts[0]?.progress).toBe(true)
    m.log([{ rule: "iteration", groups: { iteration: "9" }, noted: true }, { rule: "nccl" }])
    expect(dies(m)).toBe(false)
  })
})

describe("an old error", () => {
  it("W-26: in a log that all attempts share restarts nothing again, since only new bytes are read", () => {
    const m = start({ log_events: [nccl] })
    m.log([{ rule: "nccl" }])
    expect(dies(m)).toBe(true)
    const { offset } = m.session.logs.values().next().value ?? { offset: -1 }
    expect(offset).toBeGreaterThan(0)
    m.state("COMPLETED", "a", { exit_code: 0 })
    m.pass(2)
    expect(m.job()).toMatchObject({ attempt: 2, outcome: "success" })
  })

  it("W-53: a restart by a rule without a state leaves the new attempt alone in the same cycle", () => {
    const m = start({ log_events: [{ name: "note", pattern: "x", actions: [restart] }] })
    m.log([{ rule: "note" }])
    m.state("CANCELLED")
    m.pass(2)
    expect(m.job()).toMatchObject({ attempt: 2, state: "submitting", outcome: null, verdict: null })
    m.accept()
    expect(m.job()).toMatchObject({ attempt: 2, state: "pending", live: true, outcome: null, restart: null })
  })
})

describe("exit code 93", () => {
  it("means do not restart, also where a line had asked for it before", () => {
    const m = start({ log_events: [nccl], state_events: [{ name: "crash", actions: [restart] }] })
    m.log([{ rule: "nccl" }])
    m.state("FAILED", "a", { exit_code: 93 })
    expect(types(m.pass(2))).toContain("RestartDropped")
    expect(m.job()).toMatchObject({ attempt: 1, outcome: "failed" })
    replays(m)
  })
})

describe("the old attempt", () => {
  it("is asked about once more before the next one is submitted, if it was seen dead long ago", () => {
    const m = start({ log_events: [nccl] })
    m.log([{ rule: "nccl" }])
    m.fact("OperatorRequested", {
      request_id: "h",
      actor: { role: "operator", user: "ada", host: "login1", pid: 1 },
      request: { kind: "job_hold", job: "a", reason: "" }
    })
    m.state("CANCELLED")
    m.pass(2)
    m.pass(3600)
    expect(m.job()).toMatchObject({ attempt: 1, doubted: false })
    const released = m.fact("OperatorRequested", {
      request_id: "r",
      actor: { role: "operator", user: "ada", host: "login1", pid: 1 },
      request: { kind: "job_release", job: "a", reason: "" }
    })
    expect(types(released)).toEqual(["JobReleased", "EndDoubted"])
    // An administrator had put it back into the queue meanwhile: it runs, and nothing is submitted.
    const seen = m.fact("JobStateChanged", {
      from: "CANCELLED",
      to: "RUNNING",
      exit_code: null,
      signal: null,
      reason: null,
      nodes: null,
      start: null,
      end: null,
      requeued: true
    }, { job: "a", attempt: 2 })
    expect(types(seen)).toContain("RestartDropped")
    expect(m.job()).toMatchObject({ attempt: 2, live: true, restart: null, doubted: false })
    expect(m.session.submissions.size).toBe(0)
    replays(m)
  })
})

describe("what a restart changes", () => {
  const node = {
    ...nccl,
    actions: [{ ...restart, exclude_nodes: "failed", exclude_max: 2, exclude_seconds: 100 }]
  } as const
  const options = (m: Machine) => [...m.session.submissions.values()].map(({ options }) => options)

  it("is on the next submission's command line, and gone once it is acknowledged", () => {
    const bigger = { ...restart, sbatch_overrides: { time: "08:00:00", mem_per_cpu: 4000 } }
    const m = start({ log_events: [{ ...nccl, actions: [bigger] }] })
    m.log([{ rule: "nccl" }])
    m.state("FAILED")
    m.pass(2)
    expect(options(m)).toEqual([["--time=08:00:00", "--mem-per-cpu=4000"]])
    again(m)
    m.fact("OperatorRequested", {
      request_id: "k",
      actor: { role: "operator", user: "ada", host: "login1", pid: 1 },
      request: { kind: "job_ack", job: "a", reason: "" }
    })
    expect(m.job().changes).toBeNull()
    replays(m)
  })

  it("keeps away from the nodes that failed: short names only, at most so many, and not for ever", () => {
    const m = start({ restarts: { max_per_fingerprint: null }, log_events: [node] })
    const fail = (name: string) => {
      m.log([{ rule: "nccl", groups: { node: name } }])
      m.state("FAILED")
      m.pass(2)
      const told = options(m)
      again(m)
      return told
    }
    expect(fail("nid001.cluster.local")).toEqual([["--exclude=nid001"]])
    expect(fail("nid002")).toEqual([["--exclude=nid001,nid002"]])
    expect(fail("nid003")).toEqual([["--exclude=nid002,nid003"]])
    expect(fail("x; rm -rf / --wrap=evil")).toEqual([["--exclude=nid002,nid003"]])
    m.pass(200)
    expect(fail("nid004")).toEqual([["--exclude=nid004"]])
  })
})

describe("the circuit breaker", () => {
  const jobs = Array.from({ length: 20 }, (_, index) => plannedJob(`j${index}`, index))
  const operator = { role: "operator", user: "ada", host: "login1", pid: 1 } as const

  it("pauses restarts once many jobs have failed alike at once, until somebody has acknowledged that", () => {
    const m = start({ log_events: [nccl] }, jobs, { breaker: { jobs: 5, within_seconds: 600 } })
    for (const { name } of jobs) m.log([{ rule: "nccl" }], name)
    expect(m.session.breakerOpen?.reason).toContain("5 jobs failed alike")
    for (const { name } of jobs) m.state("CANCELLED", name)
    m.pass(2)
    expect(m.session.submissions.size).toBe(0)
    expect(m.records.filter(({ type }) => type === "BreakerOpened")).toHaveLength(1)
    const request = { kind: "job_ack", job: null, reason: "the file system is back" } as const
    m.fact("OperatorRequested", { request_id: "k", actor: operator, request })
    expect(m.session.submissions.size).toBe(20)
    expect(m.session.breakerOpen).toBeNull()
    replays(m)
  })

  it("keeps no restart waiting that an operator asks for", () => {
    const m = start({ log_events: [nccl] }, jobs, { breaker: { jobs: 5, within_seconds: 600 } })
    for (const { name } of jobs) m.log([{ rule: "nccl" }], name)
    m.state("FAILED", "j19", { exit_code: 93 })
    m.pass(2)
    expect(m.job("j19").outcome).toBe("failed")
    const request = { kind: "job_restart", job: "j19", reason: "" } as const
    m.fact("OperatorRequested", { request_id: "k", actor: operator, request })
    expect([...m.session.submissions.values()].map(({ jobs: of }) => of)).toEqual([["j19"]])
    expect(m.session.breakerOpen).not.toBeNull()
    replays(m)
  })

  it("is not for the same job again and again, nor for jobs that fail over hours or had made progress", () => {
    const m = start(
      { restarts: { max_per_fingerprint: null, max_no_progress: null }, log_events: [iteration, nccl] },
      jobs,
      { breaker: { jobs: 3, within_seconds: 60 } }
    )
    for (let round = 0; round < 5; round += 1) {
      m.log([{ rule: "nccl" }], "j0")
      dies(m, "j0")
    }
    for (const name of ["j1", "j2", "j3"]) {
      m.pass(100)
      m.log([{ rule: "nccl" }], name)
    }
    for (const name of ["j4", "j5", "j6", "j7"]) {
      m.log([{ rule: "iteration", groups: { iteration: "7" }, noted: true }, { rule: "nccl" }], name)
    }
    expect(m.session.breakerOpen).toBeNull()
  })
})

describe("an operator", () => {
  const actor = { role: "operator", user: "ada", host: "login1", pid: 1 } as const
  let id = 0
  const ask = (m: Machine, kind: "job_restart" | "job_cancel" | "job_ack" | "job_hold" | "job_release", job = "a") =>
    m.fact("OperatorRequested", { request_id: `r${id += 1}`, actor, request: { kind, job, reason: "looked at it" } })

  it("restarts a job that needs attention: it is open again, and all its budgets are", () => {
    const m = start({ log_events: [nccl] })
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      m.log([{ rule: "nccl" }])
      dies(m)
    }
    expect(m.job()).toMatchObject({ attempt: 4, outcome: "failed" })
    expect(types(ask(m, "job_restart"))).toEqual(["JobReopened", "RestartDecided", "SubmissionIntended"])
    expect(m.job()).toMatchObject({ attempt: 5, outcome: null, attention: null, state: "submitting" })
    again(m)
    for (let attempt = 5; attempt <= 7; attempt += 1) {
      m.log([{ rule: "nccl" }])
      expect(dies(m)).toBe(true)
    }
    m.log([{ rule: "nccl" }])
    expect(dies(m)).toBe(false)
    replays(m)
  })

  it("cancels a job while it is being submitted: it ends once its id is known, or its refusal", () => {
    const m = machine({ log_settle_seconds: 1 })
    m.submitAll()
    expect(types(ask(m, "job_cancel"))).toEqual(["EndDecided"])
    m.accept()
    expect(m.job().cancel).not.toBeNull()
    m.state("CANCELLED")
    m.pass(2)
    expect(m.job()).toMatchObject({ outcome: "cancelled", attempt: 1 })

    const n = machine({ log_settle_seconds: 1 })
    n.submitAll()
    ask(n, "job_cancel")
    const [nonce = ""] = n.session.submissions.keys()
    n.fact("SubmissionRefused", { nonce, message: "full", temporary: true }, { job: "a", attempt: 1 })
    n.pass(100)
    expect(n.job()).toMatchObject({ outcome: "cancelled" })
    expect(n.session.submissions.size).toBe(0)
    replays(n)
  })

  it("holds a job before its submission, and lets it go", () => {
    const m = machine({})
    ask(m, "job_hold")
    m.submitAll()
    expect(m.session.submissions.size).toBe(0)
    expect(types(ask(m, "job_hold"))).toEqual(["RequestRefused"])
    expect(types(ask(m, "job_release"))).toEqual(["JobReleased", "SubmissionIntended"])
    replays(m)
  })

  it("is told why not: twice, of what has ended, of what is unknown", () => {
    const m = start({})
    expect(types(ask(m, "job_restart", "nobody"))).toEqual(["RequestRefused"])
    expect(types(ask(m, "job_release"))).toEqual(["RequestRefused"])
    expect(types(ask(m, "job_ack"))).toEqual(["RequestRefused"])
    ask(m, "job_cancel")
    expect(types(ask(m, "job_cancel"))).toEqual(["RequestRefused"])
    m.state("CANCELLED")
    m.pass(2)
    expect(types(ask(m, "job_cancel"))).toEqual(["RequestRefused"])
    expect(types(ask(m, "job_hold"))).toEqual(["RequestRefused"])
  })

  it("who asks while nobody watches leaves the submission to the next monitor", () => {
    const m = machine({ log_settle_seconds: 1 })
    m.fact("MonitorAttached", { actor: { ...actor, role: "monitor" }, tool_version: "0" })
    m.submitAll()
    again(m)
    m.state("FAILED")
    m.pass(2)
    const later = m.as(2, () => ask(m, "job_restart"))
    expect(types(later)).toEqual(["JobReopened", "RestartDecided"])
    const attached = m.as(
      3,
      () => m.fact("MonitorAttached", { actor: { ...actor, role: "monitor" }, tool_version: "0" })
    )
    expect(types(attached)).toContain("SubmissionIntended")
  })
})

describe("events after one that ends the job", () => {
  it("W-25: resurrect nothing: a fatal line wins over the restart that a later line of the same read asks for", () => {
    const fatal = { name: "fatal", pattern: "x", state: crash, cancel: true }
    const m = start({ log_events: [nccl, fatal] })
    m.log([{ rule: "fatal" }, { rule: "nccl" }])
    m.state("CANCELLED")
    m.pass(2)
    expect(m.job()).toMatchObject({ outcome: "failed", attempt: 1, restarts: [] })
    expect(m.session.submissions.size).toBe(0)
    replays(m)
  })
})
