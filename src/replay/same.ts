/** Whether two records say the same. */
import * as Predicate from "effect/Predicate"
import type { EventRecord } from "../event/EventRecord.ts"

/** Whether two values are the same to JSON: the order of keys does not count, nor do keys without a value. */
export const sameJson = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, at) => sameJson(item, b[at]))
  }
  if (!Predicate.isRecord(a) || !Predicate.isRecord(b) || Array.isArray(a) || Array.isArray(b)) return false
  for (const key in a) if (!sameJson(a[key], b[key])) return false
  for (const key in b) if (b[key] !== undefined && a[key] === undefined) return false
  return true
}

/** Whether two decisions are the same; who wrote them (the epoch) does not count. */
export const sameDecision = (a: EventRecord, b: EventRecord): boolean =>
  a.type === b.type && a.seq === b.seq && a.at === b.at && a.job === b.job && a.attempt === b.attempt &&
  a.cause === b.cause && sameJson(a.data, b.data)
