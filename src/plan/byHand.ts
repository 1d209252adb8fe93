/** One point of a sweep without a scheduler: the shell text that gives it what its batch script would. */
import * as Either from "effect/Either"
import { ManifestError } from "./Manifest.ts"
import { isRedacted } from "./redact.ts"
import { quoteArgument, quoteData, quoteEnvironment } from "./shell.ts"
import type { SweepEntry, SweepFile } from "./sweepFile.ts"

/** What a point's command finds, in the order in which it is set. */
export interface ByHand {
  /** Variables as words of a shell: those of `slurm.env` and `container.env` are shell text, the others data. */
  readonly exports: ReadonlyArray<readonly [name: string, word: string]>
  /** Lines for bash, which end with the command in place of the shell. */
  readonly script: string
}

/**
 * The point `entry` of `sweep`, as its batch script starts it by hand: attempt 0, which nothing watches. `env`: where it
 * is started. Of secrets, which no file records, the variables must be set there.
 */
export const byHand = (
  path: string,
  sweep: SweepFile,
  entry: SweepEntry,
  env: Readonly<Record<string, string | undefined>>
): Either.Either<ByHand, ManifestError> =>
  Either.gen(function*() {
    const ours = { AUTOEXP_JOB: entry.name, AUTOEXP_INDEX: `${entry.index}`, AUTOEXP_ATTEMPT: "0", AUTOEXP_NONCE: "" }
    const exports: Array<readonly [string, string]> = Object.entries({ ...ours, AUTOEXP_PLAN_ID: sweep.plan_id })
      .map(([name, text]) => [name, quoteData(text)])
    const shared = entry.slurm_env ?? sweep.slurm_env
    if (shared === null) {
      const message = `${path} was written by an older autoexp, which did not note what jobs export; plan again.`
      return yield* Either.left(new ManifestError({ path, message }))
    }
    const words = (section: string, texts: Readonly<Record<string, string>>) =>
      Either.all(
        Object.entries(texts).map(([name, text]): Either.Either<typeof exports, ManifestError> => {
          if (!isRedacted(`${name}=${text}`)) return Either.right([[name, quoteEnvironment(text) ?? quoteData(text)]])
          if (env[name] !== undefined) return Either.right([])
          const message = `${name} of ${section} is a secret, which ${path} does not hold; set it, and run this again.`
          return Either.left(new ManifestError({ path, message }))
        })
      )
    exports.push(...(yield* words("slurm.env", shared)).flat())
    for (const [name, text] of Object.entries(entry.env)) exports.push([name, quoteArgument(text)])
    exports.push(...(yield* words("container.env", entry.container_env ?? sweep.container_env ?? {})).flat())
    return {
      exports,
      script: [
        `mkdir -p ${quoteData(entry.output_dir)}`,
        ...exports.map(([name, word]) => `export ${name}=${word}`),
        `exec ${entry.argv.map(quoteArgument).join(" ")}`,
        ""
      ].join("\n")
    }
  })
