import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { dotOf } from "../../src/report/sweep/dot.ts"
import { pointsOf } from "../../src/report/sweep/points.ts"
import { sweepText } from "../../src/report/sweep/text.ts"
import { width } from "../../src/report/width.ts"
import { planned, toy } from "../plan/toy.ts"

const home = fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-sweep-text-"))
afterAll(() => fs.rmSync(home, { recursive: true, force: true }))

const planOf = async (sweep: object, sections: Readonly<Record<string, object>> = {}) => {
  const { manifest, sizes } = await planned(home, toy({ ...sections, sweep: { ...sweep } }))
  return { project: manifest.project, jobs: manifest.jobs, sizes }
}

const paper = { columns: 80, color: false, perStage: 20, cwd: home }

const staged = (lrs: ReadonlyArray<number>) => ({
  type: "product",
  name_template: "t_{lr}_{stage}",
  groups: [
    { params: { lr: lrs } },
    {
      configs: [
        { stage: "stable", iters: 100 },
        {
          stage: "decay",
          load: "$${sibling.stable.output_dir}/ckpt",
          "slurm.sbatch.time": null,
          "job.cancel_conditions": [{ class_name: "FileExistsCondition", path: "$${sibling.stable.output_dir}/stop" }]
        },
        { stage: "eval", load: "$${sibling.decay.output_dir}/ckpt", "slurm.sbatch.nodes": 1 }
      ]
    }
  ]
})
const slurm = { slurm: { array: false, sbatch: { nodes: 2, gpus_per_node: 4, time: "01:30:00" } } }

describe("a sweep for people", () => {
  it("is a tree of stages with what each costs and waits for, and a table of what differs", async () => {
    expect(sweepText(await planOf(staged([1, 2]), slurm), paper)).toEqual([
      "toy: 6 jobs in 3 stages, 10 nodes, 36 GPU-hours and 2 jobs without a time limit",
      "",
      "STAGE       JOBS  NODES  GPU-HOURS  AFTER",
      "stable         2      4         24",
      "└─ decay       2      4         0+  stable",
      "   └─ eval     2      2         12  decay",
      "in all         6     10        36+",
      "",
      "stable: 2 jobs",
      "  starts at once",
      "  each with iters=100",
      "INDEX  JOB         lr",
      "    0  t_1_stable   1",
      "    3  t_2_stable   2",
      "",
      "decay: 2 jobs",
      "  starts when its stable has ended as success",
      "  is cancelled when that cannot come true any more",
      "  is cancelled when ${sibling.stable.output_dir}/stop exists",
      "  each with load=${sibling.stable.output_dir}/ckpt, slurm.sbatch.time=null",
      "INDEX  JOB        lr",
      "    1  t_1_decay   1",
      "    4  t_2_decay   2",
      "",
      "eval: 2 jobs",
      "  starts when its decay has ended as success",
      "  is cancelled when that cannot come true any more",
      "  each with load=${sibling.decay.output_dir}/ckpt, slurm.sbatch.nodes=1",
      "INDEX  JOB       lr",
      "    2  t_1_eval   1",
      "    5  t_2_eval   2",
      "",
      "output out/JOB",
      "logs   out/JOB/slurm-%j.out"
    ])
  })

  it("says nothing of stages where there are none, and how numbers stand in names", async () => {
    const text = sweepText(await planOf({ axes: { lr: [1e-5, 2e-5], seed: 1 } }), paper)
    expect(text.slice(0, 6)).toEqual([
      "toy: 2 jobs, 2 nodes, no GPUs",
      "",
      "  starts at once",
      "  each with seed=1",
      "INDEX  JOB       lr",
      "    0  toy_0  1e-05"
    ])
  })

  it("is cut to some jobs of each stage, and says how many more there are", async () => {
    const plan = await planOf(staged(Array.from({ length: 110 }, (_, at) => at)))
    const text = sweepText(plan, { ...paper, perStage: 3 })
    expect(text.length).toBeLessThan(50)
    expect(text.filter((line) => line.startsWith("…"))).toEqual([
      "… and 107 more of stable (--max-per-stage 110 shows all)",
      "… and 107 more of decay (--max-per-stage 110 shows all)",
      "… and 107 more of eval (--max-per-stage 110 shows all)"
    ])
    expect(pointsOf(plan, Infinity)).toHaveLength(330)
    expect(pointsOf(plan, 3)).toHaveLength(9)
    const dot = dotOf(plan)
    expect(dot).toContain("\"stable\" [label=\"stable\\n110 jobs\\n110 nodes, no GPUs\"]")
    expect(dot.split("\n").filter((line) => line.includes("->"))).toEqual([
      "  \"stable\" -> \"decay\"",
      "  \"decay\" -> \"eval\""
    ])
  })

  it("is never wider than the terminal: names keep their ends, and what has no room is named", async () => {
    const keys = Array.from({ length: 12 }, (_, at) => [`some_option_${at}`, ["x".repeat(30), "y".repeat(at + 1)]])
    const sweep = {
      axes: Object.fromEntries(keys.slice(0, 4)),
      base_values: { long: "z".repeat(20) },
      name_template: `{project}_${"n".repeat(70)}_{index}`
    }
    const text = sweepText(await planOf(sweep), paper)
    for (const line of text) expect(width(line), line).toBeLessThanOrEqual(80)
    expect(text.some((line) => /…n+_15 /.test(line))).toBe(true)
    expect(text.find((line) => line.startsWith("no room for"))).toBe("no room for some_option_3; --json shows all")
  })
})

describe("a sweep as a graph", () => {
  it("has an edge for each job that is waited for, and quotes whatever names hold", async () => {
    const { project, jobs, sizes } = await planOf({ ...staged([1]), name_template: "{stage}_{lr}" })
    const odd = (name: string) => `${name}"\\n`
    const renamed = jobs.map((job) => ({
      ...job,
      name: odd(job.name),
      needs: job.needs.map(odd),
      start_conditions: []
    }))
    expect(dotOf({ project, jobs, sizes }).split("\n").filter((line) => line.includes("->"))).toEqual([
      "  \"stable_1\" -> \"decay_1\"",
      "  \"decay_1\" -> \"eval_1\""
    ])
    expect(dotOf({ project, jobs: renamed, sizes })).toContain(
      String.raw`"stable_1\"\\n" -> "decay_1\"\\n" [style=dotted, label="refers to"]`
    )
  })
})
