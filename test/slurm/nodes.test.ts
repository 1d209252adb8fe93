/** Nodes that jobs are kept away from, and limits on jobs, as a real SLURM has them. */
import { afterAll, afterEach, describe, expect, it } from "vitest"
import { clear } from "./support/cluster.ts"
import { output } from "./support/commands.ts"
import { makeJobs } from "./support/jobs.ts"

const jobs = makeJobs()
afterEach(clear)
afterAll(jobs.remove)

const excludedOf = async (id: string) =>
  /ExcNodeList=(\S+)/.exec(await output(["scontrol", "-o", "show", "job", id]))?.[1]

describe("a job that waits", () => {
  it("is kept away from nodes, from others, and from none again", async () => {
    const job = await jobs.submit("true", ["--hold"])
    await jobs.whenIn(job, "PENDING")
    for (const [nodes, shown] of [[["n1"], "n1"], [["n1", "n2"], "n1,n2"], [["n2"], "n2"], [[], "(null)"]] as const) {
      expect(await jobs.answer((scheduler) => scheduler.exclude(job, nodes))).toEqual({ applied: true })
      expect(await excludedOf(job.id)).toBe(shown)
    }
  })

  it("of an array is kept away alone", async () => {
    const [first, second] = await jobs.submitArray("true", [0, 1], ["--hold"])
    if (first === undefined || second === undefined) throw new Error("two tasks")
    await jobs.whenIn(first, "PENDING")
    expect(await jobs.answer((scheduler) => scheduler.exclude(second, ["n1"]))).toEqual({ applied: true })
    expect(await excludedOf(`${second.id}_1`)).toBe("n1")
    expect(await excludedOf(`${first.id}_0`)).toBe("(null)")
  })

  it("cannot be kept away from a node that the cluster does not have: that is refused, and it stays as it was", async () => {
    const job = await jobs.submit("true", ["--hold"])
    await jobs.whenIn(job, "PENDING")
    expect(await jobs.answer((scheduler) => scheduler.exclude(job, ["nosuch"])))
      .toEqual({ applied: false, message: expect.stringMatching(/node name/i) })
    expect(await excludedOf(job.id)).toBe("(null)")
  })
})

describe("a job that waits no more", () => {
  it("is left as it is when it runs, and when it has ended", async () => {
    const job = await jobs.submit("sleep 300")
    await jobs.whenIn(job, "RUNNING")
    expect(await jobs.answer((scheduler) => scheduler.exclude(job, ["n1"])))
      .toEqual({ applied: false, message: expect.any(String) })
    await jobs.cancel(job)
    await jobs.whenIn(job, "CANCELLED")
    expect(await jobs.answer((scheduler) => scheduler.exclude(job, ["n1"])))
      .toEqual({ applied: false, message: expect.any(String) })
  })
})

describe("a submission", () => {
  it("away from a node that is none is refused in words by which that is known", async () => {
    const submission = { ...jobs.submission("true"), options: ["--exclude=nosuch"] }
    expect(await jobs.ask((scheduler) => scheduler.submit(submission)))
      .toMatchObject({ left: { message: expect.stringMatching(/invalid node name/i), temporary: false } })
  })

  it("above the limit on a user's jobs is refused for now, and accepted once one has ended", async () => {
    await output(["sacctmgr", "-i", "modify", "qos", "normal", "set", "MaxSubmitJobsPerUser=1"])
    try {
      const job = await jobs.submit("sleep 300")
      const next = jobs.submission("true")
      expect(await jobs.ask((scheduler) => scheduler.submit(next)))
        .toMatchObject({ left: { message: expect.stringContaining("QOSMaxSubmitJobPerUserLimit"), temporary: true } })
      await jobs.cancel(job)
      await jobs.whenIn(job, "CANCELLED")
      await jobs.answer((scheduler) => scheduler.submit(next))
    } finally {
      await output(["sacctmgr", "-i", "modify", "qos", "normal", "set", "MaxSubmitJobsPerUser=-1"])
    }
  })

  it("to a partition that is drained, as in a maintenance, is refused for now", async () => {
    const [partition = ""] = (await output(["sinfo", "-h", "-o", "%R"])).trim().split("\n")
    await output(["scontrol", "update", `PartitionName=${partition}`, "State=DRAIN"])
    try {
      expect(await jobs.ask((scheduler) => scheduler.submit(jobs.submission("true", [`--partition=${partition}`]))))
        .toMatchObject({ left: { temporary: true } })
    } finally {
      await output(["scontrol", "update", `PartitionName=${partition}`, "State=UP"])
    }
  })
})
