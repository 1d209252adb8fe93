import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { type EventRecord, type Fact, isFact } from "../../src/event/EventRecord.ts"
import type { DecisionType } from "../../src/event/events.ts"
import { replay, replayView } from "../../src/replay/replay.ts"
import { Walk } from "../../src/replay/walk.ts"
import { rulesInForce } from "../../src/rule/Context.ts"
import { step } from "../../src/rule/step.ts"
import { gatedHistory, history, operatedHistory } from "../rule/histories.ts"
import { machine, plannedJob } from "../rule/machine.ts"

const replayed = (records: ReadonlyArray<EventRecord>) => Either.getOrThrow(replay(records))

const histories = [
  ["in which much was decided", history],
  ["in which jobs wait for each other", gatedHistory],
  ["in which people decided", operatedHistory]
] as const

/** The records with `change` made to the first of that type. */
const forged = <Type extends EventRecord["type"]>(
  records: ReadonlyArray<EventRecord>,
  type: Type,
  change: (record: Extract<EventRecord, { readonly type: Type }>) => EventRecord
): ReadonlyArray<EventRecord> => {
  const at = records.findIndex((record) => record.type === type)
  return records.map((record, index) =>
    index === at ? change(record as Extract<EventRecord, { readonly type: Type }>) : record
  )
}

describe.each(histories)("a journal %s", (_, make) => {
  const records = make()

  it("is decided again as it was", () => {
    const facts = records.filter(isFact).length
    expect(replayed(records)).toMatchObject({ identical: true, facts, decisions: records.length - facts })
  })

  it("is decided again as it was up to any record, also within the decisions on one fact", () => {
    for (let kept = 1; kept <= records.length; kept += 1) {
      expect(replayed(records.slice(0, kept)).divergence, `${kept} records`).toBeNull()
    }
  })

  it("shows each single decision that was taken away, added or changed, at its place", () => {
    for (const [at, record] of records.entries()) {
      if (isFact(record)) continue
      const seq = record.seq
      const another = { ...record, type: "JobReleased", data: { why: "forged" } } as EventRecord
      const changed = records.map((one, index) => index === at ? another : one)
      expect(replayed(changed).divergence, `changed ${seq}`).toMatchObject({ seq, recorded: another, decided: { seq } })
      const without = records.filter((_, index) => index !== at)
      if (at < records.length - 1) {
        expect(replayed(without).divergence?.decided, `without ${seq}`).toMatchObject({ seq })
      }
    }
  })
})

describe("a journal whose writers changed", () => {
  const records = history()
  /** As a takeover writes it: a seal after record `kept`, and what follows in a new epoch. */
  const taken = (kept: number): ReadonlyArray<EventRecord> => {
    const before = records.slice(0, kept)
    const lastFact = before.findLast(isFact)
    const seal: Fact = {
      type: "SegmentOpened",
      data: { sealed: { path: "p", bytes: 1, hash: "h", seq: kept } },
      seq: kept + 1,
      at: lastFact?.at ?? "",
      epoch: 2
    }
    const next = records.slice(kept).findIndex(isFact)
    if (lastFact === undefined || next === 0) return [...before, seal]
    const upTo = Either.getOrThrow(replay(before.slice(0, before.indexOf(lastFact)))).session
    const decided = step(upTo, rulesInForce(upTo), lastFact, new Set([seal.seq])).slice(
      kept - before.indexOf(lastFact) - 1
    )
    return [...before, seal, ...decided.map((record): EventRecord<DecisionType> => ({ ...record, epoch: 2 }))]
  }
  it("within the decisions on a fact is decided again as it was", () => {
    for (let kept = 1; kept < records.length; kept += 1) {
      expect(replayed(taken(kept)).divergence, `a new writer after record ${kept}`).toBeNull()
    }
  })
})

describe("the first difference", () => {
  it("names the fact, both decisions, and the rule", () => {
    const records = forged(history(), "RestartDecided", (record) => ({
      ...record,
      data: { ...record.data, reason: "another" }
    }))
    const view = replayView(replayed(records))
    expect(view).toMatchObject({
      identical: false,
      first_divergence: {
        fact: { type: "LogRead", job: "a" },
        recorded: { type: "RestartDecided", data: { reason: "another" } },
        decided: { type: "RestartDecided" },
        rule: "nccl"
      }
    })
    const fact = view.first_divergence?.fact?.seq ?? 0
    expect(records[fact - 1]).toMatchObject({ type: "LogRead" })
  })

  it("is met at the right fact when a rule was changed in the journal's first record", () => {
    const restarting = (max: number) => ({
      log_events: [{
        name: "nccl",
        pattern: "x",
        actions: [{ class_name: "RestartAction" as const, max_restarts: max }]
      }]
    })
    const m = machine(restarting(2))
    m.submitAll()
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      m.accept()
      m.state("RUNNING")
      m.log([{ rule: "nccl" }])
      m.state("FAILED", "a", { exit_code: 1 })
      m.pass(10)
    }
    const records = forged(m.records, "SessionOpened", (record) => ({
      ...record,
      data: { ...record.data, rules: restarting(1) }
    }))
    const restarts = m.records.filter(({ type }) => type === "RestartDecided")
    expect(restarts).toHaveLength(2)
    // The budget stands in the first restart already: that of the log's first line, and no other.
    const [restart] = restarts
    const budgets = (before: number) => ({ budget: { before, after: before - 1 } })
    expect(replayed(records).divergence).toMatchObject({
      seq: 9,
      fact: { type: "LogRead", seq: 7, job: "a", attempt: 1, data: { matches: [{ rule: "nccl" }] } },
      recorded: { ...restart, data: { ...restart?.data, ...budgets(2) } },
      decided: { type: "RestartDecided", seq: 9, cause: 8, data: budgets(1) },
      rule: "nccl"
    })
    expect(restart?.seq).toBe(9)
  })
})

describe("a walk", () => {
  const m = () => {
    const machined = machine({}, [plannedJob("a"), plannedJob("b", 1)])
    machined.submitAll()
    machined.accept()
    machined.state("RUNNING", "b")
    return machined.records
  }

  it("goes fact by fact, decision by decision, or to the next turn of a job", () => {
    const records = m()
    const seqs = (pace: "fact" | "decision" | { readonly job: string }) => {
      const walk = new Walk(records)
      const met: Array<number> = []
      for (;;) {
        const stride = Either.getOrThrow(walk.go(pace))
        if (stride === null) return met
        expect(stride.divergence).toBeNull()
        met.push(stride.turn.fact.seq)
      }
    }
    const facts = records.filter(isFact)
    expect(seqs("fact")).toEqual(facts.map(({ seq }) => seq))
    expect(seqs("decision")).toEqual(
      facts.filter(({ seq }) => records[seq] !== undefined && !isFact(records[seq])).map(({ seq }) => seq)
    )
    const ofB = records.flatMap(({ cause, job, seq }) => job === "b" ? [cause ?? seq] : [])
    expect(seqs({ job: "b" })).toEqual([...new Set(ofB)])
    expect(seqs({ job: "nobody" })).toEqual([])
  })
})
