import * as FileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { describe, expect, it } from "vitest"
import { entryCommand, readSweepEntry, type SweepEntry, type SweepFile } from "../../src/plan/sweepFile.ts"
import { folder } from "./shells.ts"

const entry = (index: number): SweepEntry => ({
  index,
  name: `toy_${index}`,
  output_dir: `/o/toy_${index}`,
  stage: "",
  parameters: { lr: index },
  argv: ["train", "--addr", "$MASTER_ADDR:${PORT}", "a  $(b)", "\\$HOME", "$UNSET"],
  env: { PYTHONPATH: "/src:$PYTHONPATH", PORT: "1", BOTH: "$PORT$PYTHONPATH" },
  config: {},
  without: []
})

const sweep: SweepFile = { version: 1, plan_id: "toy-1", project: "toy", config: {}, points: [entry(3), entry(5)] }

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

  it("says what is wrong with a sweep's file", async () => {
    const file = `${folder()}/sweep.json`
    expect(await read(file, 0)).toBe(`There is no sweep at ${file}.`)
    fs.writeFileSync(file, JSON.stringify({ ...sweep, points: [{ ...entry(0), argv: [] }] }))
    expect(await read(file, 0)).toContain(`${file} is no sweep: points.0.argv.0`)
  })

  it("gets its command and variables with references filled in, as a script of its own would", () => {
    expect(entryCommand(entry(3), { MASTER_ADDR: "n 1", PYTHONPATH: "/lib", HOME: "/h" })).toEqual({
      argv: ["train", "--addr", "n 1:1", "a  $(b)", "$HOME", ""],
      env: { PYTHONPATH: "/src:/lib", PORT: "1", BOTH: "1/src:/lib" }
    })
  })
})
