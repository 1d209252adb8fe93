/** All calls of SLURM's commands go through here: bounded in rate and time, counted, and held back after failures. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Random from "effect/Random"
import { type CommandResult, Commands } from "../../port/Commands.ts"
import { SchedulerBusyError, SchedulerUnavailableError } from "../../port/Scheduler.ts"

/** Which daemon answers: one that fails does not hold back calls of the other. */
export type Daemon = "controller" | "accounting"

export interface Call<A> {
  /** `squeue`, `sbatch`, …: what it is counted as. */
  readonly name: string
  readonly daemon: Daemon
  readonly argv: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string | null>>
  readonly timeoutSeconds: number
  /** Calls that must be left for others after this one, so that many submissions do not keep the monitor blind. */
  readonly reserve?: number
  /** What the command said; the error is why that is no answer. */
  readonly read: (result: CommandResult) => Either.Either<A, string>
}

export interface Calls {
  /**
   * Runs the command. Busy: it was not run, since the rate is used up or an earlier failure is being waited out.
   * Unavailable: it was run, and did not answer.
   */
  readonly ask: <A>(call: Call<A>) => Effect.Effect<A, SchedulerUnavailableError | SchedulerBusyError>
  readonly counts: Effect.Effect<Readonly<Record<string, number>>>
}

/** The first wait after a failure, and the longest; between them it doubles. Seconds. */
const firstWait = 4
const longestWait = 300

/** One answer may be as long as 100,000 jobs make it. */
const outputLimit = 64 * 1024 * 1024

const firstLines = (text: string): string => text.trim().split("\n").slice(0, 3).join("; ").slice(0, 500)

/** What the result of a failed command says of itself. */
export const complaint = ({ exitCode, stderr, stdout }: CommandResult): string =>
  firstLines(stderr) || firstLines(stdout) || `it ended with exit code ${exitCode} and said nothing`

/** At most `perMinute` calls a minute in the long run, as many at once. */
export const makeCalls = (perMinute: number): Effect.Effect<Calls, never, Commands> =>
  Effect.gen(function*() {
    const commands = yield* Commands
    const counts: Record<string, number> = {}
    const failures = new Map<Daemon, { readonly inRow: number; readonly until: number }>()
    let tokens = perMinute
    let filledAt = yield* Clock.currentTimeMillis

    const takeToken = (now: number, reserve: number): boolean => {
      tokens = Math.min(perMinute, tokens + (Math.max(0, now - filledAt) / 60_000) * perMinute)
      filledAt = now
      if (tokens < 1 + Math.min(reserve, perMinute / 2)) return false
      tokens -= 1
      return true
    }

    const failed = ({ daemon, name }: Call<unknown>, message: string) =>
      Effect.gen(function*() {
        const inRow = (failures.get(daemon)?.inRow ?? 0) + 1
        const wait = Math.min(longestWait, firstWait * 2 ** (inRow - 1))
        // Between half and all of it, so that many monitors do not come back at one moment.
        const jitter = 0.5 + (yield* Random.next) / 2
        failures.set(daemon, { inRow, until: (yield* Clock.currentTimeMillis) + wait * jitter * 1000 })
        return yield* new SchedulerUnavailableError({ command: name, message })
      })

    const ask: Calls["ask"] = (call) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const isHeldBack = now < (failures.get(call.daemon)?.until ?? 0)
        if (isHeldBack || !takeToken(now, call.reserve ?? 0)) {
          return yield* new SchedulerBusyError({ command: call.name })
        }
        counts[call.name] = (counts[call.name] ?? 0) + 1
        const { argv, env, timeoutSeconds } = call
        const result = yield* Effect.either(commands.run({ argv, cwd: null, env, timeoutSeconds, outputLimit }))
        if (Either.isLeft(result)) return yield* failed(call, result.left.message)
        if (Buffer.byteLength(result.right.stdout) >= outputLimit) return yield* failed(call, "its answer is too long")
        const answer = call.read(result.right)
        if (Either.isLeft(answer)) return yield* failed(call, answer.left)
        failures.delete(call.daemon)
        return answer.right
      })

    return { ask, counts: Effect.sync(() => ({ ...counts })) }
  })
