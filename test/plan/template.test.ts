import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { renderScript, type ScriptParts, type ScriptSettings } from "../../src/plan/sbatch.ts"
import { renderTemplate, shellText } from "../../src/plan/template.ts"
import { folder, nulEnded, printArguments, run } from "./shells.ts"

const render = (template: string, data: Readonly<Record<string, string>>, code: string | null = null): string =>
  Either.getOrThrow(renderTemplate(template, { data, code: code === null ? {} : { code: shellText(code) } }))

/** What bash makes of a script. */
const bash = async (text: string, env: Readonly<Record<string, string>> = {}) => {
  const file = path.join(folder(), "script")
  fs.writeFileSync(file, text)
  const { code, stderr, stdout } = await run(["bash", "-u", file], env)
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
  return stdout
}

const nasty = "a  b 'c' \"d\" $HOME ${HOME} $(id) `id` \\ * ? ; & | < > ( ) { } # ! ~ é\n\ttwo\\\n"

/** Any text that can be an argument, rich in what shells read. */
const text = FastCheck.array(
  FastCheck.oneof(
    FastCheck.constantFrom(..."'\"$`\\{}()[]#!~*?;&|<> \t\n=,%^", "$HOME", "$(", "${", "EOF", "\\\n", "'\\''"),
    FastCheck.string({ maxLength: 3 }).map((part) => part.replaceAll("\0", ""))
  ),
  { maxLength: 20 }
).map((parts) => parts.join(""))

describe("a value arrives unchanged wherever its name stands", () => {
  const places: ReadonlyArray<readonly [string, string]> = [
    ["as a word", "printf '%s\\0' {value}"],
    ["beside other text", "printf '%s\\0' {value}\"\""],
    ["in single quotes", "printf '%s\\0' '{value}'"],
    ["in double quotes", "printf '%s\\0' \"{value}\""],
    ["in a command of bash -c", "bash -c '{code}'"],
    ["in a command of bash -c in double quotes", "bash -c \"{code}\""],
    ["in a substitution in quotes", "printf '%s\\0' \"$(printf %s {value}; echo .)\" | sed -z 's/\\.$//'"],
    ["in what an unset variable stands for", "printf '%s\\0' ${NONE:-{value}}"],
    ["behind quotes in quotes", "X=it\\'s; Y=\"don't\"; # and don't forget\nprintf '%s\\0' '{value}'"]
  ]

  it.each(places)("%s", async (_, line) => {
    const values = FastCheck.sample(text, { numRuns: 40, seed: 7 })
    const script = [nasty, ...values].map((value) =>
      render(line, { value }, `printf '%s\\0' ${render("{value}", { value })}`)
    ).join("\n")
    expect(nulEnded(await bash(script, { HOME: "/home/me" }))).toEqual([nasty, ...values])
  })

  it.each([["EOF"], ["'EOF'"]])("in a here-document of %s", async (delimiter) => {
    const template = `cat <<${delimiter}\nit's "{value}"\nEOF\nprintf '%s' '{value}'`
    expect(await bash(render(template, { value: nasty }))).toBe(`it's "${nasty}"\n${nasty}`)
  })
})

describe("the braces of a template", () => {
  it("W-37: are the shell's in ${VAR}, in groups and in functions", async () => {
    const template = [
      "f() { echo \"${1:-none}\" \"${HOME}\" \"${#HOME}\" \"${HOME%/*}\" \"${A:-${HOME}}\"; }",
      "f; f {value}",
      "{ echo ${{HOME}} ${HOME}/{value}; }",
      "awk 'BEGIN {{ print \"{value}\" }}'"
    ].join("\n")
    expect(await bash(render(template, { value: "v" }), { HOME: "/h/me" })).toBe(
      "none /h/me 5 /h /h/me\nv /h/me 5 /h /h/me\n/h/me /h/me/v\nv\n"
    )
  })

  it("with an unknown name in them are a mistake, and its place is told", () => {
    const fault = renderTemplate("${A} 'x {nme}'", { data: { name: "n" }, code: {} })
    expect(Either.getLeft(fault)).toMatchObject({
      value: { offset: 9, message: expect.stringContaining("The name \"nme\" is unknown here") }
    })
  })

  it("in quoted references of the shell take only what means nothing there", async () => {
    expect(await bash(render("echo \"${NONE:-/a/{value}}\"", { value: "b-1.0" }))).toBe("/a/b-1.0\n")
    expect(Either.isLeft(renderTemplate("\"${NONE:-{value}}\"", { data: { value: "}" }, code: {} }))).toBe(true)
  })

  it("in a comment take no line breaks, which would end it", () => {
    expect(render("# {value}", { value: "$(id) 'a" })).toBe("# $(id) 'a")
    expect(Either.isLeft(renderTemplate("x # {value}", { data: { value: "a\nrm -rf x" }, code: {} }))).toBe(true)
  })
})

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

const rendered = (template: string, settings: Partial<ScriptSettings>, more: Partial<ScriptParts> = {}) => {
  const outputDir = folder()
  const parts: ScriptParts = {
    planId: "p",
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
  const file = { path: "t.sbatch", text: `#!/bin/bash\n{sbatch_directives}\n\n${template}\n` }
  return renderScript(file, { ...bare, ...settings }, parts)
}

/** What the script's programs print. */
const runs = async (template: string, settings: Partial<ScriptSettings>, more: Partial<ScriptParts> = {}) => {
  const file = path.join(folder(), "job.sbatch")
  fs.writeFileSync(file, Either.getOrThrow(rendered(template, settings, more)))
  const { code, stdout } = await run(["bash", file], { HOME: "/h  o" })
  expect(code).toBe(0)
  return nulEnded(stdout)
}

describe("the launcher's markers", () => {
  const env = { FROM_BACKEND: nasty.replace("$HOME ${HOME}", "$HOME") }
  const seen = env.FROM_BACKEND.replace("$HOME", "/h  o")
  const settings = {
    env: { HOSTS: "$(echo 'n 1')" },
    binds: ["/data x:/data", "$HOME/$(echo y)"],
    launcher_cmd: `printf '%s\\0' {{bind_flags}}{{env_flags}}image`
  }
  const flags = ["--bind", "/data x:/data", "--bind", "/h  o/y"]
  const variables = ["env", "HOSTS=n 1", `FROM_BACKEND=${seen}`]

  it.each([
    ["plain", "{env_exports}\n{launcher_cmd}"],
    ["in bash -c", "{env_exports}\nbash -c '{launcher_cmd}'"],
    ["in bash -c with more", "{env_exports}\nbash -c 'true && {launcher} {backend_cmd}'"]
  ])("bring mounts and variables to the container's program, %s", async (_, template) => {
    expect(await runs(template, settings, { env, argv: ["train", "it's"] })).toEqual([
      ...flags,
      "image",
      ...variables,
      "train",
      "it's"
    ])
  })

  it("{{env_exports}} bring the values where srun passes no environment on", async () => {
    const template = "{env_exports}\nenv -i PATH=\"$PATH\" bash -c '{launcher_cmd}'"
    const argv = [...printArguments, "$HOSTS", "$FROM_BACKEND"]
    expect(await runs(template, { ...settings, launcher_cmd: "{{env_exports}}" }, { env, argv })).toEqual(["n 1", seen])
    expect(await runs(template.replaceAll("'", "\""), { ...settings, launcher_cmd: "{{env_exports}}" }, { env, argv }))
      .toEqual(["n 1", seen])
    expect(await runs("{env_exports}\n{launcher_cmd}", { ...settings, launcher_cmd: "{{env_exports}}" }, { env, argv }))
      .toEqual(["n 1", seen])
  })

  it("{launcher_env_flags} bring variables into templates that write the container's command themselves", async () => {
    expect(
      await runs("{env_exports}\nprintf '%s\\0' {launcher_env_flags}image {backend_cmd}", { env: { A: "$((1 + 1))" } })
    )
      .toEqual(["image", "env", "A=2", "true"])
  })

  it("that are unknown are a mistake", () => {
    const script = rendered("{launcher_cmd}", { launcher_cmd: "run {{env_flag}}" })
    expect(Either.getLeft(script)).toMatchObject({
      value: { at: "slurm.launcher_cmd", message: expect.stringContaining("there is no marker {{env_flag}}") }
    })
  })

  it("in arguments are data", async () => {
    expect(await runs("{launcher_cmd}", { binds: ["/x"] }, { argv: [...printArguments, "{{bind_flags}}", "{name}"] }))
      .toEqual(["{{bind_flags}}", "{name}"])
  })
})

it("a template may name what is set of monitoring, as commands and as values", async () => {
  const variables = { termination_command: "printf '%s\\0' \"$HOME\"", termination_string: nasty, lr: "1e-05" }
  expect(
    await runs("{termination_command}; printf '%s\\0' {termination_string} {lr}; {launcher_cmd}", {}, { variables })
  )
    .toEqual(["/h  o", nasty, "1e-05"])
})
