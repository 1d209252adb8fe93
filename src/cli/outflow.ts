/** A journal written out while it is read: what is printed is never all in memory. */
import * as Effect from "effect/Effect"
import { type Envelope, Journal, type Position, type SessionPlace } from "../port/Journal.ts"
import { Screen } from "../report/Screen.ts"

/**
 * Prints what `line` makes of each record (null: nothing), of those behind the last one it has printed; asked again it
 * goes on. Of a damaged journal what stands before the damage is printed, too.
 */
export const makeOutflow = (place: SessionPlace, line: (record: Envelope) => string | null) => {
  let from: Position | null = null
  let last = 0
  let text = ""
  return Effect.gen(function*() {
    const screen = yield* Screen
    const journal = yield* Journal
    const take = (record: Envelope): void => {
      // Where reading began anew, they were printed already.
      if (record.seq <= last) return
      last = record.seq
      const made = line(record)
      if (made !== null) text += `${made}\n`
    }
    const pause = Effect.suspend(() => {
      const piece = text
      text = ""
      return piece === "" ? Effect.void : screen.out(piece)
    })
    const walked = yield* Effect.tapError(journal.walk(place, { from, begin: () => take, pause }), () => pause)
    from = walked.position
    return walked
  })
}
