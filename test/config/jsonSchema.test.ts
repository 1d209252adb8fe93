import Ajv from "ajv"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { toPlain } from "../../src/backend/Value.ts"
import { ConfigSchema } from "../../src/config/Config.ts"
import { configJsonSchema } from "../../src/config/jsonSchema.ts"
import { toValue } from "../../src/config/Node.ts"
import { parseYaml } from "../../src/config/yaml.ts"

const configDir = path.resolve(import.meta.dirname, "../../config")
const schemaFile = path.join(configDir, "autoexp.schema.json")

const ajv = new Ajv({ allErrors: true })
ajv.addSchema(configJsonSchema(), "autoexp")

/** What an editor would underline in the YAML text: the paths of the mistakes. */
const marked = (pointer: string, text: string): ReadonlyArray<string> => {
  const node = parseYaml(text, "x.yaml", [])
  ajv.validate(`autoexp#${pointer}`, node === null ? {} : toPlain(toValue(node)) ?? {})
  return [
    ...new Set(
      (ajv.errors ?? []).map(({ dataPath, params }) =>
        "additionalProperty" in params ? `${dataPath}.${params.additionalProperty}` : dataPath
      )
    )
  ]
}

// Files of a group within a group are parts of a section, which have no schema of their own.
const files = fs.readdirSync(configDir, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".yaml") && file.split("/").length < 3)

describe("the schema of configurations", () => {
  it("is shipped as it is (else: autoexp config schema > config/autoexp.schema.json)", () => {
    expect(JSON.parse(fs.readFileSync(schemaFile, "utf8"))).toEqual(configJsonSchema())
  })

  it("has the same keywords in each section, since editors fill in those of the whole", () => {
    const schema = JSON.parse(fs.readFileSync(schemaFile, "utf8"))
    const keywords = Object.keys(schema).filter((keyword) => !keyword.startsWith("$"))
    expect(keywords).toEqual(["type", "properties", "additionalProperties"])
    for (const section of Object.keys(ConfigSchema.fields)) {
      expect(Object.keys(schema.$defs[section]), section).toEqual(expect.arrayContaining(keywords))
    }
  })

  it("is a draft 7 schema", () => {
    expect(ajv.validateSchema(configJsonSchema())).toBe(true)
  })

  it.each(files)("is named by %s, which keeps to it", (file) => {
    const text = fs.readFileSync(path.join(configDir, file), "utf8")
    const lines = text.split("\n")
    const header = lines[0]?.startsWith("# @package") ?? false
    // Hydra heeds a header only above all other comments.
    const [, at = "", pointer = ""] =
      /^# yaml-language-server: \$schema=([^#]+)(?:#(.*))?$/.exec(lines[header ? 1 : 0] ?? "")
        ?? []
    expect(path.resolve(configDir, path.dirname(file), at)).toBe(schemaFile)
    const group = path.dirname(file).split("/")[0] ?? ""
    expect(pointer).toBe(group === "." || lines[0] === "# @package _global_" ? "" : `/$defs/${group}`)
    expect(marked(pointer, text)).toEqual([])
  })
})

describe("an editor", () => {
  it.each([
    ["an unknown section", "", "slrum: {}", [".slrum"]],
    ["an unknown key", "/$defs/slurm", "aray: true", [".aray"]],
    [
      "a key of another class",
      "/$defs/monitoring",
      "state_events: [{name: crash, actions: [{class_name: RestartAction, message: x}]}]",
      [
        ".state_events[0].actions[0].message"
      ]
    ],
    ["a key that no class knows", "/$defs/slurm", "client: {slotz: 3}", [".client.slotz"]],
    ["a value of the wrong type", "/$defs/scheduler", "max_jobs: many", [".max_jobs"]],
    ["a wrong word", "/$defs/monitoring", "state_events: [{name: krash}]", [".state_events[0].name"]],
    ["a wrong class", "/$defs/backend", "class_name: CommandBackedn", [".class_name"]]
  ])("marks %s", (_, pointer, text, places) => {
    expect(marked(pointer, text)).toEqual(expect.arrayContaining(places))
  })

  it.each([
    ["parts of a section", "/$defs/slurm", "client: {slots: 8}"],
    ["an interpolation for a number", "/$defs/scheduler", "max_jobs: ${oc.env:MAX_JOBS}"],
    ["an interpolation for a mapping and a list", "/$defs/monitoring", "log_events: ${x}\nstate_events: [\"${y}\"]"],
    ["what must be given", "/$defs/slurm", "array: ???"],
    [
      "a defaults list",
      "/$defs/backend",
      "defaults: [base, {/slurm: juwels}, {override /x: [a, b]}]\nclass_name: NullBackend"
    ],
    ["any key of an open map", "/$defs/slurm", "sbatch: {anything: [1, {a: b}]}\nenv: {X: 1}"],
    ["an empty optional section", "", "container:\nmetadata:"],
    ["numbers and booleans for texts", "/$defs/slurm", "sbatch_extra_directives: [1, true, x]"]
  ])("lets %s pass", (_, pointer, text) => {
    expect(marked(pointer, text)).toEqual([])
  })
})
