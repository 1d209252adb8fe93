/** A plan from its request: the config loaded, the template read, the world noted. Nothing is written. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { ConfigFiles, noting } from "../config/ConfigFiles.ts"
import { type ConfigRequest, load } from "../config/load.ts"
import type { ConfigError } from "../config/Problem.ts"
import type { Commands } from "../port/Commands.ts"
import { argumentTables } from "./argumentTables.ts"
import { type Facts, gitFacts } from "./facts.ts"
import { imageFacts } from "./imageFacts.ts"
import { makePlan } from "./plan.ts"
import type { PlanError } from "./PlanError.ts"
import type { PlannedFiles } from "./PlannedFiles.ts"
import type { PlanOptions } from "./PlanOptions.ts"
import { sourcesOf } from "./rulesToday.ts"
import { templatesOf } from "./templateFiles.ts"

export interface PlanRequest
  extends Pick<PlanOptions, "subset" | "parent" | "grows" | "cwd" | "toolVersion" | "autoexpCommand">
{
  readonly request: ConfigRequest
  /** The time that `${oc.timestring:}` tells (ISO 8601), such as that of the plan which is grown; null for now. */
  readonly asOf: string | null
  /** Names the plan and its session; null: made of project, time and chance. */
  readonly planId: string | null
  /** Whether to read an image through whose SHA-256 is not known: for a plan that is to be kept. */
  readonly readImage: boolean
}

type World = Commands | FileSystem.FileSystem

const freshId = (project: string, millis: number): string => {
  const time = new Date(millis).toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15)
  return `${project}-${time}-${crypto.randomUUID().slice(0, 4)}`
}

const factsOf = (
  image: string | null,
  { cwd, readImage, toolVersion }: Pick<PlanRequest, "cwd" | "readImage" | "toolVersion">
): Effect.Effect<Facts, never, World> =>
  Effect.map(Effect.all([gitFacts(cwd), imageFacts(image, { cwd, read: readImage })]), ([git, image]) => ({
    git,
    command: process.argv,
    environment: Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value]) => value === undefined ? [] : [[name, value]])
    ),
    versions: { autoexp: toolVersion, node: process.versions.node },
    image
  }))

/** The plan that `request` asks for, or what is wrong with it. */
export const preparePlan = (
  { asOf, planId, readImage, request, ...options }: PlanRequest
): Effect.Effect<PlannedFiles, ConfigError | PlanError, ConfigFiles | Commands | FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const millis = yield* Clock.currentTimeMillis
    const { files, read } = noting(yield* ConfigFiles, options.cwd)
    const loaded = yield* Effect.provideService(
      load(request, Effect.succeed(asOf === null ? millis : Date.parse(asOf))),
      ConfigFiles,
      files
    )
    const template = yield* templatesOf(loaded, options.cwd)
    const plan = yield* makePlan(loaded, {
      ...options,
      planId: planId ?? freshId(loaded.config.project.name, millis),
      createdAt: new Date(millis).toISOString(),
      template,
      argumentTables: yield* argumentTables(loaded, options.cwd),
      facts: Effect.provide(
        factsOf(loaded.config.container.image, { ...options, readImage }),
        yield* Effect.context<World>()
      )
    })
    return { ...plan, manifest: { ...plan.manifest, sources: sourcesOf(read) } }
  })
