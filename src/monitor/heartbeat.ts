/** Heartbeats of workers: a file for each claim, which says whose it is and changes for as long as that process lives. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as path from "node:path"
import { ownLease } from "../journal/holders.ts"
import { workersDir } from "../journal/places.ts"
import { JournalIoError, type SessionPlace } from "../port/Journal.ts"

/** Seconds between two heartbeats. */
const beatSeconds = 5

const isLeaseName = (lease: string): boolean => /^[\w-]+$/.test(lease)

const beatFile = (place: SessionPlace, lease: string): string => path.join(workersDir(place), lease)

/** Beats for the claim `lease` until the scope ends. The first beat is on disk when this returns. */
export const beat = (place: SessionPlace, lease: string): Effect.Effect<void, JournalIoError, Scope.Scope> =>
  Effect.gen(function*() {
    const file = beatFile(place, lease)
    const own = JSON.stringify(yield* ownLease)
    let count = 0
    const text = () => `${own}\n${count += 1}\n`
    const begin = Effect.try({
      try: () => {
        fs.mkdirSync(workersDir(place), { recursive: true, mode: 0o700 })
        fs.writeFileSync(file, text())
        // Not a fiber: a heartbeat must neither keep the process alive nor follow a test's clock.
        return setInterval(() => fs.writeFile(file, text(), () => {}), beatSeconds * 1000).unref()
      },
      catch: (error) => new JournalIoError({ path: file, message: String(error) })
    })
    yield* Effect.acquireRelease(begin, (timer) =>
      Effect.sync(() => {
        clearInterval(timer)
        fs.rmSync(file, { force: true })
      }))
  })

/** The heartbeat of that claim as it is now: whose, and its whole content; null if there is none. */
export const readBeat = (
  place: SessionPlace,
  lease: string
): Effect.Effect<{ readonly owner: string; readonly content: string } | null> =>
  Effect.sync(() => {
    if (!isLeaseName(lease)) return null
    try {
      const content = fs.readFileSync(beatFile(place, lease), "utf8")
      return { owner: content.split("\n", 1)[0] ?? "", content }
    } catch {
      return null
    }
  })

/** Removes what a dead worker left. */
export const forgetBeat = (place: SessionPlace, lease: string): Effect.Effect<void> =>
  Effect.sync(() => {
    if (isLeaseName(lease)) fs.rmSync(beatFile(place, lease), { force: true })
  })
