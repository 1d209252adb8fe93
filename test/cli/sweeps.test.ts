import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { machine } from "../rule/machine.ts"
import { autoexp, keep, temporary } from "./autoexp.ts"

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
  fs.writeFileSync(
    path.join(dir, "config/job.sbatch"),
    "#!/bin/bash\n{sbatch_directives}\n{env_exports}\nsrun {launcher_cmd}\n"
  )
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

describe("the file of a plan's points", () => {
  it.scoped("is never rewritten with others: tasks that wait in a queue read theirs there", () =>
    Effect.gen(function*() {
      const { dir, run } = yield* project
      const plan = (...overrides: ReadonlyArray<string>) => run("plan", "--plan-id", "p", ...overrides)
      const file = path.join(dir, "output/sweep-p.json")
      expect((yield* plan()).exitCode).toBe(0)
      const points = fs.readFileSync(file, "utf8")
      expect((yield* plan()).exitCode).toBe(0)
      const { exitCode, stderr } = yield* plan("backend.args.wd=7")
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining("sweep-p.json holds other points already")])
      expect(fs.readFileSync(file, "utf8")).toBe(points)
    }))
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
          /:\d+:\d+: sweep\.groups\S*load\S*: these need each other: point 0/
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

describe("a session that cannot be planned again", () => {
  /** A session of a plan with these overrides, its jobs as `edit` makes them. */
  const session = (overrides: ReadonlyArray<string>, edit: (job: object) => object = (job) => job) =>
    Effect.gen(function*() {
      const { commands, dir, run } = yield* project
      yield* commands("--plan-id", "p", ...overrides)
      const manifest = path.join(dir, "output/manifests/p.json")
      const { jobs } = JSON.parse(fs.readFileSync(manifest, "utf8"))
      const opened = machine({}, jobs.map(edit), { plan_id: "p", manifest })
      yield* keep({ planId: "p", stateDir: path.join(dir, "monitor") }, opened.records)
      return {
        dir,
        run: (...argv: ReadonlyArray<string>) => run("plan", "--resume", "p", "--state-dir", "monitor", ...argv)
      }
    })

  it.scoped("is told why: points that were not noted, a secret, another directory", () =>
    Effect.gen(function*() {
      const older = yield* session([], (job) => ({ ...job, identity: "" }))
      expect((yield* older.run("backend.args.wd=3")).stderr).toContain("session p was planned by an older autoexp")
      const secret = yield* session(["+slurm.env.API_TOKEN=hunter2"])
      const refused = yield* secret.run("backend.args.wd=3")
      expect(refused.stderr).toContain("a secret was left out of its override +slurm.env.API_TOKEN=***")
      expect(refused.exitCode).toBe(2)
      const moved = yield* session([])
      expect((yield* moved.run("project.base_output_dir=elsewhere")).stderr).toContain(
        `the jobs of session p are below ${moved.dir}/output, and those of this plan would be below ${moved.dir}/elsewhere`
      )
      expect(fs.readdirSync(path.join(moved.dir, "output/manifests"))).toEqual(["p.json"])
    }))

  it.scoped("is another one than that of which a plan only shows what is new", () =>
    Effect.gen(function*() {
      const { run } = yield* session([])
      const { exitCode, stderr, stdout } = yield* run("--dry-run", "sweep.groups.0.params={backend.args.lr: [1,2,3]}")
      expect(exitCode, stderr).toBe(0)
      expect(stderr).toBe("autoexp: note: new in session p (2): t_3_stable, t_3_decay\n")
      expect(stdout).toMatch(/plan p-plan2: 6 jobs, nothing written/)
    }))
})
