/** What users run first on a cluster: the doctor, its smoke test, and a plan that sbatch judges before it is written. */
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest"
import { type Demo, makeDemo } from "../e2e/demo.ts"
import { clear } from "./support/cluster.ts"
import { environment } from "./support/sessions.ts"

const presets = path.resolve(import.meta.dirname, "../../config")

let demo: Demo
beforeEach(() => void (demo = makeDemo()))
afterEach(() => demo.remove())
afterAll(clear)

interface Said {
  readonly usable: boolean
  readonly checks: ReadonlyArray<{ readonly name: string; readonly status: string; readonly found: string }>
}

describe("on a real cluster", () => {
  it("the doctor tells of its SLURM", async () => {
    const { code, stderr, stdout } = await demo.run(["doctor", "--json"], environment)
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const { checks, usable }: Said = JSON.parse(stdout)
    expect(usable).toBe(true)
    const found = new Map(checks.map(({ found, name, status }) => [name, `${status} ${found}`]))
    expect(found.get("slurm controller")).toMatch(/^ok cluster \S+ answers$/)
    expect(found.get("slurm version")).toMatch(/^ok \d+\.\d+\.\d+: srun/)
    expect(found.get("accounting")).toMatch(/^ok /)
    expect(found.get("MaxArraySize")).toMatch(/^ok \d+: indices up to \d+$/)
    expect(found.get("partitions")).toMatch(/^ok .*debug\*? \(up, \d+ nodes/)
  }, 120_000)

  it("the smoke test finds all well, and leaves nothing behind", async () => {
    const { code, stderr, stdout } = await demo.run(
      ["doctor", "--smoke", "--json", "-C", presets, "slurm=generic", "scheduler=default"],
      environment
    )
    expect({ code, stdout: JSON.parse(stdout) }, stderr).toEqual({
      code: 0,
      stdout: { ok: true, wrong: [], folder: null }
    })
    expect(fs.readdirSync(path.join(demo.folder, "output"))).toEqual([])
  }, 300_000)

  it("a plan is judged by sbatch before it is written", async () => {
    const check = (...overrides: ReadonlyArray<string>) =>
      demo.run(["plan", "--check", "slurm=demo", ...overrides], environment)
    const sound = await check()
    expect({ code: sound.code, stderr: sound.stderr }).toEqual({ code: 0, stderr: "" })
    expect(sound.stdout).toMatch(/\.sbatch: Job \d+ to start at /)
    const refused = await check("slurm.sbatch.partition=nosuch")
    expect(refused.code).toBe(2)
    expect(refused.stderr).toMatch(
      /\.sbatch: sbatch refuses it: invalid partition specified: nosuch; allocation failure/
    )
    expect(fs.existsSync(path.join(demo.folder, "output"))).toBe(false)
  }, 120_000)
})
