/** Sweeps on the local cluster: phases in their order, sessions that grow, and points that are run by hand. */
import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { type Demo, makeDemo } from "./demo.ts"

const demos: Array<Demo> = []
afterEach(() => Promise.all(demos.splice(0).map((demo) => demo.remove())))

const template = fs.readFileSync(path.resolve(import.meta.dirname, "../../config/templates/local.sbatch"), "utf8")

/** A folder whose jobs append their names to `ran` and then run `command`. */
const folderOf = (sweep: object, command: string, slurm: object = {}): Demo => {
  const config = {
    project: { name: "t", base_output_dir: "./output", monitoring_state_dir: "./monitor" },
    slurm: {
      template_path: "job.sbatch",
      array: false,
      sbatch: { time: "00:02:00" },
      client: { class_name: "LocalClient" },
      ...slurm
    },
    scheduler: { settle_seconds: 3 },
    monitoring: { poll_interval_seconds: 0.3, log_settle_seconds: 0.2, inactivity_threshold_seconds: null },
    backend: {
      class_name: "CommandBackend",
      command: ["bash", "-c", `echo "$AUTOEXP_JOB" >> ran; ${command}`, "job", "{output_dir}"],
      args: {}
    },
    sweep
  }
  const demo = makeDemo({ "config/autoexp.yaml": JSON.stringify(config), "config/job.sbatch": template })
  demos.push(demo)
  return demo
}

const ranIn = ({ folder }: Demo): ReadonlyArray<string> =>
  fs.readFileSync(path.join(folder, "ran"), "utf8").trim().split("\n")

interface Shown {
  readonly jobs: ReadonlyArray<
    {
      readonly name: string
      readonly index: number
      readonly outcome: string
      readonly why: string
      readonly output_dir: string
    }
  >
}

describe("a staged sweep", () => {
  const sweep = {
    type: "product",
    name_template: "{lr}_{stage}{metadata.branch}",
    base_values: { "metadata.branch": "" },
    groups: [
      { params: { lr: ["good", "bad"] } },
      {
        configs: [
          { stage: "stable" },
          {
            type: "product",
            groups: [
              { params: { "metadata.branch": [1, 2] } },
              {
                configs: [
                  { stage: "decay", load: "$${sibling.stable.output_dir}/made" },
                  { stage: "eval", load: "$${sibling.decay.output_dir}/made" }
                ]
              }
            ]
          }
        ]
      }
    ]
  }

  it("runs each phase after the one that it loads, and cancels what depends on a failed one alone", async () => {
    // `--load FILE` fails unless the phase before has made it; the stable phase of "bad" makes nothing.
    const demo = folderOf(
      sweep,
      "case \"$*\" in *\" --load \"*) cat \"$5\" ;; *bad*) exit 3 ;; esac && sleep 0.5 && echo made > \"$1/made\""
    )
    const { code, stderr, stdout } = await demo.run(["run", "--plan-id", "s"])
    expect(code, stdout + stderr).toBe(1)
    const { jobs } = await demo.json<Shown>(["session", "show", "s"])
    expect(Object.fromEntries(jobs.map(({ name, outcome }) => [name, outcome])), stdout).toEqual({
      good_stable: "success",
      good_decay1: "success",
      good_eval1: "success",
      good_decay2: "success",
      good_eval2: "success",
      bad_stable: "failed",
      bad_decay1: "cancelled",
      bad_eval1: "cancelled",
      bad_decay2: "cancelled",
      bad_eval2: "cancelled"
    })
    const whyOf = (job: string) => jobs.find(({ name }) => name === job)?.why
    expect(whyOf("bad_decay1")).toContain("job bad_stable ended as failed")
    expect(whyOf("bad_eval1")).toContain("job bad_decay1 ended as cancelled")
    const ran = ranIn(demo)
    expect([...ran].sort()).toEqual(
      ["bad_stable", "good_decay1", "good_decay2", "good_eval1", "good_eval2", "good_stable"]
    )
    for (const branch of [1, 2]) {
      const order = [`good_stable`, `good_decay${branch}`, `good_eval${branch}`].map((job) => ran.indexOf(job))
      expect(order).toEqual([...order].sort((a, b) => a - b))
    }
  }, 120_000)
})

describe("a session that grows", () => {
  const sweep = { axes: { lr: [1, 2] }, name_template: "{project}_{index}" }

  it("runs only its new points; the old ones keep name, index, directory and records", async () => {
    const demo = folderOf(sweep, "true")
    expect((await demo.run(["run", "--plan-id", "s"])).code).toBe(0)
    const before = (await demo.json<Shown>(["session", "show", "s"])).jobs
    const recorded = path.join(demo.folder, "output/t_0/_provenance/config_reference.json")
    const written = fs.statSync(recorded).mtimeMs

    const dry = await demo.run(["run", "--resume", "s", "--dry-run", "sweep.axes.lr=[4,2,3,1]"])
    expect([dry.code, fs.existsSync(path.join(demo.folder, "output/t_2"))], dry.stderr).toEqual([0, false])
    const { code, stderr } = await demo.run([
      "run",
      "--resume",
      "s",
      "sweep.axes.lr=[4,2,3,1]",
      "slurm.sbatch.time=00:03:00"
    ])
    expect(code, stderr).toBe(0)
    expect(stderr).toContain("new in session s (2): t_2, t_3\n")
    expect(stderr).toContain(
      "touched by slurm.sbatch.time (2), but planned before, so they stay as they are: t_0, t_1\n"
    )
    const { jobs } = await demo.json<Shown>(["session", "show", "s"])
    expect(jobs.slice(0, 2)).toEqual(before.map((job) => ({ ...job, last_updated: expect.any(String) })))
    expect(jobs.map(({ index, name, outcome, output_dir }) => [name, index, outcome, output_dir])).toEqual(
      [0, 1, 2, 3].map((index) => [`t_${index}`, index, "success", path.join(demo.folder, `output/t_${index}`)])
    )
    expect([...ranIn(demo)].sort()).toEqual(["t_0", "t_1", "t_2", "t_3"])
    expect(fs.statSync(recorded).mtimeMs).toBe(written)
  }, 120_000)

  it("says what changed values touch of a job as its own plan made it, though later plans left it out", async () => {
    const demo = folderOf(sweep, "true")
    await demo.run(["run", "--plan-id", "s", "--no-monitor"])
    const grown = async (...overrides: ReadonlyArray<string>) =>
      (await demo.run(["run", "--resume", "s", "--no-monitor", "sweep.axes.lr=[2,3]", ...overrides])).stderr
    expect(await grown("slurm.sbatch.time=00:03:00")).toContain("touched by slurm.sbatch.time (1), ")
    const { stderr } = await demo.run(["plan", "--resume", "s", "sweep.axes.lr=[1,2,3]", "--dry-run"])
    expect(stderr).toContain(
      "touched by slurm.sbatch.time (2), but planned before, so they stay as they are: t_0, t_1\n"
    )
  }, 120_000)

  it("takes a plan that was written for it, and reports what is gone from it", async () => {
    const demo = folderOf(sweep, "sleep 2")
    await demo.run(["run", "--plan-id", "s", "--no-monitor"])
    const planned = await demo.run(["plan", "--resume", "s", "sweep.axes.lr=[2,7]", "--json"])
    expect(planned.stderr).toContain("gone from the plan (1), but not cancelled: t_0\n")
    const plan = JSON.parse(planned.stdout)
    expect(plan).toMatchObject({ session: "s", added: ["t_2"], gone: ["t_0"], touched: [], plan_id: "s-plan2" })
    expect(ranIn(demo)).not.toContain("t_2")

    const submitted = await demo.run(["submit", "--manifest", plan.manifest])
    expect(submitted.code, submitted.stderr + submitted.stdout).toBe(0)
    expect(submitted.stderr).toContain("gone from the plan (1), but not cancelled: t_0\n")
    const { jobs } = await demo.json<Shown>(["session", "show", "s"])
    expect(jobs.map(({ name, outcome }) => [name, outcome])).toEqual(
      ["t_0", "t_1", "t_2"].map((name) => [name, "success"])
    )
    expect([...ranIn(demo)].sort()).toEqual(["t_0", "t_1", "t_2"])
    await demo.run(["submit", "--manifest", plan.manifest])
    expect(ranIn(demo)).toHaveLength(3)
  }, 120_000)

  it("is given its new points while a monitor watches it, which submits them", async () => {
    const demo = folderOf(sweep, "until [ -e go ]; do sleep 0.1; done")
    const watching = demo.run(["run", "--plan-id", "s"])
    const state = path.join(demo.folder, "monitor/s.json")
    await expect.poll(() => fs.existsSync(state), { timeout: 60_000 }).toBe(true)
    await expect.poll(() => fs.existsSync(path.join(demo.folder, "ran")) ? ranIn(demo).length : 0, { timeout: 60_000 })
      .toBe(2)
    const grown = await demo.run(["run", "--resume", "s", "sweep.axes.lr=[1,2,3]"])
    expect(grown.code, grown.stderr).toBe(0)
    expect(grown.stdout).toContain("session s is being watched, and submits what is new")
    await expect.poll(() => ranIn(demo).length, { timeout: 60_000 }).toBe(3)
    fs.writeFileSync(path.join(demo.folder, "go"), "")
    expect((await watching).code).toBe(0)
  }, 180_000)
})

describe("sweep-entry", () => {
  const environmentIn = (file: string) =>
    Object.fromEntries(
      fs.readFileSync(file, "utf8").split("\0").filter((line) => line !== "").map((line) =>
        line.split(/=(.*)/s).slice(0, 2)
      )
        // What tells one start from another, and what bash and the scheduler say of themselves.
        .filter(([name = ""]) =>
          !/^(?:SLURM|AUTOEXP_(?:ATTEMPT|NONCE|TASK_ENV|LOCAL_RUN)$|_$|SHLVL$|PWD$|OLDPWD$)/.test(name)
        )
    )

  it("gives a point the environment that its array task has, and runs it in the same place", async () => {
    const demo = folderOf(
      {
        axes: { lr: [1, 2] },
        name_template: "{project}_{index}",
        base_values: { "backend.env": { B: "$A-\"b\" $(no)", LR: "$${lr}" } }
      },
      "env -0 > \"$1/env\"; pwd > \"$1/cwd\"; exit 0",
      { array: true, env: { A: "$(echo from-shell)", N: 1.5, TWO: "two words", MY_TOKEN: "${oc.env:SOME_TOKEN}" } }
    )
    const ran = await demo.run(["run", "--plan-id", "s"])
    expect(ran.code, ran.stderr + ran.stdout).toBe(0)
    for (const index of [0, 1]) {
      const file = (name: string) => path.join(demo.folder, `output/t_${index}`, name)
      const [task, place] = [environmentIn(file("env")), fs.readFileSync(file("cwd"), "utf8")]
      fs.rmSync(path.dirname(file("env")), { recursive: true })
      const sweep = path.join(demo.folder, "output/sweep.json")
      const byHand = await demo.run(["sweep-entry", "--sweep", sweep, "--index", `${index}`], { MY_TOKEN: "hunter2" })
      expect(byHand.code, byHand.stderr).toBe(0)
      const { PATH: searched = "", ...rest } = task
      expect({ ...environmentIn(file("env")), PATH: undefined }).toEqual({ ...rest, PATH: undefined })
      expect(searched).toContain(process.env["PATH"])
      expect(task).toMatchObject({ A: "from-shell", B: "from-shell-\"b\" $(no)", N: "1.5", AUTOEXP_INDEX: `${index}` })
      expect(fs.readFileSync(file("cwd"), "utf8")).toBe(place)
    }
  }, 120_000)

  it("says what is wrong with its file or index", async () => {
    const demo = folderOf({ axes: { lr: [1, 2] } }, "true")
    await demo.run(["plan", "--plan-id", "s"])
    const sweep = path.join(demo.folder, "output/sweep.json")
    const entry = async (...args: ReadonlyArray<string>) => {
      const { code, stderr } = await demo.run(["sweep-entry", "--sweep", sweep, ...args])
      return [code, stderr.replaceAll(sweep, "FILE")]
    }
    expect(await entry("--index", "7")).toEqual([2, "autoexp: The sweep at FILE has no point 7; it has 0,1.\n"])
    const text = fs.readFileSync(sweep, "utf8")
    fs.writeFileSync(sweep, text.slice(0, text.length - 40))
    expect(await entry("--index", "1")).toEqual([
      2,
      "autoexp: FILE is no sweep: it is not JSON (was it cut off while being copied?).\n"
    ])
    fs.writeFileSync(sweep, text.replace(/"version": *1/, "\"version\": 0"))
    expect(await entry("--index", "1")).toEqual([2, expect.stringContaining("FILE is no sweep: version: ")])
  }, 60_000)
})
