/** The shipped demo on the real cluster, as one job a point and as one array: it ends as on the local cluster. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Demo, type Ended, makeDemo } from "../e2e/demo.ts"
import { entries, type Entry } from "./support/accounting.ts"
import { clear } from "./support/cluster.ts"
import { until } from "./support/commands.ts"
import { environment, type Shown } from "./support/sessions.ts"

interface Run {
  readonly demo: Demo
  readonly ended: Ended
  readonly shown: Shown
}

const run = async (override: string): Promise<Run> => {
  const demo = makeDemo()
  const ended = await demo.run(["run", "slurm=demo", override], environment)
  return { demo, ended, shown: await demo.json<Shown>(["session", "show", "last"]) }
}

const ways = [["one job a point", "slurm.array=false"], ["one array", "slurm.array=true"]] as const
const runs = new Map<string, Run>()
let books: ReadonlyArray<Entry> = []

// Side by side: most of the time, they wait for a time limit.
beforeAll(async () => {
  await Promise.all(ways.map(async ([way, override]) => runs.set(way, await run(override))))
  // The books may lag behind.
  books = await until("the books to be complete", async () => {
    const booked = await entries("demo")
    return booked.some(({ state }) => /PENDING|RUNNING/.test(state)) ? null : booked
  })
}, 400_000)
afterAll(async () => {
  await clear()
  for (const { demo } of runs.values()) await demo.remove()
})

const runOf = (way: string): Run => runs.get(way) ?? expect.fail(`${way} did not run`)
const training = (way: string) => runOf(way).demo.starts().filter(({ mode }) => mode === "train")

describe.each(ways)("the demo on SLURM as %s", (way) => {
  it("ends with exit code 0, four jobs as success, one restart in each of three and none in the fourth", () => {
    const { ended, shown } = runOf(way)
    expect(ended.code, ended.stderr + ended.stdout).toBe(0)
    expect(shown.status).toBe("finished")
    expect(
      Object.fromEntries(shown.jobs.map(({ name, outcome, restarts }) => [name, [
        outcome,
        ...restarts.map(({ cause }) => cause)
      ]]))
    ).toEqual({
      demo_healthy: ["success"],
      demo_nccl: ["success", "nccl_error"],
      demo_hang: ["success", "stall"],
      demo_slow: ["success", "timeout"]
    })
  })

  it("starts each attempt once, by the trainer's ledger and by SLURM's books", () => {
    expect(training(way).map(({ attempt, job }) => `${job} ${attempt}`).sort()).toEqual([
      "demo_hang 1",
      "demo_hang 2",
      "demo_healthy 1",
      "demo_nccl 1",
      "demo_nccl 2",
      "demo_slow 1",
      "demo_slow 2"
    ])
    const nonces = new Set(training(way).map(({ nonce }) => nonce))
    const booked = books.filter(({ name }) => nonces.has(name.split(".").at(-1) ?? ""))
    const states = booked.map(({ state }) => state.split(" ")[0]).sort()
    // The attempt with the NCCL error ends by itself, unless the monitor that read the error is quicker.
    const ended = (nccl: string) => ["CANCELLED", ...Array<string>(4).fill("COMPLETED"), "TIMEOUT", nccl].sort()
    expect([ended("FAILED"), ended("CANCELLED")]).toContainEqual(states)
    expect(new Set(booked.map(({ id }) => id)).size).toBe(7)
  })

  it("evaluates every checkpoint once", async () => {
    const { demo, shown } = runOf(way)
    const queue = await demo.json<ReadonlyArray<{ readonly status: string }>>(
      ["queue", "list", "--session", shown.plan_id]
    )
    expect(queue.length).toBeGreaterThanOrEqual(8)
    expect(queue.every(({ status }) => status === "done")).toBe(true)
    const evaluated = demo.starts().filter(({ mode }) => mode === "eval").map(({ checkpoint }) => checkpoint)
    expect(evaluated).toHaveLength(queue.length)
    expect(new Set(evaluated).size).toBe(queue.length)
  })
})

it("an array's task is restarted under its own index", () => {
  const points = ["demo_healthy", "demo_nccl", "demo_hang", "demo_slow"]
  const tasks = training("one array").map(({ job, nonce }) => `${nonce} ${points.indexOf(job)}`)
  const booked = new Set(books.map(({ id, name }) => `${name.split(".").at(-1)} ${id.split("_")[1]}`))
  expect(tasks.filter((task) => !booked.has(task))).toEqual([])
})
