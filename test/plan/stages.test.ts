import { describe, expect, it } from "vitest"
import type { KnownJob } from "../../src/plan/growth.ts"
import type { PlannedFiles } from "../../src/plan/PlannedFiles.ts"
import { folder } from "./shells.ts"
import { planned, refused, toy } from "./toy.ts"

/** A stable phase and a decay from its checkpoint, for each of the learning rates. */
const sweep = (lrs: ReadonlyArray<number>, more: Readonly<Record<string, unknown>> = {}) => ({
  type: "product",
  name_template: "{stage}_{lr}",
  groups: [
    { params: { lr: lrs } },
    { type: "list", configs: [{ stage: "decay", load: "$${sibling.stable.output_dir}/ckpt" }, { stage: "stable" }] }
  ],
  ...more
})

const staged = (lrs: ReadonlyArray<number>, more: Parameters<typeof toy>[0] = {}) => toy({ sweep: sweep(lrs), ...more })

const waiting = ({ manifest }: PlannedFiles) =>
  manifest.jobs.map(({ name, needs, start_conditions }) => ({ name, needs, start: start_conditions }))

const after = (job: string) => ({ class_name: "JobCondition", job, outcomes: ["success"] })

describe("phases of a point", () => {
  it("wait for those that they refer to, whatever the order in which they are written", async () => {
    const home = folder()
    const plan = await planned(home, staged([1, 2]))
    expect(waiting(plan)).toEqual([
      { name: "decay_1", needs: ["stable_1"], start: [after("stable_1")] },
      { name: "stable_1", needs: [], start: [] },
      { name: "decay_2", needs: ["stable_2"], start: [after("stable_2")] },
      { name: "stable_2", needs: [], start: [] }
    ])
    expect(plan.manifest.jobs.map(({ index, stage }) => [index, stage]))
      .toEqual([[0, "decay"], [1, "stable"], [2, "decay"], [3, "stable"]])
    expect(plan.manifest.jobs[2]?.parameters).toEqual({
      lr: 2,
      stage: "decay",
      load: `${home}/out/stable_2/ckpt`
    })
    expect(plan.notes).toEqual([])
  })

  it("tell no program which phase it is, and may use it in every template", async () => {
    const { files, manifest } = await planned(
      folder(),
      staged([1], {
        backend: { class_name: "CommandBackend", command: ["train", "--phase={stage}"] },
        monitoring: { log_path_template: "{output_dir}/{stage}-%j.log" }
      })
    )
    expect(manifest.jobs[1]?.log_path).toMatch(/\/stable_1\/stable-%j\.log$/)
    expect(files.find(({ path }) => path.includes("stable_1.toy"))?.text).toMatch(
      /\nsrun train --phase=stable --lr 1\n$/
    )
  })

  it("know of each other the name, the log and every value", async () => {
    const home = folder()
    const fields = ["name", "log_path", "log_path_current", "index", "lr", "stage", "slurm.sbatch.time"]
    const text = fields.map((field) => `$\${sibling.stable.${field}}`).join("|")
    const plan = await planned(
      home,
      toy({
        slurm: { sbatch: { time: "5" } },
        sweep: {
          ...sweep([1]),
          groups: [{ params: { lr: [1] } }, { type: "list", configs: [{ stage: "stable" }, { text }] }],
          name_template: "{index}"
        }
      })
    )
    expect(plan.manifest.jobs[1]?.parameters["text"])
      .toBe(`0|${home}/out/0/slurm-%j.out|${home}/out/0/current.log|0|1|stable|5`)
  })

  it("find each other's arguments as the other job gets them, its own directory in them", async () => {
    const home = folder()
    const plan = await planned(
      home,
      toy({
        backend: {
          class_name: "CommandBackend",
          command: ["train"],
          args: { save: "{output_dir}/{{it}}", load: null }
        },
        sweep: sweep([1], {
          groups: [{
            type: "list",
            configs: [{ stage: "decay", "backend.args.load": "$${sibling.stable.backend.args.save}" }, {
              stage: "stable"
            }]
          }],
          name_template: "{stage}"
        })
      })
    )
    const script = plan.files.find(({ path }) => path.includes("decay.toy"))?.text
    expect(script).toContain(`--load '${home}/out/stable/{it}'`)
    expect(script).toContain(`--save '${home}/out/decay/{it}'`)
  })

  it("with conditions of their own wait for these alone", async () => {
    const plan = await planned(
      folder(),
      toy({
        job: { start_conditions: [{ class_name: "FileExistsCondition", path: "/flag" }] },
        sweep: sweep([1])
      })
    )
    expect(waiting(plan).map(({ start }) => start.map(({ class_name }) => class_name)))
      .toEqual([["FileExistsCondition"], ["FileExistsCondition"]])
    expect(plan.manifest.jobs[0].needs).toEqual(["stable_1"])
  })

  it("cannot wait for a job that nobody has", async () => {
    const tree = toy({
      job: { start_conditions: [{ class_name: "JobCondition", job: "stabel_1" }] },
      sweep: sweep([1])
    })
    expect(await refused(folder(), tree)).toMatch(
      /job\.start_conditions\[0\]\.job: decay_1 would wait for the job "stabel_1".*did you mean "stable_1"/
    )
  })

  it("cannot wait within a composite for a job that nobody has, however deep it stands", async () => {
    const composite = (...conditions: ReadonlyArray<object>) => ({ class_name: "CompositeCondition", conditions })
    const flag = { class_name: "FileExistsCondition", path: "/flag" }
    const tree = (job: string, filter: string) =>
      toy({
        job: { start_conditions: [flag, composite(flag, composite({ class_name: "JobCondition", job }))] },
        sweep: sweep([1], { filter })
      })
    expect(await refused(folder(), tree("stabel_1", "stage == 'decay'"))).toMatch(
      /job\.start_conditions\[1\]\.conditions\[1\]\.conditions\[0\]\.job: decay_1 would wait for .*"stabel_1"/
    )
    // A phase that the filter left out is not waited for, there as anywhere.
    const { manifest } = await planned(folder(), tree("stable_1", "stage == 'decay'"))
    expect(manifest.jobs[0].start_conditions).toMatchObject([flag, { conditions: [flag] }])
  })

  it("that a filter leaves out are still known to those that refer to them, which do not wait", async () => {
    const plan = await planned(folder(), toy({ sweep: sweep([1], { filter: "stage != 'stable'" }) }))
    expect(waiting(plan)).toEqual([{ name: "decay_1", needs: [], start: [] }])
    expect(plan.manifest.jobs[0].parameters["load"]).toMatch(/stable_1\/ckpt$/)
    expect(plan.notes).toEqual([
      "1 job refers to phases that are no jobs of this plan (stable_1), and does not wait for them"
    ])
  })

  it("outside a subset stay known, and are not planned", async () => {
    const home = folder()
    const plan = await planned(home, staged([1, 2]), { subset: [2] })
    expect(waiting(plan)).toEqual([{ name: "decay_2", needs: [], start: [] }])
    expect(plan.manifest.jobs[0].parameters["load"]).toBe(`${home}/out/stable_2/ckpt`)
    expect(plan.files.some(({ path }) => path.includes("stable"))).toBe(false)
  })

  it("may have names that follow from the point", async () => {
    const tree = toy({
      sweep: {
        type: "list",
        name_template: "{index}",
        groups: [{ configs: [{ stage: "a" }, { it: 5, stage: "d$${it}", from: "$${sibling.a.name}" }] }]
      }
    })
    const { manifest } = await planned(folder(), tree)
    expect(manifest.jobs.map(({ needs, parameters, stage }) => [stage, parameters["stage"], needs])).toEqual(
      [["a", "a", []], ["d5", "d5", ["0"]]]
    )
  })

  it("keep numbers that JSON does not have, as texts", async () => {
    const tree = toy({ sweep: { axes: { clip: [Infinity, -Infinity, NaN, 1.5] }, name_template: "c{clip}" } })
    const { manifest } = await planned(folder(), tree)
    expect(manifest.jobs.map(({ parameters }) => parameters["clip"])).toEqual(["inf", "-inf", "nan", 1.5])
  })

  it("that nothing is left of are an error, unless that is allowed", async () => {
    const tree = (allow: boolean) =>
      toy({
        sweep: sweep([1], {
          filter: "${oc.if:$${lr},false,true}",
          base_values: { a: 1 },
          allow_empty: allow,
          name_template: "{index}"
        })
      })
    expect(await refused(folder(), tree(false))).toMatch(/sweep\.filter: the filters keep none of the sweep's points/)
    const { manifest } = await planned(folder(), tree(true))
    expect(manifest.jobs.map(({ name, parameters }) => [name, parameters])).toEqual([["0", { a: 1 }]])
  })
})

describe("the command line", () => {
  it("leaves of a mapping what it does not set", async () => {
    const tree = toy({
      slurm: { sbatch: { nodes: 1, time: "1" } },
      sweep: { axes: { a: [1, 2] }, base_values: { "slurm.sbatch": { nodes: 4, time: "2" } }, name_template: "{a}" }
    })
    const { manifest } = await planned(folder(), tree, {}, ["slurm.sbatch.nodes=9"])
    expect(manifest.jobs.map(({ parameters }) => parameters["slurm.sbatch"])).toEqual(Array(2).fill({ time: "2" }))
    expect(manifest.config["slurm"]).toMatchObject({ sbatch: { nodes: 9 } })
  })

  it("wins over the sweep, of which points that are the same then are one", async () => {
    const tree = toy({
      slurm: { sbatch: { time: "1" } },
      sweep: { axes: { "slurm.sbatch.time": ["2", "3"], a: [1, 2] }, name_template: "{a}" }
    })
    const { manifest, notes } = await planned(folder(), tree, {}, ["slurm.sbatch.time='9'"])
    expect(manifest.jobs.map(({ index, name, parameters }) => [index, name, parameters]))
      .toEqual([[0, "1", { a: 1 }], [1, "2", { a: 2 }]])
    expect(manifest.config["slurm"]).toMatchObject({ sbatch: { time: "9" } })
    expect(notes).toEqual([
      "the command line sets slurm.sbatch.time, which wins over the sweep; " +
      "2 of its points are the same as others now, and left out"
    ])
  })
})

describe("rules of a point", () => {
  it("are a set of their own where they differ, once for all that share it", async () => {
    const { manifest } = await planned(
      folder(),
      toy({
        sweep: { axes: { a: [1, 2], "monitoring.inactivity_threshold_seconds": [900, 60] } },
        monitoring: { output_paths: ["{output_dir}/x"] }
      })
    )
    expect(manifest.jobs.map(({ rule_set }) => rule_set)).toEqual([null, 0, null, 0])
    expect(manifest.rule_sets.map((rules) => rules.inactivity_threshold_seconds)).toEqual([60])
  })
})

describe("a plan that grows a session", () => {
  const known = ({ manifest }: PlannedFiles): ReadonlyArray<KnownJob> =>
    manifest.jobs.map(({ identity, index, name }) => ({ identity, index, name }))

  it("keeps the names and indices of its points, wherever they stand now, and says which are gone", async () => {
    const home = folder()
    const first = await planned(home, staged([1, 2]))
    const grown = await planned(home, staged([3, 2]), {
      planId: "toy-2",
      grows: { session: "toy-1", jobs: known(first) }
    })
    expect(grown.manifest.session).toBe("toy-1")
    expect(grown.manifest.jobs.map(({ index, name, needs }) => [index, name, needs])).toEqual([
      [2, "decay_2", ["stable_2"]],
      [3, "stable_2", []],
      [4, "decay_3", ["stable_3"]],
      [5, "stable_3", []]
    ])
    expect(grown.gone.map(({ name }) => name)).toEqual(["decay_1", "stable_1"])
    const script = grown.files.find(({ path }) => path.endsWith("decay_3.toy-2.sbatch"))?.text
    expect(script).toContain("AUTOEXP_PLAN_ID=toy-1 ")
  })

  it("knows a point whose values follow from its index or its phases' paths", async () => {
    const tree = (lrs: ReadonlyArray<number>) =>
      toy({ sweep: { ...sweep(lrs), name_template: "{project}_{index}", base_values: { port: "$${index}" } } })
    const home = folder()
    const first = await planned(home, tree([1, 2]))
    const grown = await planned(home, tree([0, 2]), { grows: { session: "toy-1", jobs: known(first) } })
    expect(grown.manifest.jobs.map(({ index, parameters }) => [index, parameters["lr"], parameters["port"]]))
      .toEqual([[2, 2, 2], [3, 2, 3], [4, 0, 4], [5, 0, 5]])
    expect(grown.manifest.jobs.map(({ parameters }) => parameters["load"])).toEqual([
      `${home}/out/toy_3/ckpt`,
      undefined,
      `${home}/out/toy_5/ckpt`,
      undefined
    ])
  })

  it("tells points apart by their values and the types of these", async () => {
    const { manifest } = await planned(folder(), toy({ sweep: { axes: { a: [1, "1", true, "x"] } } }))
    expect(new Set(manifest.jobs.map(({ identity }) => identity)).size).toBe(4)
    expect(manifest.jobs[0].identity).toMatch(/^[0-9a-f]{16}$/)
  })

  it("waits for a phase that only the session has", async () => {
    const home = folder()
    const first = await planned(home, staged([1]))
    const grown = await planned(home, staged([1]), { subset: [0], grows: { session: "toy-1", jobs: known(first) } })
    expect(waiting(grown)).toEqual([{ name: "decay_1", needs: ["stable_1"], start: [after("stable_1")] }])
  })
})
