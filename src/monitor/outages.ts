/** A session whose disk is full or fails: who watches it stops, says so, and goes on when it can be written again. */
import * as Effect from "effect/Effect"
import { JournalIoError, type SessionPlace } from "../port/Journal.ts"

/** Seconds between two tries to write the journal again. */
export const retrySeconds = 15

/**
 * Watches by `once`, and anew whenever the journal cannot be written meanwhile: each time the session is let go, and read
 * again from what it had acknowledged, since of the rest nobody knows whether it is on disk. `once` calls `begun` when it
 * holds the session; a journal that cannot be written from the outset is an error.
 */
export const throughOutages = <A, E, R>(
  { planId }: SessionPlace,
  once: (first: boolean, begun: Effect.Effect<void>) => Effect.Effect<A, E | JournalIoError, R>
): Effect.Effect<A, E | JournalIoError, R> =>
  Effect.suspend(() => {
    let first = true
    let failing = false
    const begun = Effect.suspend(() => {
      first = false
      if (!failing) return Effect.void
      failing = false
      return Effect.logInfo(`the journal of session ${planId} is written again, the session goes on`)
    })
    const again = ({ message, path }: JournalIoError) =>
      Effect.gen(function*() {
        if (!failing) {
          failing = true
          yield* Effect.logWarning(
            `the journal of session ${planId} cannot be written: ${message} (${path}). Until it can, nothing is submitted, ` +
              `cancelled or run; it is tried every ${retrySeconds} s`
          )
        }
        yield* Effect.sleep(`${retrySeconds} seconds`)
      })
    const attempt: Effect.Effect<A, E | JournalIoError, R> = Effect.suspend(() => once(first, begun)).pipe(
      Effect.catchAll((error) =>
        !first && error instanceof JournalIoError ? Effect.zipRight(again(error), attempt) : Effect.fail(error)
      )
    )
    return attempt
  })
