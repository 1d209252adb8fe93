/** The appending end: own segments, one write at a time, nothing acknowledged that a newer epoch may not know. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { FileHandle } from "node:fs/promises"
import {
  type Draft,
  type Envelope,
  FencedError,
  JournalIoError,
  type JournalWriter,
  type Repair,
  type SessionPlace
} from "../port/Journal.ts"
import { encode } from "./chain.ts"
import * as disk from "./disk.ts"
import { assertNewest } from "./epochs.ts"
import type { OwnPast } from "./ownPast.ts"
import * as places from "./places.ts"
import { sealDraft } from "./seal.ts"
import { endOf, type Followed } from "./segments.ts"

/** What the writer adds to the chain that was read. */
export interface Opened extends Omit<JournalWriter, "records" | "moved"> {
  /** The seal that the epoch's first segment begins with; none in the first segment of all. */
  readonly seal: ReadonlyArray<Envelope>
}

export interface WriterOptions {
  /** A segment of so many bytes is sealed, and another one begun. */
  readonly segmentBytes: number
  /** What was cut off behind what was read. */
  readonly repaired: Repair | null
  readonly past: OwnPast
  /** Done whenever a segment was sealed. */
  readonly onSealed: Effect.Effect<void>
}

/**
 * Creates the segment of an epoch that was won and begins it with the seal of what was read after that. It is begun at
 * once, not with the first append: what a paused former holder still writes is then beyond a seal for every reader.
 */
export const openWriter = Effect.fnUntraced(function*(
  place: SessionPlace,
  epoch: number,
  loaded: Followed,
  { onSealed, past, repaired, segmentBytes }: WriterOptions
): Effect.fn.Return<Opened, FencedError | JournalIoError, Scope.Scope> {
  const first = places.segment(place, 1)
  yield* assertNewest(place, epoch)
  // The holder of epoch 1 died before it had its segment: it stands empty, so that the session is listed.
  if (epoch > 1 && loaded.last === null) yield* Effect.scoped(disk.open(first, "a"))
  // What a writer that died had written may not be durable yet; a seal of bytes that a power cut takes would be damage.
  if (loaded.last !== null) yield* disk.sync(loaded.last.file.path)

  const scope = yield* Effect.scope
  const gate = yield* Effect.makeSemaphore(1)
  let head = loaded.head
  let refusal: FencedError | JournalIoError | null = null
  let part = 1
  let file = places.segment(place, epoch)
  let handle: FileHandle = yield* disk.open(file, "ax")
  let bytes = 0
  let acknowledged = 0
  let end = endOf(place, loaded)
  yield* disk.syncDir(place.stateDir)

  const stillNewest = Effect.suspend(() =>
    Effect.zipRight(
      assertNewest(place, epoch),
      Effect.flatMap(
        disk.isNamed(file, handle),
        (named) => named ? Effect.void : new FencedError({ planId: place.planId, epoch, newest: epoch })
      )
    )
  )

  // After a failure nobody knows what is on disk: this writer never goes on, the next epoch seals what counts.
  const poison = (error: FencedError | JournalIoError) =>
    Effect.sync(() => {
      past.doubts.set(file, { epoch, bytes: acknowledged })
      refusal = error._tag === "FencedError"
        ? error
        : new JournalIoError({
          path: file,
          message: `an earlier append failed, open the journal again: ${error.message}`
        })
    })

  const write = (at: string, drafts: ReadonlyArray<Draft>) =>
    Effect.gen(function*() {
      const batch = encode(head, epoch, at, drafts)
      if (batch.text === "") return yield* Effect.as(stillNewest, batch.records)
      bytes += yield* disk.append(file, handle, batch.text)
      yield* stillNewest
      head = batch.head
      acknowledged = bytes
      end = { segment: places.nameOf(place, { epoch, part }), bytes, ...head }
      return batch.records
    })

  /** Begins the next segment of this epoch; what seals the full one is the record that comes back. */
  const rotate = (at: string) =>
    Effect.gen(function*() {
      const full = { name: places.nameOf(place, { epoch, part }), bytes, handle }
      const next = places.segment(place, epoch, part + 1)
      handle = yield* Scope.extend(disk.open(next, "ax"), scope)
      yield* disk.syncDir(place.stateDir)
      part += 1
      file = next
      bytes = 0
      acknowledged = 0
      yield* Effect.promise(() => full.handle.close())
      return yield* Effect.zipLeft(write(at, [sealDraft(full.name, full.bytes, head)]), onSealed)
    })

  const append = (at: string, drafts: ReadonlyArray<Draft>) =>
    Effect.suspend(() =>
      refusal !== null ? refusal : Effect.tapError(
        Effect.flatMap(write(at, drafts), (records) =>
          bytes < segmentBytes ? Effect.succeed(records) : Effect.map(rotate(at), (seal) => [...records, ...seal])),
        poison
      )
    ).pipe(Effect.uninterruptible, gate.withPermits(1))

  yield* Effect.addFinalizer(() =>
    gate.withPermits(1)(Effect.sync(() => {
      refusal = new JournalIoError({ path: file, message: "the journal was let go" })
    }))
  )

  const now = new Date(yield* Clock.currentTimeMillis).toISOString()
  const sealed = loaded.last === null
    ? { name: places.nameOf(place, { epoch: 1, part: 1 }), bytes: 0 }
    : { name: places.nameOf(place, loaded.last.file.to), bytes: loaded.last.bytes }
  const seal: ReadonlyArray<Envelope> = epoch === 1
    ? []
    : yield* append(now, [sealDraft(sealed.name, sealed.bytes, loaded.head, repaired)])
  return {
    epoch,
    seal,
    leftOut: loaded.leftOut,
    position: () => end,
    append,
    assertNewest: Effect.suspend(() =>
      refusal ?? Effect.tapError(stillNewest, (error) =>
        Effect.sync(() => {
          // Nothing that is written from here on could count.
          if (error._tag === "FencedError") refusal = error
        }))
    )
  }
})
