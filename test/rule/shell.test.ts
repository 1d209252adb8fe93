import * as Either from "effect/Either"
import { execFileSync } from "node:child_process"
import { describe, expect, it } from "vitest"
import { renderAction } from "../../src/action/actions.ts"
import { machine, types } from "./machine.ts"

const hostile = ["a b", "$(touch /tmp/owned)", "`id`", "'; echo owned; '", "\"; echo owned; \"", "*", "\\", "{attempt}"]

const ran = (command: string, value: string): string => {
  const rendered = Either.getOrThrow(
    renderAction(
      { class_name: "RunCommandAction", command, shell: true, env: {}, cwd: null, timeout_seconds: 1 },
      { value },
      {}
    )
  )
  if (rendered.class_name !== "RunCommandAction" || typeof rendered.command === "string") return expect.unreachable()
  const [program, ...argv] = rendered.command
  return execFileSync(program, argv, { env: { PATH: process.env["PATH"], ...rendered.env }, encoding: "utf8" })
}

describe("a command for a shell", () => {
  it.each(hostile)("gives the value %s as one argument, however the author quotes it", (value) => {
    for (const place of ["{value}", "\"{value}\"", "'{value}'"]) {
      expect(ran(`printf '<%s>' ${place}`, value), place).toBe(`<${value}>`)
      expect(ran(`printf '<%s>' x${place}y`, value), place).toBe(`<x${value}y>`)
    }
  })
})

describe("a command without a shell", () => {
  it("W-24: takes hostile text of a log, braces and all, as one argument and renders it once", () => {
    const rules = {
      log_events: [{
        name: "saved",
        pattern: "x",
        actions: [{ class_name: "RunCommandAction" as const, command: ["evaluate", "{path}"] as const }]
      }]
    }
    const m = machine(rules)
    m.submitAll()
    m.accept()
    m.state("RUNNING")
    for (const path of hostile) {
      const decisions = m.log([{ rule: "saved", groups: { path } }])
      expect(types(decisions)).toEqual(["EventRaised", "ActionStarted"])
      expect(decisions[1]?.data).toMatchObject({ action: { command: ["evaluate", path] } })
    }
  })
})
