import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fs from "node:fs"
import * as path from "node:path"
import { expect } from "vitest"
import { ConfigFiles, layer } from "../../src/config/ConfigFiles.ts"
import { load } from "../../src/config/load.ts"
import { parseYaml } from "../../src/config/yaml.ts"
import { expandSweep } from "../../src/sweep/expandSweep.ts"

const configDir = path.resolve(import.meta.dirname, "../../config")

type Environment = Readonly<Record<string, string>>

/** With nothing exported but `environment`. */
const loading = (configRef: string, overrides: ReadonlyArray<string> = [], environment: Environment = {}) =>
  load({ configDir, configRef, overrides }).pipe(
    Effect.provideServiceEffect(ConfigFiles, Effect.map(ConfigFiles, (real) => ({ ...real, environment }))),
    Effect.provide(layer)
  )

const options = (group: string): ReadonlyArray<string> =>
  fs.readdirSync(path.join(configDir, group)).filter((file) => file.endsWith(".yaml")).map((file) => file.slice(0, -5))

const groups = fs.readdirSync(configDir, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && options(entry.name).length > 0)
  .map(({ name }) => name)

describe("the shipped tree", () => {
  it.effect("is the demo by default, and asked for by name", () =>
    Effect.gen(function*() {
      const { config } = yield* loading("autoexp", ["project=default"])
      expect(config.project).toMatchObject({ name: "demo", monitoring_state_dir: "./monitor" })
      expect(config.sweep.axes).toEqual({ scenario: ["healthy", "nccl", "hang", "slow"] })
      expect(config.slurm).toMatchObject({ array: false, client: { class_name: "LocalClient", slots: 8 } })
      expect(config.backend).toMatchObject({ command: ["node", path.join(configDir, "demo/trainer.mjs")] })
      expect(config.backend).toMatchObject({ args: { evaluate_checkpoint: null } })
    }))

  it.effect("writes below OUTPUT_DIR", () =>
    Effect.gen(function*() {
      const { config } = yield* loading("autoexp", [], { OUTPUT_DIR: "/scratch/me" })
      expect(config.project.base_output_dir).toBe("/scratch/me/demo_19700101_000000_000")
    }))

  it.effect("has an experiment that runs out of memory", () =>
    Effect.gen(function*() {
      const { config } = yield* loading("experiments/demo_oom")
      expect(config.project.name).toBe("demo_oom")
      expect(config.sweep).toMatchObject({ axes: {}, name_template: "{project}" })
      expect(config.backend).toMatchObject({ args: { scenario: "oom", train_iters: 20 } })
    }))

  it.effect.each(
    groups.filter((group) => group !== "experiments").flatMap((group) =>
      options(group).map((option) => `${group}=${option}`)
    )
  )(
    "composes with %s",
    (override) =>
      Effect.map(loading("autoexp", [override]), ({ request }) => expect(request.overrides).toEqual([override]))
  )

  it.effect.each(options("experiments"))(
    "composes experiments/%s",
    (name) => Effect.map(loading(`experiments/${name}`), ({ resolved }) => expect(resolved).toHaveProperty("project"))
  )

  it.effect("names SLURM's commands in the client or beside it", () =>
    Effect.gen(function*() {
      const overrides = ["slurm=juwels", "+slurm.sacct_cmd=sacct -M booster", "+slurm.submit_cmd=a"]
      const { config } = yield* loading("autoexp", [...overrides, "+slurm.client.submit_cmd=sbatch -v"])
      expect(config.slurm.client).toMatchObject({
        class_name: "SlurmClient",
        submit_cmd: "sbatch -v",
        squeue_cmd: "squeue",
        sacct_cmd: "sacct -M booster",
        cancel_cmd: "scancel"
      })
    }))

  it.effect("splits a model in 112 ways over four nodes of four GPUs, and in one where there are none", () =>
    Effect.gen(function*() {
      const points = (overrides: ReadonlyArray<string>) =>
        Effect.map(
          loading("autoexp", ["sweep=parallelism", ...overrides]),
          ({ config }) => Either.getOrThrow(expandSweep(config.sweep)).points
        )
      expect(yield* points(["slurm=jupiter", "slurm.sbatch.nodes=4"])).toHaveLength(112)
      expect(yield* points([])).toHaveLength(1)
    }))

  it.effect("tells a wrong filter when it is loaded, with its place", () =>
    Effect.gen(function*() {
      const { problems } = yield* Effect.flip(loading("autoexp", ["sweep=parallelism", "sweep.filter='nodes > 1'"]))
      expect(problems).toMatchObject([{ override: { text: "sweep.filter='nodes > 1'", column: 14 } }])
      expect(problems[0].message).toMatch(/^sweep\.filter: "nodes > 1" is wrong at column 1, for the point /)
    }))

  it.effect("gives every restart a budget", () =>
    Effect.gen(function*() {
      for (const monitoring of options("monitoring")) {
        const { config } = yield* loading("autoexp", [`monitoring=${monitoring}`])
        for (const rule of [...config.monitoring.log_events, ...config.monitoring.state_events]) {
          for (const binding of rule.actions) {
            const action = binding.class_name === "EventAction" ? binding.action : binding
            if (action.class_name === "RestartAction") {
              expect([1, 3], `${monitoring}: ${rule.name}`).toContain(action.max_restarts)
            }
          }
        }
      }
    }))
})

describe("the files", () => {
  it("read no environment variable without saying what holds if it is not set", () => {
    const texts = fs.readdirSync(configDir, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".yaml"))
      .map((file) => fs.readFileSync(path.join(configDir, file), "utf8"))
    const read = texts.flatMap((text) => text.match(/\$\{oc\.env:[^}]*/g) ?? [])
    expect(read.length).toBeGreaterThan(10)
    for (const text of read) expect(text).toContain(",")
  })

  it("are all YAML without mistakes", () => {
    for (const group of ["", ...groups]) {
      for (const option of options(group)) {
        const file = path.join(configDir, group, `${option}.yaml`)
        const problems: Array<never> = []
        parseYaml(fs.readFileSync(file, "utf8"), file, problems)
        expect(problems).toEqual([])
      }
    }
  })
})
