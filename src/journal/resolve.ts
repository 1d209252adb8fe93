/**
 * Which files hold the chain. The newest segment with a whole first record is its end; its seal names the segment before
 * and how many of its bytes count, and so on down to the first. What is not on this way is left out and reported.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as path from "node:path"
import type { Fault, JournalIoError, LeftOut, SessionPlace } from "../port/Journal.ts"
import * as disk from "./disk.ts"
import { inflate } from "./gzip.ts"
import * as places from "./places.ts"
import { readSeal, type Sealed } from "./seal.ts"

/** A file of the chain. */
export interface Link {
  readonly file: places.SegmentFile
  /** What the next segment of the chain says of the one that the file ends with; null for the last. */
  readonly sealed: Sealed | null
}

/** The files of the chain, oldest first, and the bytes of those that are not in it. */
export interface Resolved {
  readonly links: ReadonlyArray<Link>
  readonly strays: ReadonlyArray<LeftOut>
}

/** The way ends before it has come to the first segment: where, and at which of the files that were given. */
export interface BrokenWay {
  readonly fault: Fault
  /** The oldest file that is known to be in the chain. */
  readonly at: places.SegmentFile
}

// A seal holds one file name, three numbers, and what a repair has to say.
const sealBytes = 1 << 14
const newline = 10

/** The first line of a file without its newline; null if it has no whole line (yet). */
const firstLine = ({ isCompressed, path }: places.SegmentFile): Effect.Effect<Buffer | null, JournalIoError> =>
  Effect.scoped(Effect.gen(function*() {
    const bytes = isCompressed
      ? (yield* inflate(path, sealBytes)).bytes.subarray(0, sealBytes)
      : yield* disk.readAt(path, yield* disk.open(path, "r"), 0, sealBytes)
    const end = bytes.indexOf(newline)
    if (end !== -1) return bytes.subarray(0, end)
    return bytes.length === sealBytes ? bytes : null
  }))

/** Finds the chain among files, which are given newest first. */
export const resolve = Effect.fnUntraced(function*(
  place: SessionPlace,
  files: ReadonlyArray<places.SegmentFile>
): Effect.fn.Return<Either.Either<Resolved, BrokenWay>, JournalIoError> {
  const links: Array<Link> = []
  const strays: Array<LeftOut> = []
  let sealed: Sealed | null = null
  for (const file of files) {
    if (sealed !== null && sealed.path !== places.nameOf(place, file.to)) {
      // What a merge or a compression has left behind is in the chain already.
      if (links.some((link) => places.covers(link.file, file))) continue
      strays.push({
        path: file.path,
        from: 0,
        bytes: yield* disk.size(file.path),
        why: "beyond the seal of a later epoch"
      })
      continue
    }
    if (places.beginsJournal(file)) {
      links.push({ file, sealed })
      return Either.right({ links: links.toReversed(), strays: strays.filter(({ bytes }) => bytes > 0) })
    }
    const line = yield* firstLine(file)
    if (line === null && sealed === null) {
      // Its writer died before it had acknowledged anything.
      strays.push({ path: file.path, from: 0, bytes: yield* disk.size(file.path), why: "torn last line" })
      continue
    }
    const seal: Either.Either<Sealed, string> = line === null ? Either.left("its seal is missing") : readSeal(line)
    if (Either.isLeft(seal)) {
      const to = (line?.length ?? 0) + 1
      const fault: Fault = { path: file.path, line: 1, from: 0, to, seq: 1, kind: "changed", why: seal.left }
      return Either.left({ fault, at: file })
    }
    links.push({ file, sealed })
    sealed = seal.right
  }
  const at = links.at(-1)?.file ?? files.at(-1)
  if (at === undefined) return Either.right({ links: [], strays: [] })
  const missing: string = sealed === null ? places.segment(place, 1) : path.join(place.stateDir, sealed.path)
  const to = sealed?.bytes ?? 0
  const seq = 1
  return Either.left({
    fault: { path: missing, line: null, from: 0, to, seq, kind: "missing", why: "the segment is missing" },
    at
  })
})
