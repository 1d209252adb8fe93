import * as Either from "effect/Either"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import type { PlanError } from "../../src/plan/PlanError.ts"
import { renderScript, type ScriptParts, type ScriptSettings } from "../../src/plan/sbatch.ts"
import { folder, nulEnded, printArguments, run } from "./shells.ts"

const local = {
  path: "local.sbatch",
  text: fs.readFileSync(new URL("../../config/templates/local.sbatch", import.meta.url), "utf8")
}

const bare: ScriptSettings = {
  launcher_cmd: "",
  srun: {},
  srun_opts: "",
  env: {},
  containerEnv: {},
  binds: [],
  sbatch: {},
  sbatch_overrides: {},
  sbatch_extra_directives: []
}

const parts = (more: Partial<ScriptParts> = {}): ScriptParts => {
  const outputDir = more.outputDir ?? "/out/toy_0"
  return {
    planId: "toy-1",
    project: "toy",
    name: "toy_0",
    outputDir,
    logPath: `${outputDir}/slurm-%j.out`,
    directives: {},
    argv: ["true"],
    env: {},
    taskEnv: new Map(),
    variables: {},
    jobs: [{ name: "toy_0", index: 0, task: 0, outputDir }],
    array: false,
    ...more
  }
}

const script = (settings: Partial<ScriptSettings>, more?: Partial<ScriptParts>, template = local): string =>
  Either.getOrThrow(renderScript(template, { ...bare, ...settings }, parts(more)))

const refusal = (settings: Partial<ScriptSettings>, more?: Partial<ScriptParts>, template = local): PlanError =>
  Either.getOrThrow(Either.flip(renderScript(template, { ...bare, ...settings }, parts(more))))

/** The script as a file, which a stand-in for `srun` on PATH runs without its options. */
const save = (text: string): { readonly file: string; readonly env: Readonly<Record<string, string>> } => {
  const home = folder()
  fs.writeFileSync(path.join(home, "job.sbatch"), text)
  fs.writeFileSync(
    path.join(home, "srun"),
    "#!/bin/sh\nwhile [ \"${1#--}\" != \"$1\" ]; do shift; done\nexec \"$@\"\n",
    {
      mode: 0o755
    }
  )
  return { file: path.join(home, "job.sbatch"), env: { PATH: `${home}:${process.env["PATH"] ?? ""}` } }
}

describe("a script", () => {
  it("holds directives, claim, environment and command, in this order", () => {
    const text = script({
      launcher_cmd: " nice -n 5 ",
      srun: {
        exclusive: true,
        overlap: false,
        wait: 60,
        cpus_per_task: 8,
        jobid: "$SLURM_JOB_ID",
        mem: null,
        _note: 1
      },
      srun_opts: "--label",
      env: { MASTER_PORT: 29500, HOSTS: "$(scontrol show hostnames \"$SLURM_JOB_NODELIST\")", NOTE: "it's 5$ \"now\"" },
      sbatch: {
        gpus_per_node: 4,
        time: "02:00:00",
        partition: "gpu",
        mem: null,
        nodes: 2,
        account: "acc",
        exclusive: true,
        comment: "two words # here"
      },
      sbatch_overrides: { nodes: 3, reservation: "r1" },
      sbatch_extra_directives: ["#SBATCH --constraint=a100"]
    }, { argv: ["train", "--path", "/data/$USER x", "a b", "--lr", "1e-05"], env: { PYTHONPATH: "/src:$PYTHONPATH" } })
    const [head = "", ...rest] = text.split("\n\n")
    expect(head).toBe(`#!/bin/bash
#SBATCH --account=acc
#SBATCH --nodes=3
#SBATCH --partition=gpu
#SBATCH --time=02:00:00
#SBATCH --gpus-per-node=4
#SBATCH --exclusive
#SBATCH --comment="two words # here"
#SBATCH --reservation=r1
#SBATCH --job-name=toy_0
#SBATCH --output=/out/toy_0/slurm-%j.out
#SBATCH --open-mode=append
#SBATCH --constraint=a100`)
    expect(rest[0]).toMatch(/^# autoexp: .*\nAUTOEXP_PLAN_ID=toy-1 /)
    expect(rest.slice(1).join("\n\n")).toBe(
      `export MASTER_PORT="29500"
HOSTS="$(scontrol show hostnames "$SLURM_JOB_NODELIST")"
export HOSTS
export NOTE="it's 5\\$ \\"now\\""
export PYTHONPATH="/src:$PYTHONPATH"

srun --exclusive --wait=60 --cpus-per-task=8 --jobid="$SLURM_JOB_ID" --label ` +
        `nice -n 5 train --path "/data/$USER x" 'a b' --lr 1e-05
`
    )
  })

  it("passes bash's own syntax check, whatever the values hold", async () => {
    const nasty = "a 'b' \"c\" $(d `e` ${f \n;&|<>(){}[]*?!#~\\"
    const text = script({ sbatch: { comment: "q\"u'o\\te" } }, {
      argv: [nasty],
      env: { NASTY: nasty },
      jobs: [{ name: "it's \"a\" $job", index: 0, outputDir: "/out/it's" }],
      name: "it's \"a\" $job"
    })
    expect(await run(["bash", "-n", save(text).file])).toEqual({ code: 0, stdout: "", stderr: "" })
  })

  it("W-11: brings the backend's environment and arguments to the program unchanged", async () => {
    const values = ["a  b", "it's \"so\"", "$HOME/x", "\\$HOME", "line\nbreak", "$(id)", "*"]
    const { env, file } = save(script({ env: { FROM_SLURM: "$(echo \"one  $HOME\")" } }, {
      outputDir: folder(),
      argv: [...printArguments, ...values, "$FROM_BACKEND", "${FROM_SLURM}"],
      env: { FROM_BACKEND: "b  '$(id)' $HOME" }
    }))
    const { stdout } = await run(["bash", "-u", file], { ...env, HOME: "/h  o" })
    expect(nulEnded(stdout)).toEqual([
      ...["a  b", "it's \"so\"", "/h  o/x", "$HOME", "line\nbreak", "$(id)", "*"],
      ...["b  '$(id)' /h  o", "one  /h  o"]
    ])
  })

  it("is quoted once more where the template puts it into bash -c", async () => {
    const template = { path: "t", text: "#!/bin/bash\n{sbatch_directives}\nX=${{HOME}}\nbash -c '{launcher_cmd}'\n" }
    const { env, file } = save(script({ launcher_cmd: "export A='1 2';" }, {
      outputDir: folder(),
      argv: [...printArguments, "it's", "a b", "\n"]
    }, template))
    const { stdout } = await run(["bash", file], env)
    expect(nulEnded(stdout)).toEqual(["it's", "a b", "\n"])
  })

  it("keeps the place of directives that the template adds itself", () => {
    const template = { path: "t", text: "#!/bin/bash\n{sbatch_directives}\n#SBATCH --x\n# note\n\n{launcher_cmd}" }
    expect(script({}, {}, template)).toMatch(/#SBATCH --x\n\n# autoexp: [^]*\n\n# note\n\ntrue\n$/)
  })
})

describe("a template", () => {
  it.each([
    ["no #!", "echo {launcher_cmd} {sbatch_directives}", "begins with #!"],
    ["no command", "#!/bin/sh\n{sbatch_directives}\n", "the placeholder {launcher_cmd} is missing"],
    ["no directives", "#!/bin/sh\n{launcher_cmd}\n", "the placeholder {sbatch_directives} is missing"],
    ["nowhere for the environment", "#!/bin/sh\n{sbatch_directives}\n{launcher_cmd}\n", "{env_exports} is missing"],
    ["a command first", "#!/bin/sh\ndate\n{sbatch_directives}\n{env_exports}{launcher_cmd}", "a command stands before"]
  ])("with %s is refused", (_, text, message) => {
    expect(refusal({ env: { A: 1 } }, {}, { path: "t.sbatch", text }).message).toContain(message)
  })

  it("with an unknown name says where it stands", () => {
    const text = "#!/bin/sh\n{sbatch_directives}\n  echo ${HOME} {HOME}\n{launcher_cmd}\n"
    expect(refusal({}, {}, { path: "t.sbatch", text })).toMatchObject({
      file: "t.sbatch",
      line: 3,
      column: 17,
      message: expect.stringContaining("The name \"HOME\" is unknown here")
    })
  })
})

describe("values that no script can hold are refused", () => {
  it.each([
    [{ sbatch: { comment: "a\n#SBATCH --uid=0" } }, "slurm.sbatch.comment"],
    [{ sbatch_extra_directives: ["rm -rf x"] }, "slurm.sbatch_extra_directives[0]"],
    [{ env: { "A B": 1 } }, "slurm.env.A B"],
    [{ env: { A: "$(date" } }, "slurm.env.A"]
  ])("%j", (settings, at) => {
    expect(refusal(settings).at).toBe(at)
  })
})
