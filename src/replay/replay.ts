/** Recorded facts to today's decider: does it decide what was decided then? From records alone. */
import * as Either from "effect/Either"
import { encodeEvent, type EventRecord, UnreadableRecordError } from "../event/EventRecord.ts"
import { decodeRules, rulesInForce } from "../rule/Context.ts"
import { step } from "../rule/step.ts"
import { fold } from "../session/fold.ts"
import { emptySession, type Session } from "../session/Session.ts"
import { involvedRule } from "./involved.ts"
import { sameDecision } from "./same.ts"
import { type Turn, TurnMaker } from "./turns.ts"

/** Where the decider of today and the journal part. */
export interface Divergence {
  /** Seq of the decision that differs. */
  readonly seq: number
  /** The fact that led to it. */
  readonly fact: EventRecord
  /** What the journal has there; null: nothing more was decided of that fact. */
  readonly recorded: EventRecord | null
  /** What is decided today; null: nothing more. */
  readonly decided: EventRecord | null
  /** Name of the rule that either comes from; null if none does. */
  readonly rule: string | null
}

export interface Replayed {
  readonly identical: boolean
  /** Facts that were decided on, and decisions that were the same. */
  readonly facts: number
  readonly decisions: number
  readonly divergence: Divergence | null
  /** The session after the last fact that was decided on, as it is decided today. */
  readonly session: Session
}

const reservedIn = ({ seals }: Turn): ReadonlySet<number> | undefined =>
  seals.length === 0 ? undefined : new Set(seals.map(({ seq }) => seq))

/** A decider that is fed turn by turn, over a session of its own. */
export class Replayer {
  readonly session: Session = emptySession()

  /** What is decided of the turn's fact today; the session goes on with that. */
  decide(turn: Turn): Either.Either<ReadonlyArray<EventRecord>, UnreadableRecordError> {
    const { fact, seals } = turn
    const readable = decodeRules(this.session.rules)
    if (this.session.created !== "" && Either.isLeft(readable)) {
      return Either.left(new UnreadableRecordError({ seq: fact.seq, type: fact.type, why: readable.left }))
    }
    const decided = step(this.session, rulesInForce(this.session), fact, reservedIn(turn))
    for (const seal of seals) if (seal.seq > this.session.seq) fold(this.session, seal)
    return Either.right(decided)
  }
}

/**
 * The first difference between what was recorded of a turn and what is decided today. `last`: a journal may end within
 * the decisions on its last fact, which whoever resumes it goes on with.
 */
export const differenceIn = (turn: Turn, decided: ReadonlyArray<EventRecord>, last: boolean): Divergence | null => {
  const { decisions, fact } = turn
  const length = last ? decisions.length : Math.max(decisions.length, decided.length)
  for (let at = 0; at < length; at += 1) {
    const recorded = decisions[at] ?? null
    const now = decided[at] ?? null
    if (recorded !== null && now !== null && sameDecision(recorded, now)) continue
    const seq = recorded?.seq ?? now?.seq ?? fact.seq
    return { seq, fact, recorded, decided: now, rule: involvedRule(turn, recorded ?? now, decided) }
  }
  return null
}

/** Decides anew on the facts among records that come one by one, a journal's first ones, up to the first difference. */
export class Replay {
  private readonly turns = new TurnMaker()
  private readonly replayer = new Replayer()
  private facts = 0
  private decisions = 0
  private divergence: Divergence | null = null
  private unreadable: UnreadableRecordError | null = null

  take(record: EventRecord): void {
    if (this.divergence !== null || this.unreadable !== null) return
    const turn = this.turns.take(record)
    if (turn !== null) this.decide(turn, false)
  }

  /** What came of it, when there are no more records. */
  end(): Either.Either<Replayed, UnreadableRecordError> {
    const turn = this.divergence === null && this.unreadable === null ? this.turns.rest() : null
    if (turn !== null) this.decide(turn, true)
    if (this.unreadable !== null) return Either.left(this.unreadable)
    const { decisions, divergence, facts, replayer: { session } } = this
    return Either.right({ identical: divergence === null, facts, decisions, divergence, session })
  }

  private decide(turn: Turn, last: boolean): void {
    const decided = this.replayer.decide(turn)
    if (Either.isLeft(decided)) {
      this.unreadable = decided.left
      return
    }
    this.divergence = differenceIn(turn, decided.right, last)
    this.facts += 1
    if (this.divergence === null) this.decisions += turn.decisions.length
  }
}

/** Decides anew on all facts among the records. */
export const replay = (records: ReadonlyArray<EventRecord>): Either.Either<Replayed, UnreadableRecordError> => {
  const replayed = new Replay()
  for (const record of records) replayed.take(record)
  return replayed.end()
}

/** The answer of `replay`. */
export const replayView = ({ decisions, divergence, facts, identical }: Replayed) => {
  const view = (record: EventRecord | null) =>
    record === null ? null : { seq: record.seq, at: record.at, ...encodeEvent(record) }
  return {
    identical,
    facts,
    decisions,
    first_divergence: divergence === null ? null : {
      seq: divergence.seq,
      fact: view(divergence.fact),
      recorded: view(divergence.recorded),
      decided: view(divergence.decided),
      rule: divergence.rule
    }
  }
}
