import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as TestServices from "effect/TestServices"
import * as fs from "node:fs"
import * as path from "node:path"
import type { NewEvent } from "../../src/event/EventRecord.ts"
import { makeAsker } from "../../src/monitor/askCommands.ts"
import * as LiveCommands from "../../src/monitor/LiveCommands.ts"
import { machine, plannedJob } from "../rule/machine.ts"
import { stateDir } from "./world.ts"

/** The first answer that the command of a start condition gives, asked by real processes. */
const firstAnswer = (condition: object, outputDir: string) =>
  Effect.gen(function*() {
    const m = machine({}, [
      plannedJob("a", 0, {
        output_dir: outputDir,
        start_conditions: [{ class_name: "CommandCondition", ...condition }]
      })
    ])
    m.submitAll()
    const answers = yield* Queue.unbounded<NewEvent<"ConditionObserved">>()
    const asker = yield* makeAsker(m.session, (fact) => Queue.offer(answers, fact))
    yield* asker.ask
    const { data } = yield* Queue.take(answers)
    return data
  }).pipe(Effect.provide(LiveCommands.layer), TestServices.provideLive)

describe("a command that is asked", () => {
  it.scoped("gets values as data, whatever is in them, in a shell text and in an argument vector", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      const hostile = path.join(dir, "a \"b\" '; touch pwned $(touch pwned) `touch pwned` \\ *")
      fs.mkdirSync(hostile)
      fs.writeFileSync(path.join(hostile, "go"), "")
      for (const command of ["test -f \"{output_dir}/go\"", ["test", "-f", "{output_dir}/go"]]) {
        expect(yield* firstAnswer({ command, cwd: dir }, hostile)).toMatchObject({ holds: true })
      }
      expect(yield* firstAnswer({ command: "true {output_dir}", cwd: dir }, hostile)).toMatchObject({ holds: true })
      expect(fs.readdirSync(dir)).toEqual([path.basename(hostile)])
    }))

  it.scoped.each([
    ["echo 1", true],
    ["echo 1; exit 3", true],
    ["true", true],
    ["printf ' 1\\n\\n'", true]
  ])("answers yes by the predecessor's rules: %s", ([command]) =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      expect(yield* firstAnswer({ command, answer: "stdout" }, dir)).toMatchObject({ holds: true })
    }))

  it.scoped.each(["echo ready", "echo 0", "echo 10", "false"])(
    "answers no by the predecessor's rules: %s",
    (no) =>
      Effect.gen(function*() {
        const dir = yield* stateDir
        const command = `test -e second && echo 1 && exit; touch second; ${no}`
        const answer = yield* firstAnswer({ command, answer: "stdout", cwd: dir, interval_seconds: 1 }, dir)
        expect(answer).toMatchObject({ holds: true })
        expect(fs.existsSync(path.join(dir, "second"))).toBe(true)
      })
  )

  it.scoped("is killed at its time-out and asked again; one that cannot be started says no", () =>
    Effect.gen(function*() {
      const dir = yield* stateDir
      const command = "test -e second && exit 0; touch second; sleep 600"
      const killed = yield* firstAnswer({ command, cwd: dir, timeout_seconds: 1, interval_seconds: 1 }, dir)
      expect(killed).toMatchObject({ holds: true })
    }))
})
