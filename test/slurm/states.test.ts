/** What becomes of jobs, as the port tells it and as SLURM's own books have it. */
import { afterAll, afterEach, describe, expect, it } from "vitest"
import { entries } from "./support/accounting.ts"
import { clear, configured, downNode, upNode } from "./support/cluster.ts"
import { output, until } from "./support/commands.ts"
import { makeJobs } from "./support/jobs.ts"

const jobs = makeJobs()
afterEach(clear)
afterAll(jobs.remove)

const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)

describe("a job", () => {
  it("is told from its start to its end", async () => {
    const job = await jobs.submit("sleep 2")
    expect(await jobs.whenIn(job, "RUNNING")).toMatchObject({ ...job, start: iso, end: null })
    expect(await jobs.whenIn(job, "COMPLETED"))
      .toMatchObject({
        ...job,
        exitCode: 0,
        signal: null,
        nodes: expect.stringMatching(/^n[12]$/),
        start: iso,
        end: iso
      })
  })

  it("that fails is told with its exit code, one that is killed with its signal", async () => {
    const failing = await jobs.submit("exit 3")
    const killed = await jobs.submit("kill -9 $$")
    expect(await jobs.whenIn(failing, "FAILED")).toMatchObject({ exitCode: 3, signal: null })
    expect(await jobs.whenIn(killed, "FAILED")).toMatchObject({ signal: 9 })
  })

  it("that waits is told with SLURM's reason", async () => {
    const job = await jobs.submit("true", ["--partition=down"])
    expect(await jobs.when(job, ({ reason }) => reason !== null)).toMatchObject({
      state: "PENDING",
      reason: "PartitionDown",
      start: null,
      end: null,
      exitCode: null
    })
  })

  it("that nobody may start is refused, and is nowhere afterwards", async () => {
    const job = jobs.submission("true", ["--partition=nosuch"])
    expect(await jobs.ask((scheduler) => scheduler.submit(job)))
      .toMatchObject({ left: { _tag: "SubmissionRefusedError", message: expect.stringContaining("partition") } })
    expect(await jobs.lookup(job.name)).toEqual([])
  })

  it("that runs out of time is TIMEOUT", async () => {
    const job = await jobs.submit("sleep 300")
    await jobs.whenIn(job, "RUNNING")
    await output(["scontrol", "update", `jobid=${job.id}`, "EndTime=now"])
    await jobs.whenIn(job, "TIMEOUT", 100)
  })

  it("that a node takes with it is NODE_FAIL", async () => {
    const job = await jobs.submit("sleep 300", ["--no-requeue"])
    const { nodes } = await jobs.whenIn(job, "RUNNING")
    const node = nodes === "n1" ? "n1" : "n2"
    try {
      await downNode(node)
      expect(await jobs.whenIn(job, "NODE_FAIL")).toMatchObject({ nodes: node })
    } finally {
      await upNode(node)
    }
  })

  it("whose node breaks unseen is NODE_FAIL once the controller notices", async () => {
    const job = await jobs.submit("sleep 300", ["--no-requeue", "--nodelist=n2"])
    await jobs.whenIn(job, "RUNNING")
    try {
      await downNode("n2", false)
      await jobs.whenIn(job, "NODE_FAIL", 90)
    } finally {
      await upNode("n2")
    }
  })

  it.each(["SLURM after a node broke", "an operator"])(
    "requeued by %s is alive all the time, and the same",
    async (by) => {
      const marker = `${jobs.folder}/${by}`
      const job = await jobs.submit(`[ -e '${marker}' ] || { touch '${marker}'; sleep 300; }`, [
        "--requeue",
        "--nodelist=n1"
      ])
      await jobs.whenIn(job, "RUNNING")
      if (by === "an operator") await output(["scontrol", "requeue", job.id])
      else {
        await downNode("n1")
        await upNode("n1")
      }
      const seen = new Set<string>()
      await jobs.when(job, ({ state }) => {
        seen.add(state)
        return state === "COMPLETED"
      })
      for (const state of ["RUNNING", "COMPLETING", "CONFIGURING", "PENDING", "REQUEUED", "COMPLETED"]) {
        seen.delete(
          state
        )
      }
      expect([...seen]).toEqual([])
      expect(new Set((await entries(job.name)).map(({ id }) => id))).toEqual(new Set([job.id]))
    }
  )

  it("that makes way is PREEMPTED, or waits again where its QOS says so", async () => {
    const cancelled = await jobs.submit("sleep 300", ["--qos=scavenge", "--exclusive", "--nodelist=n1"])
    const requeued = await jobs.submit("sleep 300", ["--qos=requeue", "--exclusive", "--nodelist=n2"])
    await jobs.whenIn(cancelled, "RUNNING")
    await jobs.whenIn(requeued, "RUNNING")
    await jobs.submit("sleep 300", ["--qos=urgent", "--exclusive", "--nodelist=n1"])
    await jobs.submit("sleep 300", ["--qos=urgent", "--exclusive", "--nodelist=n2"])
    await jobs.whenIn(cancelled, "PREEMPTED")
    await jobs.whenIn(requeued, "PENDING")
  })

  it("that ended and left squeue is told from the books", async () => {
    await configured({ MinJobAge: 2 }, async () => {
      const job = await jobs.submit("exit 4")
      await jobs.whenIn(job, "FAILED")
      await until("an empty squeue", async () => await output(["squeue", "-h", "-t", "all"]) === "" || null)
      expect(await jobs.snapshot([job])).toMatchObject([{ ...job, state: "FAILED", exitCode: 4 }])
      expect(await jobs.lookup(job.name)).toMatchObject([{ ...job, state: "FAILED" }])
    })
  })
})

describe("cancelling", () => {
  it("ends a job that runs and one that waits, and is content with one that has ended", async () => {
    const running = await jobs.submit("sleep 300")
    const waiting = await jobs.submit("true", ["--partition=down"])
    await jobs.whenIn(running, "RUNNING")
    for (const job of [running, waiting]) {
      await jobs.cancel(job)
      await jobs.whenIn(job, "CANCELLED")
      await jobs.cancel(job)
    }
  })

  it("leaves alone who has the job's id by now", async () => {
    const stranger = await jobs.submit("sleep 300")
    await jobs.cancel({ ...stranger, name: "job.1.other" })
    await jobs.whenIn(stranger, "RUNNING")
  })

  it("by an operator is seen as CANCELLED", async () => {
    const job = await jobs.submit("sleep 300")
    await jobs.whenIn(job, "RUNNING")
    await output(["scancel", job.id])
    await jobs.whenIn(job, "CANCELLED")
  })
})

describe("an array", () => {
  it("keeps its indices, and each task its own end", async () => {
    const tasks = await jobs.submitArray("exit $SLURM_ARRAY_TASK_ID", [0, 3, 7])
    const ends = await Promise.all(tasks.map((task) => jobs.when(task, ({ end }) => end !== null)))
    expect(ends.map(({ exitCode, state, task }) => [task, state, exitCode])).toEqual([
      [0, "COMPLETED", 0],
      [3, "FAILED", 3],
      [7, "FAILED", 7]
    ])
    expect((await jobs.lookup(tasks[0]?.name ?? "")).map(({ task }) => task).sort()).toEqual([0, 3, 7])
  })

  it("that waits as a whole is told task by task", async () => {
    const tasks = await jobs.submitArray("true", [1, 2, 5], ["--partition=down"])
    expect((await jobs.snapshot(tasks)).map(({ state, task }) => [task, state]).sort())
      .toEqual([[1, "PENDING"], [2, "PENDING"], [5, "PENDING"]])
  })

  it("loses only the task that is cancelled", async () => {
    const [first, second] = await jobs.submitArray("sleep 300", [4, 9])
    if (first === undefined || second === undefined) return expect.fail("there are two tasks")
    await jobs.whenIn(second, "RUNNING")
    await jobs.cancel(first)
    await jobs.whenIn(first, "CANCELLED")
    expect(await jobs.snapshot([second])).toMatchObject([{ state: "RUNNING" }])
  })

  it("is refused above the site's MaxArraySize", async () => {
    const job = jobs.submission("true", [], [0, 1001])
    expect(await jobs.ask((scheduler) => scheduler.submit(job)))
      .toMatchObject({ left: { _tag: "SubmissionRefusedError", message: expect.stringContaining("array") } })
  })

  it("of 200 tasks and 40 jobs beside it take one squeue and at most one sacct to see", async () => {
    const tasks = await jobs.submitArray("true", Array.from({ length: 200 }, (_, index) => index), ["--partition=down"])
    const singles = []
    for (let count = 0; count < 40; count++) singles.push(await jobs.submit("true", ["--partition=down"]))
    const before = await jobs.answer((scheduler) => scheduler.calls)
    expect(await jobs.snapshot([...tasks, ...singles])).toHaveLength(240)
    const after = await jobs.answer((scheduler) => scheduler.calls)
    expect((after["squeue"] ?? 0) - (before["squeue"] ?? 0)).toBe(1)
    expect((after["sacct"] ?? 0) - (before["sacct"] ?? 0)).toBeLessThanOrEqual(1)
  })
})
