import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { checkScripts } from "../../src/plan/checkPlan.ts"
import { planOutput, readManifest } from "../../src/plan/Manifest.ts"
import { type PlannedFiles, writePlan } from "../../src/plan/PlannedFiles.ts"
import { referenceRequest } from "../../src/plan/provenance.ts"
import { folder, nulEnded, run } from "./shells.ts"
import { planned, refused, services, toy } from "./toy.ts"

const textOf = (plan: PlannedFiles, ending: string): string => {
  const found = plan.files.filter((file) => file.path.endsWith(ending))
  expect(found.map((file) => file.path)).toHaveLength(1)
  return found[0]?.text ?? ""
}

const jsonOf = (plan: PlannedFiles, ending: string): unknown => JSON.parse(textOf(plan, ending))

const real = <A, E>(effect: Effect.Effect<A, E, Layer.Layer.Success<typeof services>>): Promise<A> =>
  Effect.runPromise(Effect.provide(effect, services))

describe("a plan of many points", () => {
  it("lets timers have their turn while it is made, since a monitor may wait for it", async () => {
    const lr = Array.from({ length: 200 }, (_, at) => at / 1000)
    let turns = 0
    let over = false
    const turn = () => {
      turns += 1
      if (!over) setImmediate(turn)
    }
    const plan = planned(folder(), toy({ sweep: { axes: { lr }, name_template: "{project}_{lr}" } }))
    const before = await new Promise<number>((resolve) => setImmediate(() => resolve(turns)))
    turn()
    const { manifest } = await plan
    over = true
    expect(manifest.jobs).toHaveLength(200)
    expect(turns - before).toBeGreaterThanOrEqual(4)
  })
})

describe("a plan of one script a job", () => {
  it("describes each point with its script, log and directory", async () => {
    const home = folder()
    const plan = await planned(home, toy({ sweep: { axes: { lr: [0.1, 1e-5] }, name_template: "{project}_{lr}" } }))
    expect(planOutput(plan.manifest, plan.manifestPath)).toEqual({
      plan_id: "toy-1",
      manifest: `${home}/out/manifests/toy-1.json`,
      project: "toy",
      jobs: [["0.1", 0.1], ["1e-05", 1e-5]].map(([text, lr], index) => ({
        name: `toy_${text}`,
        index,
        stage: "",
        parameters: { lr },
        needs: [],
        script: `${home}/out/scripts/toy_${text}.toy-1.sbatch`,
        log_path: `${home}/out/toy_${text}/slurm-%j.out`,
        output_dir: `${home}/out/toy_${text}`
      })),
      array: null,
      arrays: [],
      sweep: `${home}/out/sweep-toy-1.json`
    })
    expect(textOf(plan, "toy_1e-05.toy-1.sbatch")).toMatch(/\nsrun echo --lr 1e-05\n$/)
  })

  it("is the same bytes whenever it is made of the same", async () => {
    const home = folder()
    const config = toy({ sweep: { axes: { a: [1, 2], b: ["x", "y"] } } })
    expect(await planned(home, config)).toEqual(await planned(home, config))
  })

  it("sets parameters that are config keys in the config, and leaves the others to the backend", async () => {
    const plan = await planned(
      folder(),
      toy({
        sweep: { axes: { "slurm.sbatch.time": ["00:10:00", "00:20:00"], "project.name": "other", lr: 1 } },
        slurm: { sbatch: { time: "1" } },
        backend: { class_name: "NullBackend", base_command: ["echo", "${slurm.sbatch.time}"] }
      })
    )
    expect(plan.manifest.jobs.map(({ name }) => name)).toEqual(["other_0", "other_1"])
    const script = textOf(plan, "other_1.toy-1.sbatch")
    expect(script).toContain("#SBATCH --time=00:20:00\n")
    expect(script).toMatch(/\nsrun echo 00:20:00 --lr 1\n$/)
  })

  it("names logs and watched files by the point, and doubles percent signs that are no codes", async () => {
    const home = path.join(folder(), "50%j")
    const plan = await planned(
      home,
      toy({
        sweep: { axes: { lr: [1] }, name_template: "{project}%_{lr}" },
        monitoring: {
          log_path_template: "{output_dir}/logs/{name}-{lr}-%j.out",
          output_paths: ["{output_dir}/m_{lr}.csv", "x"]
        }
      })
    )
    const [job] = plan.manifest.jobs
    expect(job.log_path).toBe(`${home.replace("%", "%%")}/out/toy%%_1/logs/toy%%_1-1-%j.out`)
    expect(job.output_paths).toEqual([`${home}/out/toy%_1/m_1.csv`, `${home}/x`])
    expect(plan.directories).toContain(`${home}/out/toy%_1/logs`)
  })

  it("keeps the indices and names of a subset", async () => {
    const config = toy({ sweep: { axes: { a: [1, 2, 3, 4] } } })
    const plan = await planned(folder(), config, { subset: [3, 1] })
    expect(plan.manifest.jobs.map(({ index, name }) => [index, name])).toEqual([[1, "toy_1"], [3, "toy_3"]])
    expect(plan.files.filter((file) => file.path.endsWith(".sbatch"))).toHaveLength(2)
  })

  it("without a sweep file writes none", async () => {
    const plan = await planned(folder(), toy({ sweep: { axes: {}, store_sweep_json: false } }))
    expect(plan.manifest.sweep).toBe(null)
    expect(plan.links).toEqual([])
  })
})

describe("a plan of an array", () => {
  const config = toy({
    slurm: { array: true, env: { FROM_SLURM: "yes" } },
    sweep: { axes: { a: ["x y", "$HOME", "'\""] } },
    backend: { class_name: "CommandBackend", command: ["printf", "%s\\0"], env: { FROM_BACKEND: "{name}" } }
  })

  it("has one script for the chosen points, and logs that the array can tell apart", async () => {
    const home = folder()
    const plan = await planned(home, config, { subset: [0, 2] })
    const script = `${home}/out/scripts/toy-array.toy-1.sbatch`
    expect(plan.manifest.array).toEqual({ script, name: "toy-array", indices: [0, 2], offset: 0 })
    expect(plan.manifest.jobs.map(({ array, log_path, script }) => ({ array, log_path, script }))).toEqual(
      Array(2).fill({ array: true, log_path: `${home}/out/toy-array_%A_%a.log`, script })
    )
    const text = textOf(plan, "toy-array.toy-1.sbatch")
    expect(text).toContain("#SBATCH --array=0,2\n")
    expect(text).toContain("#SBATCH --job-name=toy-array\n")
    expect(text).toMatch(
      new RegExp(`\nsrun autoexp sweep-entry --sweep ${home}/out/sweep-toy-1.json --index "\\$AUTOEXP_INDEX"\n$`)
    )
  })

  it("keeps the shared config once, and each point's command beside it", async () => {
    const plan = await planned(folder(), config, { subset: [0, 2] })
    expect(jsonOf(plan, "sweep-toy-1.json")).toMatchObject({
      version: 1,
      plan_id: "toy-1",
      project: "toy",
      config: { project: { name: "toy" } },
      points: [
        {
          index: 0,
          name: "toy_0",
          parameters: { a: "x y" },
          argv: ["printf", "%s\\0", "--a", "x y"],
          env: { FROM_BACKEND: "toy_0" }
        },
        { index: 2, name: "toy_2", parameters: { a: "'\"" }, argv: ["printf", "%s\\0", "--a", "'\""] }
      ]
    })
  })

  it("is several where points differ in what they ask for", async () => {
    const differing = toy({
      slurm: { array: true, sbatch: { time: "1" } },
      sweep: { axes: { "slurm.sbatch.time": ["1", "2"], a: [1, 2] } }
    })
    const home = folder()
    const { manifest } = await planned(home, differing)
    expect(manifest.array).toBe(null)
    expect(manifest.arrays).toEqual([[0, 1], [2, 3]].map((indices, at) => ({
      script: `${home}/out/scripts/toy-array-${at}.toy-1.sbatch`,
      name: "toy-array",
      indices,
      offset: 0
    })))
    expect(manifest.jobs.map(({ script }) => script)).toEqual(
      [0, 0, 1, 1].map((at) => manifest.arrays[at]?.script)
    )
  })

  it("has no task whose number the site refuses, and each task its own point", async () => {
    const home = folder()
    const plan = await planned(
      home,
      toy({
        slurm: { array: true, max_array_size: 3 },
        sweep: { axes: { a: [0, 1, 2, 3, 4, 5, 6] }, filter: "a != 1" },
        backend: { class_name: "CommandBackend", command: ["echo"] }
      })
    )
    const { arrays, jobs } = plan.manifest
    expect(arrays.map(({ indices, offset }) => [indices, offset])).toEqual([[[0, 1, 2], 0], [[3, 4, 5], 3]])
    expect(jobs.map(({ task }) => task)).toEqual([null, null, null, 0, 1, 2])
    await real(writePlan(plan))
    fs.writeFileSync(`${home}/srun`, "#!/bin/sh\nexec \"$@\"\n", { mode: 0o755 })
    fs.writeFileSync(`${home}/autoexp`, "#!/bin/sh\necho \"$AUTOEXP_JOB: $*\"\n", { mode: 0o755 })
    const script = arrays[1]?.script ?? ""
    const { stdout } = await run([script], {
      PATH: `${home}:${process.env["PATH"] ?? ""}`,
      SLURM_JOB_NAME: "toy-array.1.abc",
      SLURM_ARRAY_TASK_ID: "2"
    })
    expect(stdout).toBe(`toy_5: sweep-entry --sweep ${home}/out/sweep-toy-1.json --index 5\n`)
    expect(fs.readFileSync(script, "utf8")).toContain("#SBATCH --array=0-2\n")
  })
})

it("W-36: a plan makes every directory in which SLURM opens files, since SLURM does not", async () => {
  const home = folder()
  const slurm = { array: true, log_dir: "logs/of arrays", sbatch: { error: "errors/%j.err" } }
  const plan = await planned(home, toy({ sweep: { axes: { a: [1, 2] } }, slurm }))
  expect(plan.directories).toEqual(expect.arrayContaining([`${home}/logs/of arrays`, `${home}/errors`]))
  const script = plan.files.find(({ path }) => path === plan.manifest.jobs[0].script)
  expect(script?.text).toContain(`#SBATCH --error=${home}/errors/%j.err\n`)
})

describe("a plan on disk", () => {
  it("is whole once its manifest stands, and its scripts pass bash's check and run", async () => {
    const home = folder()
    const plan = await planned(
      home,
      toy({
        sweep: { axes: { text: ["it's \"a\"\n$(b)", "x"] } },
        backend: { class_name: "CommandBackend", command: ["printf", "%s\\0"] }
      })
    )
    await real(writePlan(plan))
    await real(checkScripts(plan))
    expect(await real(readManifest(plan.manifestPath))).toEqual(plan.manifest)
    expect(fs.readlinkSync(`${home}/out/sweep.json`)).toBe("sweep-toy-1.json")
    expect(fs.readdirSync(`${home}/out`).sort())
      .toEqual(["manifests", "scripts", "sweep-toy-1.json", "sweep.json", "toy_0", "toy_1"])
    fs.writeFileSync(`${home}/srun`, "#!/bin/sh\nexec \"$@\"\n", { mode: 0o755 })
    const { code, stdout } = await run([plan.manifest.jobs[0].script], {
      PATH: `${home}:${process.env["PATH"] ?? ""}`,
      SLURM_JOB_NAME: "toy_0.1.abc"
    })
    expect({ code, words: nulEnded(stdout) }).toEqual({ code: 0, words: ["--text", "it's \"a\"\n$(b)"] })
    expect(fs.readdirSync(`${home}/out/toy_0/.attempts`)).toEqual(["toy-1.1", "toy-1.1.exit"])
  })

  it("says which script bash cannot parse", async () => {
    const plan = await planned(folder(), toy({ slurm: { srun_opts: "(" }, sweep: { axes: {} } }))
    await real(writePlan(plan))
    const error = await real(Effect.flip(checkScripts(plan)))
    expect(error).toMatchObject({
      file: plan.manifest.jobs[0].script,
      message: expect.stringContaining("syntax error")
    })
  })

  it("that cannot be written names the file", async () => {
    const home = folder()
    const plan = await planned(home, toy({ sweep: { axes: {} } }))
    fs.writeFileSync(`${home}/out`, "no directory")
    const error = await real(Effect.flip(writePlan(plan)))
    expect(error._tag).toBe("PlanIoError")
    expect(error.path).toContain(`${home}/out`)
  })
})

describe("provenance", () => {
  it("holds config, request, code and environment, without secrets", async () => {
    const home = folder()
    const plan = await planned(
      home,
      toy({ sweep: { axes: { lr: [1, 2] } }, slurm: { env: { HF_TOKEN: "s3cret" } } }),
      {},
      ["+metadata.repo=https://me:s3cret@host"]
    )
    const files = plan.files.filter((file) => file.path.includes("_provenance"))
    expect(files.map((file) => path.relative(`${home}/out`, file.path))).toEqual(
      ["toy_0", "toy_1"].flatMap((job) =>
        ["resolved_config.json", "unresolved_config.yaml", "config_reference.json", "run_metadata.json"]
          .map((name) => `${job}/_provenance/${name}`)
      )
    )
    for (const { text } of files) expect(text).not.toContain("s3cret")
    expect(jsonOf(plan, "toy_1/_provenance/run_metadata.json")).toEqual({
      git: { commit: "abc", dirty: true, status: " M x\n", diff: "+https://***@host" },
      command: ["autoexp", "run", "+metadata.repo=https://***@host"],
      overrides: ["+metadata.repo=https://***@host"],
      environment: { HOME: "/h", API_KEY: "***" },
      versions: { autoexp: "0.1.0" },
      image: null,
      created: "2026-11-23T03:12:07.114Z"
    })
    expect(jsonOf(plan, "toy_1/_provenance/config_reference.json")).toMatchObject({
      config_ref: "autoexp",
      config_dir: `${home}/config`,
      redacted: true,
      point: { index: 1, name: "toy_1", parameters: { lr: 2 } },
      plan_id: "toy-1",
      tool_version: "0.1.0"
    })
    expect(JSON.stringify(plan.manifest)).not.toContain("s3cret")
    expect(textOf(plan, "sweep-toy-1.json")).not.toContain("s3cret")
  })

  it("plans the one recorded point again", async () => {
    const home = folder()
    const plan = await planned(home, toy({ sweep: { axes: { lr: [1, 2] } } }), {}, ["project.name=toy"])
    await real(writePlan(plan))
    const file = `${home}/out/toy_1/_provenance/config_reference.json`
    expect(await real(referenceRequest(file))).toEqual({
      request: { configDir: `${home}/config`, configRef: "autoexp", overrides: ["project.name=toy"] },
      subset: [1]
    })
  })

  it("with a secret left out refuses to be planned again", async () => {
    const home = folder()
    const plan = await planned(home, toy({ sweep: { axes: {} } }), {}, ["+metadata.repo=https://me:s3cret@host"])
    await real(writePlan(plan))
    const error = await real(Effect.flip(referenceRequest(`${home}/out/toy_0/_provenance/config_reference.json`)))
    expect(error.message).toContain("cannot be run from: a secret was left out of its overrides")
  })
})

describe("what cannot be planned is refused", () => {
  it.each([
    [
      { sweep: { axes: { lr: [1, 2] }, name_template: "same" } },
      {},
      /autoexp\.yaml:\d+:\d+: sweep.name_template: point 0 \(lr=1\) and point 1 \(lr=2\) are both named "same"/
    ],
    [{ sweep: { axes: { lr: [] } } }, {}, /sweep.axes.lr: the list is empty, so the sweep has no points/],
    [
      { sweep: { axes: { "scheduler.max_jobs": [1] } } },
      {},
      /a sweep cannot set "scheduler.max_jobs"/
    ],
    [
      { sweep: { axes: { a: [1, 2] } }, slurm: { sbatch: { output: "/log/all.txt" } } },
      {},
      /monitoring.log_path_template: the jobs toy_0 and toy_1 would both write to \/log\/all.txt$/
    ],
    [{ sweep: { axes: {} }, slurm: { array: true, max_array_size: 0 } }, {}, /at least one task/],
    [
      { sweep: { axes: {} }, monitoring: { log_path_template: "{nmae}" } },
      {},
      /autoexp\.yaml:\d+:\d+: The template "{nmae}" names "nmae" at column 2, which is unknown; did you mean "name"/
    ],
    [
      { sweep: { axes: {} }, monitoring: { log_path_template: "{output_dir}/%j/x" } },
      {},
      /directory cannot hold % codes/
    ],
    [
      { sweep: { axes: {} }, slurm: { env: { "A-B": 1 } } },
      {},
      /slurm.env.A-B: "A-B" is no name of an environment variable/
    ],
    [{ sweep: { axes: {} } }, { subset: [1] }, /^the sweep has no point 1; it has 0$/],
    [{ sweep: { axes: {} } }, { subset: [] }, /^the subset chooses no point$/],
    [{ sweep: { axes: {} } }, { planId: "../x" }, /^"..\/x" is no plan id: it holds/]
  ])("%j %j", async (tree, options, message) => {
    expect(await refused(folder(), toy(tree), options)).toMatch(message)
  })

  it("a template that is not there, with the places that were looked at", async () => {
    const home = folder()
    expect(await refused(home, toy({ sweep: { axes: {} }, slurm: { template_path: "none.sbatch" } })))
      .toContain(`there is no template at ${home}/config/none.sbatch or ${home}/none.sbatch`)
  })
})
