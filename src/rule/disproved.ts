/** Restarts that evidence speaks against which came after it was asked for. */
import { eventAction } from "../action/actions.ts"
import { type Condition, judge } from "../action/conditions.ts"
import type { Occasion } from "../action/Verdict.ts"
import { type Answer, combine } from "../event/Question.ts"
import type { Job } from "../session/Job.ts"
import { evidenceIsHeardAgain, settledLogDecides } from "./behaviour.ts"
import { isCancelled } from "./classify.ts"
import { occasionOf } from "./conditions.ts"
import type { Context } from "./Context.ts"

/** What a condition says by its evidence alone; null: that depends on others. */
type Heard = Answer | null

const hear = (condition: Condition, occasion: Occasion): Heard => {
  switch (condition.class_name) {
    case "EvidenceCondition": {
      const verdict = judge(condition, occasion)
      return verdict.verdict === "ask" ? null : { holds: verdict.verdict === "pass", why: verdict.why }
    }
    case "NotCondition": {
      const heard = hear(condition.condition, occasion)
      return heard === null ? null : { ...heard, holds: !heard.holds }
    }
    case "AndCondition":
      return combine("all", condition.conditions.map((one) => hear(one, occasion)))
    case "OrCondition":
      return combine("any", condition.conditions.map((one) => hear(one, occasion)))
    case "CompositeCondition":
      return combine(condition.mode, condition.conditions.map((one) => hear(one, occasion)))
    default:
      return null
  }
}

/** What the evidence of the present attempt says against conditions that may have passed before; null if nothing. */
export const evidenceAgainst = (context: Context, job: Job, conditions: ReadonlyArray<Condition>): string | null => {
  const occasion = occasionOf(context, job, { metadata: {}, gate: false })
  const within = context.session.behaviour >= evidenceIsHeardAgain
  for (const condition of conditions) {
    const heard = within || condition.class_name === "EvidenceCondition" ? hear(condition, occasion) : null
    if (heard?.holds === false) return heard.why
  }
  return null
}

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
  const against = (rule?.actions ?? []).map(eventAction)
    .filter(({ action }) => action.class_name === "RestartAction")
    .map(({ conditions }) => evidenceAgainst(context, job, conditions))
  const [why] = against.filter((one) => one !== null)
  return why === undefined || against.includes(null)
    ? null
    : `read to its end, the log says otherwise than at ${name}: ${why}`
}
