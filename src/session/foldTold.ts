/** What the records that a repair has cut off still tell: it keeps what was done from being done again. */
import type { Told } from "../event/Told.ts"
import { attemptKey, eventKey, logKey, type Session } from "./Session.ts"

export const foldTold = (session: Session, { acted, events, logs, restarts, since }: Told): void => {
  for (const { job, path, ...log } of logs) {
    const key = logKey(job, path)
    session.toldLogs.set(key, [...session.toldLogs.get(key) ?? [], log])
  }
  for (const { attempt, count, job, name } of events) {
    const key = eventKey(job, attempt, name)
    session.toldEvents.set(key, Math.max(count, session.toldEvents.get(key) ?? 0))
  }
  for (const { attempt, job } of restarts) session.toldRestarts.add(attemptKey(job, attempt))
  for (const binding of session.bindings.values()) {
    if (binding.occurrence.seq < since && !acted.includes(binding.occurrence.eventId)) continue
    const occurrence = { ...binding.occurrence, told: true }
    session.occurrences.set(occurrence.seq, occurrence)
    session.bindings.set(binding.id, { ...binding, occurrence })
  }
}
