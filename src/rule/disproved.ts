/** Restarts that a line has led to, and that the whole log speaks against. */
import { eventAction } from "../action/actions.ts"
import { judge } from "../action/conditions.ts"
import type { Job } from "../session/Job.ts"
import { settledLogDecides } from "./behaviour.ts"
import { isCancelled } from "./classify.ts"
import { occasionOf } from "./conditions.ts"
import type { Context } from "./Context.ts"

/**
 * Why the restart that a log event has led to is not wanted any more, now that the log of the ended attempt is read to its
 * end: what its `EvidenceCondition`s ask for was told behind the line. Null if it is wanted. An attempt that was cancelled
 * for its restart stays with that: it has ended of nothing else.
 */
export const disproved = (context: Context, job: Job): string | null => {
  const { restart, restarts, slurmState } = job
  if (context.session.behaviour < settledLogDecides || restart?.by !== "rule" || isCancelled(slurmState)) return null
  const name = restarts.at(-1)?.rule ?? ""
  const rule = context.rules(job).log.get(name)
  const occasion = occasionOf(context, job, { metadata: {}, gate: false })
  const against = (rule?.actions ?? []).map(eventAction)
    .filter(({ action }) => action.class_name === "RestartAction")
    .map(({ conditions }) =>
      conditions.filter(({ class_name }) => class_name === "EvidenceCondition")
        .map((condition) => judge(condition, occasion))
        .flatMap((verdict) => verdict.verdict === "fail" ? [verdict.why] : [])
    )
  const [why] = against.flat()
  return why === undefined || against.some((of) => of.length === 0)
    ? null
    : `read to its end, the log says otherwise than at ${name}: ${why}`
}
