import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Outcome } from "../../event/Outcome.ts"
import { FollowUps } from "../../port/FollowUps.ts"

/**
 * Plans and submits a further experiment. `config_path`: a job's recorded `config_reference.json`, a config file or a
 * config name. `script` is what the predecessor ran; it is accepted and means nothing.
 */
export const RunAutoexpAction = Schema.Struct({
  class_name: Schema.Literal("RunAutoexpAction"),
  config_path: Schema.optionalWith(Schema.String, { default: () => "{output_dir}/_provenance/config_reference.json" }),
  overrides: Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] }),
  script: Schema.optionalWith(Schema.String, { default: () => "" })
})

/** Starts it; done once its plan is submitted. Its plan's id derives from the action's, so that a repeat submits once. */
export const run = (
  action: typeof RunAutoexpAction.Type,
  origin: {
    readonly stateDir: string
    readonly planId: string
    readonly actionId: string
    readonly outputDir: string
    readonly depth: number
  }
): Effect.Effect<Outcome, never, FollowUps> =>
  Effect.gen(function*() {
    const followUps = yield* FollowUps
    const started = yield* followUps.start({
      planId: `${origin.planId}-${origin.actionId}`,
      stateDir: origin.stateDir,
      configPath: action.config_path,
      overrides: action.overrides,
      outputDir: `${origin.outputDir}/followups/${origin.actionId}`,
      parent: { planId: origin.planId, queueId: origin.actionId, depth: origin.depth }
    })
    return { status: "done" as const, result: { plan_id: started.planId, jobs: started.jobs } }
  }).pipe(
    Effect.catchTag("FollowUpFailedError", (error) =>
      Effect.succeed({ status: "failed" as const, result: { error: error.message } }))
  )
