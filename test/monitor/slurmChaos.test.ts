import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { look } from "../../src/monitor/held.ts"
import { opening, plannedJob } from "../rule/machine.ts"
import { books, queue } from "../scheduler/support/scriptedSlurm.ts"
import { down, makeSlurm } from "./slurmWorld.ts"
import { runClock, stateDir, watching } from "./world.ts"

const restart = { class_name: "RestartAction", max_restarts: 50 } as const
const rules = {
  poll_interval_seconds: 5,
  inactivity_threshold_seconds: null,
  log_settle_seconds: 2,
  // Chance fails one job often in the same way.
  restarts: { max_per_fingerprint: null },
  state_events: [{ name: "crash", actions: [restart] }]
} as const

/** Numbers from 0 to 1, the same for one seed. */
const randomOf = (seed: number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) / 2 ** 24
  }
}

type Slurm = ReturnType<typeof makeSlurm>

/** Every command fails in each of its ways, each about once in `1 / rate` calls. */
const plague = ({ faults }: Slurm, random: () => number, rate: number) => {
  const pick = () => Math.floor(random() / rate)
  faults.sbatch = (real) => {
    const way = pick()
    if (way === 0 || way === 1) real()
    if (way === 1) return { stdout: "hello, 2 nodes ok\n" }
    if (way === 0 || way === 2) return "hang"
    if (way === 3) return { exitCode: 1, stderr: "sbatch: error: Batch job submission failed: Try again later\n" }
    return real()
  }
  faults.squeue = (real, args) => {
    const way = pick()
    return [down(real, args), "hang" as const, { stdout: real().stdout.slice(0, -3) }, {}, queue()][way] ?? real()
  }
  // An answer that leaves all out comes once: twice, with only silence between, it is what a lost job looks like.
  let lied = false
  faults.sacct = (real) => {
    const way = pick()
    if (way === 0) return { exitCode: 1, stderr: "sacct: error: down" }
    if (way === 1) return "hang"
    if (way !== 2 || lied) return real()
    lied = true
    return books()
  }
  faults.scancel = (real) => pick() === 0 ? "hang" : real()
}

const isLive = ({ state }: Slurm["jobs"][number]): boolean => state === "PENDING" || state === "RUNNING"

/** Lets jobs begin, fail, succeed, and be forgotten by squeue. */
const goOn = (slurm: Slurm, random: () => number) => {
  for (const job of slurm.jobs) {
    const chance = random()
    if (job.state === "PENDING" && chance < 0.5) slurm.set(job, { state: "RUNNING" })
    else if (job.state === "RUNNING" && chance < 0.08) slurm.set(job, { state: "FAILED", exit: "1:0" })
    else if (job.state === "RUNNING" && chance < 0.16) slurm.set(job, { state: "COMPLETED" })
    else if (!isLive(job) && chance < 0.2) slurm.set(job, { queued: false })
  }
}

it.scoped.each([[1, false], [4, true], [5, false]] as const)(
  "no job lives twice and none is lost under a SLURM that fails at random and monitors that are replaced (seed %i, array %s)",
  ([seed, array]) => {
    const slurm = makeSlurm()
    const random = randomOf(seed)
    const jobs = ["a", "b", "c", "d"].map((name, index) =>
      plannedJob(name, index, array ? { array: true, task: index, script: "/s" } : {})
    )
    const keyOf = ({ id, name }: { readonly id: string; readonly name: string }) =>
      array ? id.split("_")[1] : name.split(".")[0]
    return Effect.gen(function*() {
      const dir = yield* stateDir
      plague(slurm, random, 0.08)
      let fiber = yield* watching(dir, opening(rules, jobs, { settle_seconds: 25 }))
      for (let turn = 0; turn < 60 && (yield* Fiber.poll(fiber))._tag === "None"; turn += 1) {
        yield* runClock(fiber, 1 + random() * 6)
        goOn(slurm, random)
        const live = slurm.jobs.filter(isLive).map(keyOf)
        expect(live).toEqual([...new Set(live)])
        if (random() >= 0.1) continue
        yield* Fiber.interrupt(fiber)
        fiber = yield* watching(dir, null)
      }
      for (const program of ["sbatch", "squeue", "sacct", "scancel"] as const) delete slurm.faults[program]
      for (let turn = 0; turn < 30 && (yield* Fiber.poll(fiber))._tag === "None"; turn += 1) {
        slurm.jobs.filter(isLive).forEach((job) => slurm.set(job, { state: "COMPLETED" }))
        yield* runClock(fiber, 20)
      }
      const { session } = yield* look({ stateDir: dir, planId: "plan" })
      expect([...session.jobs.values()].map(({ outcome }) => outcome)).toEqual(jobs.map(() => "success"))
      for (const job of session.jobs.values()) {
        expect(job.restarts.map(({ cause }) => cause)).toEqual(Array(job.attempt - 1).fill("crash"))
      }
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(slurm.world))
  },
  180_000
)
