import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import * as LiveCommands from "../../src/monitor/LiveCommands.ts"
import { checkPlan } from "../../src/plan/checkPlan.ts"
import type { PlannedFiles } from "../../src/plan/PlannedFiles.ts"
import { folder } from "./shells.ts"
import { planned, toy } from "./toy.ts"

const services = Layer.merge(NodeFileSystem.layer, LiveCommands.layer)

const check = (plan: PlannedFiles) =>
  Effect.runPromise(
    checkPlan(plan).pipe(Effect.catchAll((error) => Effect.succeed(error.message)), Effect.provide(services))
  )

/** A stand-in for sbatch that notes its arguments and says `text`. */
const sbatch = (home: string, text: string, code: number): string => {
  const file = path.join(home, "sbatch")
  const script = `#!/bin/sh\necho "$@" >> '${home}/asked'\nprintf '%b\\n' ${JSON.stringify(text)} >&2\nexit ${code}\n`
  fs.writeFileSync(file, script, { mode: 0o755 })
  return file
}

const sweep = { axes: { a: [0, 1, 2] }, name_template: "job_{a}" }

const onSlurm = (home: string, command: string) =>
  planned(home, toy({ sweep, slurm: { client: { class_name: "SlurmClient" }, submit_cmd: `${command} --qos=x` } }))

describe("checking a plan", () => {
  it("lets SLURM judge what scripts ask for, once for all that ask for the same, and writes nothing", async () => {
    const home = folder()
    const plan = await onSlurm(home, sbatch(home, "sbatch: Job 9 to start at 2026-11-23T10:33:46 on nodes n1", 0))
    const [first] = plan.manifest.jobs
    expect(await check(plan)).toEqual([{
      script: first.script,
      says: "Job 9 to start at 2026-11-23T10:33:46 on nodes n1"
    }])
    expect(fs.readFileSync(`${home}/asked`, "utf8")).toMatch(/^--qos=x --test-only \/\S+\.sbatch\n$/)
    expect(fs.existsSync(`${home}/out`)).toBe(false)
  })

  it("asks again where a point asks for something else", async () => {
    const home = folder()
    const command = sbatch(home, "fine", 0)
    const axes = { axes: { "slurm.sbatch.nodes": [1, 2, 2] }, name_template: "job_{index}" }
    const slurm = { client: { class_name: "SlurmClient" }, submit_cmd: command, sbatch: { nodes: 1 } }
    await check(await planned(home, toy({ sweep: axes, slurm })))
    expect(fs.readFileSync(`${home}/asked`, "utf8").trim().split("\n")).toHaveLength(2)
  })

  it("tells SLURM's own words with the script's name where it refuses", async () => {
    const home = folder()
    const words =
      "sbatch: error: invalid partition specified: nosuch\nallocation failure: Invalid partition name specified"
    expect(await check(await onSlurm(home, sbatch(home, words, 1)))).toBe(
      "sbatch refuses it: invalid partition specified: nosuch; allocation failure: Invalid partition name specified"
    )
    const nodes = "allocation failure: Requested node configuration is not available"
    expect(await check(await onSlurm(home, sbatch(home, nodes, 1)))).toBe(`sbatch refuses it: ${nodes}`)
  })

  it("refuses nothing because nobody answers, or there is no SLURM", async () => {
    const home = folder()
    const words = "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)"
    expect(await check(await onSlurm(home, sbatch(home, words, 1)))).toEqual([
      expect.objectContaining({ says: expect.stringMatching(/^sbatch could not be asked: .*Unable to contact/) })
    ])
    expect(await check(await onSlurm(home, "no-such-sbatch"))).toEqual([])
    expect(await check(await planned(home, toy({ sweep, slurm: { client: { class_name: "LocalClient" } } })))).toEqual(
      []
    )
  })

  it("lets bash parse every script, and names the one it cannot", async () => {
    const home = folder()
    const slurm = { launcher_cmd: "if true; then" }
    expect(await check(await planned(home, toy({ sweep, slurm })))).toMatch(
      /^bash cannot parse it: \S+job_\d\.toy-1\.sbatch: line \d+: syntax error/
    )
  })
})
