/** What Megatron's parsers take, for plans that need it. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { argumentTable, type ArgumentTables } from "../backend/megatron/ArgumentTable.ts"
import { toPlain } from "../backend/Value.ts"
import type { Loaded } from "../config/load.ts"
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

/** The tables that the config's points may ask for; null if no backend of theirs is one of Megatron's. */
export const argumentTables = (loaded: Loaded): Effect.Effect<ArgumentTables | null, PlanError> =>
  needsArguments(loaded) ? shipped : Effect.succeed(null)
