/** What rules bind to events, and what they take them for. */
import { type Binding, eventAction } from "../action/actions.ts"
import type { Mode } from "../event/terms.ts"
import type { Occurrence } from "../session/entries.ts"
import type { Context, Rules } from "./Context.ts"
import { modeOf, type Monitoring } from "./Monitoring.ts"

type Rule = Monitoring["log_events"][number]

/** Actions that start the job again, now or once they are done. */
export const startsAgain = (bound: typeof Binding.Type): boolean =>
  ["CheckpointRollbackAction", "RestartAction"].includes(eventAction(bound).action.class_name)

/** Whether a match may be what a restart answers, or what the attempt ends of. */
export const tellsOfFailure = ({ actions, state }: Pick<Rule, "state" | "actions">): boolean =>
  state !== null || actions.some(startsAgain)

const isMode = (name: string, rules: Rules): name is Mode => [...rules.state.keys()].some((mode) => mode === name)

/** What the rule of an occurrence binds to it at `position`. */
export const boundAt = (
  context: Context,
  occurrence: Occurrence,
  position: number
): typeof Binding.Type | undefined => {
  const job = context.job(occurrence.job)
  if (job === undefined) return undefined
  return ruleOf(context.rulesAt(job, occurrence), occurrence)?.actions[position]
}

/** The rule by which an event of that name and source goes; what is published goes by the log event of its name, if any. */
export const ruleOf = (
  rules: Rules,
  { name, source }: Pick<Occurrence, "name" | "source">
): Rule | Monitoring["state_events"][number] | undefined => {
  const log = source === "state" ? undefined : rules.log.get(name)
  return log === undefined && (source === "state" || source === "published") && isMode(name, rules)
    ? rules.state.get(name)
    : log
}

/** Whether a condition of the binding asks what the event's metadata say. */
export const asksByMetadata = (bound: typeof Binding.Type): boolean =>
  eventAction(bound).conditions.some(({ class_name }) => class_name === "MetadataCondition")

/**
 * Whether the event's rule takes it for a failure, or the event that it was published by does; a restart because of
 * anything else is wanted in any case.
 */
export const speaksOfFailure = (rules: Rules, { name, published, source }: Occurrence): boolean => {
  if (source === "state" || source === "inactivity") return true
  const mode = modeOf(ruleOf(rules, { name, source })?.state ?? null)
  return (published !== null && published.failure !== null) || (mode !== null && mode !== "success")
}
