/** What carries out a command. */
import type * as Effect from "effect/Effect"
import type { Screen } from "../report/Screen.ts"
import type { Failure } from "./failure.ts"
import type { Invocation } from "./Invocation.ts"
import type { CommandName, Given } from "./spec.ts"

/** Does what the command says and returns the exit code. */
export type Handler<Name extends CommandName> = (
  given: Given<Name>
) => Effect.Effect<number, Failure, Screen | Invocation>
