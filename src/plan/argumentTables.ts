/** What Megatron's parsers take, for plans that need it. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as fs from "node:fs"
import * as path from "node:path"
import { type ArgumentTable, argumentTable, type ArgumentTables, tableOf } from "../backend/megatron/ArgumentTable.ts"
import { toPlain } from "../backend/Value.ts"
import type { Loaded } from "../config/load.ts"
import { rememberedParser } from "../container/probe.ts"
import { cacheDir, probeScript } from "../container/shipped.ts"
import { PlanError } from "./PlanError.ts"

/** Whether a backend of Megatron's is the config's, or may be one of its points'. */
const needsArguments = ({ config, resolved }: Loaded): boolean =>
  config.backend.class_name.includes("Megatron") ||
  /"backend(?:\.class_name)?":/.test(JSON.stringify(toPlain(resolved["sweep"] ?? null)))

/** The shipped tables, the first of which is that of the Megatron which most configs were written for. */
const shipped: Effect.Effect<ArgumentTables, PlanError> = Effect.gen(function*() {
  const [before, now] = yield* Effect.promise(() =>
    Promise.all([
      import("../backend/megatron/arguments/core_r0_13_0.ts"),
      import("../backend/megatron/arguments/main.ts")
    ])
  )
  return yield* Either.all([
    argumentTable("core_r0.13.0", before.version, before.text),
    argumentTable("main", now.version, now.text)
  ]).pipe(Either.mapLeft((message) => PlanError.at("backend", message)))
})

/** The parser of the image that the config names, if it was read (`autoexp container probe`). */
const ofImage = (
  { config: { container: { image } } }: Loaded,
  cwd: string
): Effect.Effect<ReadonlyArray<ArgumentTable>, PlanError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const script = probeScript(cwd)
    const file = image === null ? null : path.resolve(cwd, image)
    if (file === null || script === null || !fs.existsSync(file)) return []
    const found = yield* Effect.mapError(
      rememberedParser({ image: file, script, cacheDir: cacheDir(process.env), functions: [] }),
      ({ message }) => PlanError.at("container.image", message)
    )
    if (Option.isNone(found)) return []
    const { arguments: all, source } = found.value.parser
    const name = `of ${path.basename(file)}`
    // A version that is not told is that of today.
    return [tableOf(name, source.megatron_core_version ?? "1.0", all)]
  })

/**
 * The tables that the config's points may ask for, that of the config's image first; null if no backend of theirs is one
 * of Megatron's.
 */
export const argumentTables = (
  loaded: Loaded,
  cwd: string
): Effect.Effect<ArgumentTables | null, PlanError, FileSystem.FileSystem> =>
  needsArguments(loaded)
    ? Effect.zipWith(ofImage(loaded, cwd), shipped, ([first, ...rest], [usual, ...others]): ArgumentTables =>
      first === undefined ? [usual, ...others] : [first, ...rest, usual, ...others])
    : Effect.succeed(null)
