/** What a resolver is: what `${name:…}` calls. */
import * as Either from "effect/Either"
import type { Value } from "../../backend/Value.ts"

/** What resolvers may know of the world; taken once, so that all uses agree. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** UTC time of the load as `YYYYMMDD_HHMMSS_mmm`. */
  readonly timestring: string
  /** The config directory, absolute. */
  readonly configDir: string
  /** The text of a file, relative paths from where autoexp runs; null if there is none. */
  readonly read: (path: string) => string | null
}

/** What a resolver is called with besides its arguments. */
export interface Call extends Surroundings {
  /** Which arguments are interpolations: a list read from the configuration differs from a list written in place. */
  readonly fromConfig: ReadonlyArray<boolean>
  /** The value at a key, null if there is none; on the left null if it cannot be resolved, which is noted already. */
  readonly select: (key: string) => Either.Either<{ readonly value: Value } | null, null>
  /** A text read as one argument of the interpolation grammar. */
  readonly decode: (text: string) => Either.Either<Value, string | null>
}

/** On the left half a sentence that says what does not fit, or null if the problem is noted already. */
export type Resolved = Either.Either<Value, string | null>

export interface Resolver {
  /** Whether `${a.b}` can reach into a mapping that it returned. Lists can always be entered. */
  readonly enterable?: boolean
  /** Least and greatest number of arguments. */
  readonly arity: readonly [number, number]
  readonly run: (args: ReadonlyArray<Value>, call: Call) => Resolved
}

export type Resolvers = Readonly<Record<string, Resolver>>

export const wrong = (what: string): Either.Either<never, string> => Either.left(what)

/** A resolver of one argument. */
export const single = (run: (value: Value) => Resolved): Resolver => ({
  arity: [1, 1],
  run: ([value = null]) => run(value)
})
