/** `<base_output_dir>/sweep-<plan_id>.json`: what each array task runs. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { formatArrayIndices } from "../backend/slurm/arraySpec.ts"
import { showJson, showLine } from "../config/show.ts"
import { decodeFile, ManifestError, parseJson, readFile } from "./Manifest.ts"
import { fillReferences } from "./shell.ts"

const Plain = Schema.Record({ key: Schema.String, value: Schema.Unknown })

/** Variables as texts for a shell, without secrets; null: not noted. */
const Environment = Schema.optionalWith(Schema.NullOr(Schema.Record({ key: Schema.String, value: Schema.String })), {
  default: () => null
})

/** One point, as its array task needs it. */
export const SweepEntry = Schema.Struct({
  index: Schema.Int,
  name: Schema.String,
  output_dir: Schema.String,
  stage: Schema.optionalWith(Schema.String, { default: () => "" }),
  parameters: Plain,
  argv: Schema.NonEmptyArray(Schema.String),
  env: Schema.Record({ key: Schema.String, value: Schema.String }),
  /** What it exports of `slurm.env` instead of what all share. */
  slurm_env: Environment,
  /** The same of `container.env`. */
  container_env: Environment,
  /** What of the shared config is otherwise here, by its path. */
  config: Schema.optionalWith(Plain, { default: () => ({}) }),
  /** Paths of what is not there at all. */
  without: Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] })
})
export type SweepEntry = typeof SweepEntry.Type

export const SweepFile = Schema.Struct({
  version: Schema.Literal(1),
  plan_id: Schema.String,
  project: Schema.String,
  /** The config that all points share, without its secrets. */
  config: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  /** What all points export of `slurm.env`. */
  slurm_env: Environment,
  /** The same of `container.env`. */
  container_env: Environment,
  points: Schema.Array(SweepEntry)
})
export type SweepFile = typeof SweepFile.Type

const pointStart = (index: number): string => `\n    {"index":${index},`

/** The file's text: what is shared in the open, then a line for each point, so that one can be read without the others. */
export const sweepText = ({ points, ...shared }: SweepFile): string => {
  const lines = points.map(({ config, container_env: inImage, index, slurm_env: env, without, ...rest }) => {
    const own = {
      ...rest,
      ...env === null ? {} : { slurm_env: env },
      ...inImage === null ? {} : { container_env: inImage },
      ...Object.keys(config).length === 0 ? {} : { config },
      ...without.length === 0 ? {} : { without }
    }
    return `${pointStart(index)}${showLine(own).slice(1)}`
  })
  return `${showJson(shared).replace(/\n\}\n$/, "")},\n  "points": [${lines.join()}\n  ]\n}\n`
}

/** The whole sweep at `path`. */
export const readSweep = (path: string): Effect.Effect<SweepFile, ManifestError, FileSystem.FileSystem> =>
  Effect.flatMap(readFile(path, "sweep"), (text) => decodeSweep(path, text))

/** The sweep whose text stands at `path`. */
export const decodeSweep = (path: string, text: string): Either.Either<SweepFile, ManifestError> =>
  Either.flatMap(parseJson(path, "sweep", text), (document) => decodeFile(path, "sweep", SweepFile, document))

/**
 * The point `index` of the sweep at `path`: by its index in the whole sweep, never by its place in the file. Of a large
 * sweep only its own line is parsed, since each of thousands of tasks does so.
 */
export const readSweepEntry = (
  path: string,
  index: number
): Effect.Effect<SweepEntry, ManifestError, FileSystem.FileSystem> =>
  Effect.flatMap(readFile(path, "sweep"), (text) => findEntry(path, text, index))

const findEntry = (path: string, text: string, index: number): Either.Either<SweepEntry, ManifestError> =>
  Either.gen(function*() {
    const from = /^\{\s*"version":\s*1\b/.test(text) ? text.indexOf(pointStart(index)) : -1
    if (from >= 0) {
      const line = text.slice(from, text.indexOf("\n", from + 1)).trim().replace(/,$/, "")
      return yield* decodeFile(path, "sweep", SweepEntry, yield* parseJson(path, "sweep", line))
    }
    const { points } = yield* decodeSweep(path, text)
    const entry = points.find((point) => point.index === index)
    if (entry !== undefined) return entry
    const known = formatArrayIndices(points.map((point) => point.index))
    return yield* Either.left(
      new ManifestError({ path, message: `The sweep at ${path} has no point ${index}; it has ${known}.` })
    )
  })

/** Set by an array's script to the index of the point whose environment it has exported. */
export const TASK_ENVIRONMENT = "AUTOEXP_TASK_ENV"

/**
 * The command of an array task: references `$NAME` in arguments and variables are filled in from the node's
 * environment `env`, and the point's own variables are added, of which later ones see the earlier ones. Those that the
 * script has exported for this point stay as they are.
 */
export const entryCommand = (
  entry: SweepEntry,
  env: Readonly<Record<string, string | undefined>>
): { readonly argv: ReadonlyArray<string>; readonly env: Readonly<Record<string, string>> } => {
  const added: Record<string, string> = {}
  const isSet = env[TASK_ENVIRONMENT] === `${entry.index}`
  for (const [name, text] of Object.entries(entry.env)) {
    added[name] = (isSet ? env[name] : undefined) ?? fillReferences(text, { ...env, ...added })
  }
  return { argv: entry.argv.map((text) => fillReferences(text, { ...env, ...added })), env: added }
}
