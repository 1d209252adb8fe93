/** What goes wrong between a question and its answer. SLURM's own books are the judge: no job twice, none lost. */
import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { JobRef } from "../../src/port/Scheduler.ts"
import { entries, everHad } from "./support/accounting.ts"
import { clear, configured, type Daemon, dir, forget, type How, up, without } from "./support/cluster.ts"
import { output, until } from "./support/commands.ts"
import { makeJobs } from "./support/jobs.ts"

/** What the wrapper around sbatch does: a line of shell in which `real` is sbatch. */
const wrapper = path.join(dir, "wrapped-sbatch")
const wrap = (line: string) =>
  fs.writeFileSync(wrapper, `#!/bin/bash\nreal() { command sbatch "$@"; }\n${line}\n`, { mode: 0o755 })

// New for each test: what failed in one is not waited out in the next.
let jobs = makeJobs()
let wrapped = makeJobs()
beforeEach(async () => {
  jobs = makeJobs()
  wrapped = makeJobs({ submit_cmd: wrapper })
  await jobs.lookup("nobody")
})
const daemons: ReadonlyArray<Daemon> = ["munged", "mariadbd", "slurmdbd", "slurmctld"]
afterEach(async () => {
  for (const daemon of daemons) await up(daemon)
  await clear()
  await jobs.remove()
  await wrapped.remove()
})

const unavailable = { left: { _tag: "SchedulerUnavailableError" } }

describe("a submission", () => {
  it("that a frozen controller took is not called refused, and is found by its name", async () => {
    const job = jobs.submission("true")
    await without("slurmctld", "hang", async () => {
      expect(await jobs.ask((scheduler) => scheduler.submit(job))).toMatchObject(unavailable)
    })
    const [found, ...more] = await until("the job", async () => {
      const found = await jobs.lookup(job.name)
      return found.length > 0 ? found : null
    })
    expect(more).toEqual([])
    expect(found).toMatchObject({ name: job.name, task: null })
    expect((await everHad(job.name)).size).toBe(1)
  })

  it("to a controller that is down is not called refused, and is nowhere", async () => {
    const job = jobs.submission("true")
    await without("slurmctld", "stop", async () => {
      expect(await jobs.ask((scheduler) => scheduler.submit(job))).toMatchObject(unavailable)
      expect(await jobs.askLookup(job.name)).toMatchObject(unavailable)
    })
    expect(await jobs.lookup(job.name)).toEqual([])
  })

  it.each([
    ["garbage, and fails", "real \"$@\" > /dev/null; echo 'slurmstepd: \u0007??'; exit 1"],
    ["garbage, and succeeds", "real \"$@\" > /dev/null; echo 'Welcome to the cluster!'"],
    ["nothing", "real \"$@\" > /dev/null"],
    ["a crash", "real \"$@\" > /dev/null; kill -SEGV $$"],
    [
      "a time-out",
      "real \"$@\" > /dev/null; echo 'sbatch: error: Batch job submission failed: " +
      "Socket timed out on send/recv operation' >&2; exit 1"
    ]
  ])("that was accepted and answered with %s is not called refused, and is found by its name", async (_, line) => {
    wrap(line)
    const job = wrapped.submission("true")
    expect(await wrapped.ask((scheduler) => scheduler.submit(job))).toMatchObject(unavailable)
    expect(await wrapped.lookup(job.name)).toHaveLength(1)
    expect((await everHad(job.name)).size).toBe(1)
  })

  it("is read past what the site's wrapper says around the id", async () => {
    wrap("echo 'sbatch: info: your project has 12 hours left' >&2; real \"$@\"")
    const job = wrapped.submission("true")
    const { id } = await wrapped.answer((scheduler) => scheduler.submit(job))
    expect(await wrapped.lookup(job.name)).toMatchObject([{ id }])
  })
})

describe("a name", () => {
  it("is found whole, not as a part of another", async () => {
    const job = await jobs.submit("sleep 300")
    await output(["sbatch", "--parsable", "-o", "/dev/null", "-J", `${job.name}x`, "--wrap", "sleep 300"])
    expect(await jobs.lookup(job.name)).toMatchObject([job])
    expect(await jobs.lookup(job.name.slice(0, -1))).toEqual([])
  })
})

describe("an outage", () => {
  it.each<[Daemon, How]>([
    ["slurmctld", "stop"],
    ["slurmctld", "hang"],
    ["munged", "stop"]
  ])("of %s (%s) is told as an error, never as jobs that are gone", async (daemon, how) => {
    const job = await jobs.submit("sleep 300")
    await jobs.whenIn(job, "RUNNING")
    await without(daemon, how, async () => {
      const [look, ...others] = await Promise.all([
        jobs.look([job]),
        jobs.askLookup(job.name),
        jobs.ask((scheduler) => scheduler.cancel(job))
      ])
      expect(look).toSatisfy(jobs.leavesOpen)
      expect(others).toMatchObject([unavailable, unavailable])
    })
    await jobs.when(job, ({ state }) => /^(RUNNING|COMPLETING|CANCELLED)$/.test(state))
  })

  it("of the accounting hides no job that squeue shows, and never makes one that it does not show gone", async () => {
    const job = await jobs.submit("sleep 300")
    await jobs.whenIn(job, "RUNNING")
    await without("slurmdbd", "stop", async () => {
      expect(await jobs.snapshot([job])).toMatchObject([{ ...job, state: "RUNNING" }])
      const gone: JobRef = { ...job, name: "job.1.gone", id: "987654" }
      expect(await jobs.look([job, gone])).toMatchObject({ right: { reports: [job], unanswered: [gone] } })
    })
    const gone: JobRef = { ...job, name: "job.1.gone", id: "987654" }
    expect(await jobs.snapshot([job, gone])).toHaveLength(1)
  })
})

describe("without accounting", () => {
  const bare = { AccountingStorageType: "accounting_storage/none", AccountingStorageEnforce: "" }

  it("jobs are submitted, seen and looked up as long as SLURM remembers them", async () => {
    await configured(bare, async () => {
      const afresh = makeJobs()
      const job = await afresh.submit("exit 3")
      expect(await afresh.whenIn(job, "FAILED")).toMatchObject({ exitCode: 3 })
      expect(await afresh.lookup(job.name)).toMatchObject([{ ...job, state: "FAILED" }])
      await afresh.remove()
    })
  })
})

describe("ids", () => {
  it("that a controller without memory gives out again do not confuse two jobs", async () => {
    const old = await jobs.submit("exit 3")
    await jobs.whenIn(old, "FAILED")
    await until("the books", async () => (await entries(old.name)).some(({ state }) => state === "FAILED") || null)
    await forget()
    let young = await jobs.submit("sleep 300")
    while (Number(young.id) < Number(old.id)) young = await jobs.submit("sleep 300", ["--partition=down"])
    expect(young.id).toBe(old.id)
    expect(await jobs.snapshot([young])).toMatchObject([{ ...young, end: null }])
    // Whatever is said of the old one, it is not what happens to the young one.
    expect((await jobs.snapshot([old])).filter(({ state }) => state !== "FAILED")).toEqual([])
    await jobs.cancel(old)
    expect(await jobs.snapshot([young])).toMatchObject([{ ...young, end: null }])
  })

  it("of a stranger in the books are not a job of ours that the controller lost", async () => {
    const stranger = await jobs.submit("true")
    await jobs.whenIn(stranger, "COMPLETED")
    await until(
      "the books",
      async () => (await entries(stranger.name)).some(({ state }) => state === "COMPLETED") || null
    )
    await forget()
    expect(await jobs.snapshot([{ ...stranger, name: "job.1.lost" }])).toEqual([])
  })
})
