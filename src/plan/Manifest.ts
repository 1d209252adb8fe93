/** The plan on disk: all that is needed to submit and to watch its jobs. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { PlannedJob } from "../event/PlannedJob.ts"
import { BreakerSettings } from "../event/terms.ts"
import { Monitoring } from "../rule/Monitoring.ts"

/** The session that asked for a plan: a follow-up's parent. */
export const Parent = Schema.Struct({ plan_id: Schema.String, queue_id: Schema.String, depth: Schema.Int })

const Plain = Schema.Record({ key: Schema.String, value: Schema.Unknown })

/** An array script, and which points its tasks run. */
const ArrayScript = Schema.Struct({
  script: Schema.String,
  /** The scheduler's name for it, without attempt and nonce. */
  name: Schema.String,
  indices: Schema.Array(Schema.Int),
  /** What an index has more than its task's number. */
  offset: Schema.optionalWith(Schema.Int, { default: () => 0 })
})

/** A file that a config is composed from. */
const Source = Schema.Struct({ path: Schema.String, digest: Schema.NullOr(Schema.String) })

/** What jobs may cost at most: those of one size together, as most of a plan are. */
const JobCosts = Schema.Struct({
  jobs: Schema.Array(Schema.String),
  nodes: Schema.Int,
  /** Null: without limit. */
  gpu_hours: Schema.NullOr(Schema.Number)
})

/** `<base_output_dir>/manifests/<plan_id>.json`. All paths are absolute. */
export const Manifest = Schema.Struct({
  version: Schema.Literal(1),
  plan_id: Schema.NonEmptyString,
  /** The session that the plan grows; null: one of its own, named like the plan. */
  session: Schema.optionalWith(Schema.NullOr(Schema.NonEmptyString), { default: () => null }),
  /** ISO 8601 UTC. */
  created_at: Schema.String,
  tool_version: Schema.String,
  project: Schema.String,
  config_ref: Schema.String,
  config_dir: Schema.String,
  overrides: Schema.Array(Schema.String),
  /** Where it was planned: what relative paths are relative to. Null in plans of before. */
  cwd: Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null }),
  /** The files that the config was composed from, with digests of what they held; null for what was not there. */
  sources: Schema.optionalWith(Schema.Array(Source), { default: () => [] }),
  base_output_dir: Schema.String,
  monitoring_state_dir: Schema.String,
  /** The resolved config without its secrets: to be looked at, never to be run from. */
  config: Plain,
  jobs: Schema.NonEmptyArray(PlannedJob),
  /** The script whose tasks all the jobs are; null if there is none, or more than one script. */
  array: Schema.NullOr(ArrayScript),
  /** Every script whose tasks are jobs. */
  arrays: Schema.optionalWith(Schema.Array(ArrayScript), { default: () => [] }),
  /** The points' file, null if none was written. */
  sweep: Schema.NullOr(Schema.String),
  /** The `monitoring` section, encoded. */
  monitoring: Schema.encodedSchema(Monitoring),
  /** Further `monitoring` sections, encoded, of jobs whose own differs. */
  rule_sets: Schema.optionalWith(Schema.Array(Schema.encodedSchema(Monitoring)), { default: () => [] }),
  scheduler: Schema.Struct({
    /** Which scheduler runs the jobs, encoded. */
    client: Schema.Unknown,
    /** Jobs of this plan that may be queued at once, null for any number. */
    max_jobs: Schema.NullOr(Schema.Int),
    settle_seconds: Schema.Number,
    /** Seconds from one submission to the next, null for none. */
    submit_rate_limit_seconds: Schema.optionalWith(Schema.NullOr(Schema.Number), { default: () => null }),
    /** When restarts pause, null for never. */
    breaker: Schema.optionalWith(Schema.NullOr(BreakerSettings), { default: () => null })
  }),
  /** What whoever submits the jobs is asked about; null in plans of before. */
  budget: Schema.optionalWith(
    Schema.NullOr(Schema.Struct({
      /** Above so many GPU-hours people are asked before any is used; null for never. */
      confirm: Schema.NullOr(Schema.Number),
      costs: Schema.Array(JobCosts)
    })),
    { default: () => null }
  ),
  parent: Schema.NullOr(Parent)
})
export type Manifest = typeof Manifest.Type

/** No plan can be read from a file. `message` is a sentence that names the file. */
export class ManifestError extends Schema.TaggedError<ManifestError>()("ManifestError", {
  path: Schema.String,
  message: Schema.String
}) {}

const fail = (path: string, message: string) => Either.left(new ManifestError({ path, message }))

/** The JSON value of `text`, which stands at `path`; `what` says what it should be. */
export const parseJson = (path: string, what: string, text: string): Either.Either<unknown, ManifestError> =>
  Either.mapLeft(
    Schema.decodeUnknownEither(Schema.parseJson())(text),
    () =>
      new ManifestError({
        path,
        message: `${path} is no ${what}: it is not JSON (was it cut off while being copied?).`
      })
  )

/** Decodes a file of ours by its schema. Fields of a newer minor version are left out. */
export const decodeFile = <A, I>(
  path: string,
  what: string,
  schema: Schema.Schema<A, I>,
  document: unknown
): Either.Either<A, ManifestError> =>
  Either.mapLeft(Schema.decodeUnknownEither(schema)(document), (error) => {
    const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
    const place = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.map(String).join(".")}: `
    return new ManifestError({ path, message: `${path} is no ${what}: ${place}${issue?.message ?? "unreadable"}.` })
  })

/** The manifest whose text stands at `path`. */
export const decodeManifest = (path: string, text: string): Either.Either<Manifest, ManifestError> =>
  Either.gen(function*() {
    const document = yield* parseJson(path, "manifest", text)
    const { version } = yield* decodeFile(path, "manifest", Schema.Struct({ version: Schema.Unknown }), document)
    if (version !== 1) {
      return yield* fail(
        path,
        `${path} is a manifest of version ${
          JSON.stringify(version)
        }; this autoexp reads version 1. Plan again, or use ` +
          "the autoexp that wrote it."
      )
    }
    return yield* decodeFile(path, "manifest", Manifest, document)
  })

/** The text of a file of ours, or a sentence why it cannot be read; `what` says what it should be. */
export const readFile = (
  path: string,
  what: string
): Effect.Effect<string, ManifestError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.readFileString(path)).pipe(
    Effect.mapError((error) =>
      new ManifestError({
        path,
        message: error._tag === "SystemError" && error.reason === "NotFound"
          ? `There is no ${what} at ${path}.`
          : `The ${what} at ${path} cannot be read: ${error.message}.`
      })
    )
  )

/** The manifest at `path`. */
export const readManifest = (path: string): Effect.Effect<Manifest, ManifestError, FileSystem.FileSystem> =>
  Effect.flatMap(readFile(path, "manifest"), (text) => decodeManifest(path, text))

/** What `plan` and `run --dry-run` print. */
export const planOutput = (manifest: Manifest, path: string) => ({
  plan_id: manifest.plan_id,
  manifest: path,
  project: manifest.project,
  jobs: manifest.jobs.map(({ index, log_path, name, needs, output_dir, parameters, script, stage }) => ({
    name,
    index,
    stage,
    parameters,
    needs,
    script,
    log_path,
    output_dir
  })),
  array: manifest.array,
  arrays: manifest.arrays,
  sweep: manifest.sweep
})
