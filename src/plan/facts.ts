/** What the world was like when a plan was made: for provenance, and for nothing that the plan depends on. */
import * as Effect from "effect/Effect"
import { Commands } from "../port/Commands.ts"

/** The state of the code. `dirty` is null where there is no repository or no git. */
export interface GitFacts {
  readonly commit: string
  readonly dirty: boolean | null
  readonly status: string
  readonly diff: string
}

/** The image that jobs run in; what is not known is null. */
export interface ImageFacts {
  /** Absolute. */
  readonly path: string
  readonly sha256: string | null
  /** The version of its Megatron core, if it was probed. */
  readonly megatron_core: string | null
}

export interface Facts {
  readonly git: GitFacts
  /** This program's own arguments and environment, secrets included: they are left out when written down. */
  readonly command: ReadonlyArray<string>
  readonly environment: Readonly<Record<string, string>>
  /** Versions by name: `autoexp`, `node`. */
  readonly versions: Readonly<Record<string, string>>
  /** Null without an image. */
  readonly image: ImageFacts | null
}

const unknown: GitFacts = { commit: "unknown", dirty: null, status: "", diff: "" }

/**
 * The commit, changes and untracked files of the repository that holds `folder`; `unknown` if there is none, no commit
 * in it, or no git. Runs git three times, each at most 20 seconds; a long diff is cut at what `Commands` returns.
 */
export const gitFacts = (folder: string): Effect.Effect<GitFacts, never, Commands> =>
  Effect.gen(function*() {
    const commands = yield* Commands
    const git = (...args: ReadonlyArray<string>) =>
      Effect.flatMap(
        commands.run({ argv: ["git", ...args], cwd: folder, env: { GIT_OPTIONAL_LOCKS: "0" }, timeoutSeconds: 20 }),
        ({ exitCode, stdout }) => exitCode === 0 ? Effect.succeed(stdout) : Effect.fail("no answer")
      )
    const commit = (yield* git("rev-parse", "--verify", "HEAD")).trim()
    const status = yield* git("status", "--porcelain")
    return { commit, dirty: status !== "", status, diff: status === "" ? "" : yield* git("diff", "HEAD") }
  }).pipe(Effect.orElseSucceed(() => unknown))
