/** Rollbacks to an earlier checkpoint: decided once, done when the attempt is dead, void where it was not the checkpoint. */
import type { CheckpointRollbackAction } from "../action/actions/CheckpointRollbackAction.ts"
import type { Occurrence } from "../session/entries.ts"
import type { Job } from "../session/Job.ts"
import { rollbackOf } from "../session/rollback.ts"
import { wouldHave } from "../session/would.ts"
import { isCancelledByOthers } from "./classify.ts"
import type { Context } from "./Context.ts"
import { endAttempt } from "./restart.ts"

type Action = typeof CheckpointRollbackAction.Type

/** Why it is not decided; null if nothing keeps it. */
const hindrance = (context: Context, job: Job, { attempt, told }: Occurrence): string | null => {
  const { session } = context
  if (attempt !== job.attempt || job.outcome !== null) return `attempt ${attempt} is over`
  if (job.ending !== null) return `the job must not go on: ${job.ending.why}`
  if (job.slurmState === "COMPLETED") return `attempt ${attempt} completed`
  if (job.completed !== null) return `attempt ${attempt} has done its work (${job.completed})`
  if (isCancelledByOthers(session, job)) return "somebody cancelled the job"
  if (rollbackOf(session, job) !== null) return "a rollback is decided already"
  if (job.rolledBack === attempt) return "the checkpoint was put aside already because of this attempt"
  if (!context.acts(job) && wouldHave(job, "act")) return "a rollback would have been decided already"
  return told ? "a repair cut off the records that tell whether it was done: it is not done again" : null
}

/** Decides a rollback, or why not (`skip`), and ends the attempt if it lives. */
export const rollBack = (
  context: Context,
  job: Job,
  occurrence: Occurrence,
  binding: string,
  action: Action,
  skip: (why: string) => void,
  cause: number
): void => {
  const hindered = hindrance(context, job, occurrence)
  if (hindered !== null) return skip(hindered)
  if (job.rollbacks >= action.max_rollbacks) {
    const why = `its checkpoint was rolled back ${job.rollbacks} times already, which is as often as may be`
    skip(why)
    if (job.attention?.reason !== why) context.emit({ type: "AttentionNeeded", data: { why } }, job, cause)
    return
  }
  const { checkpoint_dir: dir } = action
  const checkpoint_dir = dir.startsWith("/") ? dir : `${job.plan.output_dir}/${dir}`
  const data = {
    action_id: `a${context.nextSeq()}`,
    binding,
    event_id: occurrence.eventId,
    action: { ...action, checkpoint_dir }
  }
  const seq = context.emit({ type: "ActionStarted", data }, job, cause)
  endAttempt(context, context.now(job), `its checkpoint is rolled back: ${action.reason}`, seq)
}

/** Gives up the job's rollback, if one is decided and not done. */
export const dropRollback = (context: Context, job: Job, why: string): void => {
  const open = rollbackOf(context.session, job)
  if (open !== null) context.emit({ type: "ActionInterrupted", data: { action_id: open.id, why } }, job, open.seq)
}
