/** Runs one rendered action. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Action } from "../action/actions.ts"
import * as AppendToFile from "../action/actions/AppendToFileAction.ts"
import * as Rollback from "../action/actions/CheckpointRollbackAction.ts"
import { followUpOf } from "../action/actions/NewJobAction.ts"
import * as RunAutoexp from "../action/actions/RunAutoexpAction.ts"
import * as RunCommand from "../action/actions/RunCommandAction.ts"
import type { Outcome } from "../event/Outcome.ts"
import type { RenderedAction } from "../event/terms.ts"
import type { Commands } from "../port/Commands.ts"
import type { Files } from "../port/Files.ts"
import type { FollowUps } from "../port/FollowUps.ts"
import type { Session } from "../session/Session.ts"
import * as LiveCheckpoints from "./LiveCheckpoints.ts"

/** How deep follow-ups may start follow-ups. */
const depthBound = 8

const failed = (error: string): Outcome => ({ status: "failed", result: { error } })

const decode = Schema.decodeUnknown(Action)

/** The action's outcome; never fails, since a failure is an outcome. `id` is the queue's or the inline action's. */
export const perform = (
  stateDir: string,
  session: Session,
  action: RenderedAction,
  id: string,
  job: string
): Effect.Effect<Outcome, never, Commands | Files | FollowUps> =>
  Effect.matchEffect(decode(action), {
    onFailure: (error) => Effect.succeed(failed(error.message)),
    onSuccess: (known): Effect.Effect<Outcome, never, Commands | Files | FollowUps> => {
      const outputDir = session.jobs.get(job)?.plan.output_dir ?? ""
      switch (known.class_name) {
        case "CheckpointRollbackAction":
          return Effect.provide(Rollback.run(known, { planId: session.planId, actionId: id }), LiveCheckpoints.layer)
        case "RunCommandAction":
          return RunCommand.run(known)
        case "AppendToFileAction":
          return AppendToFile.run(known)
        case "NewJobAction":
        case "RunAutoexpAction":
          return session.depth + 1 >= depthBound
            ? Effect.succeed(failed(`follow-ups are nested ${depthBound} deep: this one would never end`))
            : RunAutoexp.run(known.class_name === "NewJobAction" ? followUpOf(known, outputDir) : known, {
              stateDir,
              planId: session.planId,
              actionId: id,
              outputDir,
              depth: session.depth + 1
            })
        default:
          return Effect.succeed(failed(`${known.class_name} is no action that runs`))
      }
    }
  }).pipe(
    Effect.catchAllDefect((defect) => Effect.succeed(failed(String(defect)))),
    Effect.timed,
    Effect.map(([duration, outcome]) => ({
      ...outcome,
      duration_seconds: Math.round(Duration.toMillis(duration)) / 1000
    }))
  )
