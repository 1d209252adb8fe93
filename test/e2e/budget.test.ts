/** Plans that may cost more than `project.gpu_hours_confirm`, as somebody at a terminal meets them. */
import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type Demo, makeDemo } from "./demo.ts"
import { typing } from "./typed.ts"

const config = path.resolve(import.meta.dirname, "../../config")

let demo: Demo
beforeEach(() => {
  demo = makeDemo()
})
afterEach(() => demo.remove())

/** Four jobs in two stages of 4 GPUs, half an hour each, which end at once where they really run. */
const costly = [
  "backend=none",
  "monitoring=default",
  "sweep=none",
  "+sweep.type=list",
  "+sweep.groups=[{configs: [{stage: first, s: 1}, {stage: first, s: 2}, {stage: first, s: 3}, {stage: second, s: 4}]}]",
  "sweep.name_template='job_{index}'",
  "+slurm.sbatch.gpus_per_node=4",
  "slurm.sbatch.time='00:30:00'",
  "project.gpu_hours_confirm=7"
]
const options = ["--no-monitor", "-C", config]
const question = "Submit 4 jobs on 4 nodes, at most 8 GPU-hours (project.gpu_hours_confirm is 7)? [y/N] "

/** Types at the question of a command. */
const at = (keys: string, args: ReadonlyArray<string>) => {
  const env = { HOME: demo.folder, OUTPUT_DIR: path.join(demo.folder, "output"), XDG_STATE_HOME: demo.folder }
  const { code, seen, typed } = typing({ folder: demo.folder, env, wanted: "[y/N] ", keys }, args)
  return { code, typed, seen: seen.replaceAll("\r\n", "\n") }
}

const submissions = (): number =>
  fs.existsSync(demo.stateDir) ? demo.journal("p").filter(({ type }) => type === "JobSubmitted").length : 0

const written = async (): Promise<string> => {
  const { code, stderr } = await demo.run(["run", ...costly, "--no-submit", "--plan-id", "p"])
  expect(code, stderr).toBe(0)
  const [folder = ""] = fs.readdirSync(path.join(demo.folder, "output"))
  return path.join(demo.folder, "output", folder, "manifests/p.json")
}

describe("a plan above project.gpu_hours_confirm", () => {
  it("is submitted when the answer is yes, behind its jobs, nodes and GPU-hours in total and by stage", () => {
    const { code, seen } = at("y\r", ["run", ...costly, ...options, "--plan-id", "p"])
    expect(seen).toContain("4 nodes, at most 8 GPU-hours\n")
    expect(seen).toContain("  first: 3 jobs, 3 nodes, at most 6 GPU-hours\n")
    expect(seen).toContain("  second: 1 job, 1 node, at most 2 GPU-hours\n")
    expect(seen).toContain(question)
    expect(code, seen).toBe(0)
    expect(submissions()).toBe(4)
  })

  it.each([
    ["no", "n\r"],
    ["nothing but Enter", "\r"],
    ["something else", "yep\r"],
    ["the end of the input", "\u0004"]
  ])("is not submitted when the answer is %s", (_, keys) => {
    const { code, seen, typed } = at(keys, ["run", ...costly, ...options, "--plan-id", "p"])
    expect({ code, typed }, seen).toEqual({ code: 0, typed: true })
    expect(seen).toMatch(/\nnothing submitted\n$/)
    expect(submissions()).toBe(0)
  })

  it("is not submitted when Ctrl-C is the answer, which ends as Ctrl-C ends everything", () => {
    const { code, seen, typed } = at("\u0003", ["run", ...costly, ...options, "--plan-id", "p"])
    expect({ code, typed }, seen).toEqual({ code: 130, typed: true })
    expect(submissions()).toBe(0)
  })

  it("is asked about as well when it was written before: by submit, and by run --manifest", async () => {
    const manifest = await written()
    for (const command of ["submit", "run"]) {
      const { seen } = at("n\r", [command, "--manifest", manifest, "--no-monitor"])
      expect(seen).toContain(question)
      expect(seen).toMatch(/\nnothing submitted\n$/)
    }
    expect(submissions()).toBe(0)
    expect(at("y\r", ["submit", "--manifest", manifest, "--no-monitor"]).code).toBe(0)
    expect(submissions()).toBe(4)
    const again = at("n\r", ["submit", "--manifest", manifest, "--no-monitor"])
    expect({ typed: again.typed, code: again.code }, again.seen).toEqual({ typed: false, code: 0 })
  })

  it("is refused where nobody can be asked, and submitted with --yes", async () => {
    const manifest = await written()
    for (const command of [["run", ...costly, "--plan-id", "q"], ["submit", "--manifest", manifest]]) {
      const { code, stderr } = await demo.run([...command, "--no-monitor"])
      expect(stderr).toMatch(/would submit 4 jobs on 4 nodes, at most 8 GPU-hours.*--yes/)
      expect(code).toBe(2)
    }
    expect(submissions()).toBe(0)
    expect((await demo.run(["submit", "--manifest", manifest, "--no-monitor", "--yes"])).code).toBe(0)
    expect(submissions()).toBe(4)
  })

  it("is submitted without a question where it costs less, or where the limit is null", () => {
    for (const [id, limit] of [["p", "8"], ["q", "null"]] as const) {
      const { code, seen, typed } = at("n\r", [
        "run",
        ...costly,
        `project.gpu_hours_confirm=${limit}`,
        ...options,
        "--plan-id",
        id
      ])
      expect({ code, typed }, seen).toEqual({ code: 0, typed: false })
    }
  })
})
