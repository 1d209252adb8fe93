/** Whether a session's journal is as it was written, and if not, where it stops being so. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { segment, segmentFiles } from "../journal/places.ts"
import { type Fault, Journal, JournalIoError, type LeftOut, type SessionPlace } from "../port/Journal.ts"
import { type Head, publishedHead, sessionFile } from "./publish.ts"

/** The first thing in a journal that is not as it was written. */
export interface FirstBad extends Omit<Fault, "path"> {
  /** File name of the segment. */
  readonly segment: string
}

export interface Checked {
  readonly plan_id: string
  readonly ok: boolean
  /** Whole records, from the first one on. */
  readonly records: number
  readonly first_bad: FirstBad | null
  /** What a crash left behind and no reader takes for a record: no damage. */
  readonly left_out: ReadonlyArray<LeftOut>
}

/** Where records are missing that the session file has seen: at the end of the newest segment. */
const missingEnd = (
  place: SessionPlace,
  records: number,
  published: Head
): Effect.Effect<FirstBad, JournalIoError> =>
  Effect.try({
    try: () => {
      const file = segmentFiles(place, fs.readdirSync(place.stateDir))[0]?.path ?? segment(place, 1)
      const bytes = fs.statSync(file).size
      return {
        segment: path.basename(file),
        line: null,
        from: bytes,
        to: bytes,
        seq: Math.min(records + 1, published.seq),
        kind: "missing" as const,
        why: `${sessionFile(place)} has seen record ${published.seq} (hash ${published.hash.slice(0, 12)}…), ` +
          `and the journal ends with record ${records}: records were removed or replaced`
      }
    },
    catch: (error) => new JournalIoError({ path: place.stateDir, message: String(error) })
  })

/** Checks the chain of all records, and holds its end against what the session file has seen. */
export const verify = Effect.fn("monitor.verify")(function*(place: SessionPlace) {
  const journal = yield* Journal
  const published = yield* publishedHead(place)
  const { faults: [fault], hash, leftOut, records } = yield* journal.verify(place, published?.seq ?? null)
  const checked = (first_bad: FirstBad | null): Checked => ({
    plan_id: place.planId,
    ok: first_bad === null,
    records,
    first_bad,
    left_out: leftOut
  })
  if (fault !== undefined) {
    const { path: file, ...rest } = fault
    return checked({ segment: path.basename(file), ...rest })
  }
  return checked(
    published === null || hash === published.hash ? null : yield* missingEnd(place, records, published)
  )
})
