/** `replay --step` on a terminal of its own, whose keys are pressed. */
import { spawnSync } from "node:child_process"
import * as path from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import { type Demo, makeDemo } from "./demo.ts"

const program = path.resolve(import.meta.dirname, "../../dist/autoexp.js")

let demo: Demo
beforeEach(() => {
  demo = makeDemo()
})
afterEach(() => demo.remove())

/** What the terminal shows, the keys that it echoes among it, and how the walk ended. */
const walk = (...lines: ReadonlyArray<string>) => {
  const { status, stdout } = spawnSync("script", [
    "--quiet",
    "--return",
    "--command",
    `"${process.execPath}" "${program}" replay --session oom --step`,
    "/dev/null"
  ], {
    cwd: demo.folder,
    encoding: "utf8",
    env: {
      PATH: process.env["PATH"],
      HOME: demo.folder,
      XDG_STATE_HOME: path.join(demo.folder, "state"),
      TERM: "xterm"
    },
    input: lines.map((line) => `${line}\n`).join("")
  })
  return { status, shown: stdout.replaceAll("\r", "") }
}

it("walks from fact to fact by keys, shows the state, and asks again after a key that it does not know", async () => {
  await demo.run(["run", "--plan-id", "oom", "--config-ref", "experiments/demo_oom"])
  const { shown, status } = walk("d", "p", "x", "j demo_oom", "j nobody", "d")
  expect(status).toBe(0)
  expect(shown.match(/n next fact · d next decision/g)).toHaveLength(2)
  expect(shown).toMatch(
    /fact 3 {2}OperatorRequested: .* asked for submit\n.*decided 4 {2}SubmissionIntended {2}demo_oom#1/
  )
  expect(shown).toMatch(/state after record 4, .*:\n {2}demo_oom: submitting; attempt 1; 0 restarts/)
  expect(shown).toMatch(/fact 5 {2}JobSubmitted {2}demo_oom#1: submitted as 1/)
  expect(shown.match(/the end of the journal/g)).toHaveLength(1)
  expect(shown).not.toContain("decided 19")

  const left = walk("n", "q", "n")
  expect(left.status).toBe(0)
  expect(left.shown.match(/ fact \d/g)).toHaveLength(1)
}, 120_000)
