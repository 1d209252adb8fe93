/** `replay --step`: a walk through a journal, by keys on a terminal, printed as a whole without one. */
import * as Effect from "effect/Effect"
import type { EventRecord, UnreadableRecordError } from "../event/EventRecord.ts"
import { type Pace, Walk } from "../replay/walk.ts"
import { replayLines, stateLines, turnLines } from "../report/replay.ts"
import type { Screen } from "../report/Screen.ts"
import { printLines } from "./print.ts"

const keys = "n next fact · d next decision · j JOB next for that job · p state · q leave"

const paceOf = (line: string): Pace | null => {
  const [key = "", job] = line.trim().split(/\s+/)
  if (key === "" || key === "n") return "fact"
  if (key === "d") return "decision"
  return key === "j" && job !== undefined ? { job } : null
}

/**
 * Walks through the records as the lines say, one command each (an empty one is `n`); null: all facts, one after
 * another. The exit code: 1 if a decision was met that differs.
 */
export const step = (
  records: ReadonlyArray<EventRecord>,
  lines: AsyncIterator<string> | null
): Effect.Effect<number, UnreadableRecordError, Screen> =>
  Effect.gen(function*() {
    const walk = new Walk(records)
    let facts = 0
    let decisions = 0
    if (lines !== null) yield* printLines([keys])
    for (;;) {
      const read = lines === null ? null : yield* Effect.promise(() => lines.next())
      const line = read === null ? "n" : read.done === true ? "q" : read.value
      if (line.trim() === "q") return 0
      if (line.trim() === "p") {
        yield* printLines(stateLines(walk.session))
        continue
      }
      const pace = paceOf(line)
      if (pace === null) {
        yield* printLines([keys])
        continue
      }
      const stride = yield* walk.go(pace)
      if (stride === null) {
        yield* printLines(
          lines === null
            ? replayLines({ identical: true, facts, decisions, divergence: null, session: walk.session })
            : ["the end of the journal"]
        )
        return 0
      }
      facts += 1
      decisions += stride.turn.decisions.length
      yield* printLines(turnLines(stride.turn, stride.divergence))
      if (stride.divergence !== null) return 1
    }
  })
