/** What autoexp asks of itself: a further experiment, planned and submitted because of an event. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The follow-up could not be planned or submitted. */
export class FollowUpFailedError extends Schema.TaggedError<FollowUpFailedError>()("FollowUpFailedError", {
  planId: Schema.String,
  message: Schema.String
}) {}

export interface FollowUp {
  /** Derived from the queue entry, so that asking twice submits once. */
  readonly planId: string
  /** Where its session is kept: beside its parent's, who watches it. */
  readonly stateDir: string
  /** A recorded configuration (`config_reference.json`), a config file, or a config name. */
  readonly configPath: string
  readonly overrides: ReadonlyArray<string>
  /** Where its runs go unless an override says otherwise. */
  readonly outputDir: string
  readonly parent: { readonly planId: string; readonly queueId: string; readonly depth: number }
}

export class FollowUps extends Context.Tag("autoexp/FollowUps")<FollowUps, {
  /** Plans and submits; done once every job of it is submitted. Idempotent by plan id. */
  readonly start: (
    followUp: FollowUp
  ) => Effect.Effect<{ readonly planId: string; readonly jobs: number }, FollowUpFailedError>
}>() {}
