/** What a process knows of the epochs that it has held itself, although it may not have been able to write it down. */
import * as Effect from "effect/Effect"
import type { JournalIoError, SessionPlace } from "../port/Journal.ts"
import * as disk from "./disk.ts"
import * as places from "./places.ts"

/** A segment of its own that it failed to write more of, and how many of its bytes it had acknowledged. */
interface Doubt {
  readonly epoch: number
  readonly bytes: number
}

export interface OwnPast {
  /** Lease files of its epochs. */
  readonly held: Set<string>
  /** Those of them that it has let go, and could not say so. */
  readonly unsaid: Set<string>
  /** By the segment's path. */
  readonly doubts: Map<string, Doubt>
}

export const makeOwnPast = (): OwnPast => ({ held: new Set(), unsaid: new Set(), doubts: new Map() })

/**
 * Cuts off what this process failed to write to the segments of its own, now that it holds `epoch`: after a failed fsync
 * nobody can tell by reading what is on disk, and nothing was done because of it. Unless somebody else held the session
 * since then, who has sealed what he read.
 */
export const cutDoubts = (
  place: SessionPlace,
  epoch: number,
  { doubts, held }: OwnPast
): Effect.Effect<void, JournalIoError> =>
  Effect.forEach([...doubts].filter(([file]) => places.isOf(place, file)), ([file, doubt]) => {
    const since = Array.from({ length: epoch - doubt.epoch }, (_, index) => doubt.epoch + index)
    const isOwn = since.every((before) => held.has(places.lease(place, before)))
    return Effect.zipRight(
      isOwn ? disk.cut(file, doubt.bytes) : Effect.void,
      Effect.sync(() => doubts.delete(file))
    )
  }, { discard: true })
