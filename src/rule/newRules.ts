/** Other rules than before: what follows from that for what is under way. */
import { ruleOf } from "./bound.ts"
import type { Context } from "./Context.ts"
import { finishIfJudged } from "./ending.ts"
import { actAgain } from "./gates.ts"
import { watchAnew } from "./silence.ts"

/**
 * What waits goes on under the rules that raised it, unless its rule is gone: then it is given up. Silence is judged by the
 * new threshold, from the last sign of life on.
 */
export const followRules = (context: Context): void => {
  const { bindings, jobs } = context.session
  for (const { className: class_name, condition, id: binding, occurrence } of [...bindings.values()]) {
    const job = context.job(occurrence.job)
    if (job === undefined || ruleOf(context.rules(job), occurrence) !== undefined) continue
    const why = `the rule ${occurrence.name} is gone`
    context.emit({ type: "ConditionFailed", data: { binding, condition, class_name, why } }, job)
    finishIfJudged(context, job)
  }
  context.roomChanged = true
  actAgain(context)
  for (const job of [...jobs.values()]) watchAnew(context, job)
}
