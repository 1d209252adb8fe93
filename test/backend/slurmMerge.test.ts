import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { readSacct, readScontrol, readSqueue, type Row } from "../../src/backend/slurm/answers.ts"
import { parseJobId } from "../../src/backend/slurm/jobIds.ts"
import { type Answers, lives, merge, named, toAccount, toDetail } from "../../src/backend/slurm/merge.ts"
import { parseState } from "../../src/backend/slurm/states.ts"
import type { JobRef } from "../../src/port/Scheduler.ts"
import { fixture } from "../slurm/support/fixtures.ts"

const squeue = (name: string) => Either.getOrThrow(readSqueue(fixture(name)))
const sacct = (name: string) => Either.getOrThrow(readSacct(fixture(name)))

const ref = (id: string, name: string, task: number | null = null): JobRef => ({ id, name, task })
const row = (idText: string, name: string, state: string, more: Partial<Row> = {}): Row => {
  const { id, tasks } = parseJobId(idText) ?? { id: "", tasks: null }
  const nothing = { exitCode: null, signal: null, reason: null, nodes: null, submit: null, start: null, end: null }
  return { ...nothing, id, tasks, name, state: parseState(state), ...more }
}
const answers = (more: Partial<Answers>): Answers => ({
  queue: [],
  accounting: null,
  details: new Map(),
  accounts: true,
  ...more
})
const states = ({ reports, unanswered }: ReturnType<typeof merge>) => [
  reports.map((
    { exitCode, id, signal, state, task }
  ) => [task === null ? id : `${id}_${task}`, state, exitCode, signal]),
  unanswered.map(({ id }) => id)
]

const run = ref("13", "run.1.a1")
const fail = ref("14", "fail.1.a2")
const ok = ref("15", "ok.1.a3")
const tasks = [1, 2, 3, 4, 5, 6].map((task) => ref("16", "arr.1.a4", task))
const held = ref("17", "a, b|c.1.a5")
const killed = ref("18", "two\nlines.1.a6")
const noLog = ref("19", "nolog.1.a7")
const all = [run, fail, ok, ...tasks, held, killed, noLog]

describe("what squeue and sacct say together", () => {
  it("asks the accounting about those alone that do not live", () => {
    expect(toAccount(all, squeue("squeue-early"))).toEqual([fail, ok, killed, noLog])
    expect(toAccount([run, ...tasks], squeue("squeue-early"))).toEqual([])
  })

  it("asks scontrol about ends that the accounting has only as placeholders", () => {
    const early = { queue: squeue("squeue-early"), accounting: sacct("sacct-early") }
    expect(toDetail(all, early)).toEqual([fail, ok, killed, noLog])
    expect(toDetail(all, { queue: squeue("squeue-later"), accounting: sacct("sacct-later") })).toEqual([killed])
    const details = new Map([["14", Either.getOrThrow(readScontrol(fixture("scontrol-failed")))]])
    expect(states(merge([fail], answers({ ...early, details })))).toEqual([[["14", "FAILED", 3, null]], []])
  })

  it("has every state, exit code and signal of a real cluster", () => {
    const later = answers({ queue: squeue("squeue-later"), accounting: sacct("sacct-later") })
    expect(states(merge(all, later))).toEqual([[
      ["13", "RUNNING", null, null],
      ["14", "FAILED", 3, null],
      ["15", "COMPLETED", 0, null],
      ["16_1", "RUNNING", null, null],
      ["16_2", "RUNNING", null, null],
      ["16_3", "CANCELLED", 0, null],
      ["16_4", "CANCELLED", 0, null],
      ["16_5", "CANCELLED", 0, null],
      ["16_6", "CANCELLED", 0, null],
      ["17", "CANCELLED", 0, null],
      // sacct cuts its name at the newline: who is called so has no exit code, and still its state.
      ["18", "FAILED", null, null],
      ["19", "FAILED", 0, 53]
    ], []])
  })

  it("follows a requeued job in its present run, whatever the accounting says of the one before", () => {
    const [report] = merge([run], answers({ accounting: sacct("sacct-gone"), queue: squeue("squeue-gone") })).reports
    expect(report).toMatchObject({ state: "RUNNING", start: "2026-11-23T17:10:41.000Z", end: null })
    const requeued = answers({
      queue: [row("103", "x.1.n", "PENDING", { reason: "BeginTime" })],
      accounting: [row("103", "x.1.n", "NODE_FAIL", { exitCode: 0, start: "2026-11-23T10:58:10.000Z" })]
    })
    expect(states(merge([ref("103", "x.1.n")], requeued))).toEqual([[["103", "PENDING", null, null]], []])
  })

  it("takes the last run of a job that squeue has forgotten", () => {
    const accounting = [
      row("9", "x.1.n", "COMPLETED", {
        exitCode: 0,
        submit: "2026-11-23T10:00:09.000Z",
        start: "2026-11-23T10:00:15.000Z"
      }),
      row("9", "x.1.n", "REQUEUED", {
        exitCode: 0,
        submit: "2026-11-23T10:00:00.000Z",
        start: "2026-11-23T10:00:01.000Z"
      })
    ]
    expect(states(merge([ref("9", "x.1.n")], answers({ accounting })))).toEqual([[["9", "COMPLETED", 0, null]], []])
  })

  it("is no answer about jobs that squeue does not know while the accounting says nothing", () => {
    const down = answers({ queue: [row("1", "a.1.n", "RUNNING")] })
    expect(states(merge([ref("1", "a.1.n"), ref("2", "b.1.n")], down))).toEqual([[["1", "RUNNING", null, null]], ["2"]])
  })

  it("has no place for a job that both do not know: it is missing", () => {
    expect(merge([ref("2", "b.1.n")], answers({ accounting: [] }))).toEqual({ reports: [], unanswered: [] })
    expect(merge([ref("2", "b.1.n")], answers({ accounts: false }))).toEqual({ reports: [], unanswered: [] })
  })

  it("does not take a stranger's job of the same id for ours", () => {
    const stranger = answers({
      queue: [row("2", "other.1.n", "RUNNING")],
      accounting: [row("2", "b.1.older", "COMPLETED"), row("2", "", "COMPLETED")]
    })
    expect(merge([ref("2", "b.1.n")], stranger)).toEqual({ reports: [], unanswered: [] })
  })

  it("believes an accounting that says a job lives only until the controller denies it for that very id", () => {
    const lags = answers({ accounting: [row("2", "b.1.n", "RUNNING")] })
    expect(toDetail([ref("2", "b.1.n")], lags)).toHaveLength(1)
    expect(states(merge([ref("2", "b.1.n")], lags))).toEqual([[], ["2"]])
    expect(states(merge([ref("2", "b.1.n")], { ...lags, details: new Map([["2", []]]) }))).toEqual([[], []])
    const found = new Map([["2", [row("2", "b.1.n", "COMPLETING")]]])
    expect(states(merge([ref("2", "b.1.n")], { ...lags, details: found }))).toEqual([
      [["2", "COMPLETING", null, null]],
      []
    ])
  })

  it("W-20: knows pending arrays in each form that SLURM writes them", () => {
    for (const text of ["900_[0-1]", "900_[0,1%2]", "900_[0,...]", "900_[0,1,..."]) {
      const queue = [row(text, "arr.1.n", "PENDING")]
      expect(states(merge([0, 1].map((task) => ref("900", "arr.1.n", task)), answers({ queue, accounting: [] }))))
        .toEqual(
          [[["900_0", "PENDING", null, null], ["900_1", "PENDING", null, null]], []]
        )
    }
  })

  it("lets a task's own record win over a list that may mean it", () => {
    const both = answers({
      queue: [row("900_[3,...]", "arr.1.n", "PENDING")],
      accounting: [row("900_1", "arr.1.n", "FAILED", { exitCode: 1 })]
    })
    expect(toAccount([ref("900", "arr.1.n", 1)], both.queue)).toHaveLength(1)
    expect(states(merge([ref("900", "arr.1.n", 1)], both))).toEqual([[["900_1", "FAILED", 1, null]], []])
  })

  it("takes a task that has vanished from a known array for cancelled: nobody keeps a record of it", () => {
    const asked = [1, 2, 3, 4, 5, 6].map((task) => ref("33", "six.1.x", task))
    const told = answers({ queue: squeue("squeue-task-cancelled"), accounting: sacct("sacct-task-cancelled") })
    expect(states(merge(asked, told))).toEqual([
      [1, 2, 3, 4, 5, 6].map((task) => [`33_${task}`, task === 2 ? "CANCELLED" : "PENDING", null, null]),
      []
    ])
    const gone = { ...told, queue: [] }
    expect(states(merge([ref("34", "sev.1.x", 1), ref("34", "sev.1.x", 2)], gone))).toEqual([
      [["34_1", "CANCELLED", 0, null], ["34_2", "CANCELLED", 0, null]],
      []
    ])
  })

  it("keeps a state of a later SLURM, as of a job that has not ended", () => {
    const future = answers({ queue: [row("1", "a.1.n", "HIBERNATING")], accounting: [] })
    expect(toAccount([ref("1", "a.1.n")], future.queue)).toEqual([])
    expect(states(merge([ref("1", "a.1.n")], future))).toEqual([[["1", "HIBERNATING", null, null]], []])
  })
})

describe("a job looked up by its name", () => {
  it("is found in either, each task for itself", () => {
    const told = { queue: squeue("squeue-later"), accounting: sacct("sacct-later") }
    const found = (name: string) => named(new Set([name]), told).map(({ id, task }) => [id, task])
    expect(found("fail.1.a2")).toEqual([["14", null]])
    expect(found("arr.1.a4")).toEqual([["16", null], ["16", 1], ["16", 2]])
    expect(found("a, b|c.1.a5")).toEqual([["17", null]])
    expect(found("fail.1")).toEqual([])
    expect(found("allocation")).toEqual([])
    expect(found("")).toEqual([])
  })

  it("is found by a list that is cut", () => {
    const accounting = [row("900_[0,...]", "arr.1.n", "PENDING")]
    expect(named(new Set(["arr.1.n"]), { queue: [], accounting })).toMatchObject([{ id: "900", state: "PENDING" }])
  })
})

describe("a job that is to be cancelled", () => {
  it("must live, and be called as it was submitted", () => {
    const queue = squeue("squeue-later")
    expect(
      [run, tasks[0], fail, tasks[3], ref("13", "run.1.other")].map((job) => job !== undefined && lives(job, queue))
    )
      .toEqual([true, true, false, false, false])
  })
})
