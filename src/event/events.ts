/** Every event of the journal, by its type. */
import { decisions } from "./decisions.ts"
import { facts } from "./facts.ts"

/** The schema of each event's data, by its type. */
export const events = { ...facts, ...decisions }

export type FactType = keyof typeof facts
export type DecisionType = keyof typeof decisions
export type EventType = keyof typeof events
export type EventData<Type extends EventType> = (typeof events)[Type]["Type"]

/** Whether the type is one of a fact: something `rule/step` answers with decisions. */
export const isFactType = (type: string): type is FactType => Object.hasOwn(facts, type)
