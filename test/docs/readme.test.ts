/** The README's session, typed into a shell word by word: the built program, the shipped config, real processes. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import { type Demo, makeDemo } from "../e2e/demo.ts"
import { blocksOf, examplesOf, pattern } from "./examples.ts"

const root = path.resolve(import.meta.dirname, "../..")

let demo: Demo
beforeEach(() => {
  demo = makeDemo()
  fs.symlinkSync(path.join(root, "config"), path.join(demo.folder, "config"))
})
afterEach(() => demo.remove())

/** When it was, at which records, and how far a run came before somebody looked. */
const anyNumber = (source: string): string =>
  source.replace(/\d{4}-\d\d-\d\dT[\d:]+\\\.\d+Z/g, "\\S+").replace(/(?<!\\)\b\d+(?:\\\.\d+)?/g, "[\\d.]+")

it("the README debugs a monitor, from question to answer, as anybody can", () => {
  const page = fs.readFileSync(path.join(root, "README.md"), "utf8")
  const examples = examplesOf(blocksOf(page))
  expect(examples.map(({ line }) => line.split(" ")[0])).toEqual(
    ["run", "status", "explain", "backtest", "replay", "replay", "audit", "audit"]
  )
  for (const { expected, line } of examples) {
    const { stderr, stdout } = spawnSync("bash", [
      "-c",
      `autoexp() { node "${root}/dist/autoexp.js" "$@"; }\nautoexp ${line}`
    ], {
      cwd: demo.folder,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: demo.folder, XDG_STATE_HOME: path.join(demo.folder, "state") }
    })
    expect(stdout + stderr, line).toMatch(pattern(expected, anyNumber))
  }
}, 120_000)
