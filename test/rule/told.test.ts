/** What the records that a repair has cut off still tell narrows what is done, and nothing else. */
import { describe, expect, it } from "@effect/vitest"
import type { OnInterrupt } from "../../src/event/terms.ts"
import type { Told } from "../../src/event/Told.ts"
import { machine, types } from "./machine.ts"

const rulesOf = (
  mode: "inline" | "queue",
  on_interrupt: OnInterrupt | null,
  class_name: string = "RunCommandAction"
) => ({
  inactivity_threshold_seconds: null,
  log_settle_seconds: 1,
  log_events: [{
    name: "saved",
    pattern: "x",
    actions: [{
      class_name: "EventAction" as const,
      mode,
      ...(on_interrupt === null ? {} : { on_interrupt }),
      action: class_name === "RunCommandAction"
        ? { class_name: "RunCommandAction" as const, command: ["evaluate"] as const }
        : { class_name: "RunAutoexpAction" as const }
    }]
  }]
})

const nothing: Told = { since: 1000, logs: [], events: [], acted: [], restarts: [], claims: [] }

const repaired = (m: ReturnType<typeof machine>, told: Partial<Told>) =>
  m.fact("JournalRepaired", {
    fault: { path: "f", line: 1, from: 0, to: 1, seq: 1, kind: "changed", why: "" },
    kept: "k",
    entropy: "other",
    names: [],
    told: { ...nothing, ...told }
  })

const running = (...rules: Parameters<typeof rulesOf>) => {
  const m = machine(rulesOf(...rules))
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  return m
}

const log = (offset: number) => ({ job: "a", attempt: 1, path: "/out/a/slurm-1.out", identity: "f", to: offset })

describe("behind a repair", () => {
  it.each([["inline", "ActionInterrupted"], ["queue", "QueueFinished"]] as const)(
    "an %s command is not run again for a line that was read before, and its job needs attention",
    (mode, given) => {
      const m = running(mode, null)
      repaired(m, { logs: [log(1)] })
      expect(types(m.log([{ rule: "saved" }, { rule: "saved" }]))).toEqual([
        "EventRaised",
        mode === "queue" ? "ActionQueued" : "ActionStarted",
        given,
        "AttentionNeeded",
        "EventRaised",
        mode === "queue" ? "ActionQueued" : "ActionStarted"
      ])
      expect(mode === "queue" ? [...m.session.queue.values()].map(({ status }) => status) : m.session.actions.size)
        .toEqual(mode === "queue" ? ["failed", "queued"] : 1)
      expect(m.replay()).toEqual(m.records)
    }
  )

  it.each(["inline", "queue"] as const)("an %s command that may be repeated is run again", (mode) => {
    const m = running(mode, "retry")
    repaired(m, { logs: [log(1)] })
    expect(types(m.log([{ rule: "saved" }]))).not.toContain("AttentionNeeded")
    expect(m.session.actions.size + [...m.session.queue.values()].filter(({ status }) => status === "queued").length)
      .toBe(1)
  })

  it("a follow-up is not started again, since its plan would have another id", () => {
    const m = running("queue", null, "RunAutoexpAction")
    repaired(m, { events: [{ job: "a", attempt: 1, name: "saved", count: 1 }] })
    m.log([{ rule: "saved" }])
    expect([...m.session.queue.values()].map(({ status }) => status)).toEqual(["failed"])
  })

  it("a line of another file, or of another attempt's events, is one that nobody has read", () => {
    const m = running("inline", null)
    repaired(m, {
      logs: [{ ...log(9), identity: "another" }, { ...log(9), path: "/elsewhere" }, { ...log(9), job: "b" }],
      events: [{ job: "a", attempt: 2, name: "saved", count: 9 }]
    })
    expect(types(m.log([{ rule: "saved" }]))).toEqual(["EventRaised", "ActionStarted"])
  })

  it("an entry that was claimed behind the cut is given up, and one that was not is run", () => {
    const m = running("queue", null)
    m.log([{ rule: "saved" }, { rule: "saved" }])
    const [first = "", second = ""] = m.session.queue.keys()
    repaired(m, { claims: [{ queue_id: first, claims: 1 }] })
    expect([first, second].map((id) => m.session.queue.get(id)?.status)).toEqual(["failed", "queued"])
  })

  it("what was decided again of a fact before the cut is not done again", () => {
    const m = running("inline", null)
    const since = m.session.seq + 1
    m.log([{ rule: "saved" }])
    expect(types(repaired(m, { since }))).toEqual(["ActionInterrupted", "AttentionNeeded"])
    expect(m.session.actions.size).toBe(0)
  })
})
