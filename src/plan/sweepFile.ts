/** `<base_output_dir>/sweep-<plan_id>.json`: what each array task runs. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { decodeFile, ManifestError, parseJson, readFile } from "./Manifest.ts"
import { fillReferences } from "./shell.ts"

/** One point, as its array task needs it. */
export const SweepEntry = Schema.Struct({
  index: Schema.Int,
  name: Schema.String,
  output_dir: Schema.String,
  parameters: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  argv: Schema.NonEmptyArray(Schema.String),
  env: Schema.Record({ key: Schema.String, value: Schema.String })
})
export type SweepEntry = typeof SweepEntry.Type

export const SweepFile = Schema.Struct({
  version: Schema.Literal(1),
  plan_id: Schema.String,
  project: Schema.String,
  /** The config that all points share, without its secrets. */
  config: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  points: Schema.Array(SweepEntry)
})
export type SweepFile = typeof SweepFile.Type

/** The point `index` of the sweep at `path`: by its index in the whole sweep, never by its place in the file. */
export const readSweepEntry = (
  path: string,
  index: number
): Effect.Effect<SweepEntry, ManifestError, FileSystem.FileSystem> =>
  Effect.flatMap(readFile(path, "sweep"), (text) => findEntry(path, text, index))

const findEntry = (path: string, text: string, index: number): Either.Either<SweepEntry, ManifestError> =>
  Either.gen(function*() {
    const { points } = yield* decodeFile(path, "sweep", SweepFile, yield* parseJson(path, "sweep", text))
    const entry = points.find((point) => point.index === index)
    if (entry !== undefined) return entry
    const known = points.map((point) => point.index).join(", ")
    return yield* Either.left(
      new ManifestError({ path, message: `The sweep at ${path} has no point ${index}; it has ${known}.` })
    )
  })

/**
 * The command of an array task: references `$NAME` in arguments and variables are filled in from the node's
 * environment `env`, and the point's own variables are added, of which later ones see the earlier ones.
 */
export const entryCommand = (
  entry: SweepEntry,
  env: Readonly<Record<string, string | undefined>>
): { readonly argv: ReadonlyArray<string>; readonly env: Readonly<Record<string, string>> } => {
  const added: Record<string, string> = {}
  for (const [name, text] of Object.entries(entry.env)) added[name] = fillReferences(text, { ...env, ...added })
  return { argv: entry.argv.map((text) => fillReferences(text, { ...env, ...added })), env: added }
}
