/** Restarts: at most one for an attempt, within the rule's budget, and never of an attempt that is over. */
import type { RestartAction } from "../action/actions/RestartAction.ts"
import type { Job, Occurrence } from "../session/Session.ts"
import type { Context } from "./Context.ts"
import { metadataOf } from "./metadata.ts"

/**
 * Decides a restart, or why not (`skip`). `unlessCompleted`: it is void should the attempt turn out to have completed. An attempt that still lives is cancelled; the next one is submitted when the
 * scheduler has said that it is dead and its log has settled.
 */
export const restart = (
  context: Context,
  job: Job,
  { attempt, metadata, name, source }: Occurrence,
  action: typeof RestartAction.Type,
  unlessCompleted: boolean,
  skip: (why: string) => void,
  cause: number
): void => {
  if (attempt !== job.attempt || job.outcome !== null) return skip(`attempt ${attempt} is over`)
  if (job.ending !== null) return skip(`the job must not go on: ${job.ending.why}`)
  if (unlessCompleted && job.slurmState === "COMPLETED") return skip(`attempt ${attempt} completed`)
  if (source !== "state" && job.requeued && job.state === "pending") {
    return skip("the scheduler has put the job back into its queue, and runs it again by itself")
  }
  if (source === "log" && job.slurmState === "CANCELLED" && job.cancel === null) {
    return skip("somebody cancelled the job: what it printed while it was torn down asks for nothing")
  }
  if (job.restart !== null) return skip(`a restart after attempt ${attempt} is decided already`)
  const max = action.max_restarts
  const used = job.restarts.filter((restart) => restart.cause === name).length
  if (max !== null && used >= max) {
    const why = `the restart budget of ${name} is spent (${used} of ${max})`
    skip(why)
    context.emit({ type: "AttentionNeeded", data: { why } }, job, cause)
    return
  }
  const budget = max === null ? null : { before: max - used, after: max - used - 1 }
  const reason = action.reason || metadataOf(metadata, "reason") || name
  const seq = context.emit(
    { type: "RestartDecided", data: { event: name, reason, budget, unless_completed: unlessCompleted } },
    job,
    cause
  )
  if (job.live && job.slurm !== null) {
    context.emit({ type: "CancelDecided", data: { slurm_id: job.slurm.id, why: `restart: ${reason}` } }, job, seq)
  }
}
