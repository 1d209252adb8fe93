import { describe, expect, it } from "@effect/vitest"
import { behaviour } from "../../src/rule/behaviour.ts"
import { toUpdate } from "../../src/session/nodes.ts"
import { actor, machine, plannedJob, types } from "./machine.ts"

const names = ["a", "b", "c"]
const bad = {
  name: "bad",
  pattern: "bad",
  actions: [{ class_name: "ExcludeNodesAction", nodes: "{node}", reason: "ECC error" }]
} as const
const again = {
  name: "again",
  pattern: "again",
  actions: [{ class_name: "ExcludeNodesAction", nodes: "{node}", seconds: 3600 }]
} as const
const died = {
  name: "died",
  pattern: "died",
  actions: [{ class_name: "RestartAction", exclude_nodes: "failed", exclude_scope: "session" }]
} as const

const start = (rules: Partial<Parameters<typeof machine>[0]> = {}, rest: Parameters<typeof machine>[2] = {}) => {
  const m = machine(
    { log_settle_seconds: 1, log_events: [bad, again, died], ...rules },
    names.map((name, index) => plannedJob(name, index)),
    { behaviour, max_jobs: null, ...rest }
  )
  m.submitAll()
  m.accept()
  m.state("RUNNING", "a", { nodes: "lrdn[0337,0417-0425]" })
  let requests = 0
  return {
    ...m,
    named: (...nodes: ReadonlyArray<string>) => m.log(nodes.map((node) => ({ rule: "bad", groups: { node } }))),
    /** The scheduler was told what the job stays away from; it takes that, or says why not. */
    told: (name: string, nodes: ReadonlyArray<string>, message?: string) =>
      m.fact("NodesUpdated", {
        nonce: m.job(name).nonce ?? "",
        slurm_id: "1",
        nodes,
        applied: message === undefined,
        ...(message === undefined ? {} : { message })
      }, { job: name, attempt: 1 }),
    excluded: () => [...m.session.excluded.keys()],
    ask: (request: { readonly kind: "nodes_exclude" | "nodes_release"; readonly nodes: ReadonlyArray<string> }) =>
      m.fact("OperatorRequested", {
        request_id: `r${requests += 1}`,
        actor,
        request: request.kind === "nodes_release"
          ? { kind: request.kind, nodes: request.nodes, reason: "" }
          : { kind: request.kind, nodes: request.nodes, reason: "fans", seconds: 600, scope: "session" }
      })
  }
}

const optionsOf = (m: ReturnType<typeof start>, name: string) =>
  m.records.findLast((record) => record.type === "SubmissionIntended" && record.data.jobs.includes(name))?.data

describe("a bad node that a rule names", () => {
  it("is kept from all jobs of the session that are submitted from then on, and from those that wait", () => {
    const m = start()
    m.state("PENDING", "b")
    m.named("lrdn0337")
    expect(m.session.excluded.get("lrdn0337")).toMatchObject({
      reason: "ECC error",
      job: "a",
      by: "rule",
      until: "2026-11-24T03:00:00.000Z"
    })
    // Neither the one that runs nor the one of which it is not known that it waits.
    expect(toUpdate(m.session).map(({ job, nodes }) => [job.plan.name, nodes])).toEqual([["b", ["lrdn0337"]]])
    m.fact("OperatorRequested", {
      request_id: "again",
      actor,
      request: { kind: "job_restart", job: "a", reason: "" }
    })
    m.state("CANCELLED", "a", { nodes: "lrdn0337" })
    m.pass(2)
    expect(optionsOf(m, "a")).toMatchObject({ options: ["--exclude=lrdn0337"] })
  })

  it("is told once to a job that waits; one that started meanwhile is left as it is and not asked about again", () => {
    const m = start()
    m.state("PENDING", "b")
    m.state("PENDING", "c")
    m.named("lrdn0337")
    m.told("b", ["lrdn0337"])
    m.told("c", ["lrdn0337"], "Job is no longer pending execution")
    expect(toUpdate(m.session)).toEqual([])
  })

  it("is let back when its time is over, and told to those that wait", () => {
    const m = start()
    m.state("PENDING", "b")
    m.named("lrdn0337")
    m.told("b", ["lrdn0337"])
    m.pass(86_399)
    expect(m.excluded()).toEqual(["lrdn0337"])
    m.pass(1)
    expect(m.excluded()).toEqual([])
    expect(toUpdate(m.session).map(({ job, nodes }) => [job.plan.name, nodes])).toEqual([["b", []]])
  })

  it("that two rules name is excluded once, for the longer of both times", () => {
    const m = start()
    m.log([{ rule: "again", groups: { node: "lrdn0337" } }, {
      rule: "bad",
      groups: { node: "lrdn0337.leonardo.local" }
    }])
    expect(types(m.records).filter((type) => type === "NodesExcluded")).toHaveLength(1)
    m.pass(1)
    m.log([{ rule: "bad", groups: { node: "lrdn0337" } }])
    expect(m.session.excluded.get("lrdn0337")?.until).toBe("2026-11-24T03:00:01.000Z")
    m.pass(1)
    m.log([{ rule: "again", groups: { node: "lrdn0337" } }])
    expect(m.session.excluded.get("lrdn0337")?.until).toBe("2026-11-24T03:00:01.000Z")
  })

  it("takes the oldest's place where so many are excluded as may be; those of an operator stay", () => {
    const m = start({ bad_nodes: { max_nodes: 2, mass_nodes: 100, mass_share: 1 } })
    m.ask({ kind: "nodes_exclude", nodes: ["gpu[1-3]"] })
    for (const node of ["n1", "n2", "n3"]) {
      m.named(node)
      m.pass(1)
    }
    expect(m.excluded()).toEqual(["gpu1", "gpu2", "gpu3", "n2", "n3"])
  })

  it("is none where the line names something else, or nothing", () => {
    const m = start()
    m.named("$(reboot)", "10.0.0.7", "", "--exclusive")
    expect(m.excluded()).toEqual([])
    expect(types(m.records).filter((type) => type === "ActionSkipped")).toHaveLength(4)
  })

  it("is shared by a restart that says so, and the restarted job stays away too", () => {
    const m = start()
    m.log([{ rule: "died", groups: { node: "lrdn0417" } }])
    expect(m.excluded()).toEqual(["lrdn0417"])
    m.state("CANCELLED", "a")
    m.pass(2)
    expect(optionsOf(m, "a")).toMatchObject({ options: ["--exclude=lrdn0417"] })
    expect(m.job("a").changes).toBeNull()
  })

  it("is only told of while the session is observed", () => {
    const m = start({ act: false })
    m.named("lrdn0337")
    expect(m.excluded()).toEqual([])
    expect(m.records.findLast(({ type }) => type === "NodesExcluded")?.data).toMatchObject({ would: true })
  })
})

describe("a failure of many nodes at once", () => {
  it("excludes none of them, lets those back that it named first, and says so", () => {
    const m = start({ bad_nodes: { mass_share: 1 } })
    m.state("PENDING", "b")
    m.ask({ kind: "nodes_exclude", nodes: ["gpu1"] })
    m.named(...Array.from({ length: 830 }, (_, i) => `lrdn${1000 + i}`))
    expect(m.excluded()).toEqual(["gpu1"])
    const released = m.records.filter((record) => record.type === "NodesReleased")
    expect(released).toHaveLength(1)
    expect(released[0]?.data).toMatchObject({
      mass: true,
      why: expect.stringMatching(/^9 nodes were named within 600 s/)
    })
    expect(released[0]?.data.nodes).toHaveLength(8)
    m.pass(601)
    m.named("lrdn0337")
    expect(m.excluded()).toEqual(["lrdn0337"])
  })

  it("is known by a list in one line, too", () => {
    const m = start()
    m.named("lrdn[0001-0500]")
    expect(m.excluded()).toEqual([])
    expect(m.session.massFailure?.why).toMatch(/^500 nodes/)
  })

  it("is also one of most of the job's own nodes, however few they are; its only node is none", () => {
    const m = start()
    m.state("RUNNING", "b", { nodes: "n[1-3]" })
    m.state("RUNNING", "c", { nodes: "gpu7" })
    m.log([{ rule: "bad", groups: { node: "n1" } }], "b")
    expect(m.excluded()).toEqual(["n1"])
    m.log([{ rule: "bad", groups: { node: "n2" } }], "b")
    expect(m.excluded()).toEqual([])
    expect(m.session.massFailure?.why).toMatch(/^2 of the job's 3 nodes/)
    m.pass(601)
    m.log([{ rule: "bad", groups: { node: "gpu7" } }], "c")
    expect(m.excluded()).toEqual(["gpu7"])
  })

  it("is none of nodes that fail one after another over the days", () => {
    const m = start({ bad_nodes: { mass_nodes: 2, mass_share: 1 } })
    for (const node of ["n1", "n2", "n3", "n4"]) {
      m.named(node)
      m.pass(3600)
    }
    expect(m.excluded()).toEqual(["n1", "n2", "n3", "n4"])
  })
})

describe("an operator", () => {
  it("excludes nodes in SLURM's notation, however many, and lets them back", () => {
    const m = start()
    m.ask({ kind: "nodes_exclude", nodes: ["rack[1-2]n[01-16]"] })
    expect(m.excluded()).toHaveLength(32)
    expect(m.session.excluded.get("rack1n01")?.reason).toBe("fans (asked for by ada@login1)")
    m.ask({ kind: "nodes_release", nodes: ["rack1n[01-16]"] })
    expect(m.excluded()).toHaveLength(16)
    m.ask({ kind: "nodes_release", nodes: [] })
    expect(m.excluded()).toEqual([])
  })

  it("is refused what is no node, and what is not excluded", () => {
    const m = start()
    m.ask({ kind: "nodes_exclude", nodes: ["n[1-"] })
    m.ask({ kind: "nodes_release", nodes: ["n1"] })
    m.fact("ProjectNodesRead", {
      nodes: [{ node: "n2", until: "2027-01-01T00:00:00.000Z", reason: "", session: "other" }]
    })
    m.ask({ kind: "nodes_release", nodes: ["n2"] })
    expect(m.records.flatMap((record) => record.type === "RequestRefused" ? [record.data.why] : [])).toEqual([
      "\"n[1-\" names no nodes",
      "node n1 is not excluded",
      "node n2 is not excluded by this session but by other: release it there"
    ])
  })
})

describe("a name that the scheduler does not know", () => {
  it("is forgotten once a submission was refused for it, and the job is submitted without it", () => {
    const m = start()
    m.named("lrdn0337", "nosuch")
    m.fact("OperatorRequested", { request_id: "again", actor, request: { kind: "job_restart", job: "a", reason: "" } })
    m.state("CANCELLED", "a")
    m.pass(2)
    const [open] = m.session.submissions.values()
    expect(open?.options).toEqual(["--exclude=lrdn0337,nosuch"])
    m.fact("SubmissionRefused", { nonce: open?.nonce ?? "", message: "Invalid node name specified" })
    const [next] = m.session.submissions.values()
    expect(next?.options).toEqual(["--exclude=lrdn0337"])
    expect(m.job("a").outcome).toBeNull()
    m.fact("SubmissionRefused", { nonce: next?.nonce ?? "", message: "Invalid node name specified" })
    const [last] = m.session.submissions.values()
    expect(last?.options).toEqual([])
    m.fact("SubmissionRefused", { nonce: last?.nonce ?? "", message: "Invalid node name specified" })
    expect(m.job("a").outcome).toBe("failed")
  })
})

describe("links of a chain that wait", () => {
  it("are told too, keep their place in the queue, and are taken with the node left out", () => {
    const chain = {
      links: 3,
      ahead: 2,
      until: null,
      expected_after_seconds: 86_000,
      gate_seconds: 300,
      overrun_seconds: null
    }
    const m = machine({ log_settle_seconds: 1, log_events: [bad] }, [plannedJob("a", 0, { chain })], { behaviour })
    m.submitAll()
    while (m.session.submissions.size > 0) m.accept()
    m.state("RUNNING", "a", { start: "2026-11-23T03:00:00.000Z" })
    expect(m.job().links).toHaveLength(2)
    m.log([{ rule: "bad", groups: { node: "lrdn0337" } }])
    const told = toUpdate(m.session)
    expect(told.map(({ nonce }) => nonce)).toEqual(m.job().links.map(({ nonce }) => nonce))
    for (const { nodes, nonce, slurm } of told) {
      m.fact("NodesUpdated", { nonce, slurm_id: slurm.id, nodes, applied: true }, { job: "a", attempt: 1 })
    }
    expect(toUpdate(m.session)).toEqual([])
    expect(m.job().links.map(({ options }) => options.at(-1))).toEqual(["--exclude=lrdn0337", "--exclude=lrdn0337"])
    m.pass(86_100)
    m.state("TIMEOUT")
    m.pass(5)
    expect(m.job()).toMatchObject({ attempt: 2, excluded: ["lrdn0337"] })
    expect(types(m.records)).not.toContain("LinkCancelDecided")
  })
})

it("a session with bad nodes is decided again from its facts alone", () => {
  const m = start()
  m.named("lrdn0337")
  m.ask({ kind: "nodes_exclude", nodes: ["gpu1"] })
  m.pass(600)
  m.named(...Array.from({ length: 20 }, (_, i) => `lrdn${1000 + i}`))
  m.pass(86_400)
  expect(m.replay()).toEqual(m.records)
})
