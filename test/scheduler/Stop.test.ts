/** What a job's processes get of the time between TERM and KILL. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Scheduler } from "../../src/port/Scheduler.ts"
import { bundle, eventually, type LocalCluster, makeCluster, processesWith } from "./support/localCluster.ts"

let built: string
let cluster: LocalCluster | null = null

beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), "local-controller-"))
  await bundle("src/scheduler/local/controllerMain.ts", join(built, "local-controller.mjs"))
}, 240_000)
afterEach(async () => {
  await cluster?.dispose()
  cluster = null
})
afterAll(() => rmSync(built, { recursive: true, force: true }))

/** Far beyond a test's patience: who waits for its end, or is killed before it, fails. */
const ENDLESS = 600

/** Starts a job whose script runs `launch`, and waits until the trainer in it is ready for a TERM. */
const train = async (graceSeconds: number, launch: string, onTerm: string) => {
  const started = cluster = makeCluster(join(built, "local-controller.mjs"), { graceSeconds })
  const { options, run, script, submit, work } = started
  const trainer = join(work, "trainer")
  writeFileSync(trainer, `#!/bin/bash\ntrap '${onTerm}' TERM\necho $$ > pid\nwhile :; do sleep 0.1; done\n`)
  chmodSync(trainer, 0o700)
  const id = await submit("train.1.a", script("train", "#SBATCH --time=60 -o out", launch, "echo the script goes on"))
  const pid = await eventually(
    "the trainer",
    async () => existsSync(join(work, "pid")) ? Number(readFileSync(join(work, "pid"), "utf8")) || null : null
  )
  return {
    ...started,
    /** Whether the trainer is among the living processes of the job. */
    trains: () => processesWith("environ", `AUTOEXP_LOCAL_RUN=${options.dir}:`).includes(pid),
    stops: {
      // The claim's time is the start, from which the limit counts.
      "the time limit": async () => utimesSync(join(options.dir, "jobs", id, "runs", "batch.0", "claim"), 0, 0),
      "a cancellation": () =>
        run(Effect.flatMap(Scheduler, (scheduler) => scheduler.cancel({ name: "train.1.a", id, task: null })))
    }
  }
}

const launches = [["under srun", "srun ./trainer"], ["in the script", "./trainer"]] as const

describe.each(
  [
    ["the time limit", "TIMEOUT", "TimeLimit"],
    ["a cancellation", "CANCELLED", null]
  ] as const
)("after TERM by %s", (cause, state, reason) => {
  it.each(launches)("a trainer %s saves, and its end is the job's, long before the grace's", async (_, launch) => {
    const { ended, read, stops } = await train(ENDLESS, launch, "sleep 1; echo saved; exit 0")
    await stops[cause]()
    expect(await ended("train.1.a")).toMatchObject([{ state, reason, exitCode: 0, signal: null }])
    expect(read("out")).toContain("saved\n")
    expect(read("out")).not.toContain("goes on")
  })

  it.each(launches)("a trainer %s that stays is killed once the grace is over", async (_, launch) => {
    const { ended, read, stops, trains } = await train(2, launch, "echo stays")
    expect(trains()).toBe(true)
    await stops[cause]()
    expect(await ended("train.1.a")).toMatchObject([{ state, reason }])
    expect(read("out")).toContain("stays\n")
    expect(trains()).toBe(false)
  })

  it("nothing that stays is killed before", async () => {
    const { options, stops, trains, until, work } = await train(ENDLESS, "./trainer", "date >> terms")
    await stops[cause]()
    await until("train.1.a", (report) => report.state === "COMPLETING")
    await eventually(
      "the script's end",
      async () => processesWith("cmdline", `${options.dir}/jobs/`).length === 0 || null
    )
    await eventually("TERM", async () => existsSync(join(work, "terms")) || null)
    // As long as the controller would take for several looks at it.
    await Effect.runPromise(Effect.sleep("1 second"))
    expect(trains()).toBe(true)
    expect(readFileSync(join(work, "terms"), "utf8").trim().split("\n")).toHaveLength(1)
  })
})
