/** `autoexp config show`: what the config comes to. */
import * as Effect from "effect/Effect"
import * as ConfigFiles from "../../config/ConfigFiles.ts"
import { load } from "../../config/load.ts"
import { showJson, showYaml } from "../../config/show.ts"
import { Screen } from "../../report/Screen.ts"
import { requestOf } from "../composing.ts"
import type { Handler } from "../Handler.ts"
import { usage } from "../UsageError.ts"

export const show: Handler<"config show"> = (given) =>
  Effect.gen(function*() {
    if (given.json && given.yaml) return yield* usage("--json and --yaml exclude one another")
    if (given.origin && given.yaml) return yield* usage("--origin is a table, or JSON, not YAML")
    const loaded = yield* load(requestOf(given))
    const config = given.unresolved ? loaded.unresolved : loaded.resolved
    if (given.origin) {
      const { showOrigins } = yield* Effect.promise(() => import("./configOrigin.ts"))
      yield* showOrigins(loaded, config, given.json)
      return 0
    }
    yield* given.json
      ? Effect.flatMap(Screen, (screen) => screen.out(showJson(config)))
      : Effect.flatMap(Screen, (screen) => screen.out(showYaml(config)))
    return 0
  }).pipe(Effect.provide(ConfigFiles.layer))
