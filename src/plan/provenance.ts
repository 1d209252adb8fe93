/** `<output_dir>/_provenance/`: where a job came from, and what it takes to run it once more. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as path from "node:path"
import type { ConfigRequest } from "../config/load.ts"
import type { Facts } from "./facts.ts"
import { decodeFile, ManifestError, parseJson, readFile } from "./Manifest.ts"
import type { PlannedFile } from "./PlannedFiles.ts"
import type { PointJob } from "./points.ts"
import { redactArgument, redactConfig, redactEnvironment, redactUrls } from "./redact.ts"
import { jsonText, plainMap, yamlText } from "./texts.ts"

/** `config_reference.json`: what `RunAutoexpAction` and `run --from` take. */
export const ConfigReference = Schema.Struct({
  config_ref: Schema.String,
  /** Absolute. */
  config_dir: Schema.String,
  overrides: Schema.Array(Schema.String),
  /** Whether a secret was left out of `overrides`, without which it cannot be run again. */
  redacted: Schema.Boolean,
  point: Schema.Struct({
    index: Schema.Int,
    name: Schema.String,
    parameters: Schema.Record({ key: Schema.String, value: Schema.Unknown })
  }),
  plan_id: Schema.String,
  tool_version: Schema.String
})

/** What of a plan the provenance of each of its jobs says. `configDir` is absolute. */
export interface ProvenanceSource {
  readonly planId: string
  readonly createdAt: string
  readonly toolVersion: string
  readonly configDir: string
  readonly facts: Facts
}

/** The files of one job, secrets left out of each. */
export const provenanceFiles = (source: ProvenanceSource, job: PointJob): ReadonlyArray<PlannedFile> => {
  const { loaded } = job.point
  const folder = path.join(job.outputDir, "_provenance")
  const overrides = loaded.request.overrides.map(redactArgument)
  const reference: typeof ConfigReference.Type = {
    config_ref: loaded.request.configRef,
    config_dir: source.configDir,
    overrides,
    redacted: overrides.some((override, at) => override !== loaded.request.overrides[at]),
    point: {
      index: job.point.index,
      name: job.name,
      parameters: plainMap(redactConfig(job.point.parameters))
    },
    plan_id: source.planId,
    tool_version: source.toolVersion
  }
  const { command, environment, git, versions } = source.facts
  const metadata = {
    git: { ...git, diff: redactUrls(git.diff) },
    command: command.map(redactArgument),
    overrides,
    environment: redactEnvironment(environment),
    versions,
    created: source.createdAt
  }
  return [
    ["resolved_config.json", jsonText(plainMap(redactConfig(loaded.resolved)))],
    ["unresolved_config.yaml", yamlText(redactConfig(loaded.unresolved))],
    ["config_reference.json", jsonText(reference)],
    ["run_metadata.json", jsonText(metadata)]
  ].map(([name = "", text = ""]) => ({ path: path.join(folder, name), text, executable: false }))
}

/**
 * The request that plans one recorded job once more: its config, and its point's index as the subset. The caller adds
 * overrides. Fails if secrets were left out of the recorded overrides.
 */
export const referenceRequest = (
  file: string
): Effect.Effect<
  { readonly request: ConfigRequest; readonly subset: ReadonlyArray<number> },
  ManifestError,
  FileSystem.FileSystem
> =>
  Effect.gen(function*() {
    const what = "config reference"
    const reference = yield* decodeFile(
      file,
      what,
      ConfigReference,
      yield* parseJson(file, what, yield* readFile(file, what))
    )
    if (reference.redacted) {
      const message = `${file} cannot be run from: a secret was left out of its overrides. ` +
        "Give secrets as ${oc.env:NAME}, of which the name is recorded."
      return yield* new ManifestError({ path: file, message })
    }
    const { config_dir: configDir, config_ref: configRef, overrides, point } = reference
    return { request: { configDir, configRef, overrides }, subset: [point.index] }
  })
