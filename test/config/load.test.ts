import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as TestClock from "effect/TestClock"
import { expect } from "vitest"
import { PyFloat, type ValueMap } from "../../src/backend/Value.ts"
import { type ConfigRequest, load } from "../../src/config/load.ts"
import type { ConfigError, Problem } from "../../src/config/Problem.ts"
import { memory } from "./memory.ts"

const base = {
  "autoexp.yaml": `defaults:
  - project: default
  - slurm: small
  - _self_
backend:
  class_name: CommandBackend
  command: [train]
  args: {lr: 1e-5, wd: 1.0, tag: "\${project.name}-\${.lr}"}
monitoring:
  log_events:
    - name: saved
      pattern: "saved (?P<path>\\\\S+)"
      metadata: {kind: checkpoint}
      extract_groups: {checkpoint_path: path}
      actions:
        - class_name: LogAction
          message: "saved {checkpoint_path}"
sweep:
  axes:
    lr: [0.1, 0.2]
`,
  "project/default.yaml": "name: demo\nbase_output_dir: out/${.name}_${oc.timestring:}\n",
  "slurm/small.yaml": "template_path: t.sbatch\nsbatch:\n  nodes: 1\n",
  "slurm/large.yaml": "template_path: t.sbatch\nsbatch:\n  nodes: 64\n"
}

type Change = Readonly<Record<string, string>>

const loading = (overrides: ReadonlyArray<string> = [], files: Change = {}, request: Partial<ConfigRequest> = {}) =>
  load({ configDir: "/conf", configRef: "autoexp", overrides, ...request }).pipe(
    Effect.provide(memory({ ...base, ...files }))
  )

/** The problems of a configuration that cannot be used. */
const problems = (overrides: ReadonlyArray<string>, files: Change = {}): Effect.Effect<ReadonlyArray<Problem>> =>
  loading(overrides, files).pipe(
    Effect.flip,
    Effect.map((error: ConfigError) => error.problems),
    Effect.orDieWith(() => "it loads")
  )

/** The only problem, as `line:column file message`. */
const only = (overrides: ReadonlyArray<string>, files: Change = {}) =>
  Effect.map(problems(overrides, files), (all) => {
    expect(all.map(({ message }) => message)).toHaveLength(1)
    const { column, file, line, message, suggestions } = all[0] ?? expect.fail()
    return { at: file === null ? null : `${file}:${line}:${column}`, message, suggestions }
  })

/** The main file with one text replaced. */
const edited = (from: string, to: string): Change => {
  expect(base["autoexp.yaml"]).toContain(from)
  return { "autoexp.yaml": base["autoexp.yaml"].replace(from, to) }
}

describe("a configuration", () => {
  it.effect("is composed, resolved and typed", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2025, 0, 31, 23, 59, 59, 42))
      const { config, resolved, unresolved } = yield* loading(["slurm=large", "project.name=run"])
      expect(config.project).toEqual({
        name: "run",
        base_output_dir: "out/run_20250131_235959_042",
        monitoring_state_dir: "out/run_20250131_235959_042/monitoring_state",
        resume: true,
        gpu_hours_confirm: null
      })
      expect(config.slurm).toMatchObject({
        sbatch: { nodes: 64 },
        script_dir: "out/run_20250131_235959_042/scripts",
        log_dir: "out/run_20250131_235959_042",
        client: { class_name: "SlurmClient", submit_cmd: "sbatch", squeue_cmd: "squeue" }
      })
      expect(config.container).toEqual({ image: null, runtime: "apptainer", bind: [], env: {}, pwd: null })
      expect(config.scheduler).toMatchObject({ max_jobs: null, settle_seconds: 120 })
      expect(resolved["backend"]).toMatchObject({
        args: { lr: new PyFloat(1e-5), wd: new PyFloat(1), tag: "run-1e-05" }
      })
      expect(unresolved["backend"]).toMatchObject({ args: { tag: "${project.name}-${.lr}" } })
    }))

  it.effect("leaves launcher markers alone", () =>
    Effect.gen(function*() {
      const { config } = yield* loading(["+slurm.launcher_cmd='run {{env_flags}} {name}'"])
      expect(config.slurm.launcher_cmd).toBe("run {{env_flags}} {name}")
    }))

  it.effect("may leave sections empty", () =>
    Effect.gen(function*() {
      const { config } = yield* loading([], { "extra.yaml": "container:\nevaluation:\n" })
      expect(config.evaluation).toEqual({})
      const other = yield* loading(["+container=null", "+scheduler=null"])
      expect(other.config.container.runtime).toBe("apptainer")
      expect(other.config.scheduler.settle_seconds).toBe(120)
      const local = yield* loading(["++slurm.client={class_name: LocalClient}"])
      expect(local.config.scheduler.settle_seconds).toBe(3)
    }))

  it.effect("W-41: of a plain file takes overrides, too", () =>
    Effect.gen(function*() {
      const plain = JSON.stringify({
        project: { name: "plain", base_output_dir: "o" },
        slurm: { template_path: "t" },
        monitoring: {},
        backend: { class_name: "NullBackend" },
        sweep: {}
      })
      const { config, origin } = yield* loading(["project.name=other", "+metadata.a=1"], {
        "/cwd/recorded.json": plain
      }, {
        configRef: "recorded.json"
      })
      expect(config.project.name).toBe("other")
      expect(config.metadata).toEqual({ a: 1 })
      expect(origin("project.base_output_dir")).toMatchObject({ source: "file", file: "/cwd/recorded.json", line: 1 })
    }))
})

describe("where a value came from", () => {
  it.effect("is the file, line and column that set it last, or the override", () =>
    Effect.gen(function*() {
      const { origin } = yield* loading(["project.name=x", "slurm=large"])
      const file = (name: string, line: number, column: number) => ({
        source: "file",
        file: `/conf/${name}`,
        line,
        column
      })
      expect(origin(["slurm", "sbatch", "nodes"])).toEqual(file("slurm/large.yaml", 3, 10))
      expect(origin("slurm.sbatch")).toEqual(file("slurm/large.yaml", 2, 1))
      expect(origin("monitoring.log_events[0].pattern")).toEqual(file("autoexp.yaml", 12, 16))
      expect(origin("project.name")).toEqual({ source: "override", text: "project.name=x", column: 14 })
      expect(origin("slurm.client.slots")).toMatchObject({ file: "/conf/slurm/large.yaml" })
      expect(origin("nothing.of.it")).toBeNull()
    }))
})

const setting = (parameters: ValueMap) => ({ index: 0, stage: "", parameters, siblings: {} })

describe("a sweep point", () => {
  it.effect("is the same configuration with other values, resolved again, at the same time", () =>
    Effect.gen(function*() {
      const loaded = yield* loading()
      const before = loaded.config.project.base_output_dir
      yield* TestClock.adjust("1 hour")
      const point = Either.getOrThrow(loaded.at(setting({ "backend.args.lr": new PyFloat(0.5), "slurm.env.NEW": "a" })))
      expect(point.config.backend).toMatchObject({ args: { tag: "demo-0.5" } })
      expect(point.config.slurm.env).toEqual({ NEW: "a" })
      expect(point.config.project.base_output_dir).toBe(before)
      expect(point.origin("backend.args.lr")).toEqual({ source: "point", key: "backend.args.lr" })
      expect(loaded.config.backend).toMatchObject({ args: { tag: "demo-1e-05" } })
    }))

  it.effect("that does not fit names its key", () =>
    Effect.gen(function*() {
      const loaded = yield* loading()
      const { problems } = Either.getOrThrow(Either.flip(loaded.at(setting({ "slurm.arry": true }))))
      expect(problems.map(({ message }) => message)).toEqual([
        "Point 0: Unknown key \"arry\" in slurm; did you mean \"array\"? (set by the sweep's \"slurm.arry\")"
      ])
    }))
})

describe("a mistake names its place and what would fit", () => {
  it.effect("an unknown key", () =>
    Effect.map(
      only([], { "slurm/small.yaml": "template_path: t\nlauncher_cmdd: x\n" }),
      (problem) =>
        expect(problem).toEqual({
          at: "/conf/slurm/small.yaml:2:1",
          message: "Unknown key \"launcher_cmdd\" in slurm; did you mean \"launcher_cmd\"?",
          suggestions: ["launcher_cmd"]
        })
    ))

  it.effect("an unknown section", () =>
    Effect.map(
      only([], edited("sweep:\n", "swep: {}\nsweep:\n")),
      (problem) => expect(problem).toMatchObject({ at: "/conf/autoexp.yaml:18:1", suggestions: ["sweep"] })
    ))

  it.effect("an unknown field of an action", () =>
    Effect.map(
      only([], edited("message: \"", "mesage: x\n          message: \"")),
      (problem) =>
        expect(problem).toEqual({
          at: "/conf/autoexp.yaml:17:11",
          message: "Unknown key \"mesage\" in monitoring.log_events[0].actions[0]; did you mean \"message\"?",
          suggestions: ["message"]
        })
    ))

  it.effect("an unknown class", () =>
    Effect.map(only([], edited("LogAction", "LogActoin")), (problem) =>
      expect(problem).toEqual({
        at: "/conf/autoexp.yaml:16:23",
        message: "monitoring.log_events[0].actions[0].class_name cannot be \"LogActoin\"; did you mean \"LogAction\"?",
        suggestions: ["LogAction"]
      })))

  it.effect("an unknown backend, with all there are if none is near", () =>
    Effect.map(only(["backend.class_name=Zzz"]), (problem) =>
      expect(problem.message).toBe(
        "backend.class_name cannot be \"Zzz\"; known: NullBackend, CommandBackend, MegatronBackend, "
          + "AutoMegatronBackend, MegatronROCmBackend, AutoMegatronROCmBackend. "
          + "(set by the override \"backend.class_name=Zzz\")"
      )))

  it.effect("a value of the wrong type", () =>
    Effect.map(
      only([], { "slurm/small.yaml": "template_path: t\nclient:\n  class_name: LocalClient\n  slots: many\n" }),
      (problem) =>
        expect(problem).toMatchObject({
          at: "/conf/slurm/small.yaml:4:10",
          message: "slurm.client.slots must be a whole number, not 'many'."
        })
    ))

  it.effect("a missing key", () =>
    Effect.map(
      only([], { "slurm/small.yaml": "array: true\n" }),
      (problem) => expect(problem).toMatchObject({ message: "\"template_path\" is missing in slurm." })
    ))

  it.effect("a value that must be given", () =>
    Effect.map(
      only([], { "slurm/small.yaml": "template_path: t\nsbatch:\n  account: ???\n" }),
      (problem) =>
        expect(problem).toMatchObject({
          at: "/conf/slurm/small.yaml:3:12",
          message: "slurm.sbatch.account is ???: it must be given, as in slurm.sbatch.account=VALUE."
        })
    ))

  it.effect("a regular expression that does not compile", () =>
    Effect.map(only([], edited("(?P<path>", "(?P<path")), (problem) => {
      expect(problem.at).toBe("/conf/autoexp.yaml:12:16")
      expect(problem.message).toContain("is wrong at column 7")
    }))

  it.effect("a group that the pattern lacks", () =>
    Effect.map(
      only([], edited("checkpoint_path: path", "checkpoint_path: pth")),
      (problem) =>
        expect(problem).toMatchObject({
          at: "/conf/autoexp.yaml:14:41",
          message: "The pattern has no group \"pth\"; did you mean \"path\"?"
        })
    ))

  it.effect("a template with an unknown name", () =>
    Effect.map(only([], edited("{checkpoint_path}", "{checkpoint_pth}")), (problem) =>
      expect(problem).toEqual({
        at: "/conf/autoexp.yaml:17:20",
        message: "The template \"saved {checkpoint_pth}\" names \"checkpoint_pth\" at column 8, which is unknown; "
          + "did you mean \"checkpoint_path\"?",
        suggestions: ["checkpoint_path"]
      })))

  it.effect("a template that cannot be read", () =>
    Effect.map(
      only([], edited("{checkpoint_path}", "{checkpoint_path")),
      (problem) =>
        expect(problem).toMatchObject({
          at: "/conf/autoexp.yaml:17:20",
          message: expect.stringContaining("is not closed")
        })
    ))

  it.effect("a log event without effect, and one without a pattern", () =>
    Effect.map(
      problems([
        "monitoring.log_events=[{name: a, pattern: x}, {name: b, metadata: {k: v}}, {name: b, metadata: {k: v}, pattern: y}]"
      ]),
      (all) =>
        expect(all.map(({ message }) => message.replace(/ \(set by.*/, ""))).toEqual([
          "There are two log_events named \"b\"; give each a name of its own.",
          "The log event \"a\" has no effect: give it a state, metadata, actions or progress.",
          "The log event \"b\" needs a pattern."
        ])
    ))

  it.effect("a key that the predecessor has given up", () =>
    Effect.map(
      only([], edited("monitoring:\n", "monitoring:\n  log_signals: []\n")),
      (problem) =>
        expect(problem).toEqual({
          at: "/conf/autoexp.yaml:10:3",
          message: "monitoring.log_signals has been removed; attach actions to monitoring.log_events instead.",
          suggestions: ["log_events"]
        })
    ))

  it.effect("an unknown option of a group, in a file and on the command line", () =>
    Effect.gen(function*() {
      expect(yield* only([], edited("slurm: small", "slurm: smal"))).toEqual({
        at: "/conf/autoexp.yaml:3:5",
        message: "There is no config \"smal\" in the group slurm; did you mean \"small\"?",
        suggestions: ["small"]
      })
      expect(yield* only(["slurm=larg"])).toMatchObject({ at: null, suggestions: ["large"] })
    }))

  it.effect("an unknown group, and an unknown config", () =>
    Effect.gen(function*() {
      expect(yield* only([], edited("slurm: small", "slrm: small"))).toMatchObject({
        message: "There is no group \"slrm\"; did you mean \"slurm\"?"
      })
      for (const configRef of ["/elsewhere/x.yaml", "results/resolved_config.json"]) {
        const { message } = yield* Effect.flip(loading([], {}, { configRef }))
        expect(message).toContain(`There is no file ${configRef.startsWith("/") ? configRef : ""}`)
      }
      const { problems } = yield* Effect.flip(loading([], {}, { configRef: "autoxp" }))
      expect(problems[0]).toMatchObject({ message: "There is no config \"autoxp\"; did you mean \"autoexp\"?" })
    }))

  it.effect("a config directory that is not there", () =>
    Effect.map(
      Effect.flip(loading([], {}, { configDir: "/nowhere" })),
      ({ message }) => expect(message).toBe("There is no config directory /nowhere.")
    ))

  it.effect("an override of a key that is not there", () =>
    Effect.map(only(["slurm.sbatch.node=3"]), (problem) =>
      expect(problem.message).toBe(
        "The override \"slurm.sbatch.node=3\" changes nothing: did you mean \"nodes\"? "
          + "To add a key, write +slurm.sbatch.node=3"
      )))

  it.effect("an override that cannot be read, with its column", () =>
    Effect.map(problems(["project.name=a=b"]), ([problem]) =>
      expect(problem).toMatchObject({
        message: expect.stringContaining("\"=\" cannot stand here unquoted"),
        override: { text: "project.name=a=b", column: 15 }
      })))

  it.effect("an interpolation of a key that is not there", () =>
    Effect.map(only([], edited("${project.name}", "${project.nam}")), (problem) =>
      expect(problem).toMatchObject({
        at: "/conf/autoexp.yaml:8:34",
        message: "In backend.args.tag: ${project.nam} finds no \"nam\" in project; did you mean \"name\"?"
      })))

  it.effect("a circle of interpolations, shown", () =>
    Effect.map(
      only(["+metadata.a=${.b}", "+metadata.b=x${.a}"]),
      (problem) =>
        expect(problem.message).toContain("These values need each other: metadata.a -> metadata.b -> metadata.a.")
    ))

  it.effect("a circle of defaults, shown", () =>
    Effect.map(
      only([], { "slurm/small.yaml": "defaults:\n  - large\n", "slurm/large.yaml": "defaults:\n  - small\n" }),
      (problem) => expect(problem.message).toContain("autoexp -> slurm/small -> slurm/large -> slurm/small")
    ))

  it.effect("a key that stands twice", () =>
    Effect.map(
      only([], { "slurm/small.yaml": "template_path: t\narray: true\narray: false\n" }),
      (problem) => expect(problem).toMatchObject({ at: "/conf/slurm/small.yaml:3:1" })
    ))

  it.effect("an alias within what it names", () =>
    Effect.map(
      only([], { "slurm/small.yaml": "template_path: t\nsbatch: &a\n  x: *a\n" }),
      (problem) =>
        expect(problem).toMatchObject({
          at: "/conf/slurm/small.yaml:3:6",
          message: "The alias *a stands within what it names."
        })
    ))

  it.effect("several mistakes are told together", () =>
    Effect.map(
      problems([], {
        "slurm/small.yaml": "template_path: t\naray: true\nclient: {class_name: LocalClient, slots: x}\n",
        "project/default.yaml": "name: demo\nbase_output_dir: o\nresume: 3\n"
      }),
      (all) =>
        expect(all.map(({ file, line }) => `${file}:${line}`)).toEqual([
          "/conf/project/default.yaml:3",
          "/conf/slurm/small.yaml:2",
          "/conf/slurm/small.yaml:3"
        ])
    ))
})
