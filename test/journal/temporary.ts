/** A session's place in a directory of its own that goes with the scope. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { Draft, SessionPlace } from "../../src/port/Journal.ts"

const placeUnder = (parent: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(path.join(parent, "autoexp-journal-"))),
      (dir) => Effect.sync(() => fs.rmSync(dir, { recursive: true, force: true, maxRetries: 3 }))
    ),
    (dir): SessionPlace => ({ stateDir: path.join(dir, "state"), planId: "plan" })
  )

export const temporaryPlace = placeUnder(os.tmpdir())

/** One in memory, if the system has such a directory: for tests that wait for the disk thousands of times. */
export const quickPlace = placeUnder(fs.existsSync("/dev/shm") ? "/dev/shm" : os.tmpdir())

export const fileIn = (place: SessionPlace, name: string): string => path.join(place.stateDir, name)

/** The error of an effect that has to fail. Its value stays out of the message: the test runner chokes on long ones. */
export const failure = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<E, string, R> =>
  Effect.flip(Effect.as(effect, "it did not fail"))

export const at = "2026-11-23T03:12:07.114Z"

export const fact = (n: number): Draft => ({ type: "Fact", data: { n } })

/** `count` facts with running numbers. */
export const facts = (count: number, from = 1): ReadonlyArray<Draft> =>
  Array.from({ length: count }, (_, index) => fact(from + index))
