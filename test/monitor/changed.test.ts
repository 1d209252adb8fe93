import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as fs from "node:fs"
import * as path from "node:path"
import { vi } from "vitest"
import { look } from "../../src/monitor/held.ts"
import { ask } from "../../src/monitor/sessions.ts"
import { commandText } from "../../src/plan/attemptScript.ts"
import { explain } from "../../src/report/explain.ts"
import { opening, plannedJob } from "../rule/machine.ts"
import { makeSlurm } from "./slurmWorld.ts"
import { Disk, runClock, stateDir, watching } from "./world.ts"

// Minutes of the test clock are seconds of a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const argv = ["python", "train.py", "--micro-batch-size", "4", "--name", "it's"]
const restart = {
  class_name: "RestartAction",
  sbatch_overrides: { time: "08:00:00", mem_per_cpu: "4G" },
  exclude_nodes: "failed",
  exclude_seconds: 100,
  exclude_max: 2,
  overrides: { micro_batch_size: 2 }
} as const
const rules = {
  poll_interval_seconds: 5,
  inactivity_threshold_seconds: null,
  log_settle_seconds: 1,
  restarts: { max_per_fingerprint: null, max_no_progress: null },
  log_events: [{
    name: "oom",
    pattern: "OOM on (?P<node>\\S+)",
    extract_groups: { node: "node" },
    state: { class_name: "CrashState" },
    actions: [restart]
  }]
} as const

describe("what restarts change", () => {
  it.scoped("reaches sbatch of a SLURM for as long as it counts, adds to the script's own, and is undone on ack", () => {
    const slurm = makeSlurm()
    const submitted: Array<ReadonlyArray<string>> = []
    slurm.faults.sbatch = (real, args) => {
      submitted.push(args)
      return real()
    }
    const optionsOf = (at: number) =>
      (submitted[at] ?? []).filter((arg) => /^--(?:time|mem-per-cpu|exclude)=/.test(arg))
    const scriptOf = (at: number) => submitted[at]?.at(-1) ?? ""
    return Effect.gen(function*() {
      const disk = yield* Disk
      const dir = yield* stateDir
      const script = path.join(dir, "a.plan.sbatch")
      const command = commandText(argv)
      fs.writeFileSync(script, `#!/bin/bash\n#SBATCH --exclude=bad1\n${command}\n`)
      const place = { stateDir: dir, planId: "plan" }
      const fiber = yield* watching(dir, opening(rules, [plannedJob("a", 0, { script, launch: { argv, command } })]))
      const fail = (node: string) =>
        Effect.gen(function*() {
          yield* runClock(fiber, 3)
          const job = slurm.jobs.at(-1)
          slurm.set(job, { state: "RUNNING" })
          yield* disk.append(`/out/a/slurm-${job?.id ?? ""}.out`, `OOM on ${node}.cluster.local\n`)
          yield* runClock(fiber, 20)
        })
      for (const node of ["nid001", "nid002", "nid003"]) yield* fail(node)
      expect(optionsOf(0)).toEqual([])
      expect(optionsOf(1)).toEqual(["--time=08:00:00", "--mem-per-cpu=4G", "--exclude=nid001,bad1"])
      expect(optionsOf(3)).toEqual(["--time=08:00:00", "--mem-per-cpu=4G", "--exclude=nid002,nid003,bad1"])
      expect([0, 1, 3].map((at) => path.basename(scriptOf(at)))).toEqual([
        "a.plan.sbatch",
        "a.plan.2.sbatch",
        "a.plan.4.sbatch"
      ])
      expect(fs.readFileSync(scriptOf(3), "utf8")).toBe(
        fs.readFileSync(script, "utf8").replace("--micro-batch-size 4", "--micro-batch-size 2")
      )
      const { records, session } = yield* look(place)
      const told = explain(session, records, "a")?.statements.find(({ about }) => about === "changes")?.text
      expect(told).toContain("micro_batch_size")
      yield* runClock(fiber, 110)
      yield* fail("nid004")
      expect(optionsOf(4)).toEqual(["--time=08:00:00", "--mem-per-cpu=4G", "--exclude=nid004,bad1"])
      yield* runClock(fiber, 2)
      yield* Fiber.interrupt(fiber)
      yield* ask(place, { kind: "job_ack", job: "a", reason: "" })
      yield* ask(place, { kind: "job_restart", job: "a", reason: "" })
      const second = yield* watching(dir, null)
      yield* runClock(second, 30)
      expect(submitted).toHaveLength(6)
      expect([optionsOf(5), scriptOf(5)]).toEqual([[], script])
      slurm.jobs.forEach((job) => slurm.set(job, { state: "COMPLETED" }))
      yield* runClock(second, 30)
      yield* Fiber.join(second)
    }).pipe(Effect.provide(slurm.world))
  })

  it.scoped("ends a job with a sentence where its script no longer holds the command", () => {
    const slurm = makeSlurm()
    return Effect.gen(function*() {
      const disk = yield* Disk
      const dir = yield* stateDir
      const script = path.join(dir, "a.plan.sbatch")
      fs.writeFileSync(script, "#!/bin/bash\n./edited-by-hand\n")
      const job = plannedJob("a", 0, { script, launch: { argv, command: commandText(argv) } })
      const fiber = yield* watching(dir, opening(rules, [job]))
      yield* runClock(fiber, 3)
      slurm.jobs.forEach((job) => slurm.set(job, { state: "RUNNING" }))
      yield* disk.append("/out/a/slurm-100.out", "OOM on nid001\n")
      yield* runClock(fiber, 30)
      const ended = (yield* Fiber.join(fiber)).jobs.get("a")
      expect(ended).toMatchObject({
        outcome: "failed",
        why: expect.stringMatching(/^its script could not be made: .* does not hold the job's command/)
      })
      expect(slurm.jobs).toHaveLength(1)
    }).pipe(Effect.provide(slurm.world))
  })
})
