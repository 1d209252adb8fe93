/** Workers of other processes: whether those that claimed something still live. */
import * as os from "node:os"
import type { NewEvent } from "../event/EventRecord.ts"
import type { Actor } from "../event/events.ts"
import type { Session } from "../session/Session.ts"

/** Of another host nothing is known; of this one a process that is not there is dead. */
const isDead = ({ host, pid }: Actor): boolean => {
  if (host !== os.hostname()) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH"
  }
}

/** Claims of workers that died without a result. */
export const lostWorkers = (session: Session): ReadonlyArray<NewEvent<"WorkerLost">> =>
  [...session.queue.values()].flatMap(({ claimedBy, claimSeq, job, queueId, status }) =>
    status === "running" && claimSeq !== null && claimedBy?.role === "worker" && isDead(claimedBy)
      ? [{ type: "WorkerLost" as const, job, cause: claimSeq, data: { queue_id: queueId } }]
      : []
  )
