import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import * as Yaml from "yaml"
import { type Demo, makeDemo } from "./demo.ts"

let demo: Demo
beforeEach(() => void (demo = makeDemo()))
afterEach(() => demo.remove())

interface Shown {
  readonly jobs: ReadonlyArray<{
    readonly name: string
    readonly outcome: string
    readonly attempts: number
    readonly restarts: ReadonlyArray<{ readonly cause: string }>
  }>
}

const quick = [
  "monitoring=megatron_production",
  "monitoring.poll_interval_seconds=0.3",
  "+monitoring.log_settle_seconds=0.2"
]

describe("rules on the fake cluster", () => {
  it("do what they would do to real jobs, and no job runs", async () => {
    const { code, stderr, stdout } = await demo.run(["run", "--json", "slurm=fake", "slurm.client.speed=4", ...quick])
    expect(code, stderr).toBe(0)
    const { jobs }: Shown = JSON.parse(stdout)
    expect(jobs.map(({ attempts, outcome, restarts }) => [outcome, attempts, restarts[0]?.cause])).toEqual(
      jobs.map(() => ["success", 2, "nccl_timeout"])
    )
    expect(demo.starts()).toEqual([])
  }, 120_000)

  it("follow the courses of the manual's example", async () => {
    const manual = fs.readFileSync(path.resolve(import.meta.dirname, "../../docs/clusters.md"), "utf8")
    const [, example = ""] = /```yaml\n(slurm:\n {2}client:\n {4}class_name: FakeClient\n[^]*?)```/.exec(manual) ?? []
    const { slurm } = Yaml.parse(example)
    const config = {
      project: { name: "toy", base_output_dir: "out", monitoring_state_dir: demo.stateDir },
      sweep: { axes: { lr: [0.001, 0.01] }, name_template: "lr_{lr}" },
      slurm: {
        ...slurm,
        client: { ...slurm.client, speed: 60 },
        template_path: "template.sbatch",
        array: false,
        sbatch: { time: "00:02:00" }
      },
      monitoring: {
        poll_interval_seconds: 0.2,
        log_settle_seconds: 0.2,
        state_events: [{ name: "crash", actions: [{ class_name: "RestartAction", max_restarts: 1 }] }]
      },
      backend: { class_name: "NullBackend" }
    }
    fs.writeFileSync(path.join(demo.folder, "template.sbatch"), "#!/bin/bash\n{sbatch_directives}\n{launcher_cmd}\n")
    fs.writeFileSync(path.join(demo.folder, "toy.yaml"), Yaml.stringify(config))
    const { code, stderr, stdout } = await demo.run([
      "run",
      "--json",
      "--config-ref",
      path.join(demo.folder, "toy.yaml")
    ])
    expect(code, stderr).toBe(1)
    const { jobs }: Shown = JSON.parse(stdout)
    expect(jobs.map(({ attempts, name, outcome }) => [name, outcome, attempts])).toEqual([
      ["lr_0.001", "success", 2],
      ["lr_0.01", "timeout", 1]
    ])
    const logs = fs.readdirSync(path.join(demo.folder, "out/lr_0.001")).filter((name) => name.endsWith(".out"))
    const [first = ""] = logs.map((name) => fs.readFileSync(path.join(demo.folder, "out/lr_0.001", name), "utf8"))
      .filter((text) => text !== "")
    expect(first).toMatch(
      /^\[x\] iteration 1\/ 100[^]*\[x\] iteration 8\/[^]*\ntorch\.OutOfMemoryError: CUDA out of memory\n$/
    )
  }, 120_000)
})
