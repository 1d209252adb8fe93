/** A walk through a journal, turn by turn. */
import * as Either from "effect/Either"
import type { EventRecord, UnreadableRecordError } from "../event/EventRecord.ts"
import type { Session } from "../session/Session.ts"
import { differenceIn, type Divergence, Replayer } from "./replay.ts"
import { type Turn, turnsOf } from "./turns.ts"

/** A turn that was walked over, and where today's decisions part from the recorded ones, if they do. */
export interface Stride {
  readonly turn: Turn
  readonly divergence: Divergence | null
}

/** How far to go: to the next fact, the next that leads to decisions, or the next that concerns the job of that name. */
export type Pace = "fact" | "decision" | { readonly job: string }

const isReached = (pace: Pace, { decisions, fact }: Turn): boolean =>
  pace === "fact" ||
  (pace === "decision" ? decisions.length > 0 : [fact, ...decisions].some(({ job }) => job === pace.job))

export class Walk {
  private readonly turns: ReadonlyArray<Turn>
  private readonly replayer = new Replayer()
  private at = 0

  constructor(records: ReadonlyArray<EventRecord>) {
    this.turns = [...turnsOf(records)]
  }

  /** The session as today's decisions have made it so far. */
  get session(): Session {
    return this.replayer.session
  }

  /** Goes on; stops before its aim where the decisions differ. Null at the end of the journal. */
  go(pace: Pace): Either.Either<Stride | null, UnreadableRecordError> {
    for (let turn = this.turns[this.at]; turn !== undefined; turn = this.turns[this.at]) {
      this.at += 1
      const decided = this.replayer.decide(turn)
      if (Either.isLeft(decided)) return Either.left(decided.left)
      const divergence = differenceIn(turn, decided.right, this.at === this.turns.length)
      if (divergence !== null || isReached(pace, turn)) return Either.right({ turn, divergence })
    }
    return Either.right(null)
  }
}
