import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { configJsonSchema } from "../../src/config/jsonSchema.ts"
import { autoexp, temporary } from "./autoexp.ts"

const root = `defaults:
  - slurm: small
  - _self_
project: {name: tiny, base_output_dir: DIR/out}
sweep: {axes: {lr: [0.1, 1.0]}, name_template: "{project}_{lr}"}
monitoring: {}
backend:
  class_name: CommandBackend
  command: [train]
  args: {tag: "\${project.name}", wd: 1.0}
  env: {API_TOKEN: s3cret}
`

/** A config directory of its own, and the program called there. */
const project = Effect.map(temporary, (dir) => {
  const write = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
    fs.writeFileSync(path.join(dir, name), text.replaceAll("DIR", dir))
  }
  write("config/autoexp.yaml", root)
  write("config/slurm/base.yaml", "template_path: job.sbatch\nsbatch:\n  nodes: 1\n")
  write("config/slurm/small.yaml", "defaults: [base]\narray: false\nclient: {class_name: LocalClient}\n")
  write(
    "config/experiments/big.yaml",
    "# @package _global_\ndefaults: [/autoexp, _self_]\nslurm: {sbatch: {nodes: 64}}\n"
  )
  write("config/job.sbatch", "#!/bin/bash\n{sbatch_directives}\n{env_exports}\nsrun {launcher_cmd}\n")
  const at = ["-C", path.join(dir, "config")]
  return { dir, write, run: (...argv: ReadonlyArray<string>) => autoexp(dir, [...argv, ...at]) }
})

describe("config validate", () => {
  it.scoped("passes what can be planned, and writes nothing", () =>
    Effect.gen(function*() {
      const { dir, run } = yield* project
      expect(yield* run("config", "validate")).toEqual({
        exitCode: 0,
        stdout: "CONFIG   VERDICT\nautoexp  sound, 2 jobs\n",
        stderr: ""
      })
      expect((yield* run("config", "validate", "--all")).stdout).toContain("experiments/big  sound, 2 jobs")
      expect(JSON.parse((yield* run("config", "validate", "experiments/big", "sweep.axes.lr=[1]", "--json")).stdout))
        .toEqual({
          ok: true,
          configs: [{ config: "experiments/big", ok: true, jobs: 1, problems: [] }]
        })
      expect(fs.existsSync(path.join(dir, "out"))).toBe(false)
    }))

  it.scoped("tells every mistake of every config, each once, with place, line and chain", () =>
    Effect.gen(function*() {
      const { dir, run, write } = yield* project
      write("config/slurm/base.yaml", "template_path: job.sbatch\naray: true\nsbatch:\n  nodes: ${project.nam}\n")
      write(
        "config/experiments/bad.yaml",
        "# @package _global_\ndefaults: [/autoexp, _self_]\nsweep: {name_template: \"{lrr}\"}\nmonitorin: {}\n"
      )
      const { exitCode, stderr, stdout } = yield* run("config", "validate", "--all")
      expect(exitCode).toBe(2)
      expect(stdout).toMatch(/^autoexp +2 wrong\nexperiments\/bad +4 wrong\nexperiments\/big +1 wrong$/m)
      expect(stderr).toBe(
        `autoexp: ${dir}/config/slurm/base.yaml:4:10: In slurm.sbatch.nodes: \${project.nam} finds no "nam" in project; did you mean "name"?
  4 |   nodes: \${project.nam}
    |          ^
  defaults: autoexp -> slurm/small -> slurm/base

autoexp: ${dir}/config/slurm/base.yaml:2:1: Unknown key "aray" in slurm; did you mean "array"?
  2 | aray: true
    | ^
  defaults: autoexp -> slurm/small -> slurm/base

autoexp: ${dir}/config/experiments/bad.yaml:4:1: Unknown key "monitorin" in the configuration; did you mean "monitoring"?
  4 | monitorin: {}
    | ^

autoexp: ${dir}/config/experiments/bad.yaml:3:24: The template "{lrr}" names "lrr" at column 2, which is unknown; did you mean "lr"?
  3 | sweep: {name_template: "{lrr}"}
    |                        ^

autoexp: 4 mistakes
`
      )
    }))

  it.scoped("tells what only planning finds: a template that is not there, a name that two points share", () =>
    Effect.gen(function*() {
      const { dir, run } = yield* project
      const gone = yield* run("config", "validate", "slurm.template_path=gone.sbatch")
      expect(gone).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining("slurm.template_path: there is no template at")
      })
      expect(gone.stderr).toContain(`   | slurm.template_path=gone.sbatch\n   |                     ^\n`)
      const { stderr } = yield* run("config", "validate", "sweep.axes={lr: [1, 1]}", "--json")
      expect(JSON.parse(stderr).error).toMatchObject({
        code: "config",
        file: `${dir}/config/autoexp.yaml`,
        line: 5,
        column: 48,
        message: expect.stringContaining("are both named \"tiny_1\"")
      })
    }))

  it.scoped("takes a config that is not there for a mistake, not for a defect", () =>
    Effect.gen(function*() {
      const { run } = yield* project
      const { exitCode, stderr } = yield* run("config", "validate", "experiments/bigg", "autoexp")
      expect([exitCode, stderr]).toEqual([
        2,
        "autoexp: There is no config \"bigg\" in the group experiments; did you mean \"big\"?\n"
      ])
    }))
})

describe("config show --origin", () => {
  it.scoped("names for each leaf the place, override or interpolation that set it last", () =>
    Effect.gen(function*() {
      const { dir, run } = yield* project
      const shown = yield* run("config", "show", "--origin", "slurm.sbatch.nodes=3", "--json")
      const map = JSON.parse(shown.stdout)
      expect(map["slurm.template_path"]).toEqual({
        value: "job.sbatch",
        source: "file",
        file: `${dir}/config/slurm/base.yaml`,
        line: 1,
        column: 16,
        override: null,
        interpolation: null
      })
      expect(map["slurm.sbatch.nodes"]).toMatchObject({
        value: 3,
        source: "override",
        override: "slurm.sbatch.nodes=3"
      })
      expect(map["backend.args.tag"]).toMatchObject({
        value: "tiny",
        line: 10,
        column: 15,
        interpolation: "${project.name}"
      })
      const table = (yield* run("config", "show", "--origin")).stdout
      expect(table).toMatch(/^slurm\.sbatch\.nodes +config\/slurm\/base\.yaml:3:10 +1$/m)
      expect(table).toMatch(/^backend\.args\.tag +config\/autoexp\.yaml:10:15 +"tiny" +\$\{project\.name\}$/m)
      expect((yield* run("config", "show", "--origin", "--unresolved")).stdout).toMatch(
        /^backend\.args\.tag .*"\$\{project\.name\}"/m
      )
    }))

  it.scoped("tells paths apart whose keys hold dots", () =>
    Effect.gen(function*() {
      const { run } = yield* project
      const { stdout } = yield* run("config", "show", "--origin", "--json", "++metadata={a.b: 1}", "++metadata.a.b=2")
      expect(Object.keys(JSON.parse(stdout))).toEqual(expect.arrayContaining(["metadata[\"a.b\"]", "metadata.a.b"]))
    }))
})

describe("config diff", () => {
  it.scoped("shows what differs leaf by leaf, and is 0 only if nothing does", () =>
    Effect.gen(function*() {
      const { run } = yield* project
      const { exitCode, stdout } = yield* run(
        "config",
        "diff",
        "autoexp",
        "experiments/big",
        "+slurm.env.A=x",
        "backend.args.wd=1"
      )
      expect(exitCode).toBe(1)
      expect(stdout.split("\n").map((line) => line.replace(/ {2,}/g, "|"))).toEqual([
        "KEY|autoexp|experiments/big +slurm.env.A=x backend.args.wd=1",
        "slurm.sbatch.nodes|1|64",
        "backend.args.wd|1.0|1",
        "slurm.env.A|(absent)|\"x\"",
        ""
      ])
      expect(yield* run("config", "diff", "autoexp", "autoexp", "--json")).toMatchObject({
        exitCode: 0,
        stdout: "{\n  \"equal\": true,\n  \"differences\": []\n}\n"
      })
    }))

  it.scoped("compares manifests and provenance with what would be planned today", () =>
    Effect.gen(function*() {
      const { dir, run } = yield* project
      yield* run("plan", "--plan-id", "p")
      const manifest = path.join(dir, "out/manifests/p.json")
      const recorded = path.join(dir, "out/tiny_1.0/_provenance/resolved_config.json")
      const masked = [{ key: "backend.env.API_TOKEN", a: "s3cret", b: "***" }]
      for (const file of [manifest, recorded]) {
        const { exitCode, stderr, stdout } = yield* run("config", "diff", "autoexp", file, "--json")
        expect([exitCode, stderr]).toEqual([1, ""])
        expect(JSON.parse(stdout)).toEqual({ equal: false, differences: masked })
      }
      expect(yield* run("config", "diff", manifest, recorded)).toMatchObject({ exitCode: 0 })
    }))

  it.scoped("needs two configs, and overrides behind them", () =>
    Effect.gen(function*() {
      const { run } = yield* project
      for (const argv of [["autoexp"], ["a", "b", "c"], ["a=1", "autoexp", "autoexp"]]) {
        expect((yield* run("config", "diff", ...argv)).exitCode).toBe(2)
      }
    }))

  it.scoped("takes both at one time", () =>
    Effect.gen(function*() {
      const { run } = yield* project
      const name = "project.name='${oc.timestring:}'"
      expect((yield* run("config", "diff", "autoexp", name, "autoexp", name)).stderr).toBe("no differences\n")
    }))
})

describe("a recorded config", () => {
  it.scoped("is planned again once its secrets are given, with overrides, to the very same names", () =>
    Effect.gen(function*() {
      const { dir, run } = yield* project
      yield* run("plan", "--plan-id", "p")
      for (const file of ["manifests/p.json", "tiny_1.0/_provenance/resolved_config.json"]) {
        const ref = ["--config-ref", path.join(dir, "out", file)]
        const refused = yield* run("plan", "--dry-run", ...ref)
        expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("backend.env.API_TOKEN=VALUE") })
        const again = yield* run("plan", "--dry-run", "--json", ...ref, "backend.env.API_TOKEN=x", "project.name=again")
        expect(again.stderr).toBe("")
        expect(JSON.parse(again.stdout).jobs.map((job: { readonly name: string }) => job.name)).toEqual([
          "again_0.1",
          "again_1.0"
        ])
      }
    }))

  it.scoped("that only says where a config is tells what takes it", () =>
    Effect.gen(function*() {
      const { dir, run } = yield* project
      yield* run("plan", "--plan-id", "p")
      const file = path.join(dir, "out/tiny_0.1/_provenance/config_reference.json")
      expect(yield* run("config", "show", "--config-ref", file)).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining("plan from it by --from instead")
      })
    }))
})

describe("a config given by the path of its file", () => {
  it.scoped("is plain, or composed where it stands in the config directory and has a defaults list", () =>
    Effect.gen(function*() {
      const { dir, run, write } = yield* project
      write(
        "plain.yaml",
        "project: {name: plain, base_output_dir: o}\nslurm: {template_path: t}\nsweep: {}\nmonitoring: {}\nbackend: {class_name: NullBackend}\n"
      )
      const plain = yield* run(
        "config",
        "show",
        "--json",
        "--config-ref",
        path.join(dir, "plain.yaml"),
        "project.name=other"
      )
      expect(JSON.parse(plain.stdout)).toMatchObject({ project: { name: "other" } })
      const inside = path.join(dir, "config/experiments/big.yaml")
      const composed = yield* run("config", "show", "--json", "--config-ref", inside, "slurm.array=true")
      expect(JSON.parse(composed.stdout)).toMatchObject({ slurm: { array: true, sbatch: { nodes: 64 } } })
    }))

  it.scoped("that has a defaults list elsewhere is refused at that list", () =>
    Effect.gen(function*() {
      const { dir, run, write } = yield* project
      write("other.yaml", "a: 1\ndefaults: [x]\n")
      const { stderr } = yield* run("config", "show", "--json", "--config-ref", path.join(dir, "other.yaml"))
      expect(JSON.parse(stderr).error).toMatchObject({ file: `${dir}/other.yaml`, line: 2, column: 1 })
    }))
})

it.scoped("config schema prints the schema", () =>
  Effect.gen(function*() {
    const dir = yield* temporary
    expect(JSON.parse((yield* autoexp(dir, ["config", "schema"])).stdout)).toEqual(configJsonSchema())
  }))
