/** `FollowUps`, live: plans and submits a further experiment in this very process. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as path from "node:path"
import type { ConfigFiles } from "../config/ConfigFiles.ts"
import { writePlan } from "../plan/PlannedFiles.ts"
import { preparePlan } from "../plan/prepare.ts"
import { referenceRequest } from "../plan/provenance.ts"
import { type Commands } from "../port/Commands.ts"
import { type Files } from "../port/Files.ts"
import { type FollowUp, FollowUpFailedError, FollowUps } from "../port/FollowUps.ts"
import { type Journal } from "../port/Journal.ts"
import { type RuleSource } from "../port/RuleSource.ts"
import { type Schedulers } from "../port/Scheduler.ts"
import { glance } from "./held.ts"
import { openingOf, submitSession } from "./sessions.ts"

export interface FollowUpSettings {
  readonly toolVersion: string
  /** How a job runs this program again. */
  readonly autoexpCommand: ReadonlyArray<string>
  readonly cwd: string
}

/** An override that sets `key` to exactly this text, whatever is in it. Source: Hydra's override grammar, quoted values. */
export const setting = (key: string, text: string): string =>
  `++${key}='${text.replace(/\\*'/g, (quote) => `\\${quote}`)}'`

/** What to plan: a recorded job once more, or a config by its name or path. */
const requestOf = (configPath: string) =>
  path.basename(configPath) === "config_reference.json"
    ? referenceRequest(configPath)
    : Effect.succeed({ request: { configDir: "config", configRef: configPath, overrides: [] }, subset: null })

/**
 * Plans unless the session exists already, then submits what is not submitted yet: asked twice, or by two who were cut
 * off, it runs each job once.
 */
const start = (followUp: FollowUp, { autoexpCommand, cwd, toolVersion }: FollowUpSettings) =>
  Effect.gen(function*() {
    const { outputDir, parent, planId, stateDir } = followUp
    const place = { stateDir, planId }
    const known = yield* Effect.option(glance(place))
    if (known._tag === "Some") {
      const session = yield* submitSession(place, null, toolVersion)
      return { planId, jobs: session.jobs.size }
    }
    const { request, subset } = yield* requestOf(followUp.configPath)
    const plan = yield* preparePlan({
      request: {
        ...request,
        overrides: [
          ...request.overrides,
          setting("project.base_output_dir", outputDir),
          setting("project.monitoring_state_dir", stateDir),
          ...followUp.overrides
        ]
      },
      subset,
      planId,
      parent: { plan_id: parent.planId, queue_id: parent.queueId, depth: parent.depth },
      grows: null,
      asOf: null,
      readImage: true,
      cwd,
      toolVersion,
      autoexpCommand
    })
    yield* writePlan(plan)
    const session = yield* submitSession(place, openingOf(plan.manifest, plan.manifestPath), toolVersion)
    return { planId, jobs: session.jobs.size }
  })

type World = Journal | Schedulers | Files | Commands | RuleSource | FileSystem.FileSystem | ConfigFiles

/** Follow-ups of this process. */
export const layer = (
  settings: FollowUpSettings
): Layer.Layer<FollowUps, never, World> =>
  Layer.effect(
    FollowUps,
    Effect.map(
      Effect.context<World>(),
      (context) => {
        const service: typeof FollowUps.Service = {
          start: (followUp) =>
            start(followUp, settings).pipe(
              Effect.provideService(FollowUps, service),
              Effect.provide(context),
              Effect.mapError(({ message }) => new FollowUpFailedError({ planId: followUp.planId, message }))
            )
        }
        return service
      }
    )
  )
