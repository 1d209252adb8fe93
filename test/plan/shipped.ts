/** Plans of the shipped configs, as they stand on disk. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { ConfigFiles } from "../../src/config/ConfigFiles.ts"
import { load } from "../../src/config/load.ts"
import { argumentTables } from "../../src/plan/argumentTables.ts"
import { checkScripts } from "../../src/plan/checkPlan.ts"
import { makePlan } from "../../src/plan/plan.ts"
import { writePlan } from "../../src/plan/PlannedFiles.ts"
import { templatesOf } from "../../src/plan/templateFiles.ts"
import { services } from "./toy.ts"

export const configDir = path.resolve(import.meta.dirname, "../../config")

/** What profiles export, and what they need not. */
export const profile = {
  SLURM_ACCOUNT: "project_465",
  SLURM_PARTITION: "gpus",
  SLURM_PARTITION_DEBUG: "gpus-debug",
  SLURM_QOS: "normal",
  CONTAINER_CACHE_DIR: "/images"
}

interface Request {
  readonly ref?: string
  readonly overrides?: ReadonlyArray<string>
  readonly environment?: Readonly<Record<string, string>>
}

/** The plan as it stands on disk, its scripts parsed by bash. */
export const plan = (home: string, { environment = {}, overrides = [], ref = "autoexp" }: Request) =>
  Effect.gen(function*() {
    const files = Effect.map(ConfigFiles, (real) => ({ ...real, environment }))
    const request = { configDir, configRef: ref, overrides: [`project.base_output_dir=${home}/out`, ...overrides] }
    const loaded = yield* load(request).pipe(Effect.provideServiceEffect(ConfigFiles, files))
    const planned = yield* makePlan(loaded, {
      planId: "first",
      createdAt: "2026-11-23T03:12:07.114Z",
      toolVersion: "0.1.0",
      autoexpCommand: ["autoexp"],
      subset: null,
      parent: null,
      grows: null,
      cwd: home,
      template: yield* templatesOf(loaded, home),
      argumentTables: yield* argumentTables(loaded, home),
      facts: Effect.succeed({
        git: { commit: "unknown", dirty: false, status: "", diff: "" },
        command: [],
        environment: {},
        versions: {},
        image: null
      })
    })
    yield* writePlan(planned)
    yield* checkScripts(planned)
    const script = planned.manifest.jobs[0].script
    return { script, text: fs.readFileSync(script, "utf8"), manifest: planned.manifest }
  }).pipe(Effect.provide(services), Effect.runPromise)
