import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as path from "node:path"
import type { Value, ValueMap } from "../../src/backend/Value.ts"
import { layer } from "../../src/config/ConfigFiles.ts"
import { holdsAt } from "../../src/config/holdsAt.ts"
import { load } from "../../src/config/load.ts"
import { memory } from "./memory.ts"

const read = (overrides: ReadonlyArray<string>) =>
  load(
    { configDir: path.join(import.meta.dirname, "../../config"), configRef: "autoexp", overrides },
    Effect.succeed(0)
  ).pipe(Effect.provide(layer))

const setting = (parameters: ValueMap) => ({ index: 0, stage: "", parameters, siblings: {} })

describe("a sweep's point", () => {
  it.effect.each<readonly [string, Value]>([
    ["project.name", "other"],
    ["metadata.note", "new"],
    ["slurm.sbatch.time", "0:10:00"],
    ["monitoring.poll_interval_seconds", 7],
    ["job.start_conditions", []]
  ])("with %s=%s is what the override gives", ([key, value]) =>
    Effect.gen(function*() {
      const point = yield* (yield* read([])).at(setting({ [key]: value }))
      const overridden = yield* read([`++${key}=${typeof value === "string" ? `'${value}'` : JSON.stringify(value)}`])
      expect(point.resolved).toEqual(overridden.resolved)
      expect(point.config).toEqual(overridden.config)
    }))

  it.effect("of a point is one of the same configuration: nothing of the other one is left", () =>
    Effect.gen(function*() {
      const loaded = yield* read([])
      const first = yield* loaded.at(setting({ "project.name": "first" }))
      const second = yield* first.at(setting({ "monitoring.poll_interval_seconds": 7 }))
      expect(second.config.project).toEqual(loaded.config.project)
      expect(second.config.monitoring.poll_interval_seconds).toBe(7)
      expect(first.config.monitoring).toEqual(loaded.config.monitoring)
    }))

  it.effect("that does not fit fails with its key", () =>
    Effect.gen(function*() {
      const point = (yield* read([])).at(setting({ "slurm.array": "maybe" }))
      expect(Either.isLeft(point) && point.left.problems.map(({ kind, message }) => [kind, message])).toEqual([
        ["wrong_type", expect.stringContaining("slurm.array")]
      ])
    }))

  it.effect("that leaves a value open fails", () =>
    Effect.gen(function*() {
      const point = (yield* read([])).at(setting({ "project.name": "???" }))
      expect(Either.isLeft(point) && point.left.problems.map(({ kind }) => kind)).toContain("missing_value")
    }))
})

const files = {
  "exp.yaml": [
    "defaults: [slurm: small, _self_]",
    "project: {name: demo, base_output_dir: './out/${stage}', resume: true}",
    "sweep: {}",
    "monitoring: {log_path_template: '{output_dir}/x.log'}",
    "backend: {class_name: NullBackend}",
    "metadata: {of: '${index}', lr: 1}"
  ].join("\n"),
  "slurm/small.yaml": "template_path: t\nsbatch: {nodes: 1}\n",
  "slurm/large.yaml": "template_path: t\nsbatch: {nodes: 8, name: '${project.name}'}\n",
  "slurm/open.yaml": "template_path: ???\nsbatch: {nodes: 2}\n",
  "data/x.yaml": "a: 1\n"
}

const reading = (overrides: ReadonlyArray<string> = [], more: Readonly<Record<string, string>> = {}) =>
  load({ configDir: "/conf", configRef: "exp", overrides }, Effect.succeed(0)).pipe(
    Effect.provide(memory({ ...files, ...more }))
  )

const message = <A>(made: Either.Either<A, Error>): string => Either.isLeft(made) ? made.left.message : "nothing"

describe("a point's own names", () => {
  it.effect("are its index, its stage and its siblings, wherever the configuration names them", () =>
    Effect.gen(function*() {
      const loaded = yield* reading()
      expect([loaded.config.project.base_output_dir, loaded.config.metadata["of"]]).toEqual(["./out/", 0])
      const point = yield* loaded.at({
        index: 3,
        stage: "decay",
        parameters: { from: "${sibling.stable.output_dir}/ckpt", steps: "${oc.mul:2,${base}}", base: 5 },
        siblings: { stable: { output_dir: "/o/${literally}" } }
      })
      expect([point.config.project.base_output_dir, point.config.metadata["of"]]).toEqual(["./out/decay", 3])
      expect(point.parameters).toMatchObject({ from: "/o/${literally}/ckpt", base: 5 })
      expect(Object.keys(point.others)).toEqual(["from", "steps", "base"])
      expect(Object.keys(point.resolved)).toEqual(Object.keys(loaded.resolved))
      expect(point.unresolved["project"]).toEqual(loaded.unresolved["project"])
    }))

  it.effect("are not parameters of the backend, and neither are keys of the configuration", () =>
    Effect.gen(function*() {
      const parameters = { stage: "s-${index}", "metadata.lr": 2, "slurm.sbatch": { nodes: 3 }, lr: 4 }
      const point = yield* (yield* reading()).at({ ...setting(parameters), index: 1 })
      expect(point.others).toEqual({ lr: 4 })
      expect(point.parameters).toEqual({ ...parameters, stage: "s-1" })
      expect(point.config.project.base_output_dir).toBe("./out/s-1")
    }))

  it.effect("are told where they are missing: which point, and which key of the sweep", () =>
    Effect.gen(function*() {
      const loaded = yield* reading()
      const at = (parameters: ValueMap) => message(loaded.at({ ...setting(parameters), index: 7 }))
      expect(at({ "metadata.x": "${sibling.a.b}" })).toContain("Point 7: In metadata.x: ${sibling.a.b} finds no \"a\"")
      expect(at({ "metadata.x": "${nope}" })).toContain("(set by the sweep's \"metadata.x\")")
      expect(at({ "scheduler.max_jobs": 1 })).toContain("Point 7: a sweep cannot set \"scheduler.max_jobs\"")
      expect(at({ "sweep.filter": "x" })).toContain("the sweep section is the same for all points")
      expect(at({ "monitoring.log_path_template": "{nope}" })).toContain("The template \"{nope}\" names \"nope\"")
    }))
})

describe("a parameter that names a group", () => {
  it.effect("chooses an option for the point, under what else the point sets", () =>
    Effect.gen(function*() {
      const loaded = yield* reading()
      const point = yield* loaded.at(setting({ "slurm.sbatch.time": 5, slurm: "large", "project.name": "p" }))
      expect(point.config.slurm.sbatch).toEqual({ nodes: 8, name: "p", time: 5 })
      expect(point.parameters).toEqual({ "slurm.sbatch.time": 5, slurm: "large", "project.name": "p" })
      expect(point.others).toEqual({})
      expect((yield* loaded.at(setting({}))).config.slurm.sbatch).toEqual({ nodes: 1 })
    }))

  it.effect("may choose an option in which something is open that the point sets", () =>
    Effect.gen(function*() {
      const loaded = yield* reading()
      const point = yield* loaded.at(setting({ slurm: "open", "slurm.template_path": "mine" }))
      expect(point.config.slurm).toMatchObject({ template_path: "mine", sbatch: { nodes: 2 } })
      expect(message(loaded.at(setting({ slurm: "open" })))).toContain("slurm.template_path is ???")
    }))

  it.effect("fails for an option, a group or a listing that there is not", () =>
    Effect.gen(function*() {
      const loaded = yield* reading()
      expect(message(loaded.at(setting({ slurm: "lrge" })))).toContain("large")
      expect(message(loaded.at(setting({ data: "x" })))).toContain("no defaults list holds it")
      expect(message(loaded.at(setting({ "no/such": "x" })))).toContain("There is no group \"no/such\"")
    }))

  it.effect("chooses none for what is of the whole plan", () =>
    Effect.gen(function*() {
      const loaded = yield* reading([], { "scheduler/calm.yaml": "max_jobs: 1\n" })
      expect(message(loaded.at(setting({ scheduler: "calm" })))).toContain("a sweep cannot set \"scheduler\"")
    }))

  it.effect("sets a value where it is no text", () =>
    Effect.gen(function*() {
      const point = yield* (yield* reading()).at(setting({ slurm: { sbatch: { nodes: 5 } } }))
      expect(point.config.slurm.sbatch).toEqual({ nodes: 5 })
    }))
})

describe("the command line", () => {
  it.effect("sets a key, its parts and what it is part of", () =>
    Effect.gen(function*() {
      const { sets } = yield* reading(["metadata.lr=3", "+slurm.env.A=1", "project.name=x"])
      expect(["metadata.lr", "metadata", "metadata.lr.x", "slurm.env", "project.name"].filter((key) => !sets(key)))
        .toEqual([])
      expect(["metadata.l", "metadata.lrs", "slurm.sbatch", "lr", "project.resume"].filter(sets)).toEqual([])
    }))

  it.effect("that chooses an option leaves to the sweep what is in it", () =>
    Effect.gen(function*() {
      const { sets } = yield* reading(["slurm=large"])
      expect([sets("slurm"), sets("slurm.sbatch.nodes")]).toEqual([true, false])
    }))

  it.effect("that sets a value within a group leaves the choice of its option to the sweep", () =>
    Effect.gen(function*() {
      const loaded = yield* reading(["slurm.sbatch.nodes=3"])
      expect([loaded.sets("slurm", "large"), loaded.sets("slurm", { sbatch: {} })]).toEqual([false, true])
      expect((yield* loaded.at(setting({ slurm: "large" }))).config.slurm.sbatch["nodes"]).toBe(3)
    }))
})

describe("a filter over resolved points", () => {
  it.effect("keeps a point of which it is true", () =>
    Effect.gen(function*() {
      const point = yield* (yield* reading()).at({ ...setting({ lr: "${metadata.lr}", bs: 4 }), index: 2 })
      const holds = (filter: Value) => Either.getOrElse(holdsAt(point, filter), ({ message }) => message)
      expect([true, null, "${oc.eval:'${index} == 2'}", "lr < bs", "${lr} == 1"].map(holds)).toEqual(
        Array(5).fill(true)
      )
      expect([false, "${oc.gt:${lr},${bs}}", "bs < ${lr}"].map(holds)).toEqual([false, false, false])
      expect(holds("${bs}")).toContain("must be true or false at each point")
      expect(holds("${nope}")).toContain("Point 2: In sweep.filter: ${nope} finds no \"nope\"")
      expect(holds("nope == 1")).toContain("is wrong at column 1")
    }))
})

describe("what is written in a sweep", () => {
  it.effect("is resolved at once, or of the point where it is written so", () =>
    Effect.gen(function*() {
      const { config } = yield* reading([], {
        "exp.yaml": files["exp.yaml"].replace(
          "sweep: {}",
          () => "sweep: {base_values: {a: '${metadata.lr}', b: '$${index}'}}"
        )
      })
      expect(config.sweep.base_values).toEqual({ a: 1, b: "${index}" })
    }))

  it.effect("cannot name a sibling at once, which has no value yet", () =>
    Effect.gen(function*() {
      const made = yield* Effect.either(reading(["+sweep.base_values.load='${sibling.stable.name}'"]))
      expect(message(made)).toContain("in `sweep` write $${sibling.stable.name}")
    }))
})
