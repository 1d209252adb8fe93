/** Where the files of one session stand, and which names may become files. */
import * as Effect from "effect/Effect"
import * as path from "node:path"
import { JournalIoError, type SessionPlace } from "../port/Journal.ts"

const inState = (place: SessionPlace, suffix: string): string => path.join(place.stateDir, `${place.planId}${suffix}`)

/** Lease files, one an epoch. */
export const leaseDir = (place: SessionPlace): string => inState(place, ".lease")

/** The lease file of an epoch. */
export const lease = (place: SessionPlace, epoch: number): string => path.join(leaseDir(place), `${epoch}`)

/** Whether a file is one of the session's segments. */
export const isOf = (place: SessionPlace, file: string): boolean => file.startsWith(inState(place, ".events."))

/** Requests to the holder. */
export const inboxDir = (place: SessionPlace): string => inState(place, ".inbox")

/** Heartbeats of workers, a file a claim. */
export const workersDir = (place: SessionPlace): string => inState(place, ".workers")

/** What repairs have cut off, one directory for each, called by the epoch that repaired. */
export const keptDir = (place: SessionPlace): string => inState(place, ".damaged")

/** The session as it was at some record, so that the records before need not be read again. */
export const snapshotFile = (place: SessionPlace): string => inState(place, ".snapshot")

/** The session file. */
export const sessionFile = (place: SessionPlace): string => inState(place, ".json")

/** Nodes that all sessions of a project stay away from: here each has a file of those that it knows of. */
export const nodesDir = (stateDir: string): string => path.join(stateDir, "excluded_nodes")

export const nodesFile = ({ planId, stateDir }: SessionPlace): string => path.join(nodesDir(stateDir), `${planId}.json`)

/** The projections: the session file, its nodes and the queue; and the snapshot. */
export const projections = (place: SessionPlace): ReadonlyArray<string> => [
  sessionFile(place),
  nodesFile(place),
  inState(place, ".actions"),
  snapshotFile(place)
]

/** Which segment: the epoch that writes it, and its number among those of that epoch, from 1. */
export interface SegmentId {
  readonly epoch: number
  readonly part: number
}

const firstName = ".events.jsonl"

const idText = ({ epoch, part }: SegmentId): string => part === 1 ? `${epoch}` : `${epoch}.${part}`

const isFirst = ({ epoch, part }: SegmentId): boolean => epoch === 1 && part === 1

/** The file that a segment is written to: seals name it so, also when it was merged or compressed since. */
export const segment = (place: SessionPlace, epoch: number, part = 1): string =>
  inState(place, isFirst({ epoch, part }) ? firstName : `.events.${idText({ epoch, part })}.jsonl`)

/** The file that holds all segments from one to another. */
export const mergedSegment = (place: SessionPlace, from: SegmentId, to: SegmentId): string =>
  inState(place, `.events.${idText(from)}-${idText(to)}.jsonl`)

/** What the name of a compressed segment ends with. */
export const compressed = ".gz"

/** A file that holds one segment, or several that were merged. */
export interface SegmentFile {
  readonly path: string
  readonly from: SegmentId
  readonly to: SegmentId
  readonly isCompressed: boolean
}

const order = (a: SegmentId, b: SegmentId): number => a.epoch - b.epoch || a.part - b.part

/** Whether all of `inner` is in `outer` as well. */
export const covers = (outer: SegmentFile, inner: SegmentFile): boolean =>
  order(outer.from, inner.from) <= 0 && order(inner.to, outer.to) <= 0

/** Whether a file holds one segment as it was written. */
export const isSingle = ({ from, to }: SegmentFile): boolean => order(from, to) === 0

/** The name by which seals know the segment that a file ends with. */
export const nameOf = (place: SessionPlace, { epoch, part }: SegmentId): string =>
  path.basename(segment(place, epoch, part))

/** Whether nothing stands before the file. */
export const beginsJournal = ({ from }: SegmentFile): boolean => isFirst(from)

const fileName = /^(?:([1-9]\d*)(?:\.([1-9]\d*))?(?:-([1-9]\d*)(?:\.([1-9]\d*))?)?\.)?jsonl(\.gz)?$/

const parse = (place: SessionPlace, name: string): ReadonlyArray<SegmentFile> => {
  const prefix = `${place.planId}.events.`
  const groups = name.startsWith(prefix) ? fileName.exec(name.slice(prefix.length)) : null
  if (groups === null) return []
  const [, epoch = "1", part = "1", lastEpoch, lastPart = "1", zip] = groups
  const from = { epoch: Number(epoch), part: Number(part) }
  const to = lastEpoch === undefined ? from : { epoch: Number(lastEpoch), part: Number(lastPart) }
  // Only the first segment stands under a name without a number, and under no other.
  if ((groups[1] === undefined) !== (isFirst(from) && lastEpoch === undefined)) return []
  return [{ path: path.join(place.stateDir, name), from, to, isCompressed: zip !== undefined }]
}

/** The segment files among the names in a state directory: newest first, and of one end the longest, plain ones first. */
export const segmentFiles = (place: SessionPlace, names: ReadonlyArray<string>): ReadonlyArray<SegmentFile> =>
  names.flatMap((name) => parse(place, name)).sort((a, b) =>
    order(b.to, a.to) || order(a.from, b.from) || Number(a.isCompressed) - Number(b.isCompressed)
  )

const sessionName = /^(.+)\.events\.jsonl(?:\.gz)?$/

/** The sessions among the names in a state directory, sorted. */
export const sessions = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...new Set(names.flatMap((name) => sessionName.exec(name)?.[1] ?? []))].sort()

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
