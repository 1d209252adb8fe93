import { describe, expect, it } from "vitest"
import type { Chain } from "../../src/event/PlannedJob.ts"
import { behaviour } from "../../src/rule/behaviour.ts"
import type { Monitoring } from "../../src/rule/Monitoring.ts"
import { ranSeconds } from "../../src/session/attempts.ts"
import { isFinished } from "../../src/session/Session.ts"
import { actor, machine, plannedJob, types } from "./machine.ts"

type Machine = ReturnType<typeof machine>
const restartAction = { class_name: "RestartAction", reason: "again", max_restarts: 2 } as const
const crash = { name: "crash", actions: [restartAction] } as const
const day = 86_400

const chain = (rest: Partial<Chain> = {}): Chain => ({
  links: 3,
  ahead: 3,
  until: null,
  expected_after_seconds: day - 300,
  gate_seconds: 300,
  overrun_seconds: null,
  ...rest
})

/** A chain whose first link runs. */
const begun = (
  rest: Partial<Chain> = {},
  monitoring: typeof Monitoring.Encoded = {},
  session: Parameters<typeof machine>[2] = {}
): Machine => {
  const m = machine({ log_settle_seconds: 5, inactivity_threshold_seconds: null, ...monitoring }, [
    plannedJob("a", 0, { chain: chain(rest) })
  ], session)
  m.submitAll()
  queue(m)
  m.state("RUNNING", "a", { start: "2026-11-23T03:00:00.000Z" })
  return m
}

/** The scheduler accepts whatever is submitted, link after link. */
const queue = (m: Machine): void => {
  while (m.session.submissions.size > 0) m.accept()
}

const end = (m: Machine, to: string, rest: Parameters<Machine["state"]>[2] = {}) => {
  m.state(to, "a", rest)
  const decided = m.pass(10)
  queue(m)
  return decided
}

/** The scheduler says that the links whose cancel was decided are gone. */
const sweep = (m: Machine): void => {
  for (const { nonce, slurm } of m.job().links.filter(({ cancel }) => cancel !== null)) {
    m.fact("LinkCancelAnswered", { nonce, slurm_id: slurm?.id ?? "" }, { job: "a" })
    m.fact("LinkEnded", { nonce, slurm_id: slurm?.id ?? "", state: "CANCELLED" }, { job: "a" })
  }
}

const intents = (m: Machine) => m.records.flatMap((one) => one.type === "SubmissionIntended" ? [one.data] : [])
const ids = (m: Machine) => m.job().links.map(({ slurm }) => slurm?.id)

describe("a chain", () => {
  it("queues its links as soon as the first one is queued, each behind all that are before it", () => {
    const m = machine({}, [plannedJob("a", 0, { chain: chain({ links: 5, ahead: 2 }) })])
    m.submitAll()
    queue(m)
    const [first, second, third, ...more] = intents(m)
    expect(more).toEqual([])
    const present = m.job().slurm?.id
    expect(first?.options).toEqual([])
    expect(second).toMatchObject({ ahead: true, options: [`--dependency=afterany:${present}`] })
    expect(third).toMatchObject({ ahead: true, options: [`--dependency=afterany:${present}:${ids(m)[0]}`] })
    expect([first, second, third].map((one) => one?.name.replace(/\.[^.]+$/, ""))).toEqual(["a.1", "a.2", "a.3"])
    expect(m.job()).toMatchObject({ attempt: 1, link: 1, state: "pending" })
  })

  it("waits for each answer before it queues the next link, whose dependency needs the id", () => {
    const m = machine({}, [plannedJob("a", 0, { chain: chain() })])
    m.submitAll()
    expect(m.session.submissions.size).toBe(1)
    m.accept()
    expect(m.session.submissions.size).toBe(1)
  })

  it("goes on with its next link when the time limit ends one, which no rule sees and no budget pays", () => {
    const m = begun({ links: 4, ahead: 1 }, { state_events: [{ ...crash, name: "timeout" }] })
    const [next] = ids(m)
    expect(types(end(m, "TIMEOUT"))).toEqual(expect.arrayContaining(["JobClassified", "RestartDecided", "LinkTaken"]))
    expect(types(m.records)).not.toContain("EventRaised")
    expect(m.job()).toMatchObject({
      attempt: 2,
      link: 2,
      state: "pending",
      live: true,
      outcome: null,
      slurm: { id: next }
    })
    expect(m.job().restarts).toMatchObject([{ attempt: 2, cause: "link", rule: null }])
    expect(m.job().links).toHaveLength(1)
    expect(m.replay()).toEqual(m.records)
    expect(m.refold()).toEqual(m.session)
  })

  it("ends as a success when all its links have run, if nothing else says when the work is done", () => {
    const m = begun({ links: 2 })
    end(m, "TIMEOUT")
    m.state("RUNNING")
    end(m, "TIMEOUT")
    expect(m.job()).toMatchObject({ outcome: "success", why: "all 2 links of its chain have run", links: [] })
  })

  it("takes the program's own exit after the warning for the time limit's, and one before that for a failure", () => {
    const late = begun()
    end(late, "FAILED", { exit_code: 143, end: "2026-11-24T02:58:00.000Z" })
    expect(late.job()).toMatchObject({ attempt: 2, link: 2, outcome: null })
    const early = begun()
    end(early, "FAILED", { exit_code: 143, end: "2026-11-23T09:00:00.000Z" })
    expect(early.job()).toMatchObject({ attempt: 1, outcome: "failed" })
  })

  it("gives back the budget of a restart that the tear-down at the time limit brought about", () => {
    const torn = { name: "torn", pattern: "Traceback", actions: [restartAction] }
    const m = begun({}, { log_events: [torn] })
    m.pass(day - 200)
    expect(types(m.log([{ rule: "torn" }]))).toEqual(["EventRaised", "ActionSkipped"])
    end(m, "FAILED", { exit_code: 1, end: "2026-11-24T02:58:00.000Z" })
    expect(m.job()).toMatchObject({ link: 2, outcome: null })
  })

  it("cancels its surplus links, the last one first, once a log event says that the work is done", () => {
    const m = begun({ links: 10, ahead: 3 }, { termination_string: "training done" })
    const waiting = ids(m)
    const decided = m.log([{ rule: "termination-string" }])
    expect(decided.flatMap((one) => one.type === "LinkCancelDecided" ? [one.data.slurm_id] : [])).toEqual(
      [...waiting].reverse()
    )
    end(m, "COMPLETED", { exit_code: 0 })
    expect(m.job()).toMatchObject({ outcome: "success", attempt: 1 })
    expect(isFinished(m.session, true)).toBe(false)
    sweep(m)
    expect(isFinished(m.session, true)).toBe(true)
    expect(types(m.records).filter((type) => type === "LinkCancelDecided")).toHaveLength(3)
  })

  it("ends all links with a failure that no rule restarts", () => {
    const m = begun()
    end(m, "FAILED", { exit_code: 2 })
    expect(m.job()).toMatchObject({ outcome: "failed" })
    expect(m.job().links.every(({ cancel }) => cancel !== null)).toBe(true)
    sweep(m)
    expect(m.job().links).toEqual([])
    expect(intents(m)).toHaveLength(3)
  })

  it("restarts with the link that waits instead of racing it, and repeats the link that failed", () => {
    const m = begun({ links: 3 }, { state_events: [crash] })
    const waiting = ids(m)
    end(m, "NODE_FAIL")
    expect(m.job()).toMatchObject({ attempt: 2, link: 1, slurm: { id: waiting[0] } })
    expect(m.job().restarts).toMatchObject([{ cause: "crash", rule: "state crash" }])
    // One more is queued, since the failed link is still to be run.
    expect(m.job().links).toHaveLength(2)
    expect(intents(m)).toHaveLength(4)
  })

  it("cancels the links that wait, and submits when they are gone, if a restart changes what is submitted", () => {
    const away = { ...restartAction, exclude_nodes: "failed" as const }
    const m = begun({ links: 3 }, { state_events: [{ name: "crash", actions: [away] }] }, { behaviour })
    end(m, "NODE_FAIL", { nodes: "n7" })
    expect(m.job()).toMatchObject({ attempt: 1, verdict: { outcome: "failed" } })
    expect(m.session.submissions.size).toBe(0)
    const [last, first] = [...m.job().links].reverse()
    for (const { nonce, slurm } of [last, first].flatMap((one) => one === undefined ? [] : [one])) {
      expect(m.session.submissions.size).toBe(0)
      m.fact("LinkEnded", { nonce, slurm_id: slurm?.id ?? "", state: "CANCELLED" }, { job: "a" })
      m.confirm()
    }
    const fresh = intents(m).at(-1)
    expect(fresh).toMatchObject({ options: ["--exclude=n7"] })
    expect(fresh?.ahead).toBeUndefined()
    // No number is given twice: a link that had begun would hold the claim of it.
    expect(fresh?.name.startsWith("a.4.")).toBe(true)
    queue(m)
    expect(m.job()).toMatchObject({ attempt: 2, link: 1, state: "pending" })
    expect(intents(m).at(-1)?.options).toEqual([
      "--exclude=n7",
      expect.stringMatching(/^--dependency=afterany:\d+:\d+$/)
    ])
    const numbers = intents(m).map(({ name }) => name.split(".")[1])
    expect(numbers).toEqual(["1", "2", "3", "4", "5", "6"])
    expect(m.replay()).toEqual(m.records)
  })

  it("counts the time in which a link that is not wanted had its nodes, waiting at its gate", () => {
    const m = begun({ links: 3, ahead: 1 })
    m.fact("OperatorRequested", { request_id: "r", actor, request: { kind: "job_cancel", job: "a", reason: "" } })
    const [link] = m.job().links
    const about = { nonce: link?.nonce ?? "", slurm_id: link?.slurm?.id ?? "" }
    const before = ranSeconds(m.job(), m.job().lastUpdated)
    m.fact("LinkCancelAnswered", about, { job: "a" })
    const ran = { start: "2026-11-23T03:00:00.000Z", end: "2026-11-23T03:04:00.000Z" }
    m.fact("LinkEnded", { ...about, state: "CANCELLED", ran }, { job: "a" })
    expect(ranSeconds(m.job(), m.job().lastUpdated) - before).toBe(240)
    expect(m.refold()).toEqual(m.session)
  })

  it("waits for an answer about a link of which nobody knows whether it is queued, before anything else is submitted", () => {
    const m = machine({ log_settle_seconds: 5, state_events: [crash] }, [plannedJob("a", 0, { chain: chain() })])
    m.submitAll()
    m.accept()
    m.state("RUNNING")
    const [open] = [...m.session.submissions.values()]
    m.fact("SubmissionUnanswered", { nonce: open?.nonce ?? "", message: "timed out" }, { job: "a" })
    m.state("FAILED", "a", { exit_code: 1 })
    m.pass(10)
    expect(m.job()).toMatchObject({ attempt: 1, restart: { by: "rule" } })
    expect(m.session.submissions.size).toBe(1)
    m.accept()
    m.confirm()
    expect(m.job()).toMatchObject({ attempt: 2, nonce: open?.nonce })
  })

  it("goes on without links where the scheduler refuses the dependency, and asks again ever more seldom", () => {
    const m = machine({ log_settle_seconds: 5 }, [plannedJob("a", 0, { chain: chain({ links: 2 }) })])
    m.submitAll()
    m.accept()
    const refuse = () => {
      const [open] = [...m.session.submissions.values()]
      m.fact("SubmissionRefused", { nonce: open?.nonce ?? "", message: "Job dependency problem" }, { job: "a" })
    }
    refuse()
    expect(m.job()).toMatchObject({ outcome: null, links: [], linksRefused: 1 })
    expect(m.session.submissions.size).toBe(0)
    m.pass(61)
    expect(m.session.submissions.size).toBe(1)
    refuse()
    m.pass(61)
    expect(m.session.submissions.size).toBe(0)
    m.state("RUNNING")
    m.state("TIMEOUT")
    m.pass(10)
    expect(intents(m).at(-1)?.ahead).toBeUndefined()
    m.accept()
    expect(m.job()).toMatchObject({ attempt: 2, link: 2, state: "pending" })
  })

  it("keeps an operator's cancel: the links are cancelled with it and nothing is submitted any more", () => {
    const m = begun({ links: 10 })
    m.fact("OperatorRequested", {
      request_id: "r",
      actor: { role: "operator", user: "ada", host: "login1", pid: 1 },
      request: { kind: "job_cancel", job: "a", reason: "" }
    })
    expect(m.job().links.every(({ cancel }) => cancel !== null)).toBe(true)
    end(m, "CANCELLED")
    sweep(m)
    expect(m.job()).toMatchObject({ outcome: "cancelled", links: [] })
    expect(intents(m)).toHaveLength(4)
  })

  it("lets nothing wait in the queue while it is held, and queues again when it is released", () => {
    const m = begun({ links: 3 })
    const actor = { role: "operator", user: "ada", host: "login1", pid: 1 } as const
    m.fact("OperatorRequested", { request_id: "r", actor, request: { kind: "job_hold", job: "a", reason: "" } })
    sweep(m)
    end(m, "TIMEOUT")
    expect(m.job()).toMatchObject({ attempt: 1, links: [], restart: { by: "chain" } })
    m.fact("OperatorRequested", { request_id: "s", actor, request: { kind: "job_release", job: "a", reason: "" } })
    m.confirm()
    queue(m)
    expect(m.job()).toMatchObject({ attempt: 2, link: 2 })
    expect(m.job().links).toHaveLength(1)
  })

  it("ends as cancelled when somebody has taken a waiting link out of the queue, once its turn comes", () => {
    const m = begun({ links: 3 }, { state_events: [crash] })
    end(m, "TIMEOUT")
    end(m, "CANCELLED")
    expect(m.job()).toMatchObject({ outcome: "cancelled" })
  })

  it("catches up, link by link, with what passed while nobody watched", () => {
    const m = begun({ links: 3 })
    end(m, "TIMEOUT")
    // The second one has run meanwhile: it is seen only as ended.
    end(m, "TIMEOUT", { start: "2026-11-24T03:00:00.000Z", end: "2026-11-25T03:00:00.000Z" })
    expect(m.job()).toMatchObject({ attempt: 3, link: 3, live: true })
  })

  it("does not count a link that ended at its gate as a failure, and gives up when that happens time and again", () => {
    const m = begun({ links: 2, ahead: 1 }, { state_events: [crash] })
    end(m, "NODE_FAIL")
    end(m, "FAILED", { exit_code: 76, gated: true })
    expect(m.job()).toMatchObject({ attempt: 3, link: 1, outcome: null })
    expect(m.job().restarts.at(-1)).toMatchObject({ cause: "lost", rule: null })
    for (let n = 0; n < 5; n++) end(m, "FAILED", { exit_code: 76, gated: true })
    expect(m.job()).toMatchObject({ outcome: "failed", attention: { reason: expect.stringContaining("gate") } })
  })

  it("submits anew, charging nothing, what the scheduler says can never begin", () => {
    const m = begun({ links: 2, ahead: 1 })
    end(m, "TIMEOUT")
    const decided = m.state("PENDING", "a", { reason: "DependencyNeverSatisfied" })
    expect(types(decided)).toEqual(["RestartDecided", "CancelDecided"])
    end(m, "CANCELLED")
    expect(m.job()).toMatchObject({ attempt: 3, link: 2, outcome: null, live: true })
  })

  it("leaves a link that the scheduler runs again to the scheduler", () => {
    const m = begun({ links: 3 })
    const waiting = ids(m)
    m.fact("JobStateChanged", {
      from: "RUNNING",
      to: "PENDING",
      exit_code: null,
      signal: null,
      reason: "BeginTime",
      nodes: null,
      start: null,
      end: null,
      requeued: true
    }, { job: "a", attempt: 2 })
    expect(m.job()).toMatchObject({ attempt: 2, link: 1, live: true })
    expect(ids(m)).toEqual(waiting)
    m.state("RUNNING", "a", { start: "2026-11-23T05:00:00.000Z" })
    end(m, "TIMEOUT")
    expect(m.job()).toMatchObject({ attempt: 3, link: 2, slurm: { id: waiting[0] } })
  })

  it("stops when link after link completes and none comes any further", () => {
    const step = { name: "step", pattern: "step (\\d+)", extract_groups: { step: 1 }, metadata: { kind: "progress" } }
    const m = begun({ links: 40, ahead: 1 }, { log_events: [step] })
    for (let n = 0; n < 8 && m.job().outcome === null; n++) {
      m.state("RUNNING")
      m.log([{ rule: "step", groups: { step: "100" }, noted: true }])
      end(m, "COMPLETED", { exit_code: 0 })
    }
    expect(m.job()).toMatchObject({ outcome: "failed", why: "4 links of its chain in a row have made no progress" })
    expect(m.job().link).toBe(5)
  })
})

describe("until", () => {
  const until = { class_name: "FileExistsCondition", path: "{output_dir}/done" }
  const answer = (m: Machine, holds: boolean) =>
    m.fact("ConditionObserved", { binding: "goal a", holds, why: "the file is there" }, {
      job: "a",
      attempt: m.job().attempt
    })

  it("is asked while a link runs; when it holds the surplus links are cancelled and the job ends as a success", () => {
    const m = begun({ until, links: 10 })
    expect(m.session.gates.get("goal a")?.asked.question).toMatchObject({ kind: "file_exists", path: "/out/a/done" })
    answer(m, true)
    expect(m.job().completed).toBe("until")
    expect(m.job().links.every(({ cancel }) => cancel !== null)).toBe(true)
    end(m, "TIMEOUT")
    expect(m.job()).toMatchObject({ outcome: "success", attempt: 1 })
  })

  it("is asked once more at a link's end, before the next one is taken", () => {
    const m = begun({ until, links: 10 })
    m.state("TIMEOUT")
    m.pass(5)
    expect(m.job()).toMatchObject({ verdict: null, goal: "asking" })
    answer(m, true)
    expect(m.job()).toMatchObject({ outcome: "success", attempt: 1 })
  })

  it("lets the next link go on when it does not hold soon after the end, also of a link that completed", () => {
    for (const state of ["TIMEOUT", "COMPLETED"]) {
      const m = begun({ until, links: 10 })
      end(m, state, { exit_code: 0 })
      m.pass(10)
      expect(m.job()).toMatchObject({ attempt: 2, link: 2, outcome: null })
    }
  })

  it("leaves the job as timed out, for somebody to look at, when all links have run in vain", () => {
    const m = begun({ until, links: 1 })
    end(m, "COMPLETED", { exit_code: 0 })
    m.pass(10)
    expect(m.job()).toMatchObject({
      outcome: "timeout",
      attention: { reason: "its only link has run, and its until (FileExistsCondition) does not hold" }
    })
  })

  it("ends a link that goes on although the work is done", () => {
    const m = begun({ until, overrun_seconds: 600 })
    answer(m, true)
    expect(m.job().cancel).toBeNull()
    m.pass(601)
    expect(m.job().cancel).toMatchObject({ mode: "success" })
    end(m, "CANCELLED")
    expect(m.job()).toMatchObject({ outcome: "success" })
  })
})
