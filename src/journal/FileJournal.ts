/** The journal in plain files, fit for shared file systems: see `segments.ts` for the chain, `epochs.ts` for the lease. */
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Journal, type JournalError, NoJournalError, type SessionPlace } from "../port/Journal.ts"
import * as disk from "./disk.ts"
import { type Heartbeat, holder, newestEpoch, win } from "./epochs.ts"
import * as inbox from "./inbox.ts"
import * as places from "./places.ts"
import { load, type Loaded } from "./segments.ts"
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

const hold = (heartbeat: Heartbeat) => (place: SessionPlace, options: { readonly takeover: boolean }) =>
  keepOnlyOpen(Effect.gen(function*() {
    yield* checked(place)
    const epoch = yield* win(place, { ...options, heartbeat })
    return yield* openWriter(place, epoch, yield* load(place))
  }))

const read = Effect.fnUntraced(function*(
  place: SessionPlace
): Effect.fn.Return<Loaded, JournalError | NoJournalError> {
  yield* checked(place)
  const loaded = yield* load(place)
  return loaded.last === null ? yield* new NoJournalError({ planId: place.planId, stateDir: place.stateDir }) : loaded
})

/** Newest segments first and the lease last: at each step what is left is a journal that can be removed again. */
const removeFiles = Effect.fnUntraced(function*(place: SessionPlace) {
  const epochs = places.segmentEpochs(place.planId, yield* disk.names(place.stateDir))
  const segments = epochs.toReversed().map((epoch) => places.segment(place, epoch))
  const files = [
    ...places.projections(place),
    places.inboxDir(place),
    places.workersDir(place),
    ...segments,
    places.leaseDir(place)
  ]
  yield* Effect.forEach(files, disk.remove, { discard: true })
})

const remove = (heartbeat: Heartbeat) => (place: SessionPlace, options: { readonly force: boolean }) =>
  Effect.scoped(Effect.gen(function*() {
    yield* checked(place)
    // Taking the epoch stops a former holder, and keeps others out until all is gone.
    if ((yield* newestEpoch(place)) > 0) yield* win(place, { takeover: options.force, heartbeat })
    yield* removeFiles(place)
  }))

/** The journal in files, with heartbeats every `seconds` and foreign holders given up after `missed` of them. */
export const layerWith = (heartbeat: Heartbeat): Layer.Layer<Journal> =>
  Layer.succeed(Journal, {
    hold: hold(heartbeat),
    read,
    holder: (place) => Effect.zipRight(checked(place), holder(place)),
    list: (stateDir) => Effect.map(disk.names(stateDir), places.sessions),
    request: (place, request) => Effect.zipRight(checked(place), inbox.drop(place, request)),
    inbox: (place) => Effect.zipRight(checked(place), inbox.waiting(place)),
    discard: (place, id) => Effect.zipRight(checked(place), inbox.discard(place, id)),
    remove: remove(heartbeat)
  })

/** The journal in files: a heartbeat every 5 s, a holder on another host given up after 15 s without one. */
export const layer: Layer.Layer<Journal> = layerWith({ seconds: 5, missed: 3 })
