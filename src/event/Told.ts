/** What the records that a repair has cut off still tell. */
import * as Schema from "effect/Schema"

const Text = Schema.String

/**
 * Read from each line by itself, and from the files that were made of them all. It only narrows what is done from then on:
 * a line that lies keeps an action from being done, and never has one done twice.
 */
export const Told = Schema.Struct({
  /** Seq of the record of the cut. What was decided from there on was decided again, of a fact that stands before. */
  since: Schema.Int,
  /** How far logs were read (bytes), for which attempt; the later attempt of one file behind the earlier. */
  logs: Schema.Array(Schema.Struct({ job: Text, attempt: Schema.Int, path: Text, identity: Text, to: Schema.Int })),
  /** How many times events were raised in an attempt, where that is more than the journal knows. */
  events: Schema.Array(Schema.Struct({ job: Text, attempt: Schema.Int, name: Text, count: Schema.Int })),
  /** Ids of events that were raised before the cut, of which an action was begun behind it. */
  acted: Schema.Array(Text),
  /** Attempts of which a restart was decided: who cancelled them is known. */
  restarts: Schema.Array(Schema.Struct({ job: Text, attempt: Schema.Int })),
  /** How many times queue entries were claimed, where that is more than the journal knows. */
  claims: Schema.Array(Schema.Struct({ queue_id: Text, claims: Schema.Int }))
})
export type Told = typeof Told.Type
