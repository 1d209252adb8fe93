/**
 * Fewer and smaller files for what is sealed. A new file is complete and durable under a name of its own before those that
 * it replaces go, and no file is ever overwritten by another content: a holder that was paused on the way and goes on
 * late can take nothing away that is not in a file which stays.
 */
import * as Effect from "effect/Effect"
import * as path from "node:path"
import type { Compaction, FencedError, JournalIoError, SessionPlace } from "../port/Journal.ts"
import * as disk from "./disk.ts"
import { assertNewest } from "./epochs.ts"
import { deflate } from "./gzip.ts"
import * as places from "./places.ts"
import type { Link } from "./resolve.ts"

/** What is worth it. Sizes in bytes. */
export interface CompactOptions {
  /** Segments below are small: so many of them in a row are merged, into files that are hardly larger. */
  readonly smallBytes: number
  readonly atLeast: number
  /** Segments from this size on are compressed. */
  readonly compressFrom: number
}

/** What a holder does on its own. */
export const byItself: CompactOptions = { smallBytes: 1 << 20, atLeast: 16, compressFrom: 4 << 20 }

/** What is done when somebody asks for it. */
export const asked: CompactOptions = { smallBytes: 1 << 20, atLeast: 2, compressFrom: 4096 }

interface Part {
  readonly file: places.SegmentFile
  readonly bytes: number
}

/** Accepted bytes of a sealed file that may be merged; null if it is large, compressed, or holds more than was sealed. */
const smallPart = Effect.fnUntraced(function*({ file, sealed }: Link, smallBytes: number) {
  // The first file keeps its name, by which sessions are found.
  if (sealed === null || file.isCompressed || places.beginsJournal(file)) return null
  const bytes = yield* disk.size(file.path)
  const whole = !places.isSingle(file) || bytes === sealed.bytes
  return whole && bytes < smallBytes ? { file, bytes } : null
})

/** Makes one file of several that follow each other. */
const mergeRun = Effect.fnUntraced(function*(place: SessionPlace, epoch: number, run: ReadonlyArray<Part>) {
  const [first, last] = [run.at(0), run.at(-1)]
  if (first === undefined || last === undefined) return []
  const to = places.mergedSegment(place, first.file.from, last.file.to)
  const draft = `${to}.${epoch}.tmp`
  yield* disk.concatenate(run.map(({ bytes, file }) => ({ path: file.path, bytes })), draft)
  yield* assertNewest(place, epoch)
  yield* Effect.ensuring(disk.link(draft, to), Effect.ignore(disk.remove(draft)))
  yield* disk.syncDir(place.stateDir)
  yield* Effect.forEach(run, ({ file }) => disk.remove(file.path), { discard: true })
  return [path.basename(to)]
})

/** Merges what is small among the files of the chain before the last one. */
export const merge = Effect.fnUntraced(function*(
  place: SessionPlace,
  epoch: number,
  links: ReadonlyArray<Link>,
  { atLeast, smallBytes }: CompactOptions
): Effect.fn.Return<ReadonlyArray<string>, FencedError | JournalIoError> {
  const runs: Array<Array<Part>> = [[]]
  for (const link of links) {
    const part = yield* smallPart(link, smallBytes)
    if (part === null) runs.push([])
    else runs.at(-1)?.push(part)
  }
  const merged = yield* Effect.forEach(
    runs.filter((run) => run.length >= atLeast),
    (run) => mergeRun(place, epoch, run)
  )
  return merged.flat()
})

/** Compresses one file. */
const compressOne = Effect.fnUntraced(
  function*(place: SessionPlace, epoch: number, { path: file }: places.SegmentFile) {
    const to = `${file}${places.compressed}`
    const draft = `${to}.${epoch}.tmp`
    yield* Effect.onError(deflate(file, draft), () => Effect.ignore(disk.remove(draft)))
    yield* assertNewest(place, epoch)
    yield* Effect.ensuring(disk.link(draft, to), Effect.ignore(disk.remove(draft)))
    yield* disk.syncDir(place.stateDir)
    yield* disk.remove(file)
    return path.basename(to)
  }
)

/** Compresses what is sealed and large enough; `links` is the chain as it is now. */
export const compress = Effect.fnUntraced(function*(
  place: SessionPlace,
  epoch: number,
  links: ReadonlyArray<Link>,
  { compressFrom }: CompactOptions
): Effect.fn.Return<ReadonlyArray<string>, FencedError | JournalIoError> {
  const done: Array<string> = []
  for (const { file, sealed } of links) {
    if (sealed === null || file.isCompressed || (yield* disk.size(file.path)) < compressFrom) continue
    done.push(yield* compressOne(place, epoch, file))
  }
  return done
})

/** Merges, then compresses. */
export const compact = Effect.fnUntraced(function*(
  place: SessionPlace,
  epoch: number,
  chain: Effect.Effect<ReadonlyArray<Link>, JournalIoError>,
  options: CompactOptions
): Effect.fn.Return<Compaction, FencedError | JournalIoError> {
  const merged = yield* merge(place, epoch, yield* chain, options)
  return { merged, compressed: yield* compress(place, epoch, yield* chain, options) }
})
