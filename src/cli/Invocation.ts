/** The facts of this start of the program, which commands would otherwise take from the process. */
import * as Context from "effect/Context"

export class Invocation extends Context.Tag("autoexp/Invocation")<Invocation, {
  readonly version: string
  /** How this program is called: interpreter and script, absolute. */
  readonly program: ReadonlyArray<string>
  /** Words of the command line, without program and script. */
  readonly argv: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string | undefined>>
  /** The working directory, absolute. */
  readonly cwd: string
}>() {}
