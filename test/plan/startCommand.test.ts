import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { planned, toy } from "./toy.ts"

const home = fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-start-"))
afterAll(() => fs.rmSync(home, { recursive: true, force: true }))

describe("start_condition_cmd of a plan", () => {
  it("is a start condition of every job, and may be swept, also to none", async () => {
    const { manifest } = await planned(
      home,
      toy({
        monitoring: { start_condition_cmd: "test -f all", start_condition_interval_seconds: 30 },
        sweep: { axes: { "job.start_condition_cmd": ["test -f one", ""] } }
      })
    )
    expect(manifest.jobs.map(({ start_conditions }) => start_conditions)).toMatchObject([
      [{ class_name: "CommandCondition", command: "test -f one", interval_seconds: 30 }],
      []
    ])
  })

  it("is asked besides the start conditions of the job section", async () => {
    const { manifest } = await planned(
      home,
      toy({
        sweep: {},
        job: {
          start_conditions: [{ class_name: "FileExistsCondition", path: "{output_dir}/go" }],
          start_condition_cmd: "true"
        }
      })
    )
    expect(manifest.jobs[0]?.start_conditions.map(({ class_name }) => class_name)).toEqual([
      "FileExistsCondition",
      "CommandCondition"
    ])
  })
})
