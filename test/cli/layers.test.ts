/** The environment of a plan's jobs, as `plan --dry-run` tells it. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { autoexp, temporary } from "./autoexp.ts"

const config = `
project: { name: tiny, base_output_dir: out }
sweep: { axes: { backend.env.SEED: [1, 2] }, name_template: 'tiny_{index}' }
slurm:
  template_path: job.sbatch
  client: { class_name: FakeClient }
  env: { CC: gcc, HOSTS: "$(scontrol show hostnames)", MY_TOKEN: hunter2 }
container: { image: null, env: { CC: clang } }
monitoring: {}
backend: { class_name: CommandBackend, command: [train], env: { DATA: a b } }
`

it.scoped("says of each variable which layer sets it, what wins, and what a job has of its own; no secret", () =>
  Effect.gen(function*() {
    const dir = yield* temporary
    fs.mkdirSync(path.join(dir, "config"))
    fs.writeFileSync(path.join(dir, "config/autoexp.yaml"), config)
    fs.writeFileSync(path.join(dir, "job.sbatch"), "#!/bin/bash\n{sbatch_directives}\n{env_exports}\n{launcher_cmd}\n")
    const { exitCode, stderr, stdout } = yield* autoexp(dir, ["plan", "--dry-run", "-C", path.join(dir, "config")])
    expect([exitCode, stderr]).toEqual([0, ""])
    const lines = stdout.split("\n")
    const from = lines.indexOf("environment, of which a later line wins:")
    expect(lines.slice(from + 1, -1)).toEqual([
      "  slurm.env      CC=gcc (container.env wins)",
      "  slurm.env      HOSTS=$(scontrol show hostnames)",
      "  slurm.env      MY_TOKEN=***",
      "  backend.env    DATA=a b",
      "  container.env  CC=clang",
      "environment of tiny_0:",
      "  backend.env    SEED=1",
      "environment of tiny_1:",
      "  backend.env    SEED=2"
    ])
    expect(fs.existsSync(path.join(dir, "out"))).toBe(false)
  }))
