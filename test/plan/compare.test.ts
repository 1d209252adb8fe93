import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { comparePlans, type RecordedPlan } from "../../src/plan/compare.ts"
import type { PlannedFiles } from "../../src/plan/PlannedFiles.ts"
import { SweepFile } from "../../src/plan/sweepFile.ts"
import { folder } from "./shells.ts"
import { planned, toy } from "./toy.ts"

const recorded = ({ files, manifest }: PlannedFiles): RecordedPlan => {
  const text = files.find(({ path }) => path === manifest.sweep)?.text ?? ""
  const sweep = manifest.sweep === null
    ? null
    : Either.getOrThrow(Schema.decodeUnknownEither(Schema.parseJson(SweepFile))(text))
  return { manifest, sweep }
}

const tree = toy({
  slurm: { sbatch: { time: "1", nodes: 1 } },
  sweep: { axes: { "slurm.sbatch.nodes": [1, 2], lr: [0.1, 0.2] }, name_template: "{project}_{index}_{lr}" }
})

const change = async (overrides: ReadonlyArray<string>, after = tree) => {
  const home = folder()
  return comparePlans(recorded(await planned(home, tree)), recorded(await planned(home, after, {}, overrides)))
}

describe("a session's plan against a new one", () => {
  it("is the same if nothing changed", async () => {
    expect(await change([])).toEqual({ touched: [], added: [], gone: [], same: 4 })
  })

  it("names the jobs that a changed value touches, and where", async () => {
    const { touched } = await change(["slurm.sbatch.time='2'"])
    expect(touched.map(({ index, keys }) => [index, keys])).toEqual(
      [0, 1, 2, 3].map((at) => [at, ["slurm.sbatch.time"]])
    )
  })

  it("does not name those which set the value themselves", async () => {
    const before = toy({ backend: { env: { A: "1" } }, sweep: { axes: [{ "backend.env.A": ["2"] }, { lr: [1] }] } })
    const after = toy({ backend: { env: { A: "3" } }, sweep: { axes: [{ "backend.env.A": ["2"] }, { lr: [1] }] } })
    const home = folder()
    const { same, touched } = comparePlans(recorded(await planned(home, before)), recorded(await planned(home, after)))
    expect({ same, touched }).toEqual({
      same: 1,
      touched: [{ name: "toy_1", index: 1, keys: ["backend.env.A"] }]
    })
  })

  it("finds jobs by what they are, whatever their place and name", async () => {
    const { added, gone, same, touched } = await change(
      [],
      toy({
        slurm: { sbatch: { time: "1", nodes: 1 } },
        sweep: { axes: { lr: [0.2, 0.3], "slurm.sbatch.nodes": [2] }, name_template: "other_{index}" }
      })
    )
    expect({ added, gone, same, touched: touched.map(({ name }) => name) }).toEqual({
      added: ["other_1"],
      gone: ["toy_0_0.1", "toy_1_0.2", "toy_2_0.1"],
      same: 1,
      touched: []
    })
  })
})
