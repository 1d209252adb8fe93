/** Every kind of mistake, and the place that is told of it. */
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { expect } from "vitest"
import { load } from "../../src/config/load.ts"
import type { Problem } from "../../src/config/Problem.ts"
import { memory } from "./memory.ts"

const sound = {
  "autoexp.yaml": `defaults:
  - slurm: small
  - _self_
project: {name: demo, base_output_dir: out}
backend: {class_name: NullBackend}
monitoring: {}
sweep: {}
metadata: {a: 1, list: [x]}
`,
  "slurm/base.yaml": "template_path: t.sbatch\n",
  "slurm/small.yaml": "defaults:\n  - base\nsbatch:\n  nodes: 1\n",
  "slurm/large.yaml": "template_path: t\nclient: {class_name: LocalClient}\n",
  "other/x.yaml": "a: 1\n"
}

const problems = (files: Readonly<Record<string, string>>, overrides: ReadonlyArray<string>) =>
  load({ configDir: "/conf", configRef: "autoexp", overrides }).pipe(
    Effect.provide(memory({ ...sound, ...files })),
    Effect.match({ onFailure: ({ problems }): ReadonlyArray<Problem> => problems, onSuccess: () => [] })
  )

/** `file:line:column` below the config directory, or the override with the place marked. */
const place = ({ column, file, line, override }: Problem): string => {
  if (override !== null) {
    return `${override.text.slice(0, override.column - 1)}»${override.text.slice(override.column - 1)}`
  }
  return file === null ? "" : `${file.replace("/conf/", "")}:${line}:${column}`
}

type Case = readonly [kind: string, text: string, place: string, message: string]

const base = (text: string): string => `template_path: t.sbatch\n${text}\n`

/** What stands in `slurm/base.yaml` behind its first line. */
const inFiles: ReadonlyArray<Case> = [
  ["yaml", "a: [1", "slurm/base.yaml:3:1", "This is not valid YAML"],
  ["yaml", "array: true\narray: false", "slurm/base.yaml:3:1", "The key \"array\" stands here a second time."],
  ["unsupported_key_type", "null: 1", "slurm/base.yaml:2:1", "The key is null"],
  ["unknown_key", "sbtach: {}", "slurm/base.yaml:2:1", "did you mean \"sbatch\"?"],
  ["unknown_class", "client: {class_name: LoaclClient}", "slurm/base.yaml:2:22", "did you mean \"LocalClient\"?"],
  ["wrong_type", "env: [1]", "slurm/base.yaml:2:1", "slurm.env must be a mapping, not a list."],
  ["wrong_type", "array: often", "slurm/base.yaml:2:8", "slurm.array must be true or false, not 'often'."],
  ["missing_key", "client: {slots: 3}", "slurm/base.yaml:2:1", "\"class_name\" is missing in slurm.client"],
  ["missing_value", "env:\n  A: ???", "slurm/base.yaml:3:6", "as in slurm.env.A=VALUE"],
  ["interpolation_syntax", "env: {A: \"x${b\"}", "slurm/base.yaml:2:10", "cannot be read at column"],
  ["interpolation_key", "env: {A: \"${project.nme}\"}", "slurm/base.yaml:2:10", "did you mean \"name\"?"],
  ["interpolation_key", "env: {A: \"${projct.name}\"}", "slurm/base.yaml:2:10", "did you mean \"project\"?"],
  ["interpolation_resolution", "env: {A: \"${project.name.x}\"}", "slurm/base.yaml:2:10", "is no mapping and no list"],
  [
    "interpolation_cycle",
    "env: {A: \"${.B}\", B: \"${.C}\", C: \"${.A}\"}",
    "slurm/base.yaml:2:34",
    "slurm.env.A -> slurm.env.B -> slurm.env.C -> slurm.env.A"
  ],
  ["unsupported_resolver", "env: {A: \"${oc.evn:HOME}\"}", "slurm/base.yaml:2:10", "did you mean \"oc.env\""],
  ["resolver_error", "env: {A: \"${oc.env:NOT_SET_ANYWHERE}\"}", "slurm/base.yaml:2:10", "NOT_SET_ANYWHERE"]
]

describe("a mistake in a file is told with the place and the chain of defaults", () => {
  it.effect.each(inFiles)(
    "%s: %s",
    ([kind, text, at, message]) =>
      Effect.map(problems({ "slurm/base.yaml": base(text) }, []), (found) => {
        expect(found.map(place)).toEqual([at])
        expect(found[0]).toMatchObject({
          kind,
          message: expect.stringContaining(message),
          chain: ["autoexp", "slurm/small", "slurm/base"]
        })
      })
  )

  it.effect("of what is needed but not given, both ends", () =>
    Effect.map(
      problems({ "slurm/base.yaml": base("env:\n  A: ${.B}\n  B: ???") }, []),
      (found) =>
        expect(found.map((problem) => [problem.kind, place(problem)])).toEqual([
          ["interpolation_missing_value", "slurm/base.yaml:3:6"],
          ["missing_value", "slurm/base.yaml:4:6"]
        ])
    ))
})

/** What stands in `slurm/small.yaml`. */
const defaultsLists: ReadonlyArray<Case> = [
  ["missing_config", "defaults:\n  - bsae", "slurm/small.yaml:2:5", "did you mean \"base\"?"],
  [
    "missing_config",
    "defaults:\n  - /slrum: base",
    "slurm/small.yaml:2:5",
    "There is no group \"slrum\"; did you mean \"slurm\"?"
  ],
  ["mandatory_choice", "defaults:\n  - /slurm@x: ???", "slurm/small.yaml:2:5", "there are base, large, small."],
  ["defaults_cycle", "defaults:\n  - base\n  - small", "slurm/small.yaml:3:5", "autoexp -> slurm/small -> slurm/small"],
  [
    "duplicate_self",
    "defaults:\n  - _self_\n  - base\n  - _self_",
    "slurm/small.yaml:4:5",
    "_self_ stands here a second time."
  ],
  ["duplicate_group", "defaults:\n  - /slurm@_global_.slurm: base", "slurm/small.yaml:2:5", "override slurm: base"],
  ["invalid_defaults_list", "defaults: base", "slurm/small.yaml:1:11", "each entry begins with \"- \""],
  [
    "invalid_defaults_list",
    "defaults:\n  - optinal /slurm@y: base",
    "slurm/small.yaml:2:5",
    "\"optinal\" before a group is no keyword"
  ],
  ["invalid_defaults_list", "defaults:\n  - /slurm@y: 3", "slurm/small.yaml:2:15", "must be a text or a list of texts"],
  [
    "defaults_interpolation",
    "defaults:\n  - /slurm@y: ${project.name}",
    "slurm/small.yaml:2:5",
    "sees the choices of groups, not values"
  ],
  [
    "override_keyword_not_last",
    "defaults:\n  - override /slurm@y: base\n  - base",
    "slurm/small.yaml:2:5",
    "must stand behind all other entries"
  ],
  [
    "group_override_no_match",
    "defaults:\n  - base\n  - override /other: x",
    "slurm/small.yaml:3:5",
    "no defaults list holds it"
  ],
  ["invalid_header", "# @package slurm now", "slurm/small.yaml:1:1", "must hold one word"],
  [
    "merge_error",
    "defaults: [base, large]\nclient: [x]",
    "slurm/small.yaml:2:9",
    "A list cannot be laid over the mapping that is at slurm.client"
  ]
]

describe("a mistake in a defaults list is told with the entry", () => {
  it.effect.each(defaultsLists)(
    "%s: %s",
    ([kind, text, at, message]) =>
      Effect.map(problems({ "slurm/small.yaml": `${text}\n` }, []), (found) => {
        expect(found.map((problem) => [problem.kind, place(problem)])).toContainEqual([kind, at])
        expect(found.map((problem) => problem.message).join("\n")).toContain(message)
      })
  )
})

/** `»` stands before the place. */
const inOverrides: ReadonlyArray<readonly [kind: string, text: string, message: string]> = [
  ["override_syntax", "project.name=a»=b", "cannot stand here unquoted"],
  ["override_syntax", "metadata.a=»[1,2", "not closed"],
  ["override_syntax", "project.name»", "\"=\" and a value are missing"],
  ["override_syntax", "project»..name=x", "a key is dotted names"],
  ["override_syntax", "metadata.a=»itn(1)", "there is no function itn; did you mean \"int\"?"],
  ["override_syntax", "metadata.a=»thing(1)", "there is no function thing; known: int, float, str, bool."],
  ["sweep_not_supported", "metadata.a=»1,2", "write key=[a,b] for a list"],
  ["sweep_not_supported", "metadata.a=»choice(1,2)", "sweep.axes"],
  ["override_no_match", "project.»nam=x", "did you mean \"name\"?"],
  ["override_no_match", "project={»nam: x}", "did you mean \"name\"?"],
  ["append_exists", "+»metadata.a=2", "write metadata.a=2"],
  ["delete_no_match", "~»metadata.b", "there is no metadata.b"],
  ["delete_no_match", "~metadata.a=»2", "metadata.a is 1, not 2"],
  ["merge_error", "metadata.list.»3=x", "finds no \"3\" in a list of 1"],
  ["type_error", "~»metadata.list.0", "cannot delete from a list"],
  ["missing_config", "slurm=»lrage", "did you mean \"large\"?"],
  ["group_override_type", "slurm=»3", "there are base, large, small."],
  ["group_override_no_match", "other=»x", "to add it write +other=x"],
  ["unknown_group", "»slrum@package=base", "there is no group \"slrum\"; did you mean \"slurm\"?"],
  ["override_no_match", "slurm@y=»base", "did you mean slurm?"],
  ["force_add_group", "++»slurm=base", "write +slurm=base"],
  ["unknown_key", "+slurm.»sbtach=1", "did you mean \"sbatch\"?"],
  ["unknown_key", "+slurm.client={class_name: LocalClient, »slotz: 1}", "did you mean \"slots\"?"],
  ["unknown_class", "backend.class_name=»NullBackedn", "did you mean \"NullBackend\"?"],
  ["wrong_type", "+slurm.array=»often", "must be true or false"],
  ["wrong_type", "+monitoring.output_paths=[a, »{b: c}]", "must be a text"],
  ["interpolation_key", "metadata.a=»${project.nam}", "did you mean \"name\"?"],
  ["interpolation_cycle", "metadata.a=»${metadata.a}", "metadata.a -> metadata.a"],
  ["rule", "+monitoring.log_events=[{name: a, pattern: »'(', metadata: {b: c}}]", "is wrong at column"],
  ["template", "+monitoring.log_path_template=»'{output_dri}/x'", "did you mean \"output_dir\"?"],
  ["template", "+monitoring.output_paths=[x, »'{log_pth}']", "did you mean \"log_path\"?"],
  [
    "template",
    "+job.start_conditions=[{class_name: CommandCondition, command: »'test -f {outptu_dir}/x'}]",
    "did you mean \"output_dir\"?"
  ],
  ["template", "+sweep.name_template=»'{idx}'", "known: project, index, stage."],
  ["sweep", "+sweep.axes={lr: »[]}", "sweep.axes.lr: the list is empty"]
]

describe("a mistake in an override is told with the place in its text", () => {
  it.effect.each(inOverrides)(
    "%s: %s",
    ([kind, marked, message]) =>
      Effect.map(problems({}, [marked.replace("»", "")]), (found) => {
        expect(found.map((problem) => [problem.kind, place(problem)])).toEqual([[kind, marked]])
        expect(found[0]?.message).toContain(message)
        expect(found[0]?.message).not.toMatch(/[.?]\.$/)
      })
  )
})

describe("mistakes are told together", () => {
  it.effect("of overrides, values, interpolations, rules and templates", () =>
    Effect.map(
      problems({
        "slurm/base.yaml": base("sbtach: {}\nenv: {A: \"${project.nme}\"}"),
        "slurm/small.yaml": "defaults: [base]\narray: often\n"
      }, [
        "projct.name=x",
        "project.name=a=b",
        "+sweep.axes={lr: [1]}",
        "+sweep.name_template='{l}'",
        "+monitoring.output_paths=3"
      ]),
      (found) =>
        expect(found.map(place).sort()).toEqual([
          "+monitoring.output_paths=»3",
          "project.name=a»=b",
          "slurm/base.yaml:2:1",
          "slurm/small.yaml:2:8",
          "»projct.name=x"
        ])
    ))

  it.effect("but not what follows from an override that could not be applied", () =>
    Effect.map(
      problems({ "slurm/base.yaml": base("env:\n  A: ???\n  B: ${metadata.new}") }, [
        "slurm.env.A=a=b",
        "+metadata.new=a=b"
      ]),
      (found) => expect(found.map(place)).toEqual(["slurm.env.A=a»=b", "+metadata.new=a»=b"])
    ))

  it.effect("several in one file", () =>
    Effect.map(
      problems({ "slurm/small.yaml": "defaults:\n  - bsae\n  - lrage\n" }, ["slurm@y=base"]),
      (found) =>
        expect(found.map(place).sort()).toEqual(["slurm/small.yaml:2:5", "slurm/small.yaml:3:5", "slurm@y=»base"])
    ))
})
