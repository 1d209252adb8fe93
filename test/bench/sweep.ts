/** How long a large staged sweep takes to plan: figures to read, beside what they should be. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

const root = process.argv[2] ?? "."
const directory = fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-bench-"))
const config = path.join(directory, "config")
const program = path.join(root, "dist/autoexp.js")

fs.cpSync(path.join(root, "config"), config, { recursive: true })
/** 2,000 points of three phases, with a backend of some 150 options as trainers have them. */
fs.writeFileSync(
  path.join(config, "experiments/staged.yaml"),
  `# @package _global_
defaults: [/autoexp, override /sweep: none, _self_]
project: {name: staged, base_output_dir: "${directory}/out"}
slurm: {array: true, max_array_size: 10001, sbatch: {time: "01:00:00", nodes: 2, gpus_per_node: 4}}
backend:
  class_name: CommandBackend
  command: [train]
  args:
    lr: 0
    min_lr: "\${oc.mul:0.1,\${.lr}}"
    load: ""
    save: "\${project.base_output_dir}"
${
    Array.from({ length: 150 }, (_, option) => `    option_${option}: ${option % 3 === 0 ? `text-${option}` : option}`)
      .join("\n")
  }
sweep:
  type: product
  name_template: "{project}_{stage}_{index}"
  groups:
    - params:
        backend.args.lr: [${Array.from({ length: 50 }, (_, at) => `${at + 1}e-5`).join(", ")}]
        backend.args.seed: [${Array.from({ length: 40 }, (_, at) => at).join(", ")}]
    - type: list
      configs:
        - {stage: stable, slurm.sbatch.time: "10:00:00"}
        - {stage: decay, backend.args.load: "$\${sibling.stable.output_dir}/checkpoints"}
        - {stage: eval, backend.args.load: "$\${sibling.decay.output_dir}/checkpoints", slurm.sbatch.nodes: 1}
`
)

interface Ran {
  readonly seconds: number
  /** Of user and system together: what another busy program does not change. */
  readonly cpu: number
  readonly megabytes: number
  readonly stdout: string
}

/** Makes a process say at its end how much of the processor and of memory it took. */
const probe = `import process from "node:process"
process.on("exit", () => {
  const { maxRSS, systemCPUTime, userCPUTime } = process.resourceUsage()
  console.error(JSON.stringify([(userCPUTime + systemCPUTime) / 1e6, maxRSS / 1024]))
})`

const ran = (args: ReadonlyArray<string>): Ran => {
  const start = performance.now()
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    ["--import", `data:text/javascript,${encodeURIComponent(probe)}`, program, ...args],
    { encoding: "utf8", maxBuffer: 2 ** 30 }
  )
  const seconds = (performance.now() - start) / 1000
  if (status !== 0) console.log(stderr)
  const [cpu = NaN, megabytes = NaN]: ReadonlyArray<number> = JSON.parse(stderr.trim().split("\n").at(-1) ?? "[]")
  return { seconds, cpu, megabytes, stdout }
}

const print = (what: string, figure: number, unit: string, target: number): void =>
  console.log(
    `${what.padEnd(64)} ${figure.toFixed(2).padStart(9)} ${unit.padEnd(3)} of ${target} ${unit} (${
      (figure / target).toFixed(2)
    })`
  )

const command = ["-C", config, "--config-ref", "experiments/staged", "--json"]
const shown = ran(["plan", "--dry-run", ...command])
print("6,000 jobs of a staged sweep planned, nothing written", shown.seconds, "s", 5)
const written = ran(["plan", "--plan-id", "bench", ...command])
print("the same, written", written.seconds, "s", 5)
print("time of the processor for it", written.cpu, "s", 5)
print("memory for it", written.megabytes, "MB", 1024)
const sweep = path.join(directory, "out/sweep-bench.json")
const entry = ran(["sweep-entry", "--sweep", sweep, "--index", "5999", "--dry-run", "--json"])
print(
  `a task's own point of the ${(fs.statSync(sweep).size / 2 ** 20).toFixed(0)} MB of all, as a process`,
  entry.seconds,
  "s",
  0.5
)

if (process.env["KEEP"] === undefined) fs.rmSync(directory, { recursive: true })
