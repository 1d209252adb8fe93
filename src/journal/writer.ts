/** The appending end: own segment, one write at a time, nothing acknowledged that a newer epoch may not know. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as path from "node:path"
import {
  type Draft,
  type Envelope,
  FencedError,
  JournalIoError,
  type JournalWriter,
  type SessionPlace
} from "../port/Journal.ts"
import { encode } from "./chain.ts"
import * as disk from "./disk.ts"
import { assertNewest } from "./epochs.ts"
import * as places from "./places.ts"
import { sealDraft } from "./seal.ts"
import type { Loaded } from "./segments.ts"

/**
 * Creates the segment of an epoch that was won and begins it with the seal of what was read after that. It is begun at
 * once, not with the first append: what a paused former holder still writes is then beyond a seal for every reader.
 */
export const openWriter = Effect.fnUntraced(function*(
  place: SessionPlace,
  epoch: number,
  loaded: Loaded
): Effect.fn.Return<JournalWriter, FencedError | JournalIoError, Scope.Scope> {
  const file = places.segment(place, epoch)
  const first = places.segment(place, 1)
  yield* assertNewest(place, epoch)
  // The holder of epoch 1 died before it had its segment: it stands empty, so that the session is listed.
  if (epoch > 1 && loaded.last === null) yield* Effect.scoped(disk.open(first, "a"))
  const handle = yield* disk.open(file, "ax")
  yield* disk.syncDir(place.stateDir)

  const gate = yield* Effect.makeSemaphore(1)
  let head = loaded.head
  let refusal: FencedError | JournalIoError | null = null

  const stillNewest = Effect.zipRight(
    assertNewest(place, epoch),
    Effect.flatMap(
      disk.isNamed(file, handle),
      (named) => named ? Effect.void : new FencedError({ planId: place.planId, epoch, newest: epoch })
    )
  )

  // After a failure nobody knows what is on disk: the next epoch reads it and seals it, this writer never goes on.
  const poison = (error: FencedError | JournalIoError) =>
    Effect.sync(() => {
      refusal = error._tag === "FencedError"
        ? error
        : new JournalIoError({
          path: file,
          message: `an earlier append failed, open the journal again: ${error.message}`
        })
    })

  const append = (at: string, drafts: ReadonlyArray<Draft>) =>
    Effect.gen(function*() {
      if (refusal !== null) return yield* refusal
      const batch = encode(head, epoch, at, drafts)
      yield* Effect.tapError(
        batch.text === "" ? stillNewest : Effect.zipRight(disk.append(file, handle, batch.text), stillNewest),
        poison
      )
      head = batch.head
      return batch.records
    }).pipe(Effect.uninterruptible, gate.withPermits(1))

  yield* Effect.addFinalizer(() =>
    gate.withPermits(1)(Effect.sync(() => {
      refusal = new JournalIoError({ path: file, message: "the journal was let go" })
    }))
  )

  const now = new Date(yield* Clock.currentTimeMillis).toISOString()
  const sealed = loaded.last ?? { path: first, bytes: 0 }
  const seal: ReadonlyArray<Envelope> = epoch === 1
    ? []
    : yield* append(now, [sealDraft(path.basename(sealed.path), sealed.bytes, loaded.head)])
  return {
    epoch,
    records: [...loaded.records, ...seal],
    leftOut: loaded.leftOut,
    append,
    assertNewest: Effect.suspend(() => refusal ?? stillNewest)
  }
})
