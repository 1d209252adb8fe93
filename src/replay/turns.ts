/** A journal as what it is made of: facts, each with the decisions that followed it. */
import { type EventRecord, type Fact, isFact } from "../event/EventRecord.ts"

/** One fact, and what was recorded of the decisions that it led to. */
export interface Turn {
  readonly fact: Fact
  readonly decisions: ReadonlyArray<EventRecord>
  /** Records that the journal wrote itself after the fact: their seqs are not the decider's. */
  readonly seals: ReadonlyArray<Fact>
}

/** Whether the journal wrote the record itself: it tells of segments, not of the session. */
const isSeal = ({ type }: EventRecord): boolean => type === "SegmentOpened"

/** The turns in their order. A decision before any fact belongs to none, and is left out. */
export function* turnsOf(records: ReadonlyArray<EventRecord>): Generator<Turn> {
  let fact: Fact | null = null
  let decisions: Array<EventRecord> = []
  let seals: Array<Fact> = []
  for (const record of records) {
    if (!isFact(record)) decisions.push(record)
    else if (isSeal(record)) seals.push(record)
    else {
      if (fact !== null) yield { fact, decisions, seals }
      fact = record
      decisions = []
      seals = []
    }
  }
  if (fact !== null) yield { fact, decisions, seals }
}
