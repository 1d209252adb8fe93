/** All that is wrong with a configuration and the plan that it leads to. Nothing is written. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import type { ConfigFiles } from "../config/ConfigFiles.ts"
import { type ConfigRequest, load } from "../config/load.ts"
import type { Problem } from "../config/Problem.ts"
import { argumentTables } from "./argumentTables.ts"
import { makePlan } from "./plan.ts"
import type { PlanError } from "./PlanError.ts"
import { templatesOf } from "./templateFiles.ts"

export interface Verdict {
  readonly configRef: string
  /** How many jobs it plans; null if it cannot be planned. */
  readonly jobs: number | null
  readonly problems: ReadonlyArray<Problem>
}

const problemOf = ({ at, chain = [], column, file, line, message, override = null }: PlanError): Problem => ({
  kind: "plan",
  message: at === null ? message : `${at}: ${message}`,
  file,
  line,
  column,
  suggestions: [],
  override,
  chain
})

/** Loads the configuration and plans it; relative paths are relative to `cwd`. */
export const validate = (
  request: ConfigRequest,
  options: { readonly cwd: string; readonly toolVersion: string }
): Effect.Effect<Verdict, never, ConfigFiles | FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const { configRef } = request
    const loaded = yield* load(request)
    return yield* Effect.gen(function*() {
      const template = yield* templatesOf(loaded, options.cwd)
      const { manifest } = yield* makePlan(loaded, {
        ...options,
        planId: "validate",
        createdAt: "",
        autoexpCommand: [],
        subset: null,
        parent: null,
        grows: null,
        template,
        argumentTables: yield* argumentTables(loaded, options.cwd),
        facts: Effect.succeed({
          git: { commit: "", dirty: false, status: "", diff: "" },
          command: [],
          environment: {},
          versions: {},
          image: null
        })
      })
      return { configRef, jobs: manifest.jobs.length, problems: [] }
    }).pipe(
      Effect.catchTag("PlanError", (error) => Effect.succeed({ configRef, jobs: null, problems: [problemOf(error)] }))
    )
  }).pipe(
    Effect.catchTag("ConfigError", ({ problems }) =>
      Effect.succeed({ configRef: request.configRef, jobs: null, problems }))
  )
