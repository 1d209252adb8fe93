import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as path from "node:path"
import type { Value, ValueMap } from "../../src/backend/Value.ts"
import { layer } from "../../src/config/ConfigFiles.ts"
import { load } from "../../src/config/load.ts"

const read = (overrides: ReadonlyArray<string>) =>
  load(
    { configDir: path.join(import.meta.dirname, "../../config"), configRef: "autoexp", overrides },
    Effect.succeed(0)
  ).pipe(Effect.provide(layer))

const setting = (parameters: ValueMap) => ({ index: 0, stage: "", parameters, siblings: {} })

describe("a sweep's point", () => {
  it.effect.each<readonly [string, Value]>([
    ["project.name", "other"],
    ["metadata.note", "new"],
    ["slurm.sbatch.time", "0:10:00"],
    ["monitoring.poll_interval_seconds", 7],
    ["job.start_conditions", []]
  ])("with %s=%s is what the override gives", ([key, value]) =>
    Effect.gen(function*() {
      const point = yield* (yield* read([])).at(setting({ [key]: value }))
      const overridden = yield* read([`++${key}=${typeof value === "string" ? `'${value}'` : JSON.stringify(value)}`])
      expect(point.resolved).toEqual(overridden.resolved)
      expect(point.config).toEqual(overridden.config)
    }))

  it.effect("of a point is one of the same configuration: nothing of the other one is left", () =>
    Effect.gen(function*() {
      const loaded = yield* read([])
      const first = yield* loaded.at(setting({ "project.name": "first" }))
      const second = yield* first.at(setting({ "monitoring.poll_interval_seconds": 7 }))
      expect(second.config.project).toEqual(loaded.config.project)
      expect(second.config.monitoring.poll_interval_seconds).toBe(7)
      expect(first.config.monitoring).toEqual(loaded.config.monitoring)
    }))

  it.effect("that does not fit fails with its key", () =>
    Effect.gen(function*() {
      const point = (yield* read([])).at(setting({ "slurm.array": "maybe" }))
      expect(Either.isLeft(point) && point.left.problems.map(({ kind, message }) => [kind, message])).toEqual([
        ["wrong_type", expect.stringContaining("slurm.array")]
      ])
    }))

  it.effect("that leaves a value open fails", () =>
    Effect.gen(function*() {
      const point = (yield* read([])).at(setting({ "project.name": "???" }))
      expect(Either.isLeft(point) && point.left.problems.map(({ kind }) => kind)).toContain("missing_value")
    }))
})
