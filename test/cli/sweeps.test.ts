import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { autoexp, temporary } from "./autoexp.ts"

/** A staged sweep over two learning rates, and a command line on it. */
const project = Effect.map(temporary, (dir) => {
  fs.mkdirSync(path.join(dir, "config"))
  const config = {
    project: { name: "t", base_output_dir: "./output", monitoring_state_dir: "./monitor" },
    slurm: { template_path: "job.sbatch", array: false, sbatch: { time: "01:00:00" } },
    monitoring: {},
    backend: { class_name: "CommandBackend", command: ["train"], args: { lr: 9, wd: 9, bs: 9 } },
    sweep: {
      type: "product",
      name_template: "{project}_{backend.args.lr}_{stage}",
      defaults: { "backend.args.wd": 1, "backend.args.bs": 1 },
      groups: [
        { params: { "backend.args.lr": [1, 2] } },
        {
          defaults: { "backend.args.bs": 2 },
          configs: [{ stage: "stable" }, {
            stage: "decay",
            "backend.args.bs": 3,
            load: "$${sibling.stable.output_dir}"
          }]
        }
      ]
    }
  }
  fs.writeFileSync(path.join(dir, "config/autoexp.yaml"), JSON.stringify(config, null, 2))
  fs.writeFileSync(path.join(dir, "config/job.sbatch"), "#!/bin/bash\n{sbatch_directives}\nsrun {launcher_cmd}\n")
  const run = (...argv: ReadonlyArray<string>) => autoexp(dir, [...argv, "-C", path.join(dir, "config")])
  return {
    dir,
    run,
    /** The command of each job, as its batch script has it. */
    commands: (...argv: ReadonlyArray<string>) =>
      Effect.gen(function*() {
        const { exitCode, stderr, stdout } = yield* run("plan", "--json", ...argv)
        expect(exitCode, stderr).toBe(0)
        const { jobs } = JSON.parse(stdout)
        return {
          stderr,
          jobs,
          commands: jobs.map(({ name, script }: { readonly name: string; readonly script: string }) =>
            `${name}: ${fs.readFileSync(script, "utf8").split("\n").find((line) => line.startsWith("srun "))}`
          )
        }
      })
  }
})

describe("a sweep's values", () => {
  it.scoped("win over the configuration: choices over defaults, inner defaults over outer ones", () =>
    Effect.gen(function*() {
      const { commands, dir } = yield* project
      expect((yield* commands("--plan-id", "p")).commands).toEqual([
        "t_1_stable: srun train --lr 1 --wd 1 --bs 2",
        `t_1_decay: srun train --lr 1 --wd 1 --bs 3 --load ${dir}/output/t_1_stable`,
        "t_2_stable: srun train --lr 2 --wd 1 --bs 2",
        `t_2_decay: srun train --lr 2 --wd 1 --bs 3 --load ${dir}/output/t_2_stable`
      ])
    }))

  it.scoped("lose against the command line, which is told; what is the same then is one point", () =>
    Effect.gen(function*() {
      const { commands, dir } = yield* project
      const planned = yield* commands("--plan-id", "p", "backend.args.lr=7", "backend.args.wd=8")
      expect(planned.commands).toEqual([
        "t_7_stable: srun train --lr 7 --wd 8 --bs 2",
        `t_7_decay: srun train --lr 7 --wd 8 --bs 3 --load ${dir}/output/t_7_stable`
      ])
      expect(planned.stderr).toMatch(
        /^autoexp: note: the command line sets .*backend\.args\.lr.*; 2 of its points are /
      )
    }))
})

describe("a subset of a sweep", () => {
  it.scoped("keeps its indices, and the phases outside it can be referred to", () =>
    Effect.gen(function*() {
      const { commands, dir } = yield* project
      const planned = yield* commands("--plan-id", "p", "--array-subset", "3")
      expect(planned.jobs).toMatchObject([{ index: 3, name: "t_2_decay", needs: [] }])
      expect(planned.commands).toEqual([
        `t_2_decay: srun train --lr 2 --wd 1 --bs 3 --load ${dir}/output/t_2_stable`
      ])
      expect(planned.stderr).toContain("note: 1 job refers to phases that are no jobs of this plan (t_2_stable)")
    }))
})

describe("a mistake in a sweep", () => {
  it.scoped("is told with its place, and what would fit", () =>
    Effect.gen(function*() {
      const { dir, run } = yield* project
      const file = path.join(dir, "config/autoexp.yaml")
      const text = fs.readFileSync(file, "utf8")
      const cases: ReadonlyArray<readonly [from: string, to: string, told: RegExp]> = [
        ["sibling.stable", "sibling.stabel", /load" of point 1 .* no point has that stage; did you mean "stable"\?/],
        [
          "\"stage\": \"stable\"",
          "\"stage\": \"stable\", \"load\": \"$${sibling.decay.name}\"",
          /need each other: point 0/
        ],
        ["\"product\"", "\"prduct\"", /did you mean "product"\?/],
        ["\"params\"", "\"type\": \"zip\", \"params\"", /zip needs equal lengths/],
        ["\"params\"", "\"parms\"", /did you mean "params"\?/],
        [
          "\"params\"",
          "\"filter\": \"stge == 1\", \"params\"",
          /The name "stge" is unknown here; did you mean "stage"\?/
        ],
        ["\"params\"", "\"filter\": false, \"params\"", /the filters keep none of the sweep's 4 points; /],
        ["_{stage}\"", "_{stge}\"", /did you mean "stage"|"stge" is unknown/]
      ]
      for (const [from, to, told] of cases) {
        const zip = to.includes("zip")
          ? text.replace(/"backend.args.lr": \[/, "\"x\": [1], \"backend.args.lr\": [")
          : text
        fs.writeFileSync(file, zip.replace(from, () => to))
        const { exitCode, stderr, stdout } = yield* run("sweep", "show")
        expect([exitCode, stdout], to).toEqual([2, ""])
        expect(stderr, to).toMatch(told)
        expect(stderr, to).toMatch(/^autoexp: \/.*\/config\/autoexp\.yaml:\d+:\d+: /)
      }
    }))
})
