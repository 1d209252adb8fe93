/** Which rule a decision comes from. */
import type { EventRecord } from "../event/EventRecord.ts"
import type { Turn } from "./turns.ts"

/** The rule's name as a record tells it by itself; null if it does not. */
const named = (record: EventRecord): string | null => {
  switch (record.type) {
    case "EventRaised":
      return record.data.source === "state" ? `state ${record.data.name}` : record.data.name
    case "RestartDecided":
      return record.data.by === "rule" ? record.data.rule ?? record.data.event : null
    case "PatternSwitchedOff":
      return record.data.rule
    default:
      return null
  }
}

/** Walks from a decision up its causes, within its turn, to the first record that names a rule; null if none does. */
export const involvedRule = (
  { decisions, fact }: Turn,
  decision: EventRecord | null,
  decided: ReadonlyArray<EventRecord>
): string | null => {
  const before = (seq: number): EventRecord | undefined =>
    decisions.find((record) => record.seq === seq) ?? decided.find((record) => record.seq === seq)
  for (let record = decision ?? undefined; record !== undefined;) {
    const name = named(record)
    if (name !== null) return name
    record = record.cause === undefined || record.cause >= record.seq ? undefined : before(record.cause)
  }
  if (fact.type !== "LogRead") return null
  const rules = new Set(fact.data.matches.map(({ rule }) => rule))
  return rules.size === 1 ? [...rules][0] ?? null : null
}
