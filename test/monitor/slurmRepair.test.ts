import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import * as path from "node:path"
import * as FileJournal from "../../src/journal/FileJournal.ts"
import { look } from "../../src/monitor/held.ts"
import { repairJournal } from "../../src/monitor/mend.ts"
import { opening, plannedJob } from "../rule/machine.ts"
import { accountingDown } from "../scheduler/support/scriptedSlurm.ts"
import { down, makeSlurm } from "./slurmWorld.ts"
import { runClock, stateDir, watching } from "./world.ts"

const rules = {
  poll_interval_seconds: 5,
  inactivity_threshold_seconds: null,
  log_settle_seconds: 1,
  state_events: [{ name: "crash", actions: [{ class_name: "RestartAction", max_restarts: 5 }] }]
} as const

type Slurm = ReturnType<typeof makeSlurm>

/** What keeps SLURM from telling what it knows. */
const silences: Readonly<Record<string, (slurm: Slurm) => void>> = {
  "does not answer": ({ faults }) => void Object.assign(faults, { squeue: down, sacct: () => accountingDown }),
  "answers of its queue, but not of its books": ({ faults }) => void (faults.sacct = () => accountingDown),
  "answers of its books, but not of its queue": ({ faults }) => void (faults.squeue = down),
  "hangs": ({ faults }) => void (faults.squeue = () => "hang"),
  "answers with nonsense": ({ faults }) => void (faults.squeue = () => ({ stdout: "Welcome to the cluster\n" })),
  "is another cluster by now": () => {}
}

it.scoped.each(Object.entries(silences))(
  "submits nothing after a repair while a SLURM %s, and finds the attempt that was cut off when it does again",
  ([what, silence]) => {
    const slurm = makeSlurm()
    const elsewhere = makeSlurm()
    elsewhere.move("elsewhere")
    return Effect.gen(function*() {
      const dir = yield* stateDir
      const jobs = ["a", "b"].map((name, index) => plannedJob(name, index))
      const first = yield* watching(dir, opening(rules, jobs, { settle_seconds: 5 }))
      yield* runClock(first, 6)
      slurm.jobs.forEach((job) => slurm.set(job, { state: "RUNNING" }))
      yield* runClock(first, 6)
      slurm.set(slurm.of("a")[0], { state: "FAILED", exit: "1:0" })
      yield* runClock(first, 25)
      expect(slurm.of("a")).toHaveLength(2)
      yield* Fiber.interrupt(first)

      const file = path.join(dir, "plan.events.jsonl")
      const bytes = fs.readFileSync(file)
      fs.writeFileSync(file, bytes.subarray(0, bytes.lastIndexOf("\n", bytes.indexOf("RestartDecided")) + 1))
      expect(yield* repairJournal({ stateDir: dir, planId: "plan" })).toMatchObject({ fault: { kind: "removed" } })

      // The cut-off attempt has left the queue: only the books know of it.
      slurm.set(slurm.of("a")[1], { queued: false, state: "COMPLETED" })
      silence(slurm)
      const asked = what.includes("another cluster") ? elsewhere : slurm
      const second = yield* Effect.provide(watching(dir, null), asked.schedulers)
      yield* runClock(second, 60)
      expect(slurm.jobs.length + elsewhere.jobs.length).toBe(3)
      expect((yield* look({ stateDir: dir, planId: "plan" })).session.recovery).not.toBe(null)
      delete slurm.faults.squeue
      delete slurm.faults.sacct
      yield* Fiber.interrupt(second)
      slurm.set(slurm.of("b")[0], { state: "COMPLETED" })
      const third = yield* watching(dir, null)
      yield* runClock(third, 400)
      expect((yield* Fiber.poll(third))._tag).toBe("Some")
      expect(slurm.jobs.length + elsewhere.jobs.length).toBe(3)
      const { session } = yield* look({ stateDir: dir, planId: "plan" })
      expect([...session.jobs.values()].map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
        [2, "success"],
        [1, "success"]
      ])
    }).pipe(Effect.provide(Layer.merge(slurm.world, FileJournal.layer)))
  },
  120_000
)
