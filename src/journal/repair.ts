/** Finding what is wrong with a journal, and cutting it off. */
import * as Effect from "effect/Effect"
import * as path from "node:path"
import {
  type Fault,
  type JournalError,
  type JournalIoError,
  type Repair,
  type SessionPlace,
  type Verified
} from "../port/Journal.ts"
import { follow } from "./chain.ts"
import * as disk from "./disk.ts"
import { inflate } from "./gzip.ts"
import * as places from "./places.ts"
import { again, damaged, followChain, type Followed } from "./segments.ts"

/** Checks the whole chain, and tells every fault. */
export const verify = (place: SessionPlace, wanted: number | null): Effect.Effect<Verified, JournalIoError> =>
  again(Effect.gen(function*() {
    const faults: Array<Fault> = []
    let records = 0
    let bytes = 0
    let hash: string | null = null
    const followed = yield* followChain(place, null, () => {
      records = 0
      bytes = 0
      return (head, line) => {
        const next = follow(head, line)
        if (next._tag === "Right" && faults.length === 0) {
          records += 1
          bytes += line.length + 1
          if (next.right.seq === wanted) hash = next.right.hash
        }
        return next
      }
    }, (fault) => void faults.push(fault))
    return { records, bytes, faults, leftOut: followed.leftOut, hash }
  }))

/** The files from the cut on: the one that is cut, and the newer ones. */
const behind = (files: ReadonlyArray<places.SegmentFile>, { last }: Followed) => {
  const cut = files.findIndex((file) => file.path === last?.file.path)
  return { cut: files[cut], newer: files.slice(0, cut === -1 ? files.length : cut) }
}

/** The chain up to its fault; refused if no record stands before it, since no session can be told from nothing. */
export const beforeFault = Effect.fnUntraced(function*(
  place: SessionPlace,
  end: Fault | null
): Effect.fn.Return<{ readonly followed: Followed; readonly fault: Fault | null }, JournalError> {
  const followed = yield* again(followChain(place, null, () => follow))
  const fault = followed.fault ?? end
  if (fault !== null && followed.head.seq === 0) {
    return yield* damaged({
      ...fault,
      why: `${fault.why}; not one record stands before it`
    })
  }
  return { followed, fault }
})

/** Gives all files from the cut on a further name in the directory of the repair. */
export const keepAside = Effect.fnUntraced(function*(
  place: SessionPlace,
  epoch: number,
  followed: Followed
): Effect.fn.Return<string, JournalIoError> {
  const dir = disk.join(places.keptDir(place), `${epoch}`)
  yield* disk.makeDir(dir)
  const { cut, newer } = behind(places.segmentFiles(place, yield* disk.names(place.stateDir)), followed)
  for (const { path: file } of [...newer, ...cut === undefined ? [] : [cut]]) {
    yield* disk.link(file, disk.join(dir, path.basename(file)))
  }
  yield* disk.syncDir(dir)
  yield* disk.syncDir(places.keptDir(place))
  return dir
})

/**
 * Takes away what was kept aside, once the new segment has sealed what stands before it: up to then, and after a crash on
 * the way, the files are only left out by readers.
 */
export const takeAway = Effect.fnUntraced(function*(
  place: SessionPlace,
  dir: string,
  followed: Followed
): Effect.fn.Return<void, JournalIoError> {
  const kept = new Set(yield* disk.names(dir))
  const { last } = followed
  for (const name of kept) {
    if (name !== path.basename(last?.file.path ?? "")) yield* disk.remove(disk.join(place.stateDir, name))
  }
  if (last !== null && kept.has(path.basename(last.file.path))) {
    const plain = last.file.isCompressed ? last.file.path.slice(0, -places.compressed.length) : last.file.path
    const draft = `${plain}.tmp`
    if (last.file.isCompressed) {
      const { bytes } = yield* inflate(last.file.path)
      yield* disk.write(draft, bytes.subarray(0, last.bytes))
    } else {
      yield* disk.concatenate([{ path: last.file.path, bytes: last.bytes }], draft)
    }
    yield* disk.rename(draft, plain)
    if (last.file.isCompressed) yield* disk.remove(last.file.path)
  }
  const sessionFile = places.sessionFile(place)
  if ((yield* disk.readText(sessionFile)) !== null) {
    yield* disk.rename(sessionFile, disk.join(dir, path.basename(sessionFile)))
  }
  yield* disk.remove(places.snapshotFile(place))
  yield* disk.syncDir(place.stateDir)
})

/** The lines that a repair has cut off, as far as they are text. */
export const keptLines = Effect.fnUntraced(function*(
  place: SessionPlace,
  { fault, kept }: Repair
): Effect.fn.Return<ReadonlyArray<string>, JournalIoError> {
  const inKept = { ...place, stateDir: kept }
  const files = places.segmentFiles(inKept, yield* disk.names(kept)).toReversed()
  const texts = yield* Effect.forEach(files, (file) =>
    Effect.map(
      file.isCompressed ? Effect.map(inflate(file.path), ({ bytes }) => bytes) : disk.readAll(file.path),
      (bytes) =>
        bytes.subarray(path.basename(fault.path) === path.basename(file.path) ? fault.from : 0).toString("utf8")
    ))
  return texts.flatMap((text) => text.split("\n")).filter((line) => line !== "")
})
