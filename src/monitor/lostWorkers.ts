/** Claims as leases: whether the workers of other processes that claimed something still live. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as os from "node:os"
import { liveness, parseLease } from "../journal/holders.ts"
import type { Holder, SessionPlace } from "../port/Journal.ts"
import type { QueueEntry } from "../session/entries.ts"
import type { Session } from "../session/Session.ts"
import { forgetBeat, readBeat } from "./heartbeat.ts"

/** A claim whose worker is dead, and how that is known. */
export interface LostClaim {
  readonly entry: QueueEntry
  readonly why: string
}

/** How long a heartbeat has to stand still to have stopped: longer than shared file systems show an old file. */
export const stillSeconds = 75

/** A claim of before heartbeats: of another host nothing is known; of this one a process that is not there is dead. */
const withoutBeat = ({ claimedBy }: QueueEntry): Holder["alive"] => {
  if (claimedBy === null || claimedBy.host !== os.hostname()) return "alive"
  try {
    process.kill(claimedBy.pid, 0)
    return "alive"
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH" ? "dead" : "alive"
  }
}

/**
 * Finds the claims of workers that died without a result, of those that are running when it is asked. Dead is a process
 * of this host and boot that is not there, and any other whose heartbeat stood still for {@link stillSeconds} of this
 * process's own clock, over several looks: a clock that jumps, or a pause of this process, is no proof.
 */
export const makeWorkerWatch = (place: SessionPlace) => {
  let watched = new Map<string, { readonly content: string; readonly seen: number; readonly still: number }>()
  return (session: Session): Effect.Effect<ReadonlyArray<LostClaim>> =>
    Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const next: typeof watched = new Map()
      const lost: Array<LostClaim> = []
      for (const entry of session.queue.values()) {
        const { claimedBy, lease, status } = entry
        if (status !== "running" || claimedBy?.role !== "worker") continue
        const who = `process ${claimedBy.pid} on ${claimedBy.host}`
        const beat = lease === null ? null : yield* readBeat(place, lease)
        const alive = lease === null
          ? withoutBeat(entry)
          : beat === null
          ? "unknown"
          : yield* liveness(parseLease(beat.owner))
        if (alive === "dead") lost.push({ entry, why: `${who} is not there any more` })
        if (alive !== "unknown" || lease === null) continue
        const content = beat?.content ?? ""
        const known = watched.get(lease)
        const passed = known === undefined ? 0 : Math.max(0, now - known.seen)
        // A single look proves little, however long ago the one before was.
        const still = known?.content === content ? known.still + Math.min(passed, stillSeconds * 1000 / 3) : 0
        if (still >= stillSeconds * 1000) lost.push({ entry, why: `no heartbeat of ${who} for ${stillSeconds} s` })
        else next.set(lease, { content, seen: now, still })
      }
      watched = next
      yield* Effect.forEach(lost, ({ entry: { lease } }) => lease === null ? Effect.void : forgetBeat(place, lease))
      return lost
    })
}
