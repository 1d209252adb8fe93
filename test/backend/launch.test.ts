import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { Backend, launch } from "../../src/backend/Backend.ts"
import { PyFloat, type ValueMap } from "../../src/backend/Value.ts"
import { formatTemplate } from "../../src/sweep/format.ts"

const run = (section: unknown, parameters: ValueMap = {}, variables: ValueMap = { name: "toy_0", index: 0 }) =>
  Either.match(
    launch(Schema.decodeUnknownSync(Backend, { onExcessProperty: "error" })(section), {
      parameters,
      render: (template) => formatTemplate(template, variables),
      swept: new Set(),
      size: { nodes: 1, tasks: 1, gpus: 0 },
      env: {},
      argumentTables: null
    }),
    { onLeft: ({ at, message }) => `${at}: ${message}`, onRight: (command) => command }
  )

describe("the null backend", () => {
  it("echoes the parameters", () => {
    expect(run({ class_name: "NullBackend" }, { lr: new PyFloat(1e-5), micro_batch_size: 4 }))
      .toEqual({ argv: ["echo", "--lr", "1e-05", "--micro-batch-size", "4"], env: {} })
  })

  it("takes its texts as they are", () => {
    expect(run({ class_name: "NullBackend", base_command: ["sleep", 5], extra_cli_args: ["{name}"], env: { A: true } }))
      .toEqual({ argv: ["sleep", "5", "{name}"], env: { A: "True" } })
  })
})

describe("the command backend", () => {
  const section = {
    class_name: "CommandBackend",
    command: ["sh", "{name}.sh"],
    args: {
      lr: new PyFloat(0.1),
      save_dir: "/out/{name}",
      verbose: true,
      quiet: false,
      none: null,
      data_path: ["a b", 2, "{index}"],
      empty: []
    },
    extra_cli_args: ["--", "{name}"],
    env: { RUN: "{name}", N: 3, GONE: null }
  }

  it("gives options by the type of their values, texts rendered", () => {
    expect(run(section)).toEqual({
      argv: [
        ...["sh", "toy_0.sh", "--lr", "0.1", "--save-dir", "/out/toy_0", "--verbose"],
        ...["--data-path", "a b", "2", "0", "--", "toy_0"]
      ],
      env: { RUN: "toy_0", N: "3" }
    })
  })

  it("lets parameters win over args, in their place, and renders each text once", () => {
    const toy = { class_name: "CommandBackend", command: ["run"], args: { lr: 1, note: "{note}", last: 2 } }
    expect(run(toy, { lr: "{name}", extra: 7 }, { note: "{name}", name: "toy_0" })).toEqual({
      argv: ["run", "--lr", "{name}", "--note", "{name}", "--last", "2", "--extra", "7"],
      env: {}
    })
  })

  it("names the place of a template that cannot be rendered", () => {
    expect(run({ class_name: "CommandBackend", command: ["sh"], args: { path: ["{nmae}"] } }))
      .toContain("backend.args.path[0]: The name \"nmae\" is unknown here; did you mean \"name\"?")
  })

  it("refuses what no option can hold", () => {
    expect(run({ class_name: "CommandBackend", command: ["sh"] }, { a: { b: 1 } }))
      .toBe("a: {'b': 1} is no value of the option --a")
    expect(run({ class_name: "CommandBackend", command: ["sh"] }, { "": 1 }))
      .toBe(": a value without a name is no option")
  })
})
