/** The demo inside an image on the real cluster. Needs an Apptainer besides: `test/apptainer/install`. */
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { bin, inside, isInstalled, makeImages } from "../apptainer/images.ts"
import { type Demo, makeDemo } from "../e2e/demo.ts"
import { clear } from "./support/cluster.ts"
import { environment, type Shown } from "./support/sessions.ts"

afterAll(clear)

describe.skipIf(!isInstalled)("the demo inside an image on SLURM", () => {
  it("ends as it does outside, with what each job needs in its environment", async () => {
    const demo: Demo = makeDemo()
    const images = makeImages()
    try {
      const { code, stderr, stdout } = await demo.run(
        ["run", "slurm=demo", ...inside(path.join(images, "tiny.sif"), demo.folder)],
        { ...environment, PATH: `${bin}:${process.env["PATH"]}` }
      )
      expect(code, stderr + stdout).toBe(0)
      const shown = await demo.json<Shown>(["session", "show", "last"])
      expect(shown.jobs.map(({ outcome }) => outcome)).toEqual(["success", "success", "success", "success"])
      const trainings = demo.starts().filter(({ mode }) => mode === "train")
      expect(new Set(trainings.map(({ job }) => job)).size).toBe(4)
      for (const { attempt, nonce } of trainings) expect([attempt, nonce]).not.toContain("")
    } finally {
      fs.rmSync(images, { recursive: true })
      await demo.remove()
    }
  }, 400_000)
})
