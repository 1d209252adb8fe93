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

/** Makes turns of records that come one by one. A decision before any fact belongs to none, and is left out. */
export class TurnMaker {
  private fact: Fact | null = null
  private decisions: Array<EventRecord> = []
  private seals: Array<Fact> = []

  /** The turn that the record shows to be over, if it begins another. */
  take(record: EventRecord): Turn | null {
    if (!isFact(record)) this.decisions.push(record)
    else if (isSeal(record)) this.seals.push(record)
    else {
      const over = this.rest()
      this.fact = record
      this.decisions = []
      this.seals = []
      return over
    }
    return null
  }

  /** The turn that no record has shown to be over. */
  rest(): Turn | null {
    const { decisions, fact, seals } = this
    return fact === null ? null : { fact, decisions, seals }
  }
}

/** The turns in their order. */
export function* turnsOf(records: ReadonlyArray<EventRecord>): Generator<Turn> {
  const maker = new TurnMaker()
  for (const record of records) {
    const turn = maker.take(record)
    if (turn !== null) yield turn
  }
  const last = maker.rest()
  if (last !== null) yield last
}
