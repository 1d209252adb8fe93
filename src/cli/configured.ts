/** The state directory that the config in the working directory names; looked up only when nothing else says where. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import * as ConfigFiles from "../config/ConfigFiles.ts"
import { peek } from "../config/peek.ts"
import { Invocation } from "./Invocation.ts"

/** Absolute; null if the config names none that exists. */
export const stateDirOfConfig: Effect.Effect<string | null, never, Invocation> = Effect.gen(function*() {
  const { cwd } = yield* Invocation
  const [named, base] = yield* peek(path.join(cwd, "config"), "autoexp", [
    ["project", "monitoring_state_dir"],
    ["project", "base_output_dir"]
  ])
  const dir = typeof named === "string" ? named : typeof base === "string" ? path.join(base, "monitoring_state") : null
  const place = dir === null ? null : path.resolve(cwd, dir)
  return place !== null && fs.existsSync(place) ? place : null
}).pipe(Effect.provide(ConfigFiles.layer))
