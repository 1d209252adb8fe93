import * as FileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { describe, expect, it } from "vitest"
import {
  entryCommand,
  readSweep,
  readSweepEntry,
  type SweepEntry,
  type SweepFile,
  sweepText
} from "../../src/plan/sweepFile.ts"
import { folder } from "./shells.ts"

const entry = (index: number): SweepEntry => ({
  index,
  name: `toy_${index}`,
  output_dir: `/o/toy_${index}`,
  stage: "",
  parameters: { lr: index },
  argv: ["train", "--addr", "$MASTER_ADDR:${PORT}", "a  $(b)", "\\$HOME", "$UNSET"],
  env: { PYTHONPATH: "/src:$PYTHONPATH", PORT: "1", BOTH: "$PORT$PYTHONPATH" },
  slurm_env: null,
  container_env: null,
  config: {},
  without: []
})

const sweep: SweepFile = {
  version: 1,
  plan_id: "toy-1",
  project: "toy",
  config: {},
  slurm_env: null,
  container_env: null,
  points: [entry(3), entry(5)]
}

const read = (file: string, index: number) =>
  Effect.runPromise(Effect.provide(
    readSweepEntry(file, index).pipe(Effect.catchAll(({ message }) => Effect.succeed(message))),
    FileSystem.layer
  ))

describe("an array task", () => {
  it("finds its point by the index in the whole sweep, never by its place", async () => {
    const file = `${folder()}/sweep-toy-1.json`
    fs.writeFileSync(file, JSON.stringify(sweep))
    expect(await read(file, 5)).toEqual(entry(5))
    expect(await read(file, 0)).toBe(`The sweep at ${file} has no point 0; it has 3,5.`)
    expect(await read(file, -1)).toBe(`The sweep at ${file} has no point -1; it has 3,5.`)
  })

  it("reads its own line of what autoexp writes, whatever stands in the others", async () => {
    const file = `${folder()}/sweep.json`
    const nasty = {
      ...entry(15),
      argv: ["\n    {\"index\":5,"] as const,
      config: { "slurm.time": "2" },
      without: ["a.b"]
    }
    fs.writeFileSync(
      file,
      sweepText({ ...sweep, config: { text: "\n    {\"index\":5,\"" }, points: [nasty, ...sweep.points] })
    )
    expect(await read(file, 5)).toEqual(entry(5))
    expect(await read(file, 15)).toEqual(nasty)
    const whole = await Effect.runPromise(Effect.provide(readSweep(file), FileSystem.layer))
    expect(whole.points).toEqual([nasty, ...sweep.points])
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace("{\"index\":3,", "{\"index\":3,!"))
    expect(await read(file, 5)).toEqual(entry(5))
    expect(await read(file, 1)).toContain("it is not JSON")
  })

  it("says what is wrong with a sweep's file", async () => {
    const file = `${folder()}/sweep.json`
    expect(await read(file, 0)).toBe(`There is no sweep at ${file}.`)
    fs.writeFileSync(file, JSON.stringify({ ...sweep, points: [{ ...entry(0), argv: [] }] }))
    expect(await read(file, 0)).toContain(`${file} is no sweep: points.0.argv.0`)
  })

  it("W-12: gets its command and variables with references filled in, as a script of its own would", () => {
    expect(entryCommand(entry(3), { MASTER_ADDR: "n 1", PYTHONPATH: "/lib", HOME: "/h" })).toEqual({
      argv: ["train", "--addr", "n 1:1", "a  $(b)", "$HOME", ""],
      env: { PYTHONPATH: "/src:/lib", PORT: "1", BOTH: "1/src:/lib" }
    })
  })
})
