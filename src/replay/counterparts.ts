/** Ids hold seqs, which differ once other decisions were made: what in the one session is what in the other. */
import type { EventRecord, Fact, NewEvent } from "../event/EventRecord.ts"
import type { FactType } from "../event/events.ts"
import type { OpenBinding, OpenGate } from "../session/entries.ts"
import type { Session } from "../session/Session.ts"
import { sameJson } from "./same.ts"

type Open = OpenBinding | OpenGate

const openOf = (session: Session, id: string): Open | undefined => session.gates.get(id) ?? session.bindings.get(id)

/** The question in `session` that is the same as the one in the other session. */
const counterpart = (session: Session, asked: Open): string | null => {
  if ("kind" in asked) {
    const gate = session.gates.get(asked.id)
    return gate !== undefined && sameJson(gate.asked.question, asked.asked.question) ? gate.id : null
  }
  for (const open of session.bindings.values()) {
    const { occurrence } = open
    if (
      occurrence.job === asked.occurrence.job && occurrence.attempt === asked.occurrence.attempt &&
      sameJson(open.asked.question, asked.asked.question)
    ) return open.id
  }
  return null
}

const timerParts = (timer: string): readonly [kind: string, rest: string] => {
  const at = timer.indexOf(" ")
  return at === -1 ? [timer, ""] : [timer.slice(0, at), timer.slice(at + 1)]
}

export class Counterparts {
  /** Ids of submissions, actions and queue entries of the recorded session, and what they are in the other. */
  private readonly ids = new Map<string, string>()

  /** Notes which decisions of a turn are each other's. */
  note(recorded: ReadonlyArray<EventRecord>, replayed: ReadonlyArray<EventRecord>): void {
    const free = new Set(replayed)
    for (const record of recorded) {
      for (const other of free) {
        if (!this.pair(record, other)) continue
        free.delete(other)
        break
      }
    }
  }

  private pair(a: EventRecord, b: EventRecord): boolean {
    if (a.type === "SubmissionIntended" && b.type === "SubmissionIntended") {
      if (a.attempt !== b.attempt || !a.data.jobs.some((job) => b.data.jobs.includes(job))) return false
      this.ids.set(a.data.nonce, b.data.nonce)
      return true
    }
    if (a.job !== b.job || a.attempt !== b.attempt) return false
    if (a.type === "ActionStarted" && b.type === "ActionStarted") {
      if (!sameJson(a.data.action, b.data.action)) return false
      this.ids.set(a.data.action_id, b.data.action_id)
      return true
    }
    if (a.type === "ActionQueued" && b.type === "ActionQueued") {
      if (!sameJson(a.data.action, b.data.action)) return false
      this.ids.set(a.data.queue_id, b.data.queue_id)
      return true
    }
    return false
  }

  /** The timer's name in the other session; null if it has none. `recorded`: the session before the timer fired. */
  timer(name: string, recorded: Session, other: Session): string | null {
    const [kind, rest] = timerParts(name)
    if (kind === "submission") return this.with(rest, (id) => `${kind} ${id}`)
    if (!/^condition(?:\.\d+)?$/.test(kind)) return name
    const open = openOf(recorded, rest)
    const id = open === undefined ? null : counterpart(other, open)
    return id === null ? null : `${kind} ${id}`
  }

  /** The fact as it would be in the other session; null where it would be about nothing. */
  fact(fact: Fact, recorded: Session, other: Session): NewEvent<FactType> | null {
    switch (fact.type) {
      case "JobSubmitted":
        return this.with(fact.data.nonce, (nonce) => ({ ...fact, data: { ...fact.data, nonce } }))
      case "SubmissionRefused":
        return this.with(fact.data.nonce, (nonce) => ({ ...fact, data: { ...fact.data, nonce } }))
      case "SubmissionUnanswered":
        return this.with(fact.data.nonce, (nonce) => ({ ...fact, data: { ...fact.data, nonce } }))
      case "SubmissionNotFound":
        return this.with(fact.data.nonce, (nonce) => ({ ...fact, data: { ...fact.data, nonce } }))
      case "ConditionObserved": {
        const open = openOf(recorded, fact.data.binding)
        const binding = open === undefined ? null : counterpart(other, open)
        return binding === null ? null : { ...fact, data: { ...fact.data, binding } }
      }
      case "ActionFinished":
        return this.with(fact.data.action_id, (action_id) => ({ ...fact, data: { ...fact.data, action_id } }))
      case "WorkerLost":
        return this.with(fact.data.queue_id, (queue_id) => ({ ...fact, data: { ...fact.data, queue_id } }))
      case "OperatorRequested": {
        const { request } = fact.data
        if (!("queue_id" in request)) return fact
        return this.with(request.queue_id, (queue_id) => ({
          ...fact,
          data: { ...fact.data, request: { ...request, queue_id } }
        }))
      }
      default:
        return fact
    }
  }

  private with<A>(id: string, make: (id: string) => A): A | null {
    const other = this.ids.get(id)
    return other === undefined ? null : make(other)
  }
}
