import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { expect } from "vitest"
import { observeJobs } from "../../src/monitor/observe.ts"
import { lookUp } from "../../src/monitor/submissions.ts"
import { Files } from "../../src/port/Files.ts"
import { type JobReport, Scheduler, SchedulerBusyError, type Snapshot } from "../../src/port/Scheduler.ts"
import { toLookUp, toObserve } from "../../src/session/pending.ts"
import { machine, plannedJob } from "../rule/machine.ts"

const jobs = ["a", "b"].map((name, index) => plannedJob(name, index))

/** A session whose jobs run, and the world that it looks at. */
const plant = () => {
  const m = machine({ log_settle_seconds: 5 }, jobs)
  m.submitAll()
  m.accept()
  for (const { name } of jobs) m.state("RUNNING", name, { start: "2026-11-23T03:00:00.000Z" })
  const files = new Map<string, string>()
  let seen: Snapshot = { reports: [], unanswered: [], failure: null }
  const asked: Array<ReadonlyArray<string>> = []
  const report = (name: string, state: string, rest: Partial<JobReport> = {}): JobReport => ({
    name: m.job(name).slurm?.name ?? "",
    id: m.job(name).slurm?.id ?? "",
    task: null,
    state,
    exitCode: null,
    signal: null,
    reason: null,
    nodes: null,
    start: "2026-11-23T03:00:00.000Z",
    end: null,
    ...rest
  })
  const world = Layer.merge(
    Layer.succeed(Files, {
      read: (path, offset) =>
        Effect.sync(() => {
          const text = files.get(path)
          if (text === undefined) return null
          const bytes = new TextEncoder().encode(text)
          return { identity: path, size: bytes.length, modified: 0, bytes: bytes.subarray(offset), head: bytes }
        }),
      moved: () => Effect.succeed(null),
      exists: (path) => Effect.sync(() => files.has(path)),
      append: () => Effect.succeed(false),
      matches: () => Effect.succeed(false)
    }),
    Layer.succeed(Scheduler, {
      kind: "slurm",
      submit: () => new SchedulerBusyError({ command: "sbatch" }),
      search: () => Effect.succeed([]),
      lookup: (names) =>
        Effect.sync(() => {
          asked.push(names)
          return []
        }),
      snapshot: () => Effect.sync(() => seen),
      cancel: () => Effect.void,
      exclude: () => Effect.succeed({ applied: true }),
      calls: Effect.succeed({})
    })
  )
  return {
    m,
    report,
    asked,
    /** What a script left beside its claim. */
    leave: (name: string, file: string, text: string) => files.set(`/out/${name}/.attempts/plan.${file}`, text),
    look: (answer: Partial<Snapshot>) =>
      Effect.suspend(() => {
        seen = { reports: [], unanswered: [], failure: null, ...answer }
        return Effect.provide(Effect.map(observeJobs(m.session), ({ facts }) => facts), world)
      }),
    lookUp: Effect.suspend(() => Effect.provide(lookUp(m.session, toLookUp(m.session)), world))
  }
}
const refOf = ({ id, name, task }: JobReport) => ({ id, name, task })

describe("a look at the scheduler", () => {
  it.effect("that leaves jobs open changes none of them, and is told when it begins and when all is answered", () => {
    const { look, m, report } = plant()
    return Effect.gen(function*() {
      const failure = { command: "sacct", message: "Connection refused" }
      const open = { reports: [report("a", "RUNNING")], unanswered: [refOf(report("b", ""))] }
      const began = yield* look({ ...open, failure })
      expect(began).toEqual([{ type: "SchedulerFailed", data: failure }])
      m.fact("SchedulerFailed", failure)
      expect(yield* look({ ...open, failure })).toEqual([])
      // Not asked again yet: that is no recovery.
      expect(yield* look(open)).toEqual([])
      expect(yield* look({ reports: [report("a", "RUNNING"), report("b", "RUNNING")] })).toEqual([
        { type: "SchedulerRecovered", data: {} }
      ])
    })
  })

  it.effect("finds in a marker how a script ended that nobody else remembers, if it is this submission's", () => {
    const { leave, look, m, report } = plant()
    return Effect.gen(function*() {
      leave("a", "1.exit", `nonce=${m.job("a").nonce}\nexit_code=3\n`)
      leave("b", "1.exit", "nonce=another\nexit_code=0\n")
      expect(yield* look({})).toMatchObject([
        { type: "JobStateChanged", job: "a", data: { to: "FAILED", exit_code: 3 } },
        { type: "JobStateChanged", job: "b", data: { to: "MISSING" } }
      ])
      const ended = { reports: [report("a", "TIMEOUT"), report("b", "RUNNING")] }
      expect(yield* look(ended)).toMatchObject([{ job: "a", data: { to: "TIMEOUT", exit_code: 3 } }])
      const told = { reports: [report("a", "FAILED", { exitCode: 0, signal: 9 }), report("b", "RUNNING")] }
      expect(yield* look(told)).toMatchObject([{ job: "a", data: { to: "FAILED", exit_code: 0, signal: 9 } }])
    })
  })

  it.effect("knows a requeue by a job that waits after it ran, that began anew, or that lives after its end", () => {
    const { look, m, report } = plant()
    return Effect.gen(function*() {
      expect(
        yield* look({
          reports: [
            report("a", "PENDING", { start: null }),
            report("b", "RUNNING", { start: "2026-11-23T03:09:00.000Z" })
          ]
        })
      ).toMatchObject([
        { job: "a", attempt: 2, data: { to: "PENDING", requeued: true } },
        { job: "b", attempt: 2, data: { to: "RUNNING", requeued: true } }
      ])
      m.state("NODE_FAIL", "a")
      expect(yield* look({ reports: [report("a", "PENDING", { start: null }), report("b", "SUSPENDED")] }))
        .toMatchObject([
          { job: "a", attempt: 2, data: { to: "PENDING", requeued: true } },
          { job: "b", attempt: 1, data: { to: "SUSPENDED" } }
        ])
    })
  })

  it.effect("goes on at a job that has ended until it is judged, and is not astonished when it is forgotten", () => {
    const { look, m, report } = plant()
    return Effect.gen(function*() {
      m.state("COMPLETED", "a", { exit_code: 0 })
      expect(toObserve(m.session).map(({ plan }) => plan.name)).toEqual(["a", "b"])
      expect(yield* look({ reports: [report("b", "RUNNING")] })).toEqual([])
      m.pass(10)
      expect(toObserve(m.session).map(({ plan }) => plan.name)).toEqual(["b"])
    })
  })
})

describe("doubtful submissions", () => {
  it.effect("are looked up by one question, and a script's first act answers for them", () => {
    const { asked, leave, lookUp, m } = plant()
    return Effect.gen(function*() {
      for (const name of ["a", "b"]) {
        m.state("MISSING", name)
      }
      m.pass(60)
      for (const { nonce } of [...m.session.submissions.values()]) {
        m.fact("SubmissionUnanswered", { nonce, message: "timed out" })
      }
      leave("a", "2", `job_id=23\narray_job_id=21\nnonce=${m.job("a").nonce}\nhost=n1\n`)
      const facts = yield* lookUp
      expect(asked).toEqual([[...m.session.submissions.values()].map(({ name }) => name)])
      expect(facts).toMatchObject([
        { type: "JobSubmitted", job: "a", data: { slurm_id: "21", how: "found" } },
        { type: "SubmissionNotFound", job: "b" }
      ])
    })
  })
})
