import { afterAll, afterEach, beforeAll, describe, expect, it } from "@effect/vitest"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bundle, type LocalCluster, makeCluster } from "./support/localCluster.ts"

let built: string
let cluster: LocalCluster | null = null
const controller = () => join(built, "local-controller.mjs")
const start = (settings?: Parameters<typeof makeCluster>[1]): LocalCluster =>
  cluster = makeCluster(controller(), settings)

beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), "local-controller-"))
  await bundle("src/scheduler/local/controllerMain.ts", controller())
}, 120_000)
afterEach(() => cluster?.dispose())
afterAll(() => rmSync(built, { recursive: true, force: true }))

describe("local cluster", () => {
  it("runs a script and reports its exit code", async () => {
    const { ended, read, script, submit } = start()
    const id = await submit("ok.1.a", script("ok", "echo out; echo err >&2"))
    await submit("bad.1.b", script("bad", "exit 3"))
    expect(await ended("ok.1.a")).toMatchObject([{ id, task: null, state: "COMPLETED", exitCode: 0, signal: null }])
    expect(await ended("bad.1.b")).toMatchObject([{ state: "FAILED", exitCode: 3, signal: null }])
    expect(read(`slurm-${id}.out`)).toBe("out\nerr\n")
  })
})
