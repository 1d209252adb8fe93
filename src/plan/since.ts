/** What is otherwise today than when a job was planned, of which the record is to be run once more. */
import * as Schema from "effect/Schema"
import { Any, type Value } from "../backend/Value.ts"
import { differences, leafText } from "../config/leaves.ts"

const Texts = Schema.Record({ key: Schema.String, value: Schema.String })
const Image = Schema.Struct({
  path: Schema.String,
  sha256: Schema.NullOr(Schema.String),
  megatron_core: Schema.NullOr(Schema.String)
})

/** What of `run_metadata.json` is compared. */
export const RunMetadata = Schema.Struct({
  git: Schema.Struct({ commit: Schema.String, status: Schema.String, diff: Schema.String }),
  environment: Texts,
  versions: Texts,
  /** Null without an image, and in records of before. */
  image: Schema.optionalWith(Schema.NullOr(Image), { default: () => null }),
  created: Schema.String
})
export type RunMetadata = typeof RunMetadata.Type

/** A job's `resolved_config.json`. */
export const ResolvedConfig = Any

/** What `_provenance` says of a job. */
export interface JobRecord {
  readonly config: Value
  readonly metadata: RunMetadata
}

/** Variables that differ from one terminal to the next, and say nothing about a run. */
const ofTheTerminal =
  /^(?:_|SHLVL|OLDPWD|WINDOWID|COLUMNS|LINES|DISPLAY|STY|INVOCATION_ID|JOURNAL_STREAM|npm_.*|(?:SSH|TERM|TMUX|XDG_SESSION|DBUS)(?:_.*)?)$/

const baseOf = (config: Value): string => {
  const [base] = differences(config, {}).filter(({ name }) => name === "project.base_output_dir")
  return typeof base?.a === "string" ? base.a : ""
}

/** The text without the directory of outputs, which has the time in its name. */
const placeless = (value: Value | undefined, base: string): string =>
  value === undefined ? "nothing" : base === "" ? leafText(value) : leafText(value).replaceAll(base, "OUTPUT")

const configLines = (before: Value, now: Value): ReadonlyArray<string> => {
  const [old, fresh] = [baseOf(before), baseOf(now)]
  return differences(before, now).flatMap(({ a, b, name }) => {
    const [was, is] = [placeless(a, old), placeless(b, fresh)]
    return was === is ? [] : [`${name} was ${was}, and is ${is}`]
  })
}

const gitLines = ({ git: before }: RunMetadata, { git: now }: RunMetadata): ReadonlyArray<string> => [
  ...before.commit === now.commit ? [] : [`the commit was ${before.commit}, and is ${now.commit}`],
  ...before.diff === now.diff && before.status === now.status
    ? []
    : [
      before.status === ""
        ? "there are changes that are not committed, and were none"
        : now.status === ""
        ? "there were changes that were not committed, and are none"
        : "the changes that are not committed are not the same"
    ]
]

const imageLines = ({ image: before }: RunMetadata, { image: now }: RunMetadata): ReadonlyArray<string> => {
  const line = (what: string, key: keyof typeof Image.Type) => {
    const [was, is] = [before?.[key] ?? null, now?.[key] ?? null]
    return was === is ? [] : [`${what} was ${was ?? "not known"}, and is ${is ?? "not known"}`]
  }
  return [
    ...line("the image", "path"),
    ...line("the image's SHA-256", "sha256"),
    ...line("the image's Megatron", "megatron_core")
  ]
}

const environmentLines = (
  { environment: before }: RunMetadata,
  { environment: now }: RunMetadata
): ReadonlyArray<string> => {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((name) => !ofTheTerminal.test(name))
  const line = (what: string, holds: (name: string) => boolean) => {
    const found = names.filter(holds).sort()
    return found.length === 0 ? [] : [`variables of the environment that ${what}: ${found.join(", ")}`]
  }
  return [
    ...line("changed", (name) => name in before && name in now && before[name] !== now[name]),
    ...line("are new", (name) => !(name in before)),
    ...line("are gone", (name) => !(name in now))
  ]
}

/**
 * What differs, in sentences: of the config each value, git's state, the versions of this tool, the image, and the names
 * of variables. The directory of outputs is a new one each time, and secrets were left out of both.
 */
export const sinceThen = (before: JobRecord, now: JobRecord): ReadonlyArray<string> => {
  const [old, fresh] = [before.metadata, now.metadata]
  const versions = [...new Set([...Object.keys(old.versions), ...Object.keys(fresh.versions)])]
  return [
    ...configLines(before.config, now.config),
    ...gitLines(old, fresh),
    ...versions.flatMap((name) => {
      const [was = "not known", is = "not known"] = [old.versions[name], fresh.versions[name]]
      return was === is ? [] : [`${name} was ${was}, and is ${is}`]
    }),
    ...imageLines(old, fresh),
    ...environmentLines(old, fresh)
  ]
}
