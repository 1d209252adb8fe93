import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { normalise } from "../../src/cli/normalise.ts"
import { parse } from "../../src/cli/parse.ts"
import { type CommandName, commandNames, commandSpec, options, optionsOf } from "../../src/cli/spec.ts"

const words = (line: string): ReadonlyArray<string> => line.split(" ").filter((word) => word !== "")

/** Command, options and operands as the handler gets them; a misfit's sentence as `error`. */
const read = async (argv: ReadonlyArray<string>) => {
  const normalised = normalise(argv)
  if (Either.isLeft(normalised)) return { error: normalised.left.message, suggestions: normalised.left.suggestions }
  if (normalised.right.kind !== "command") return normalised.right
  const parsed = await Effect.runPromise(Effect.either(parse(normalised.right)))
  return Either.isLeft(parsed)
    ? { error: parsed.left.message, suggestions: parsed.left.suggestions }
    : { name: normalised.right.name, ...parsed.right }
}

describe("options and overrides", () => {
  it("come in any order, overrides verbatim", async () => {
    const operands = ["a.b=1", "+c=[1,2]", "~d", "++e=x=y", "group=option", "f="]
    for (
      const line of [
        "run --plan-id p --dry-run -C conf a.b=1 +c=[1,2] ~d ++e=x=y group=option f=",
        "run a.b=1 --plan-id=p +c=[1,2] --dry-run ~d -Cconf ++e=x=y group=option f=",
        "--dry-run --plan-id p run a.b=1 +c=[1,2] ~d ++e=x=y -C=conf group=option -- f="
      ]
    ) {
      expect(await read(words(line))).toMatchObject({
        name: "run",
        operands,
        "plan-id": "p",
        "dry-run": true,
        "config-dir": "conf",
        "no-submit": false,
        manifest: null
      })
    }
  })

  it("that are empty or hold blanks and quotes arrive as they are", async () => {
    expect(await read(["plan", "", "a='b c'", "--plan-id", ""])).toMatchObject({
      operands: ["", "a='b c'"],
      "plan-id": ""
    })
  })

  it("reach the handler for any value, whatever it looks like", async () => {
    const value = FastCheck.oneof(
      FastCheck.string(),
      FastCheck.constantFrom(
        "--json",
        "-x",
        "--",
        "--plan-id",
        "-C",
        "a=b",
        "--unknown=1",
        "--manifest=x",
        "=",
        "--help",
        "--version",
        "--wizard",
        "-h"
      )
    )
    await FastCheck.assert(
      FastCheck.asyncProperty(value, value, async (id, manifest) => {
        expect(await read(["run", `--plan-id=${id}`, "a=1", `--manifest=${manifest}`])).toMatchObject({
          "plan-id": id,
          manifest,
          json: false,
          operands: ["a=1"]
        })
      }),
      { numRuns: 200 }
    )
  })

  it("repeat only where that means something", async () => {
    expect(await read(words("events --session s --job a --job=b --type X"))).toMatchObject({
      job: ["a", "b"],
      type: ["X"]
    })
    expect(await read(words("run --plan-id a --plan-id b"))).toMatchObject({
      error: `--plan-id is given twice: "a" and "b"`
    })
  })

  it("of one letter cluster, and a cluster with an unknown one is refused whole", async () => {
    expect(await read(words("run -hCx"))).toEqual({ kind: "help", words: "run" })
    expect(await read(words("run -qv"))).toMatchObject({ error: "unknown option -qv for autoexp run" })
    expect(await read(words("run -hq"))).toMatchObject({ kind: "help" })
  })

  it("have the types of the table", async () => {
    expect(await read(words("run --array-subset 0,3-5,4"))).toMatchObject({ "array-subset": [0, 3, 4, 5] })
    expect(await read(words("events --session s --since 12"))).toMatchObject({ since: { seq: 12 } })
    expect(await read(words("events --session s --since 2026-11-23T03:12:07Z"))).toMatchObject({
      since: { at: Date.UTC(2026, 10, 23, 3, 12, 7) }
    })
    expect(await read(words("sweep-entry --sweep f --index 3"))).toMatchObject({ index: 3 })
  })
})

describe("a misfit is told with what would fit", () => {
  it.each([
    ["run --confg-ref f a=1", "unknown option --confg-ref for autoexp run", "--config-ref"],
    ["plan --project.name=x", "overrides are written without dashes: project.name=x", "project.name=x"],
    ["session list --once", "unknown option --once for autoexp session list", "autoexp session list --help"],
    ["sesion list", `"sesion" is no command of autoexp`, "autoexp session"],
    ["session bogus", `"bogus" is no command of autoexp session`, "autoexp session list"],
    ["session", "autoexp session needs a command", "autoexp session show"],
    ["PLAN", `"PLAN" is no command of autoexp`, "autoexp plan"],
    ["session show", "autoexp session show needs the ID of a session", "autoexp session show last"],
    ["queue list", "autoexp queue list needs --session", "--session last"],
    ["session show a b", `takes one ID, but was given "b" as well`, null],
    ["session list a", `autoexp session list takes no arguments, but was given "a"`, null],
    ["run --plan-id", "--plan-id needs a value (ID)", null],
    [
      "run --plan-id --dry-run",
      "--plan-id needs a value (ID); a value with a dash is written --plan-id=--dry-run",
      null
    ],
    ["run --dry-run=1", `--dry-run takes no value, but was given "1"`, null],
    ["run -- -x", `"-x" begins with a dash, which no override does`, null],
    ["session show -- --help", `"--help" begins with a dash, which no ID does`, null],
    ["run --wizard", "unknown option --wizard for autoexp run", null],
    ["run --array-subset 5-3", `--array-subset: "5-3" is no list of indices; write them as 0,3-5`, null],
    ["sweep-entry --sweep f --index -1", `--index: "-1" is no index`, null],
    ["events --session s --since soon", `--since: "soon" is neither a record's number nor a time`, null]
  ])("autoexp %s", async (line, error, suggestion) => {
    const misfit = await read(words(line))
    expect(misfit).toMatchObject({ error: expect.stringContaining(error) })
    if (suggestion !== null) expect(misfit).toMatchObject({ suggestions: expect.arrayContaining([suggestion]) })
  })
})

describe("the table", () => {
  it("agrees with the parser: every option of every command arrives under its name", async () => {
    const example: Readonly<Record<string, string>> = {
      "array-subset": "1",
      since: "1",
      to: "1",
      explain: "1",
      index: "1",
      "max-per-stage": "1",
      format: "md",
      hours: "1",
      lines: "1",
      attempt: "1"
    }
    for (const name of commandNames) {
      const argv = optionsOf(name).filter((option) => option !== "help").flatMap((option) =>
        options[option].kind === "flag" ? [`--${option}`] : [`--${option}`, example[option] ?? "x"]
      )
      const operands = {
        none: [],
        ID: ["x"],
        overrides: ["x=1", "y=2"],
        configs: ["x", "y=2"],
        command: ["x=1"],
        jobs: ["x"],
        SHELL: ["x"]
      }[
        commandSpec(name).operands
      ]
      const behind = commandSpec(name).operands === "command" ? ["--", "ls", "--json"] : []
      const given: Readonly<Record<string, unknown>> = await read([
        ...name.split(" "),
        ...argv,
        ...operands,
        ...behind
      ])
      expect(given["name"], name).toBe(name)
      expect(given["operands"], name).toEqual(operands)
      expect(given["command"], name).toEqual(behind.slice(1))
      for (const option of optionsOf(name)) {
        if (option !== "help") expect([null, false, []], `${name} --${option}`).not.toContainEqual(given[option])
      }
    }
  })

  it("has no command that is also a group", () => {
    const names: ReadonlyArray<CommandName> = commandNames
    for (const name of names) expect(names.filter((other) => other.startsWith(`${name} `))).toEqual([])
  })
})
