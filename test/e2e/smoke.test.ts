import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type Demo, makeDemo } from "./demo.ts"

const presets = path.resolve(import.meta.dirname, "../../config")

let demo: Demo
beforeEach(() => void (demo = makeDemo()))
afterEach(() => demo.remove())

const kept = (): ReadonlyArray<string> =>
  fs.readdirSync(path.join(demo.folder, "output")).filter((name) => name.startsWith("autoexp-smoke-"))

describe("the smoke test", () => {
  it("finds all well on the local cluster, and leaves nothing behind", async () => {
    const { code, stderr, stdout } = await demo.run(["doctor", "--smoke", "--json", "-C", presets])
    expect({ code, said: JSON.parse(stdout) }).toEqual({ code: 0, said: { ok: true, wrong: [], folder: null } })
    expect(stderr).toMatch(/smoke: interrupting the monitor\n[^]*detached; jobs go on[^]*smoke: resuming/)
    expect(kept()).toEqual([])
    expect(fs.existsSync(path.join(demo.folder, "state", "autoexp", "sessions", "smoke.json"))).toBe(false)
  }, 120_000)

  it("says what is not as it should be, and keeps all that was written", async () => {
    const { code, stdout } = await demo.run([
      ...["doctor", "--smoke", "-C", presets],
      "+slurm.launcher_cmd='timeout 3'"
    ])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^smoke_steady took 2 attempts instead of 1$/m)
    expect(stdout).toMatch(/^look at \S+, and remove it$/m)
    expect(fs.existsSync(path.join(demo.folder, "output", kept()[0] ?? "", "monitor", "smoke.events.jsonl"))).toBe(true)
  }, 120_000)

  it("ends with 3 where SLURM cannot be reached", async () => {
    const { code, stderr } = await demo.run([
      ...["doctor", "--smoke", "-C", presets],
      ...["slurm=generic", "+slurm.submit_cmd=no-sbatch"]
    ])
    expect({ code, stderr }).toEqual({ code: 3, stderr: "autoexp: no-sbatch: it is not on PATH\n" })
  }, 120_000)
})
