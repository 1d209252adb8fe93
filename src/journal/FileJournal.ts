/** The journal in plain files, fit for shared file systems: see `segments.ts` for the chain, `epochs.ts` for the lease. */
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import {
  type Envelope,
  Journal,
  type JournalError,
  NoJournalError,
  type Reader,
  type SessionPlace
} from "../port/Journal.ts"
import { asked, byItself, compact, type CompactOptions, compress, merge } from "./compact.ts"
import * as disk from "./disk.ts"
import { type Heartbeat, holder, newestEpoch, win } from "./epochs.ts"
import * as inbox from "./inbox.ts"
import { cutDoubts, makeOwnPast, type OwnPast } from "./ownPast.ts"
import * as places from "./places.ts"
import { beforeFault, keepAside, keptLines, takeAway, verify as check } from "./repair.ts"
import { chainOf, collector, endOf, load, type Loaded } from "./segments.ts"
import { openWriter } from "./writer.ts"

const checked = (place: SessionPlace) => places.checkName(place.stateDir, "plan id", place.planId)

/** Runs `open` in a scope that closes at once if it fails, so that a refused journal does not stay held. */
const keepOnlyOpen = <A, E>(open: Effect.Effect<A, E, Scope.Scope>): Effect.Effect<A, E, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
      return yield* restore(open).pipe(
        Scope.extend(scope),
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
    })
  )

/** What tests may set. */
export interface FileOptions {
  readonly heartbeat: Heartbeat
  /** A segment of so many bytes is sealed, and another one begun. */
  readonly segmentBytes: number
  readonly compaction: CompactOptions
}

interface Settings extends FileOptions {
  readonly past: OwnPast
}

const open = (
  place: SessionPlace,
  { compaction, heartbeat, past, segmentBytes }: Settings,
  options: Parameters<typeof Journal.Service["hold"]>[1]
) =>
  Effect.gen(function*() {
    yield* checked(place)
    const epoch = yield* win(place, { takeover: options.takeover, heartbeat, past })
    yield* cutDoubts(place, epoch, past)
    const own = collector()
    const { begin, from } = options.reader ?? own.reader
    let take: (record: Envelope) => void = () => {}
    const loaded = yield* load(place, { from, begin: (resumed) => take = begin(resumed) })
    const scope = yield* Effect.scope
    // Two at once would write into one draft.
    const oneByOne = yield* Effect.makeSemaphore(1)
    const tidy = Effect.flatMap(chainOf(place), (links) => compress(place, epoch, links, compaction)).pipe(
      oneByOne.withPermits(1),
      Effect.catchAll((error) => Effect.logDebug(`old segments stay as they are: ${error.message}`)),
      Effect.forkIn(scope),
      Effect.asVoid
    )
    const { seal, ...opened } = yield* openWriter(place, epoch, loaded, {
      segmentBytes,
      repaired: null,
      past,
      onSealed: tidy
    })
    seal.forEach(take)
    const merged = yield* merge(place, epoch, loaded.links, compaction)
    yield* tidy
    return { epoch, writer: { ...opened, records: own.records(), moved: merged.length > 0 } }
  })

const hold = (settings: Settings): typeof Journal.Service["hold"] => (place, options) =>
  Effect.map(keepOnlyOpen(open(place, settings, options)), ({ writer }) => writer)

const notThere = (place: SessionPlace) => new NoJournalError({ planId: place.planId, stateDir: place.stateDir })

const walk = Effect.fnUntraced(function*(
  place: SessionPlace,
  reader: Reader
): Effect.fn.Return<Loaded, JournalError | NoJournalError> {
  yield* checked(place)
  const loaded = yield* load(place, reader)
  return loaded.last === null ? yield* notThere(place) : loaded
})

const read = (place: SessionPlace) => {
  const { reader, records } = collector()
  return Effect.map(walk(place, reader), ({ leftOut }) => ({ records: records(), leftOut }))
}

const verify = (place: SessionPlace, seq: number | null) =>
  Effect.gen(function*() {
    yield* checked(place)
    const names = yield* disk.names(place.stateDir)
    return places.segmentFiles(place, names).length === 0 ? yield* notThere(place) : yield* check(place, seq)
  })

const repair = ({ heartbeat, past, segmentBytes }: Settings): typeof Journal.Service["repair"] => (place, end) =>
  Effect.scoped(Effect.gen(function*() {
    yield* checked(place)
    if (places.segmentFiles(place, yield* disk.names(place.stateDir)).length === 0) return yield* notThere(place)
    const epoch = yield* win(place, { takeover: false, heartbeat, past })
    const { fault, followed } = yield* beforeFault(place, end)
    if (fault === null) return null
    const kept = yield* keepAside(place, epoch, followed)
    const repaired = { fault, kept }
    yield* openWriter(place, epoch, followed, { segmentBytes, repaired, past, onSealed: Effect.void })
    yield* takeAway(place, kept, followed)
    return repaired
  }))

const compactAll = (settings: Settings): typeof Journal.Service["compact"] => (place) =>
  Effect.scoped(Effect.gen(function*() {
    yield* checked(place)
    if (places.segmentFiles(place, yield* disk.names(place.stateDir)).length === 0) return yield* notThere(place)
    const reader: Reader = { from: null, begin: () => () => {} }
    const quiet = { ...settings, compaction: { ...settings.compaction, atLeast: Infinity, compressFrom: Infinity } }
    const { epoch } = yield* open(place, quiet, { takeover: false, reader })
    return yield* compact(place, epoch, chainOf(place), asked)
  }))

/** Newest segments first and the lease last: at each step what is left is a journal that can be removed again. */
const removeFiles = Effect.fnUntraced(function*(place: SessionPlace) {
  const segments = places.segmentFiles(place, yield* disk.names(place.stateDir)).map(({ path }) => path)
  const files = [
    ...places.projections(place),
    places.inboxDir(place),
    places.keptDir(place),
    places.workersDir(place),
    ...segments,
    places.leaseDir(place)
  ]
  yield* Effect.forEach(files, disk.remove, { discard: true })
})

const remove = ({ heartbeat, past }: Settings) => (place: SessionPlace, options: { readonly force: boolean }) =>
  Effect.scoped(Effect.gen(function*() {
    yield* checked(place)
    // Taking the epoch stops a former holder, and keeps others out until all is gone.
    if ((yield* newestEpoch(place)) > 0) yield* win(place, { takeover: options.force, heartbeat, past })
    yield* removeFiles(place)
  }))

const defaults: FileOptions = {
  heartbeat: { seconds: 5, missed: 3 },
  segmentBytes: 64 << 20,
  compaction: byItself
}

/** The journal in files, with other settings than its own. */
export const layerWith = (changed: Partial<FileOptions>): Layer.Layer<Journal> =>
  Layer.sync(Journal, () => {
    const settings: Settings = { ...defaults, ...changed, past: makeOwnPast() }
    return {
      hold: hold(settings),
      read,
      walk: (place, reader) =>
        Effect.map(walk(place, reader), (loaded) => ({ leftOut: loaded.leftOut, position: endOf(place, loaded) })),
      verify,
      repair: repair(settings),
      kept: keptLines,
      compact: compactAll(settings),
      holder: (place) => Effect.zipRight(checked(place), holder(place)),
      list: (stateDir) => Effect.map(disk.names(stateDir), places.sessions),
      request: (place, request) => Effect.zipRight(checked(place), inbox.drop(place, request)),
      inbox: (place) => Effect.zipRight(checked(place), inbox.waiting(place)),
      discard: (place, id) => Effect.zipRight(checked(place), inbox.discard(place, id)),
      remove: remove(settings)
    }
  })

/**
 * The journal in files: a heartbeat every 5 s, a holder on another host given up after 15 s without one, segments of
 * 64 MiB.
 */
export const layer: Layer.Layer<Journal> = layerWith({})
