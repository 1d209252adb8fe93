import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as path from "node:path"
import type { Value } from "../../src/backend/Value.ts"
import { layer } from "../../src/config/ConfigFiles.ts"
import { load } from "../../src/config/load.ts"

const read = (overrides: ReadonlyArray<string>) =>
  load(
    { configDir: path.join(import.meta.dirname, "../../config"), configRef: "autoexp", overrides },
    Effect.succeed(0)
  ).pipe(Effect.provide(layer))

describe("a sweep's point", () => {
  it.effect.each<readonly [string, Value]>([
    ["project.name", "other"],
    ["metadata.note", "new"],
    ["slurm.sbatch.time", "0:10:00"],
    ["monitoring.poll_interval_seconds", 7],
    ["sweep.name_template", "{project}-{index}"]
  ])("with %s=%s is what the override gives", ([key, value]) =>
    Effect.gen(function*() {
      const point = yield* (yield* read([])).at([[key, value]])
      const overridden = yield* read([`++${key}='${String(value)}'`.replace("'7'", "7")])
      expect(point.resolved).toEqual(overridden.resolved)
      expect(point.config).toEqual(overridden.config)
    }))

  it.effect("may differ from a point in what that one did not change", () =>
    Effect.gen(function*() {
      const first = yield* (yield* read([])).at([["project.name", "first"]])
      const second = yield* first.at([["monitoring.poll_interval_seconds", 7]])
      expect([second.config.project.name, second.config.monitoring.poll_interval_seconds]).toEqual(["first", 7])
      expect(first.config.monitoring).toEqual((yield* read([])).config.monitoring)
    }))

  it.effect("that does not fit fails with its key", () =>
    Effect.gen(function*() {
      const point = (yield* read([])).at([["slurm.array", "maybe"]])
      expect(Either.isLeft(point) && point.left.problems.map(({ kind, message }) => [kind, message])).toEqual([
        ["wrong_type", expect.stringContaining("slurm.array")]
      ])
    }))

  it.effect("that leaves a value open fails", () =>
    Effect.gen(function*() {
      const point = (yield* read([])).at([["project.name", "???"]])
      expect(Either.isLeft(point) && point.left.problems.map(({ kind }) => kind)).toContain("missing_value")
    }))
})
