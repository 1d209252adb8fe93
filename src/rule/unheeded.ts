/** Cancels that the scheduler takes and that have no effect: repeated, and then for a person to see to. */
import type { EventData } from "../event/events.ts"
import type { Job } from "../session/Job.ts"
import type { Context } from "./Context.ts"

/** How long a cancel that was taken may need: SLURM's KillWait, UnkillableStepTimeout and an epilog, with some to spare. */
export const cancelPatienceSeconds = 180

/** How often a cancel is taken in vain before a person is asked. */
export const unheededBound = 3

/** Repeats the cancel, or asks for attention once that was done often enough; the job is watched on in any case. */
export const unheeded = (context: Context, job: Job, { slurm_id, state }: EventData<"CancelUnheeded">): void => {
  const { cancel, ending, restart } = job
  if (cancel === null || !job.live) return
  const times = cancel.unheeded
  if (times < unheededBound) {
    const why = `the scheduler took the cancel ${cancelPatienceSeconds} s ago and shows ${state} still`
    context.emit({ type: "CancelDecided", data: { slurm_id, why } }, job)
    return
  }
  const waits = restart !== null ? "its restart waits" : ending !== null ? "its end waits" : "it goes on"
  const why = `job ${slurm_id} was cancelled ${times} times and is ${state} still: ${waits} until the scheduler has ` +
    "ended it; look at its node, or ask those who run the cluster"
  context.emit({ type: "AttentionNeeded", data: { why } }, job)
}
