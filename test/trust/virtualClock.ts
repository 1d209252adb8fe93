/** A clock that a test moves: what sleeps wakes by the time that has passed, whatever the time of day jumps to. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { isAtWork } from "./trackedZlib.ts"

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

export interface VirtualClock {
  readonly clock: Clock.Clock
  /** Milliseconds that have passed. */
  readonly passed: () => number
  /** Lets time pass up to the next sleeper, at most so many milliseconds, and all that follows from it happen. */
  readonly tick: (millis: number) => Promise<void>
  /** Sets the time of day forwards or backwards, as an administrator does. */
  readonly jump: (millis: number) => void
}

/** Lets everything happen that waits for nothing but its turn, or for a thread that compresses. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 3 || isAtWork(); turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

export const makeClock = (start: string): VirtualClock => {
  let passed = 0
  let offset = Date.parse(start)
  const sleepers = new Set<Sleeper>()
  const now = (): number => offset + passed
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: now,
    unsafeCurrentTimeNanos: () => BigInt(now()) * 1_000_000n,
    currentTimeMillis: Effect.sync(now),
    currentTimeNanos: Effect.sync(() => BigInt(now()) * 1_000_000n),
    sleep: (duration) =>
      Effect.async<void>((resume) => {
        const sleeper = { at: passed + Duration.toMillis(duration), wake: () => resume(Effect.void) }
        sleepers.add(sleeper)
        return Effect.sync(() => {
          sleepers.delete(sleeper)
        })
      })
  }
  return {
    clock,
    passed: () => passed,
    jump: (millis) => {
      offset += millis
    },
    tick: async (millis) => {
      await settle()
      const next = Math.min(passed + millis, ...[...sleepers].map(({ at }) => at))
      passed = Math.max(passed, next)
      for (const sleeper of [...sleepers].filter(({ at }) => at <= passed)) {
        sleepers.delete(sleeper)
        sleeper.wake()
      }
      await settle()
    }
  }
}
