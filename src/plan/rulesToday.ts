/** What the config of a plan says today of the rules of its jobs. */
import * as Effect from "effect/Effect"
import * as crypto from "node:crypto"
import { ConfigFiles, noting } from "../config/ConfigFiles.ts"
import { load } from "../config/load.ts"
import { ConfigError, problemAt } from "../config/Problem.ts"
import type { Monitoring } from "../rule/Monitoring.ts"
import type { Manifest } from "./Manifest.ts"
import type { PlanError } from "./PlanError.ts"
import { plannedPoints } from "./points.ts"
import { isRedacted } from "./redact.ts"

/** The digest of a file's text. */
export const digestOf = (text: string | null): string | null =>
  text === null ? null : crypto.createHash("sha256").update(text).digest("hex")

/** Files that were read, as a manifest names them. */
export const sourcesOf = (read: ReadonlyMap<string, string | null>): Manifest["sources"] =>
  [...read].map(([path, text]) => ({ path, digest: digestOf(text) })).sort((a, b) => a.path < b.path ? -1 : 1)

export interface RulesToday {
  readonly shared: Monitoring
  /** The section of each job that the sweep still has, by its name. */
  readonly jobs: ReadonlyMap<string, Monitoring>
}

/** What was read on the way, also where it led to a mistake. */
export interface Composed {
  readonly sources: Manifest["sources"]
  readonly rules: Effect.Effect<RulesToday, ConfigError | PlanError>
}

/**
 * Composes the config of the plan anew, with `settings` as further overrides. `asOf`: the time that `${oc.timestring:}`
 * tells (ISO 8601). Jobs are known again by what their points are; those of a plan that does not say so have the shared
 * section.
 */
export const rulesToday = (
  manifest: Manifest,
  settings: ReadonlyArray<string>,
  asOf: string
): Effect.Effect<Composed, never, ConfigFiles> =>
  Effect.gen(function*() {
    const { config_dir: configDir, config_ref: configRef, overrides, plan_id: planId } = manifest
    const cwd = manifest.cwd ?? process.cwd()
    const { files, read } = noting(yield* ConfigFiles, cwd)
    const rules = yield* Effect.gen(function*() {
      const secret = overrides.find(isRedacted)
      if (secret !== undefined) {
        const message =
          `a secret was left out of the override ${secret}, so the config cannot be composed again. Give ` +
          "secrets as ${oc.env:NAME}, of which the name is recorded"
        return yield* new ConfigError({ problems: [problemAt(null, "redacted", message)] })
      }
      const loaded = yield* load(
        { configDir, configRef, overrides: [...overrides, ...settings] },
        Effect.succeed(Date.parse(asOf))
      )
      const shared = loaded.config.monitoring
      const known = manifest.jobs.filter(({ identity }) => identity !== "")
      if (known.length < manifest.jobs.length) return { shared, jobs: new Map<string, Monitoring>() }
      const { points } = yield* plannedPoints(loaded, {
        cwd,
        planId,
        project: loaded.config.project.name,
        subset: null,
        known
      })
      return { shared, jobs: new Map(points.map(({ loaded, name }) => [name, loaded.config.monitoring])) }
    }).pipe(Effect.provideService(ConfigFiles, files), Effect.either)
    return { sources: sourcesOf(read), rules: Effect.suspend(() => rules) }
  })
