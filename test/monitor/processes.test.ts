import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as MemoryJournal from "../../src/journal/MemoryJournal.ts"
import * as LiveCommands from "../../src/monitor/LiveCommands.ts"
import { ask } from "../../src/monitor/sessions.ts"
import { Commands } from "../../src/port/Commands.ts"
import { Journal } from "../../src/port/Journal.ts"
import { ending } from "../../src/report/ending.ts"
import { machine } from "../rule/machine.ts"
import { runClock } from "./world.ts"

const run = (script: string, timeoutSeconds = 60) =>
  Effect.flatMap(
    Commands,
    (commands) => commands.run({ argv: ["sh", "-c", script], cwd: null, env: {}, timeoutSeconds })
  ).pipe(
    Effect.provide(LiveCommands.layer)
  )

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe("a command", () => {
  it.live("has ended with its program, although a child it left behind holds its output", () =>
    Effect.gen(function*() {
      const { exitCode, stdout } = yield* run("sleep 300 & echo $!")
      const pid = Number(stdout)
      expect([exitCode, isAlive(pid)]).toEqual([0, true])
      process.kill(pid, "SIGKILL")
    }))

  it.live("fails with a sentence that names the value where one holds what no program can be given", () =>
    Effect.gen(function*() {
      const { run } = yield* Commands
      const asked = { cwd: null, timeoutSeconds: 60 }
      const argument = yield* Effect.flip(run({ ...asked, argv: ["echo", "a", "/ckpt\0/1"], env: {} }))
      expect(argument.message).toBe(
        "argument 2 of \"echo\" holds a NUL character, which no program can be given: \"/ckpt\\u0000/1\""
      )
      const value = yield* Effect.flip(run({ ...asked, argv: ["env"], env: { V: "x\0" } }))
      expect(value.message).toBe("the value \"x\\u0000\" holds a NUL character, which no program can be given")
    }).pipe(Effect.provide(LiveCommands.layer)))

  it.live("is killed when its time is over", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(run("sleep 300", 0.2))
      expect(error.message).toContain("did not end within 0.2 s")
    }))

  it.live(
    "is killed when its time is over also where nobody may interrupt it, as a submission",
    () =>
      Effect.gen(function*() {
        const begun = Date.now()
        const error = yield* Effect.uninterruptible(Effect.flip(run("exec sleep 120", 0.2)))
        expect(error.message).toContain("did not end within 0.2 s")
        expect(Date.now() - begun).toBeLessThan(100_000)
      }),
    150_000
  )
})

describe("a request", () => {
  it.effect("that the holder does not take is withdrawn, and says so", () =>
    Effect.scoped(Effect.gen(function*() {
      const journal = yield* Journal
      const place = { stateDir: "/state", planId: "plan" }
      const m = machine({})
      const writer = yield* journal.hold(place, { takeover: false })
      const [opened] = m.records
      yield* writer.append(opened?.at ?? "", [{ type: "SessionOpened", data: opened?.data }])
      const asking = yield* Effect.fork(ask(place, { kind: "queue_retry", queue_id: "q1" }))
      yield* runClock(asking, 60)
      const answer = yield* Fiber.join(asking)
      expect(answer.accepted).toBe(false)
      expect(answer.why).toContain("withdrawn")
      expect(yield* journal.inbox(place)).toEqual([])
    })).pipe(Effect.provide(MemoryJournal.layer)))
})

it("a failed inline action is told at the end", () => {
  const m = machine({
    log_events: [{ name: "x", pattern: "x", actions: [{ class_name: "RunCommandAction", command: ["f"] }] }]
  })
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  m.log([{ rule: "x" }])
  const [action_id = ""] = m.session.actions.keys()
  m.fact("ActionFinished", { action_id, outcome: { status: "failed", result: {} } })
  expect(ending(m.session).join("\n")).toContain("a: an action because of x failed")
})
