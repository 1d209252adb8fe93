import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { encodeEvent, type EventRecord, isFact, type NewEvent } from "../../src/event/EventRecord.ts"
import type { FactType } from "../../src/event/events.ts"
import * as MemoryJournal from "../../src/journal/MemoryJournal.ts"
import { hold, look } from "../../src/monitor/held.ts"
import { makePublisher } from "../../src/monitor/publish.ts"
import { Journal } from "../../src/port/Journal.ts"
import { fold } from "../../src/session/fold.ts"
import { emptySession } from "../../src/session/Session.ts"
import { machine, plannedJob } from "../rule/machine.ts"
import { stateDir } from "./world.ts"

const place = { stateDir: "/state", planId: "plan" }

/** A journal in which much was decided: two jobs, five NCCL lines, a restart, a checkpoint in the queue, a stall. */
const history = (): ReadonlyArray<EventRecord> => {
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
const gatedHistory = (): ReadonlyArray<EventRecord> => {
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
const operatedHistory = (): ReadonlyArray<EventRecord> => {
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

describe.each([
  ["when people decided", operatedHistory()],
  ["when much was decided", history()],
  ["when jobs wait for each other", gatedHistory()]
])("a monitor that died between any two records %s", (_, records) => {
  for (let kept = 1; kept <= records.length; kept += 1) {
    it.effect(`after record ${kept} (${records[kept - 1]?.type}) all that follows from its last fact is decided, once`, () =>
      Effect.gen(function*() {
        const journal = yield* Journal
        const prefix = records.slice(0, kept)
        yield* Effect.scoped(Effect.gen(function*() {
          const writer = yield* journal.hold(place, { takeover: false })
          for (const record of prefix) yield* writer.append(record.at, [encodeEvent(record)])
        }))
        const resumed = yield* Effect.scoped(Effect.map(
          hold(place, { takeover: false, opening: null }),
          ({ session }) => ({ ...session })
        ))
        const facts = prefix.filter(isFact)
        const lastFact = facts.at(-1)
        const after = records.slice(kept)
        const nextFact = after.findIndex(isFact)
        const owed = after.slice(0, nextFact === -1 ? after.length : nextFact)
        const told = yield* look(place)
        const types = told.records.filter(({ type }) => type !== "SegmentOpened").map(({ type }) => type)
        expect(types).toEqual([...prefix, ...owed].map(({ type }) => type))
        expect(lastFact).toBeDefined()
        expect(resumed.seq).toBe(told.head.seq)
        expect(told.records.reduce(fold, emptySession()).jobs).toEqual(resumed.jobs)
      }).pipe(Effect.provide(MemoryJournal.layer)))
  }
})

describe("a held session", () => {
  const opening = history()[0]

  it.effect("refuses a session that was never opened", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.scoped(hold(place, { takeover: false, opening: null })))
      expect(error.message).toContain("plan")
    }).pipe(Effect.provide(MemoryJournal.layer)))

  it.effect("refuses to write to a journal with records of a newer release", () =>
    Effect.gen(function*() {
      const journal = yield* Journal
      yield* Effect.scoped(Effect.gen(function*() {
        const writer = yield* journal.hold(place, { takeover: false })
        yield* writer.append("2026-11-23T03:00:00.000Z", [{ type: "QuantumLeap", data: {} }])
      }))
      const error = yield* Effect.flip(Effect.scoped(hold(place, { takeover: false, opening: null })))
      expect(error._tag).toBe("UnreadableRecordError")
    }).pipe(Effect.provide(MemoryJournal.layer)))

  it.effect("stops recording as soon as another monitor has taken over", () =>
    Effect.gen(function*() {
      if (opening?.type !== "SessionOpened") return expect.unreachable()
      const fact: NewEvent<FactType> = { type: "SchedulerFailed", data: { command: "squeue", message: "timed out" } }
      yield* Effect.scoped(Effect.gen(function*() {
        const old = yield* hold(place, { takeover: false, opening: opening.data })
        yield* Effect.scoped(hold(place, { takeover: true, opening: null }))
        const error = yield* Effect.flip(old.record([fact]))
        expect(error._tag).toBe("FencedError")
      }))
      const { records } = yield* look(place)
      expect(records.map(({ type }) => type)).not.toContain("SchedulerFailed")
    }).pipe(Effect.provide(MemoryJournal.layer)))
})

describe("a journal whose last lines were removed", () => {
  it.scoped("is noticed by the session file, which has seen more", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      const here = { stateDir: dir, planId: "plan" }
      const records = history()
      const journal = yield* Journal
      const written = yield* Effect.scoped(Effect.flatMap(
        journal.hold(here, { takeover: false }),
        (writer) => Effect.forEach(records, (record) => writer.append(record.at, [encodeEvent(record)]))
      ))
      const { head, session } = yield* look(here)
      yield* makePublisher(here)(session, head)
      expect(written.flat()).toHaveLength(records.length)

      const shorter = yield* Effect.gen(function*() {
        const cut = yield* Journal
        yield* Effect.scoped(Effect.flatMap(
          cut.hold(here, { takeover: false }),
          (writer) => Effect.forEach(records.slice(0, -1), (record) => writer.append(record.at, [encodeEvent(record)]))
        ))
        return yield* Effect.either(look(here))
      }).pipe(Effect.provide(Layer.fresh(MemoryJournal.layer)))
      expect(Either.isLeft(shorter) ? shorter.left._tag : "read").toBe("JournalDamagedError")
    }).pipe(Effect.provide(MemoryJournal.layer)))
})
