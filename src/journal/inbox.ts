/** Requests to the holder of a session: one file each, whole or not there. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { randomUUID } from "node:crypto"
import type { InboxRequest, JournalIoError, SessionPlace } from "../port/Journal.ts"
import * as disk from "./disk.ts"
import * as places from "./places.ts"

const suffix = ".json"

const fileOf = Effect.fnUntraced(function*(place: SessionPlace, id: string) {
  const dir = places.inboxDir(place)
  yield* places.checkName(dir, "request id", id)
  return disk.join(dir, `${id}${suffix}`)
})

/** Drops a request; one of the same id is replaced. */
export const drop = Effect.fnUntraced(function*(
  place: SessionPlace,
  request: InboxRequest
): Effect.fn.Return<void, JournalIoError> {
  const file = yield* fileOf(place, request.id)
  yield* disk.makeDir(places.inboxDir(place))
  const draft = disk.join(places.inboxDir(place), `${randomUUID()}.tmp`)
  yield* disk.writeNew(draft, `${JSON.stringify(request.body ?? null)}\n`)
  yield* Effect.onError(disk.rename(draft, file), () => Effect.ignore(disk.remove(draft)))
})

const read = Effect.fnUntraced(function*(place: SessionPlace, name: string) {
  const file = disk.join(places.inboxDir(place), name)
  const [time, text] = yield* Effect.all([disk.modified(file), disk.readText(file)])
  if (time === null || text === null) return []
  const body = Either.getOrNull(Either.try((): unknown => JSON.parse(text)))
  return [{ time, request: { id: name.slice(0, -suffix.length), body } }]
})

/** The requests that wait, oldest first; of one time in the order of their names. */
export const waiting = Effect.fnUntraced(function*(
  place: SessionPlace
): Effect.fn.Return<ReadonlyArray<InboxRequest>, JournalIoError> {
  const names = (yield* disk.names(places.inboxDir(place))).filter((name) => name.endsWith(suffix))
  const found = yield* Effect.forEach(names, (name) => read(place, name))
  return found.flat()
    .sort((a, b) => a.time < b.time || (a.time === b.time && a.request.id < b.request.id) ? -1 : 1)
    .map(({ request }) => request)
})

/** Removes a request; one that is not there is fine. */
export const discard = (place: SessionPlace, id: string): Effect.Effect<void, JournalIoError> =>
  Effect.flatMap(fileOf(place, id), disk.remove)
