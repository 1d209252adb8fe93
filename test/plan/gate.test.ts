import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import type { Chain } from "../../src/event/PlannedJob.ts"
import { claimLines } from "../../src/plan/claim.ts"
import { folder, run } from "./shells.ts"

const chain: Chain = {
  links: 5,
  ahead: 3,
  until: null,
  expected_after_seconds: 1000,
  gate_seconds: 0,
  overrun_seconds: null
}

/** A chain's script, what stands beside it, and whether it began. */
const plant = (rest: Partial<Chain> = {}) => {
  const outputDir = path.join(folder(), "out of it's")
  const attempts = path.join(outputDir, ".attempts")
  fs.mkdirSync(attempts, { recursive: true })
  const claim = claimLines("plan", "a", [{ name: "a", index: 0, outputDir, chain: { ...chain, ...rest } }], false)
  const file = path.join(outputDir, "job.sh")
  fs.writeFileSync(file, `${claim}\necho began\nexit "\${CODE:-0}"\n`)
  return {
    outputDir,
    attempts,
    write: (name: string, text: string) => fs.writeFileSync(path.join(attempts, name), text),
    gate: (text: string) => fs.writeFileSync(path.join(attempts, "plan.gate"), text),
    exit: (attempt: number, text: string) => {
      fs.writeFileSync(path.join(attempts, `plan.${attempt}`), "job_id=1\n")
      fs.writeFileSync(path.join(attempts, `plan.${attempt}.exit`), `nonce=n${attempt}\n${text}`)
    },
    start: (attempt: number, env: Readonly<Record<string, string>> = {}, shell = "bash") =>
      run([shell, "-eu", file], { SLURM_JOB_NAME: `a.${attempt}.n${attempt}`, SLURM_JOB_ID: "7", ...env })
  }
}

describe.each(["bash", "sh"])("the gate of a chain's link (%s)", (shell) => {
  const begins = async (p: ReturnType<typeof plant>, attempt: number) => (await p.start(attempt, {}, shell)).code === 0

  it("lets the first link begin, with or without a word of the monitor", async () => {
    expect(await begins(plant(), 1)).toBe(true)
    const p = plant()
    p.gate("decision=go\nnonce=n1\nwhy=\n")
    expect(await begins(p, 1)).toBe(true)
  })

  it("goes on by itself, while no monitor looks, after an exit with 0 and after one near the time limit", async () => {
    const p = plant()
    p.gate("decision=go\nnonce=n1\nwhy=\n")
    expect(await begins(p, 1)).toBe(true)
    expect(fs.readFileSync(`${p.attempts}/plan.1.exit`, "utf8")).toMatch(/^nonce=n1\nexit_code=0\nseconds=\d+\n$/)
    expect(await begins(p, 2)).toBe(true)
    p.exit(3, "exit_code=143\nseconds=1001\n")
    expect(await begins(p, 4)).toBe(true)
  })

  it("begins after a kill that left nothing if as much time has passed as the limit allows, and not before", async () => {
    const p = plant()
    const now = Math.floor(Date.now() / 1000)
    p.write("plan.1", `job_id=1\nnonce=n1\nstarted=${now - 2000}\n`)
    expect(await begins(p, 2)).toBe(true)
    const early = plant()
    early.write("plan.1", `job_id=1\nnonce=n1\nstarted=${now - 10}\n`)
    expect(await begins(early, 2)).toBe(false)
  })

  it("does not begin after a config fault that the monitor has not looked at, and claims nothing", async () => {
    const p = plant()
    p.gate("decision=go\nnonce=n1\nwhy=\n")
    expect((await p.start(1, { CODE: "2" }, shell)).code).toBe(2)
    const { code, stderr, stdout } = await p.start(2, {}, shell)
    expect({ code, stdout }).toEqual({ code: 76, stdout: "" })
    expect(stderr).toContain("attempt 1 of job a has not ended as its chain expects (exit_code=2)")
    expect(fs.readdirSync(p.attempts).filter((name) => name.startsWith("plan.2"))).toEqual([])
    // The monitor decides for it in the end: a restart by its rules.
    p.gate("decision=go\nnonce=n2\nwhy=\n")
    expect(await begins(p, 2)).toBe(true)
  })

  it("never begins after exit code 93, however long that ran, unless the monitor says so", async () => {
    const p = plant()
    p.exit(1, "exit_code=93\nseconds=5000\n")
    expect(await begins(p, 2)).toBe(false)
  })

  it("does not begin once the monitor has said stop, and begins for its own nonce even so", async () => {
    const p = plant()
    p.exit(1, "exit_code=0\nseconds=5\n")
    p.gate("decision=stop\nnonce=n1\nwhy=the job is held: $(touch pwned)\n")
    const { code, stderr } = await p.start(2, {}, shell)
    expect(code).toBe(76)
    expect(stderr).toContain("the job is held: $(touch pwned)")
    p.gate("decision=stop\nnonce=n3\nwhy=\n")
    expect(await begins(p, 3)).toBe(true)
  })

  it("asks by itself for the file that says that the work is done", async () => {
    const p = plant({ until: { class_name: "FileExistsCondition", path: "/" } })
    p.exit(1, "exit_code=0\nseconds=5\n")
    expect(await begins(p, 2)).toBe(false)
  })

  it("takes rubbish in its files for no word at all", async () => {
    const p = plant()
    p.gate("nonce=\ndecision=$(id)\n\0\0")
    p.exit(1, "exit_code=zero\nseconds=999999999999x\n")
    expect(await begins(p, 2)).toBe(false)
  })
})

it("waits for the monitor's word, and begins as soon as that comes", async () => {
  const p = plant({ gate_seconds: 60 })
  p.exit(1, "exit_code=1\nseconds=5\n")
  const started = p.start(2)
  setTimeout(() => p.gate("decision=go\nnonce=n2\nwhy=\n"), 300)
  expect((await started).code).toBe(0)
})
