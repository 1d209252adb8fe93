import * as FileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { decodeManifest, type Manifest, planOutput, readManifest } from "../../src/plan/Manifest.ts"
import { folder } from "./shells.ts"

const manifest: Manifest = {
  version: 1,
  plan_id: "toy-1",
  session: null,
  created_at: "2026-11-23T03:12:07.114Z",
  tool_version: "0.1.0",
  project: "toy",
  config_ref: "autoexp",
  config_dir: "/c",
  overrides: [],
  cwd: null,
  sources: [],
  base_output_dir: "/o",
  monitoring_state_dir: "/m",
  config: {},
  jobs: [{
    name: "toy_0",
    index: 0,
    parameters: { lr: 0.1 },
    script: "/o/toy_0.toy-1.sbatch",
    array: false,
    task: null,
    log_path: "/o/toy_0/slurm-%j.out",
    output_dir: "/o/toy_0",
    output_paths: [],
    stage: "",
    identity: "",
    needs: [],
    start_conditions: [],
    cancel_conditions: [],
    finish_conditions: [],
    rule_set: null
  }],
  array: null,
  arrays: [],
  sweep: null,
  monitoring: { log_events: [{ name: "saved", pattern: "saved (?P<path>\\S+)", metadata: { kind: "checkpoint" } }] },
  scheduler: {
    client: { class_name: "LocalClient" },
    max_jobs: null,
    settle_seconds: 10,
    submit_rate_limit_seconds: null,
    breaker: null
  },
  rule_sets: [],
  budget: null,
  parent: null
}

const refusal = (text: string): string => Either.getOrThrow(Either.flip(decodeManifest("/m/toy-1.json", text))).message

describe("a manifest", () => {
  it("reads back as it was written", () => {
    expect(decodeManifest("/m/toy-1.json", JSON.stringify(manifest))).toEqual(Either.right(manifest))
  })

  it("that is no JSON says so", () => {
    expect(refusal(JSON.stringify(manifest).slice(0, 100))).toBe(
      "/m/toy-1.json is no manifest: it is not JSON (was it cut off while being copied?)."
    )
  })

  it("of another version says so, and what to do", () => {
    expect(refusal(JSON.stringify({ ...manifest, version: 2 }))).toBe(
      "/m/toy-1.json is a manifest of version 2; this autoexp reads version 1. " +
        "Plan again, or use the autoexp that wrote it."
    )
  })

  it.each([
    [{ ...manifest, jobs: [{ ...manifest.jobs[0], index: "x" }] }, "jobs.0.index"],
    [{ ...manifest, jobs: [] }, "jobs.0"],
    [{ ...manifest, monitoring: { log_events: [{}] } }, "monitoring.log_events.0.name"],
    [[], "Expected"]
  ])("with a wrong value names its place", (document, place) => {
    expect(refusal(JSON.stringify(document))).toContain(`/m/toy-1.json is no manifest: ${place}`)
  })

  it("that is missing or unreadable says which file", async () => {
    const home = folder()
    const message = (file: string) =>
      Effect.runPromise(Effect.provide(Effect.flip(readManifest(file)), FileSystem.layer)).then((error) =>
        error.message
      )
    expect(await message(`${home}/none.json`)).toBe(`There is no manifest at ${home}/none.json.`)
    fs.mkdirSync(path.join(home, "dir.json"))
    expect(await message(`${home}/dir.json`)).toContain(`The manifest at ${home}/dir.json cannot be read`)
  })

  it("is printed with what users script against", () => {
    expect(planOutput(manifest, "/m/toy-1.json")).toEqual({
      plan_id: "toy-1",
      manifest: "/m/toy-1.json",
      project: "toy",
      jobs: [{
        name: "toy_0",
        index: 0,
        stage: "",
        parameters: { lr: 0.1 },
        needs: [],
        script: "/o/toy_0.toy-1.sbatch",
        log_path: "/o/toy_0/slurm-%j.out",
        output_dir: "/o/toy_0"
      }],
      array: null,
      arrays: [],
      sweep: null
    })
  })
})
