/** The harness itself: each state and outage that other tests build on can be had. */
import { afterEach, describe, expect, it } from "vitest"
import { entries } from "./support/accounting.ts"
import { clear, configured, down, downNode, forget, up, upNode, without } from "./support/cluster.ts"
import { output, run, until } from "./support/commands.ts"

const submit = (...args: ReadonlyArray<string>) => output(["sbatch", "--parsable", "-o", "/dev/null", ...args])
const stateOf = async (id: string) => (await output(["scontrol", "-o", "show", "job", id])).match(/JobState=(\S+)/)?.[1]
const reaches = (id: string, state: string) =>
  until(`job ${id} to be ${state}`, async () => await stateOf(id) === state || null)

describe("the test cluster", () => {
  afterEach(clear)

  it("runs a job and accounts for it", async () => {
    const id = await submit("-J", "hello", "--wrap", "exit 3")
    await reaches(id, "FAILED")
    const entry = await until(
      "the entry",
      async () => (await entries("hello")).find(({ state }) => state === "FAILED") ?? null
    )
    expect(entry).toMatchObject({ id, exit: "3:0" })
  })

  it("refuses to answer while its controller is down, and goes on afterwards", async () => {
    const id = await submit("--wrap", "sleep 300")
    await reaches(id, "RUNNING")
    const answer = await without("slurmctld", "stop", () => run(["squeue", "-h"]))
    expect(answer).toMatchObject({ code: 1, stdout: "" })
    expect(answer.stderr).toContain("Unable to contact slurm controller")
    expect(await stateOf(id)).toBe("RUNNING")
  })

  it("takes a submission that was answered with a time-out", async () => {
    const answer = await without(
      "slurmctld",
      "hang",
      () => run(["sbatch", "--parsable", "-J", "frozen", "-o", "/dev/null", "--wrap", "true"])
    )
    expect(answer.stderr).toContain("Socket timed out")
    await until("the job that was refused", async () => (await entries("frozen")).length === 1 || null)
  })

  it("takes jobs without slurmdbd, and books them later", async () => {
    await down("slurmdbd")
    expect((await run(["sacct"])).code).toBe(1)
    await submit("-J", "unbooked", "--wrap", "true")
    await up("slurmdbd")
    await until("the entry", async () => (await entries("unbooked")).length === 1 || null)
  })

  it("ends jobs of a node that broke as NODE_FAIL, or queues them again", async () => {
    const fails = await submit("--no-requeue", "-w", "n1", "--wrap", "sleep 300")
    const requeued = await submit("--requeue", "-w", "n1", "--wrap", "sleep 300")
    await reaches(fails, "RUNNING")
    await reaches(requeued, "RUNNING")
    try {
      await downNode("n1")
      await reaches(fails, "NODE_FAIL")
      await reaches(requeued, "PENDING")
    } finally {
      await upNode("n1")
    }
    await reaches(requeued, "RUNNING")
  })

  it("works without accounting, and forgets jobs soon, if so configured", async () => {
    const bare = { AccountingStorageType: "accounting_storage/none", AccountingStorageEnforce: "", MinJobAge: 2 }
    await configured(bare, async () => {
      const id = await submit("--wrap", "true")
      await until(
        "the job to be forgotten",
        async () => (await run(["scontrol", "show", "job", id])).stderr.includes("Invalid job id") || null
      )
      expect((await run(["sacct", "-X"])).stderr).toContain("Slurm accounting storage is disabled")
    })
  })

  it("gives ids out again once it lost its memory", async () => {
    const before = await submit("-J", "before", "--wrap", "true")
    await until("the entry", async () => (await entries("before")).length === 1 || null)
    await forget()
    const after = await submit("--wrap", "true")
    expect(Number(after)).toBeLessThanOrEqual(Number(before))
  })
})
