/** What follows from a rollback that was done, or could not be. */
import { RestartAction } from "../action/actions/RestartAction.ts"
import type { Outcome } from "../event/Outcome.ts"
import type { OpenAction } from "../session/entries.ts"
import { isRollback } from "../session/rollback.ts"
import type { Context } from "./Context.ts"
import { finish, finishIfJudged } from "./ending.ts"
import { restart } from "./restart.ts"

/** The job is restarted from the checkpoint before, within its budgets; without one it needs a person. */
export const followRollback = (context: Context, open: OpenAction, { result, status }: Outcome): void => {
  const job = context.job(open.job)
  if (!isRollback(open) || job === undefined || job.attempt !== open.attempt || job.outcome !== null) return
  const { action, binding, eventId: event_id, occurrence } = open
  const fail = (why: string) => {
    const now = context.now(job)
    if (now.ending === null && now.restart === null) finish(context, now, "failed", why)
  }
  if (status === "failed") {
    const why = `the checkpoint cannot be rolled back: ${String(result["error"])}`
    context.emit({ type: "AttentionNeeded", data: { why } }, job)
    if (job.restart?.by === "rule") context.emit({ type: "RestartDropped", data: { why } }, job, job.restart.seq)
    fail(why)
  } else if (job.restart === null && occurrence !== null) {
    const reason = `${String(action["reason"])}: goes on from iteration ${String(result["iteration"])}`
    const again = RestartAction.make({ class_name: "RestartAction", reason })
    restart(context, job, occurrence, again, true, (why) => {
      context.emit({ type: "ActionSkipped", data: { binding, event_id, class_name: "RestartAction", why } }, job)
      fail(`its checkpoint was rolled back, but it is not restarted: ${why}`)
    }, context.fact.seq)
  }
  finishIfJudged(context, job)
}
