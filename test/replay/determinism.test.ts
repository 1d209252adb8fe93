/** Decisions come of recorded facts alone: not of services, and not of who answered first. */
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import child from "node:child_process"
import fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"
import { afterEach, expect, it, vi } from "vitest"
import { deedsOf } from "../../src/replay/course.ts"
import { replay } from "../../src/replay/replay.ts"
import { Walk } from "../../src/replay/walk.ts"
import { gatedHistory, history, operatedHistory } from "../rule/histories.ts"
import { machine, plannedJob } from "../rule/machine.ts"

afterEach(() => {
  vi.restoreAllMocks()
  syncBuiltinESMExports()
})

const die = (): never => {
  throw new Error("the world was asked")
}

/** Whatever asks for the time, for chance, for a file or for a process fails. */
const withoutWorld = (): void => {
  vi.spyOn(Date, "now").mockImplementation(die)
  vi.spyOn(Math, "random").mockImplementation(die)
  vi.spyOn(performance, "now").mockImplementation(die)
  for (const name of ["openSync", "readSync", "readFileSync", "statSync", "existsSync", "writeFileSync"] as const) {
    vi.spyOn(fs, name).mockImplementation(die)
  }
  for (const name of ["spawn", "spawnSync", "execFile", "execFileSync"] as const) {
    vi.spyOn(child, name).mockImplementation(die)
  }
  syncBuiltinESMExports()
}

it.each([["restarts", history], ["gates", gatedHistory], ["operators", operatedHistory]] as const)(
  "a journal of %s is decided again where every question to the world is fatal",
  (_, make) => {
    const records = make()
    const walk = new Walk(records)
    withoutWorld()
    const replayed = Either.getOrThrow(replay(records))
    let strides = 0
    while (Either.getOrThrow(walk.go("fact")) !== null) strides += 1
    vi.restoreAllMocks()
    expect(replayed.divergence).toBeNull()
    expect(strides).toBe(replayed.facts)
  }
)

const names = ["a", "b", "c", "d", "e"]

/** A session whose facts of one cycle come in the order given: each job restarts or not as its log and end say. */
const courses = (orders: ReadonlyArray<ReadonlyArray<string>>) => {
  const m = machine(
    {
      log_settle_seconds: 1,
      inactivity_threshold_seconds: 50,
      log_events: [
        { name: "step", pattern: "x", metadata: { kind: "progress" } },
        { name: "nccl", pattern: "x", actions: [{ class_name: "RestartAction", max_restarts: 1 }] }
      ],
      state_events: [{ name: "stall", actions: [{ class_name: "RestartAction" }] }]
    },
    names.map((name, index) => plannedJob(name, index))
  )
  const cycle = (at: number, act: (name: string) => unknown) => (orders[at] ?? names).forEach(act)
  m.submitAll()
  m.accept()
  cycle(0, (name) => m.state("RUNNING", name))
  cycle(1, (name) => m.log([{ rule: "step", groups: { step: "1" }, noted: true }], name))
  cycle(2, (name) => name < "c" && m.log([{ rule: "nccl" }, { rule: "nccl" }], name))
  cycle(3, (name) => name < "d" && m.state("FAILED", name, { exit_code: 1 }))
  m.pass(2)
  m.pass(60)
  m.accept()
  cycle(4, (name) => m.job(name).slurmState === null && m.state("RUNNING", name))
  cycle(5, (name) => m.job(name).live && m.state("COMPLETED", name))
  m.pass(5)
  const deeds = m.records.flatMap(deedsOf)
  return names.map((name) => ({
    name,
    outcome: m.job(name).outcome,
    attempt: m.job(name).attempt,
    deeds: deeds.filter(({ job }) => job === name).map(({ key }) => key)
  }))
}

it("each job meets the same decisions whoever of the cycle was read or answered first", () => {
  const expected = courses([])
  expect(expected.some(({ attempt }) => attempt > 1)).toBe(true)
  const order = fc.shuffledSubarray(names, { minLength: names.length })
  fc.assert(fc.property(fc.array(order, { minLength: 6, maxLength: 6 }), (orders) => {
    expect(courses(orders)).toEqual(expected)
  }))
})
