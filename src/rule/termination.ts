/**
 * `termination_string` and `termination_command`: what says that an attempt has done its work, whatever the scheduler makes
 * of its end; and `state_whitelist`: while a job is in what states the events of its log count.
 */
import type { ValueMap } from "../backend/Value.ts"
import { terminationGate } from "../session/foldGate.ts"
import type { Job } from "../session/Job.ts"
import { passAll } from "./conditions.ts"
import type { Context } from "./Context.ts"
import { pollSeconds } from "./Monitoring.ts"
import { raiseState } from "./raise.ts"

/** One run of the command may take this long. */
const timeoutSeconds = 600

/**
 * The state of the job's present attempt that `state_whitelist` means: what a log event named last, unless it names an
 * end; else `running`, for what writes a log runs, whatever the scheduler has said so far; `pending` while the scheduler has
 * it in its queue again; or `stall` while it is silent. The end of an attempt changes nothing: its last lines count.
 */
const watchedState = ({ requeued, stalled, state, stateKey }: Job): string =>
  stateKey ?? (stalled ? "stall" : requeued && state === "pending" ? "pending" : "running")

/** Whether events of the job's log count at present. An empty list means always. */
export const isWatched = (context: Context, job: Job): boolean => {
  const { state_whitelist: states } = context.rules(job).monitoring
  const now = watchedState(job).toLowerCase()
  return states.length === 0 || states.some((state) => state.toLowerCase() === now)
}

/** The attempt has done its work: the success event is raised, once, and the job is watched until its end. */
export const complete = (context: Context, job: Job, reason: string, metadata: ValueMap): void => {
  if (job.completed !== null || job.verdict !== null || job.outcome !== null) return
  raiseState(context, job, "success", { reason, ...metadata }, { completes: true })
}

/** Begins to ask the termination command of an attempt that runs. */
export const watchTermination = (context: Context, job: Job): void => {
  const { monitoring } = context.rules(job)
  const { termination_command: command } = monitoring
  const id = terminationGate(job.plan.name)
  if (command === null || command.trim() === "" || job.completed !== null || !isWatched(context, job)) return
  if (context.session.gates.get(id)?.attempt === job.attempt) return
  const asked = {
    question: {
      kind: "command" as const,
      argv: ["sh", "-c", command] as const,
      cwd: null,
      env: {},
      answer: "value" as const,
      interval_seconds: Math.max(1, pollSeconds(monitoring)),
      timeout_seconds: timeoutSeconds
    },
    waitsAfterJob: false,
    timeoutSeconds: null
  }
  const judged = { className: "termination_command", keeps: [], judge: () => ({ verdict: "ask" as const, asked }) }
  passAll(context, job, id, [judged], 0, { metadata: {}, gate: true, place: id }, context.fact.seq)
}
