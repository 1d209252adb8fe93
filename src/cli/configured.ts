/** The state directory that the config in the working directory names; loaded only when nothing else says where. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import * as ConfigFiles from "../config/ConfigFiles.ts"
import { load } from "../config/load.ts"
import { Invocation } from "./Invocation.ts"

/** Absolute; null, with a warning, if the config cannot be loaded; null if the directory does not exist (yet). */
export const stateDirOfConfig: Effect.Effect<string | null, never, Invocation> = Effect.gen(function*() {
  const { cwd } = yield* Invocation
  const { config } = yield* load({ configDir: path.join(cwd, "config"), configRef: "autoexp", overrides: [] })
  const dir = path.resolve(cwd, config.project.monitoring_state_dir)
  return fs.existsSync(dir) ? dir : null
}).pipe(
  Effect.provide(ConfigFiles.layer),
  Effect.catchTag(
    "ConfigError",
    ({ message }) =>
      Effect.as(
        Effect.logWarning(`sessions are looked for in your own index, since the config says nothing: ${message}`),
        null
      )
  )
)
