/**
 * Whatever happens to a session, in whatever order: what it does is what the manual promises, by a model that counts for
 * itself. A failure prints its seed; `MODEL_SEED=… MODEL_PATH=…` repeat that one, `MODEL_RUNS` says how many are tried.
 */
import * as fc from "fast-check"
import { describe, it, vi } from "vitest"
import { courses, limits } from "./acts.ts"
import { play } from "./play.ts"

vi.mock("node:fs/promises", () => import("../memoryDisk.ts"))

const { MODEL_PATH: path, MODEL_RUNS: runs, MODEL_SEED: seed } = process.env

describe("a session to which anything happens", () => {
  it("does what the manual promises", async () => {
    await fc.assert(fc.asyncProperty(limits, courses, play), {
      numRuns: Number(runs ?? 30),
      ...(seed === undefined ? {} : { seed: Number(seed) }),
      ...(path === undefined ? {} : { path })
    })
  }, Number(runs ?? 30) * 10_000)
})
