import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Demo, type Ended, makeDemo } from "./demo.ts"

interface Shown {
  readonly plan_id: string
  readonly status: string
  readonly jobs: ReadonlyArray<{
    readonly name: string
    readonly outcome: string
    readonly attempts: number
    readonly resolved_log_path: string
    readonly restarts: ReadonlyArray<{ readonly cause: string }>
  }>
  readonly queue: Readonly<Record<string, number>>
  readonly manifest: string
}

describe("autoexp run", () => {
  let demo: Demo
  let ended: Ended
  let shown: Shown

  beforeAll(async () => {
    demo = makeDemo()
    ended = await demo.run(["run"])
    shown = await demo.json<Shown>(["session", "show", "last"])
  }, 240_000)
  afterAll(() => demo.remove())

  it("ends with exit code 0, four jobs as success, one restart in each of three and none in the fourth", () => {
    expect(ended.code, ended.stderr + ended.stdout).toBe(0)
    expect(shown.status).toBe("finished")
    expect(
      Object.fromEntries(shown.jobs.map(({ name, outcome, restarts }) => [name, [
        outcome,
        ...restarts.map(({ cause }) => cause)
      ]]))
    )
      .toEqual({
        demo_healthy: ["success"],
        demo_nccl: ["success", "nccl_error"],
        demo_hang: ["success", "stall"],
        demo_slow: ["success", "timeout"]
      })
  })

  it("starts each attempt once, by the trainer's own ledger", () => {
    const starts = demo.starts()
    const training = starts.filter(({ mode }) => mode === "train").map(({ attempt, job }) => `${job} ${attempt}`)
    expect([...training].sort()).toEqual([
      "demo_hang 1",
      "demo_hang 2",
      "demo_healthy 1",
      "demo_nccl 1",
      "demo_nccl 2",
      "demo_slow 1",
      "demo_slow 2"
    ])
    expect(new Set(starts.map(({ nonce }) => nonce)).size).toBe(starts.length)
  })

  it("W-07: evaluates every checkpoint once, by follow-ups that load the recorded config and keep the environment", async () => {
    const queue = await demo.json<ReadonlyArray<{ readonly status: string; readonly job: string }>>(
      ["queue", "list", "--session", shown.plan_id]
    )
    const saved = shown.jobs.flatMap(({ resolved_log_path }) => {
      const folder = path.dirname(resolved_log_path)
      const logs = fs.readdirSync(folder).filter((name) => name.endsWith(".out"))
      return logs.flatMap((name) =>
        fs.readFileSync(path.join(folder, name), "utf8").match(/successfully saved checkpoint/g) ?? []
      )
    })
    expect(saved.length).toBeGreaterThanOrEqual(8)
    expect(queue).toHaveLength(saved.length)
    expect(queue.every(({ status }) => status === "done")).toBe(true)
    expect(demo.starts().filter(({ mode }) => mode === "eval")).toHaveLength(saved.length)
  })

  it("makes the files of a session again from its journal, byte for byte", async () => {
    const files = () =>
      fs.readdirSync(demo.stateDir, { recursive: true, encoding: "utf8" })
        .filter((name) => name === `${shown.plan_id}.json` || name.startsWith(`${shown.plan_id}.actions/`))
        .map((name) => path.join(demo.stateDir, name))
        .filter((file) => fs.statSync(file).isFile())
        .sort()
        .map((file) => [file, fs.readFileSync(file, "utf8")])
    const before = files()
    expect(before.length).toBeGreaterThan(8)
    fs.rmSync(path.join(demo.stateDir, `${shown.plan_id}.json`))
    fs.rmSync(path.join(demo.stateDir, `${shown.plan_id}.actions`), { recursive: true })
    expect((await demo.run(["session", "show", shown.plan_id])).code).toBe(0)
    expect(files()).toEqual(before)
  })

  it("explains each job: where it is, what it waits for, why it was restarted or why not, with the records", async () => {
    const seqs = new Set(demo.journal(shown.plan_id).map(({ seq }) => seq))
    const expected: Readonly<Record<string, RegExp>> = {
      demo_healthy: /never restarted: nothing has asked for it/,
      demo_nccl: /restarted after attempt 1, because rule nccl_error: nccl error; failure: .*NCCL.*2 after/,
      demo_hang: /restarted after attempt 1, because rule stall: log inactivity; .*2 after/,
      demo_slow: /restarted after attempt 1, because rule timeout: time limit; .*2 after/
    }
    for (const { attempts, name } of shown.jobs) {
      const about = ["explain", "--session", shown.plan_id, "--job", name]
      const { statements } = await demo.json<{
        readonly statements: ReadonlyArray<{
          readonly about: string
          readonly text: string
          readonly evidence: ReadonlyArray<number>
        }>
      }>(about)
      const text = (of: string) => statements.filter((one) => one.about === of).map((one) => one.text).join("\n")
      expect(text("state")).toBe(`ended as success after ${attempts} attempt${attempts === 1 ? "" : "s"}: completed`)
      expect(text("waiting")).toBe("waits for nothing: it has ended")
      expect(text(attempts === 1 ? "no_restart" : "restart"), name).toMatch(expected[name] ?? /^$/)
      for (const { evidence } of statements) {
        expect(evidence.length).toBeGreaterThan(0)
        expect(evidence.every((seq) => seqs.has(seq))).toBe(true)
      }
      const { stdout } = await demo.run(about)
      // A screen, and no more: what is said twice is not read once.
      const lines = stdout.trimEnd().split("\n")
      expect(lines.length).toBeLessThan(15)
      expect(new Set(lines).size).toBe(lines.length)
    }
  })

  it("keeps no secret of the environment in anything it writes", () => {
    const written = fs.readdirSync(demo.folder, { recursive: true, encoding: "utf8" })
      .filter((name) => /^(output|monitor)\//.test(name))
      .map((name) => path.join(demo.folder, name))
      .filter((file) => fs.lstatSync(file).isFile())
    expect(written.length).toBeGreaterThan(20)
    expect(written.filter((file) => fs.readFileSync(file, "utf8").includes("hunter2"))).toEqual([])
  })

  it("tells what was healed and why, and how to look further", () => {
    expect(ended.stdout).toContain("demo_nccl")
    expect(ended.stdout).toContain("nccl_error")
    expect(ended.stdout).toContain(`autoexp events --session ${shown.plan_id}`)
  })
})

describe("an out-of-memory failure", () => {
  it("is not restarted: one attempt, failed, exit code 1", async () => {
    const demo = makeDemo()
    try {
      const ended = await demo.run(["run", "--config-ref", "experiments/demo_oom"])
      expect(ended.code, ended.stderr + ended.stdout).toBe(1)
      const shown = await demo.json<Shown>(["session", "show", "last"])
      expect(shown.jobs).toMatchObject([{ outcome: "failed", attempts: 1, restarts: [] }])
      expect(demo.starts()).toHaveLength(1)
      expect(ended.stdout).toContain("oom")
    } finally {
      await demo.remove()
    }
  }, 120_000)
})
