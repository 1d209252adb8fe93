/** Where the files of one session stand, and which names may become files. */
import * as Effect from "effect/Effect"
import * as path from "node:path"
import { JournalIoError, type SessionPlace } from "../port/Journal.ts"

const inState = (place: SessionPlace, suffix: string): string => path.join(place.stateDir, `${place.planId}${suffix}`)

/** Lease files, one an epoch. */
export const leaseDir = (place: SessionPlace): string => inState(place, ".lease")

/** Requests to the holder. */
export const inboxDir = (place: SessionPlace): string => inState(place, ".inbox")

/** Heartbeats of workers, a file a claim. */
export const workersDir = (place: SessionPlace): string => inState(place, ".workers")

/** The projections: the session file and the queue. */
export const projections = (place: SessionPlace): ReadonlyArray<string> => [
  inState(place, ".json"),
  inState(place, ".actions")
]

/** The segment that an epoch writes. */
export const segment = (place: SessionPlace, epoch: number): string =>
  inState(place, epoch === 1 ? ".events.jsonl" : `.events.${epoch}.jsonl`)

/** The epochs of the segments among the names in a state directory, ascending. */
export const segmentEpochs = (planId: string, names: ReadonlyArray<string>): ReadonlyArray<number> =>
  names.flatMap((name) => {
    if (!name.startsWith(`${planId}.events.`)) return []
    const rest = name.slice(`${planId}.events.`.length)
    if (rest === "jsonl") return [1]
    const epoch = /^([1-9]\d*)\.jsonl$/.exec(rest)?.[1]
    return epoch === undefined || epoch === "1" ? [] : [Number(epoch)]
  }).sort((a, b) => a - b)

const firstSuffix = ".events.jsonl"

/** The sessions among the names in a state directory, sorted. */
export const sessions = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.filter((name) => name.endsWith(firstSuffix) && name !== firstSuffix)
    .map((name) => name.slice(0, -firstSuffix.length))
    .sort()

/** Refuses a name that could leave its directory, or be taken for an option by whoever meets the file. */
export const checkName = (
  dir: string,
  what: "plan id" | "request id",
  name: string
): Effect.Effect<void, JournalIoError> =>
  name === "" || name.startsWith("-") || name.includes("/") || name.includes("..") || name.includes("\0")
    ? new JournalIoError({
      path: dir,
      message: `the ${what} ${JSON.stringify(name)} cannot be a file name: ` +
        "it must not be empty, begin with \"-\" or contain \"/\", \"..\" or NUL"
    })
    : Effect.void
