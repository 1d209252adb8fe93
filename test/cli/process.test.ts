/** The built program as a process: streams, signals and exit codes as shells and batch systems see them. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import * as path from "node:path"
import { machine, plannedJob } from "../rule/machine.ts"
import { keep, temporary } from "./autoexp.ts"

const program = path.resolve(import.meta.dirname, "../../dist/autoexp.js")

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program in `dir`; `onOutput` sees it when its first output has come. */
const start = (
  dir: string,
  argv: ReadonlyArray<string>,
  onOutput: (child: ReturnType<typeof spawn>) => void = () => {}
): Effect.Effect<Ended> =>
  Effect.async<Ended>((resume) => {
    const child = spawn(process.execPath, [program, ...argv], {
      cwd: dir,
      env: { PATH: process.env["PATH"], HOME: dir, XDG_STATE_HOME: dir, FORCE_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let stdout = ""
    let stderr = ""
    child.stdout.once("data", () => onOutput(child))
    child.stdout.on("data", (chunk: Buffer) => stdout += chunk.toString())
    child.stderr.on("data", (chunk: Buffer) => stderr += chunk.toString())
    child.on("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** A directory with a session that nobody watches. */
const session = Effect.gen(function*() {
  const dir = yield* temporary
  const m = machine({}, Array.from({ length: 300 }, (_, at) => plannedJob(`job${at}`, at)))
  m.submitAll()
  yield* keep({ stateDir: dir, planId: "plan" }, m.records)
  return dir
})
const follow = ["events", "--session", "plan", "--state-dir", ".", "--follow", "--json"]

describe("the program", () => {
  it.scoped("writes errors to standard error only, without colours, and ends with 2 on misuse", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      expect(yield* start(dir, ["run", "--confg-ref", "x"])).toEqual({
        code: 2,
        stdout: "",
        stderr: "autoexp: unknown option --confg-ref for autoexp run; did you mean `--config-ref`?\n"
      })
      const { code, stderr, stdout } = yield* start(dir, ["events", "--session", "nothing", "--json"])
      expect([code, stdout]).toEqual([2, ""])
      expect(JSON.parse(stderr).error.code).toBe("unknown")
    }))

  it.scoped("shows compact help of the right level, without colours into a pipe", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      const { code, stderr, stdout } = yield* start(dir, ["session", "list", "--help"])
      expect([code, stderr]).toEqual([0, ""])
      expect(stdout).toMatch(/^autoexp session list: .*\n\nUsage: autoexp session list \[options\]\n/)
      expect(stdout).not.toMatch(/\x1b|\n\n\n/) // eslint-disable-line no-control-regex
      expect((yield* start(dir, [])).stdout).toMatch(/^ {2}session show {2,}\w/m)
      expect((yield* start(dir, ["session", "--help"])).stdout).not.toMatch(/^ {2}(run|queue)/m)
    }))

  it.scoped.each([["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const)(
    "ends quietly on %s with %i",
    ([signal, code]) =>
      Effect.gen(function*() {
        const ended = yield* start(yield* session, follow, (child) => child.kill(signal))
        expect([ended.code, ended.stderr]).toEqual([code, ""])
      })
  )

  it.scoped("ends quietly when nobody reads any more", () =>
    Effect.gen(function*() {
      const dir = yield* session
      const once = follow.filter((word) => word !== "--follow")
      const { code, stderr } = yield* start(dir, [...once], (child) => child.stdout?.destroy())
      expect(stderr).toBe("")
      expect([0, 141]).toContain(code)
    }))
})
