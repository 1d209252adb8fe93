/**
 * Epochs: numbered lease files made with link(2) and never taken away, so that of all who want a number one gets it,
 * and who holds a lower one is out for good.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { randomUUID } from "node:crypto"
import * as fs from "node:fs"
import { FencedError, type Holder, type JournalIoError, SessionHeldError, type SessionPlace } from "../port/Journal.ts"
import * as disk from "./disk.ts"
import { liveness, ownLease, parseLease } from "./holders.ts"
import type { OwnPast } from "./ownPast.ts"
import * as places from "./places.ts"

/** How a holder shows that it lives, and when one of another host counts as dead. */
export interface Heartbeat {
  /** Seconds between two heartbeats. */
  readonly seconds: number
  /** A heartbeat that stood still over so many of them has stopped. */
  readonly missed: number
}

const leaseFile = (place: SessionPlace, epoch: number, suffix = ""): string => `${places.lease(place, epoch)}${suffix}`

/** The highest epoch ever taken; 0 before the first. */
export const newestEpoch = (place: SessionPlace): Effect.Effect<number, JournalIoError> =>
  Effect.map(
    disk.names(places.leaseDir(place)),
    (names) => names.reduce((newest, name) => /^[1-9]\d*$/.test(name) ? Math.max(newest, Number(name)) : newest, 0)
  )

/** Fails unless `epoch` is the newest. */
export const assertNewest = (place: SessionPlace, epoch: number): Effect.Effect<void, FencedError | JournalIoError> =>
  Effect.flatMap(
    newestEpoch(place),
    (newest) => newest === epoch ? Effect.void : new FencedError({ planId: place.planId, epoch, newest })
  )

const holderOf = Effect.fnUntraced(function*(
  place: SessionPlace,
  epoch: number
): Effect.fn.Return<Holder | null, JournalIoError> {
  if (epoch === 0 || (yield* disk.readText(leaseFile(place, epoch, ".released"))) !== null) return null
  const text = yield* disk.readText(leaseFile(place, epoch))
  if (text === null) return null
  const lease = parseLease(text)
  return { epoch, host: lease.host, pid: lease.pid, since: lease.since, alive: yield* liveness(lease) }
})

/** Who holds the newest epoch; null if nobody ever did or the holder let go. */
export const holder = (place: SessionPlace): Effect.Effect<Holder | null, JournalIoError> =>
  Effect.flatMap(newestEpoch(place), (epoch) => holderOf(place, epoch))

/** Whether the heartbeat of an epoch stands still for as long as `heartbeat` says, by this process's own clock. */
const stoodStill = Effect.fnUntraced(function*(place: SessionPlace, epoch: number, heartbeat: Heartbeat) {
  const beat = disk.readText(leaseFile(place, epoch, ".beat"))
  const first = yield* beat
  for (let missed = 0; missed < heartbeat.missed; missed++) {
    yield* Effect.sleep(heartbeat.seconds * 1000)
    if ((yield* beat) !== first) return false
  }
  return true
})

/** Fails if a living process holds `epoch`; takes a while only if that can be seen from its heartbeat alone. */
const refuseHeld = Effect.fnUntraced(function*(place: SessionPlace, epoch: number, heartbeat: Heartbeat) {
  const held = yield* holderOf(place, epoch)
  if (held === null || held.alive === "dead") return
  if (held.alive === "unknown" && (yield* stoodStill(place, epoch, heartbeat))) return
  return yield* new SessionHeldError({ planId: place.planId, host: held.host, pid: held.pid, since: held.since })
})

/** Gives the number to this process unless somebody has it: whether it did. */
const claim = Effect.fnUntraced(function*(place: SessionPlace, epoch: number, past: OwnPast) {
  const draft = disk.join(places.leaseDir(place), `${randomUUID()}.tmp`)
  const written = disk.writeNew(draft, `${JSON.stringify(yield* ownLease)}\n`)
  const won = yield* Effect.zipRight(written, disk.link(draft, leaseFile(place, epoch))).pipe(
    Effect.ensuring(Effect.ignore(disk.remove(draft)))
  )
  const lease = leaseFile(place, epoch)
  if (won) past.held.add(lease)
  // It is taken all the same, and not held.
  yield* Effect.tapError(disk.syncDir(places.leaseDir(place)), () => Effect.sync(() => won && past.unsaid.add(lease)))
  return won
})

/** Rewrites the heartbeat with ever new content; a missed beat is no error, it is what others shall see. */
const startBeating = (place: SessionPlace, epoch: number, heartbeat: Heartbeat): NodeJS.Timeout => {
  let count = 0
  const file = leaseFile(place, epoch, ".beat")
  // Not a fiber: a heartbeat must neither keep the process alive nor follow a test's clock.
  return setInterval(() => fs.writeFile(file, `${++count}\n`, () => {}), heartbeat.seconds * 1000).unref()
}

/**
 * Takes the next epoch for as long as the scope lives; then it is let go, and the next process takes over at once.
 * Without `takeover` a living holder is a SessionHeldError.
 */
export const win = (
  place: SessionPlace,
  options: { readonly takeover: boolean; readonly heartbeat: Heartbeat; readonly past: OwnPast }
): Effect.Effect<number, JournalIoError | SessionHeldError, Scope.Scope> =>
  Effect.gen(function*() {
    yield* disk.makeDir(places.leaseDir(place))
    // Segments count too: a journal that was copied without its leases must not get a second segment of one number.
    // They are looked at first, as every segment that is there has its lease, which is then seen too.
    const segments = places.segmentFiles(place, yield* disk.names(place.stateDir)).map(({ to }) => to.epoch)
    const newest = yield* newestEpoch(place)
    const isOwn = options.past.unsaid.has(leaseFile(place, newest))
    if (!options.takeover && !isOwn) yield* refuseHeld(place, newest, options.heartbeat)
    // Exactly the number after the one that was looked at: a holder who came since then makes the claim fail.
    const epoch = Math.max(newest, ...segments) + 1
    const beating = yield* Effect.acquireRelease(
      Effect.map(
        claim(place, epoch, options.past),
        (won) => won ? startBeating(place, epoch, options.heartbeat) : null
      ),
      (timer) => {
        if (timer === null) return Effect.void
        clearInterval(timer)
        const file = leaseFile(place, epoch)
        // On a full disk nobody else will know, but this process may go on.
        return Effect.catchAll(
          disk.write(`${file}.released`, ""),
          () => Effect.sync(() => void options.past.unsaid.add(file))
        )
      }
    )
    return beating === null ? yield* win(place, options) : epoch
  })
