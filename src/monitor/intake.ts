/** From the envelopes that a journal gives to records, with the end that the session file has seen held against them. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as path from "node:path"
import { decodeRecord, type EventRecord, type UnreadableRecordError } from "../event/EventRecord.ts"
import { type Envelope, JournalDamagedError, type Position, type Reader, type SessionPlace } from "../port/Journal.ts"
import { type Head, sessionFile } from "./publish.ts"

export interface Intake {
  readonly reader: Reader
  /** Whether reading began at the place that was asked for. */
  readonly resumed: () => boolean
  /** The records that were read. */
  readonly count: () => number
  /** The last record. */
  readonly head: () => Head
  /** Fails if the records are those of another session. */
  readonly belongs: Effect.Effect<void, JournalDamagedError>
  /** Fails if these are records of another session, if one could not be understood, or if the journal ends before what the session file has seen. */
  readonly check: Effect.Effect<void, UnreadableRecordError | JournalDamagedError>
}

/**
 * `published`: the last record that the session file, read before the journal, has seen. What `begin` gives takes the
 * records one by one, up to the first that cannot be understood; it is called again where reading begins anew.
 */
export const makeIntake = (
  place: SessionPlace,
  published: Head | null,
  from: Position | null,
  begin: (resumed: boolean) => (record: EventRecord) => void
): Intake => {
  let unreadable: UnreadableRecordError | null = null
  let stranger: JournalDamagedError | null = null
  let seen: string | null = null
  let count = 0
  let head: Head = { seq: 0, hash: "" }
  let begunAt = 0
  let isResumed = false

  const meet = ({ hash, seq }: Head): void => {
    head = { seq, hash }
    if (seq === published?.seq) seen = hash
  }

  return {
    reader: {
      from,
      begin: (resumed) => {
        unreadable = null
        stranger = null
        seen = null
        count = 0
        head = { seq: 0, hash: "" }
        begunAt = 0
        isResumed = resumed
        if (resumed && from !== null) {
          meet(from)
          begunAt = head.seq
        }
        const take = begin(resumed)
        return (envelope: Envelope) => {
          meet(envelope)
          count += 1
          if (unreadable !== null) return
          const record = decodeRecord(envelope)
          if (Either.isLeft(record)) unreadable = record.left
          else {
            stranger ??= strangerOf(place, record.right)
            take(record.right)
          }
        }
      }
    },
    resumed: () => isResumed,
    count: () => count,
    head: () => head,
    belongs: Effect.suspend(() => stranger ?? Effect.void),
    check: Effect.suspend((): Effect.Effect<void, UnreadableRecordError | JournalDamagedError> => {
      if (stranger !== null) return stranger
      if (unreadable !== null) return unreadable
      const isKnown = published === null || published.seq < begunAt || seen === published.hash
      return isKnown ? Effect.void : removed(place, published, head.seq)
    })
  }
}

/** A file that was put in the place of the session's own: whoever went on by it would do what is another's to do. */
const strangerOf = ({ planId, stateDir }: SessionPlace, record: EventRecord): JournalDamagedError | null => {
  if (record.type !== "SessionOpened" || record.data.plan_id === planId) return null
  const file = path.join(stateDir, `${planId}.events.jsonl`)
  return new JournalDamagedError({
    path: file,
    from: 0,
    to: 0,
    seq: record.seq,
    message: `${file}: this is the journal of session ${record.data.plan_id}, not of ${planId}`
  })
}

/** The chain alone cannot tell that its last lines were removed. */
const removed = (place: SessionPlace, published: Head, last: number): JournalDamagedError => {
  const told = last < published.seq ? `ends with record ${last}` : `has another record ${published.seq}`
  return new JournalDamagedError({
    path: sessionFile(place),
    from: 0,
    to: 0,
    seq: published.seq,
    message: `the journal of ${place.planId} ${told}, but ${sessionFile(place)} has seen record ${published.seq} ` +
      `(hash ${published.hash.slice(0, 12)}…): records were removed or replaced`
  })
}
