/** `<output_dir>/_provenance/`: where a job came from, and what it takes to run it once more. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as path from "node:path"
import { isMap, type ValueMap } from "../backend/Value.ts"
import type { ConfigRequest } from "../config/load.ts"
import { showJson, showYaml } from "../config/show.ts"
import type { Facts } from "./facts.ts"
import type { PointJob } from "./jobs.ts"
import { decodeFile, ManifestError, parseJson, readFile } from "./Manifest.ts"
import type { PlannedFile } from "./PlannedFiles.ts"
import type { PlannedPoint } from "./points.ts"
import { redactArgument, redactConfig, redactEnvironment, redactUrls } from "./redact.ts"
import { plainMap } from "./texts.ts"

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

/** What of a plan the provenance of each of its jobs says. `request.configDir` is absolute. */
export interface ProvenanceSource {
  readonly planId: string
  readonly createdAt: string
  readonly toolVersion: string
  readonly request: ConfigRequest
  readonly facts: Facts
}

/**
 * The files of each job, secrets left out of each. Their texts are made when they are asked for: those of thousands of
 * jobs together would fill the memory. What is the same of several jobs is one file.
 */
export const provenanceFiles = (
  source: ProvenanceSource,
  jobs: ReadonlyArray<PointJob>
): ReadonlyArray<PlannedFile> => {
  const firsts = new Map<object, string>()
  const shared = (of: object, file: string, text: () => string): PlannedFile => {
    const first = firsts.get(of)
    firsts.set(of, first ?? file)
    return lazy(file, text, first === undefined ? {} : { sameAs: first })
  }
  return jobs.flatMap(({ point }) => {
    const { loaded, outputDir } = point
    const place = (name: string): string => path.join(outputDir, "_provenance", name)
    return [
      lazy(place("resolved_config.json"), () => configText(loaded.resolved)),
      shared(
        loaded.unresolved,
        place("unresolved_config.yaml"),
        () => showYaml(redactConfig(loaded.unresolved))
      ),
      lazy(place("config_reference.json"), () => referenceText(source, point)),
      shared(source, place("run_metadata.json"), () => metadataText(source))
    ]
  })
}

const lazy = (file: string, text: () => string, more: Pick<PlannedFile, "sameAs"> = {}): PlannedFile => ({
  path: file,
  get text() {
    return text()
  },
  executable: false,
  ...more
})

/** Texts of sections, of which the points of a sweep share most. */
const sections = new WeakMap<object, string>()

/** The config as `showJson` shows it, without its secrets. */
const configText = (config: ValueMap): string => {
  const texts = Object.entries(redactConfig(config)).map(([name, section]) => {
    const known = isMap(section) ? sections.get(section) : undefined
    const text = known ?? showJson({ [name]: section }).slice(2, -3)
    if (isMap(section)) sections.set(section, text)
    return text
  })
  return `{\n${texts.join(",\n")}\n}\n`
}

const referenceText = ({ planId, request, toolVersion }: ProvenanceSource, point: PlannedPoint): string => {
  const overrides = request.overrides.map(redactArgument)
  const reference: typeof ConfigReference.Type = {
    config_ref: request.configRef,
    config_dir: request.configDir,
    overrides,
    redacted: overrides.some((override, at) => override !== request.overrides[at]),
    point: { index: point.index, name: point.name, parameters: plainMap(redactConfig(point.loaded.parameters)) },
    plan_id: planId,
    tool_version: toolVersion
  }
  return showJson(reference)
}

const metadataText = ({ createdAt, facts, request }: ProvenanceSource): string =>
  showJson({
    git: { ...facts.git, diff: redactUrls(facts.git.diff) },
    command: facts.command.map(redactArgument),
    overrides: request.overrides.map(redactArgument),
    environment: redactEnvironment(facts.environment),
    versions: facts.versions,
    image: facts.image,
    created: createdAt
  })

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
