import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import { replaceFile } from "../../src/monitor/replaceFile.ts"

let dir: string
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-replace-"))
})
afterEach(() => fs.rmSync(dir, { recursive: true }))

it("a file that cannot be replaced stays as it was, and no temporary one stays beside it", async () => {
  const file = path.join(dir, "plan.json")
  fs.mkdirSync(file)
  await expect(replaceFile(file, "{}")).rejects.toThrow()
  expect(fs.readdirSync(dir)).toEqual(["plan.json"])
})
