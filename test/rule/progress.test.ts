import { describe, expect, it } from "vitest"
import { behaviour } from "../../src/rule/behaviour.ts"
import { ranSeconds } from "../../src/session/attempts.ts"
import { numberIn, secondsPerStep } from "../../src/session/counted.ts"
import { machine, plannedJob } from "./machine.ts"

type Rules = Parameters<typeof machine>[0]

/** A trainer that prints steps, checkpoints, and a heartbeat. */
const rules: Rules = {
  log_settle_seconds: 1,
  inactivity_threshold_seconds: 100,
  log_events: [
    { name: "step", pattern: "x", progress: { step: "n", total: "of", loss: "loss", seconds_per_step: "s" } },
    { name: "saving", pattern: "x", progress: { saving: "n" } },
    { name: "saved", pattern: "x", progress: { checkpoint: "n" } },
    { name: "alive", pattern: "x", metadata: { kind: "heartbeat" } },
    { name: "error", pattern: "x", state: { class_name: "CrashState" }, actions: [{ class_name: "RestartAction" }] }
  ]
}

const start = (monitoring: Rules = rules, rest: Parameters<typeof machine>[2] = { behaviour }) => {
  const m = machine(monitoring, [plannedJob("a", 0, { gpus: 4 })], rest)
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  const note = (rule: string, groups: Record<string, string>) => m.log([{ rule, groups, noted: true }])
  return {
    ...m,
    step: (n: number | string, more: Record<string, string> = {}) => note("step", { progress_step: `${n}`, ...more }),
    saving: (n: number) => note("saving", { progress_saving: `${n}` }),
    saved: (n: number) => note("saved", { progress_checkpoint: `${n}` }),
    beat: () => note("alive", {}),
    stalls: () =>
      m.records.filter(({ data, type }) => type === "EventRaised" && (data as { name: string }).name === "stall")
        .length,
    /** The attempt dies, and the next one runs. */
    again: () => {
      m.log([{ rule: "error" }])
      m.state("FAILED", "a", { exit_code: 1 })
      m.pass(2)
      m.accept()
      m.state("RUNNING")
    }
  }
}
const holds = ({ job, records, refold, replay }: ReturnType<typeof start>) => {
  expect(refold().jobs.get("a")).toEqual(job())
  expect(replay()).toEqual(records)
}

describe("a job whose rules declare progress", () => {
  it("stalls although a heartbeat goes on printing, once, until it makes progress again", () => {
    const m = start()
    for (let n = 1; n <= 5; n += 1) {
      m.pass(10)
      m.step(n)
    }
    for (let beat = 0; beat < 12; beat += 1) {
      m.pass(10)
      m.beat()
    }
    expect(m.stalls()).toBe(1)
    expect(m.job()).toMatchObject({ stalled: true, awaitsProgress: true })
    m.beat()
    expect(m.job().stalled).toBe(true)
    m.step(6)
    expect(m.job().stalled).toBe(false)
    m.pass(101)
    expect(m.stalls()).toBe(2)
    holds(m)
  })

  it("tells of the stall when it began to be one, not a start-up's grace later", () => {
    const m = start()
    m.pass(5)
    m.step(1)
    m.pass(5)
    m.step(2)
    m.pass(99)
    expect(m.stalls()).toBe(0)
    m.pass(2)
    expect(m.stalls()).toBe(1)
    const [raised] = m.records.filter(({ data, type }) =>
      type === "EventRaised" && "name" in data && data.name === "stall"
    )
    expect(raised?.data).toMatchObject({
      metadata: { reason: "no_progress", stall_threshold_seconds: 100, step: 2 },
      no_progress: true
    })
  })

  it("is granted its start-up: twice the threshold, or twice what an earlier attempt took", () => {
    const m = start()
    m.pass(190)
    expect(m.stalls()).toBe(0)
    m.step(1)
    m.again()
    m.pass(370)
    expect(m.stalls()).toBe(0)
    m.pass(15)
    expect(m.stalls()).toBe(1)
    const set = start({ ...rules, stall: { startup_seconds: 50 } })
    set.pass(51)
    expect(set.stalls()).toBe(1)
    holds(m)
  })

  it("does not stall by a slow checkpoint, and stalls by one that never ends", () => {
    const m = start()
    for (let n = 1; n <= 3; n += 1) {
      m.pass(10)
      m.step(n)
    }
    m.pass(10)
    m.saving(3)
    m.pass(150)
    expect(m.stalls()).toBe(0)
    m.saved(3)
    m.pass(5)
    m.step(4)
    m.saving(4)
    m.pass(290)
    expect(m.stalls()).toBe(0)
    m.pass(15)
    expect(m.stalls()).toBe(1)
    const set = start({ ...rules, stall: { checkpoint_seconds: 1000 } })
    set.pass(10)
    set.step(1)
    set.pass(1)
    set.step(2)
    set.saving(2)
    set.pass(990)
    expect(set.stalls()).toBe(0)
    set.pass(20)
    expect(set.stalls()).toBe(1)
    holds(m)
  })

  it("learns how long steps take: four times the usual time from one line to the next, if that is longer", () => {
    const m = start()
    for (let n = 0; n <= 400; n += 100) {
      m.step(n)
      m.pass(90)
    }
    m.pass(250)
    expect(m.stalls()).toBe(0)
    m.pass(25)
    expect(m.stalls()).toBe(1)
    holds(m)
  })

  it("is stalled by a loop that comes to the same step again and again, though each line counts up", () => {
    const m = start()
    for (let round = 0; round < 12; round += 1) {
      for (let n = 96; n <= 100; n += 1) {
        m.pass(5)
        m.step(n)
      }
    }
    expect(m.stalls()).toBe(1)
    holds(m)
  })

  it("may do again what it lost when it fell back, as long as that takes", () => {
    const m = start()
    for (let n = 0; n <= 100; n += 1) {
      m.pass(5)
      m.step(n)
    }
    for (let n = 0; n <= 101; n += 1) {
      m.pass(5)
      m.step(n)
    }
    expect(m.stalls()).toBe(0)
    expect(m.job().counted).toMatchObject({ best: { value: 101 }, pace: { redo: 0 } })
  })

  it("is watched by its output alone once all its steps are done", () => {
    const m = start()
    m.step(9, { progress_total: "10" })
    m.pass(10)
    m.step(10, { progress_total: "10" })
    for (let beat = 0; beat < 30; beat += 1) {
      m.pass(20)
      m.beat()
    }
    expect(m.stalls()).toBe(0)
    m.pass(101)
    expect(m.stalls()).toBe(1)
  })

  it("is watched by its output where `stall.by` says so, or where the pattern was given up", () => {
    const byOutput = start({ ...rules, stall: { by: "output" } })
    const givenUp = start()
    for (const rule of ["step", "saved"]) {
      givenUp.fact("PatternSwitchedOff", { rule, pattern: rule, path: "/l", from: 0, to: 1, why: "slow" }, { job: "a" })
    }
    for (const m of [byOutput, givenUp]) {
      m.step(1)
      for (let beat = 0; beat < 50; beat += 1) {
        m.pass(20)
        m.beat()
      }
      expect(m.stalls()).toBe(0)
      m.pass(101)
      expect(m.stalls()).toBe(1)
    }
  })

  it("is decided as before in a session that an older release opened", () => {
    const m = start(rules, { behaviour: 2 })
    m.step(1)
    for (let beat = 0; beat < 30; beat += 1) {
      m.pass(20)
      m.beat()
    }
    expect(m.stalls()).toBe(0)
    holds(m)
  })

  it("never stalls where no threshold is set", () => {
    const m = start({ ...rules, inactivity_threshold_seconds: null })
    m.step(1)
    m.pass(1e6)
    expect(m.stalls()).toBe(0)
  })
})

describe("what is counted", () => {
  it("keeps the best of all attempts, and goes on from the step of the checkpoint that a restart began with", () => {
    const m = start()
    m.step(1)
    m.pass(100)
    m.step(101)
    m.saved(100)
    m.again()
    expect(m.job().counted.step?.value).toBe(101)
    m.pass(50)
    m.step(100)
    m.pass(100)
    m.step(150)
    expect(m.job().counted).toMatchObject({
      step: { value: 150, attempt: 2 },
      best: { value: 150 },
      checkpoint: { value: 100, attempt: 1 }
    })
    holds(m)
  })

  it("takes the rate from the present attempt, and from the one before while nothing is known of it", () => {
    const m = start()
    m.step(0)
    m.pass(100)
    m.step(50)
    expect(secondsPerStep(m.job().counted)).toBe(2)
    m.again()
    m.pass(1000)
    m.step(40)
    expect(secondsPerStep(m.job().counted)).toBe(2)
    m.pass(10)
    m.step(50)
    expect(secondsPerStep(m.job().counted)).toBe(1)
  })

  it("begins the rate anew when the clock goes back", () => {
    const m = start()
    m.step(0)
    m.pass(100)
    m.step(50)
    m.pass(-500)
    m.step(60)
    expect(m.job().counted.pace.recent).toHaveLength(1)
    m.pass(30)
    m.step(70)
    expect(secondsPerStep(m.job().counted)).toBe(3)
    m.pass(200)
    expect(m.stalls()).toBe(1)
    holds(m)
  })

  it("has no total and no end where none is told, and takes a loss that is no number as it is", () => {
    const m = start()
    m.step(1, { progress_loss: "2.5" })
    m.step(2, { progress_loss: "nan" })
    m.step(3, { progress_loss: "-inf" })
    m.step("lots", { progress_loss: "oops" })
    expect(m.job().counted).toMatchObject({ total: null, step: { value: 3 }, bestLoss: { value: 2.5 } })
    expect(m.job().counted.loss?.value).toBe(-Infinity)
  })

  it("reads numbers as logs write them", () => {
    const read = ["1200", " 1,234 ", "1_234_567", "2.5E-04", "1.2B", "3k", "-7", ".5", "5."].map(numberIn)
    expect(read).toEqual([1200, 1234, 1234567, 2.5e-4, 1.2e9, 3000, -7, 0.5, 5])
    for (const text of ["", "12,34", "1.2.3", "0x10", "1e999", "--1", "e5", "1,2345", "one"]) {
      expect(numberIn(text)).toBeNull()
    }
    expect([numberIn("NaN"), numberIn("inf"), numberIn("-Infinity")]).toEqual([NaN, Infinity, -Infinity])
  })

  it("stays small however much is told", () => {
    const m = start()
    for (let n = 1; n < 500; n += 1) {
      m.pass(1)
      m.step(n, { progress_seconds_per_step: "1.5" })
    }
    expect(JSON.stringify(m.job().counted).length).toBeLessThan(6000)
    expect(m.job().counted.pace.recent).toHaveLength(32)
  })

  it("tells how long all attempts ran: as the scheduler says, else as it was seen", () => {
    const m = start()
    m.pass(100)
    m.again()
    m.state("RUNNING", "a", { start: "2026-11-23T03:01:42.000Z" })
    m.pass(50)
    m.state("COMPLETED", "a", { exit_code: 0, start: "2026-11-23T03:02:00.000Z", end: "2026-11-23T03:03:00.000Z" })
    expect(m.job().past.attempts).toMatchObject([{ attempt: 1, slurmState: "FAILED" }])
    expect(ranSeconds(m.job(), "2027-01-01T00:00:00.000Z")).toBe(160)
    holds(m)
  })
})

describe("budgets of a job whose rules declare progress", () => {
  it("are given back by a checkpoint, and by no step alone where checkpoints are declared", () => {
    const m = start({ ...rules, restarts: { max_no_progress: 1, max_per_fingerprint: null } })
    m.step(10)
    m.again()
    expect(m.job().restarts.map(({ progress }) => progress)).toEqual([false])
    m.step(20)
    m.saved(20)
    m.again()
    expect(m.job().restarts.map(({ progress }) => progress)).toEqual([false, true])
    m.saved(20)
    m.again()
    expect(m.job().restarts.map(({ progress }) => progress)).toEqual([false, true, false])
    m.log([{ rule: "error" }])
    expect(m.job().attention?.reason).toContain("without progress")
    holds(m)
  })

  it("are given back by steps where no checkpoint is declared", () => {
    const steps = (rules.log_events ?? []).filter(({ name }) => name !== "saved" && name !== "saving")
    const m = start({ ...rules, log_events: steps })
    m.step(10)
    m.again()
    m.step(10)
    m.again()
    expect(m.job().restarts.map(({ progress }) => progress)).toEqual([true, false])
  })
})
