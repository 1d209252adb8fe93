/** What completion looks up on this machine. It is best effort: what cannot be read is not offered. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as path from "node:path"
import * as FileJournal from "../../journal/FileJournal.ts"
import { Invocation } from "../Invocation.ts"
import { allSessions, findSession } from "../place.ts"
import { summarise } from "../summary.ts"
import type { Candidates, Source } from "./candidates.ts"

interface Word {
  readonly word: string
  readonly help: string
}

const extension = /\.ya?ml$/

const entriesOf = (folder: string): ReadonlyArray<fs.Dirent> => {
  try {
    return fs.readdirSync(folder, { withFileTypes: true }).sort((a, b) => a.name < b.name ? -1 : 1)
  } catch {
    return []
  }
}

/** Names of the configs in a folder, those of `below` deeper ones with their folder before them. */
const configsIn = (folder: string): ReadonlyArray<string> =>
  entriesOf(folder).filter((entry) => entry.isFile() && extension.test(entry.name))
    .map(({ name }) => name.replace(extension, ""))

/** Config groups: folders with configs, by their path below the config directory. */
const groupsIn = (folder: string, before = ""): ReadonlyArray<string> =>
  entriesOf(path.join(folder, before)).filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).flatMap(
    ({ name }) => {
      const group = before === "" ? name : `${before}/${name}`
      const own = configsIn(path.join(folder, group)).length > 0 ? [group] : []
      return [...own, ...groupsIn(folder, group)]
    }
  )

const words = (names: ReadonlyArray<string>): ReadonlyArray<Word> => names.map((word) => ({ word, help: "" }))

/** Groups, or the options of the one that is named already. */
const overrides = (folder: string, typed: string): ReadonlyArray<Word> => {
  const [, sign = "", group, value] = /^(\+{0,2})([^=]*)(=.*)?$/s.exec(typed) ?? []
  return value === undefined
    ? words(groupsIn(folder).map((name) => `${sign}${name}=`))
    : words(configsIn(path.join(folder, group ?? "")).map((name) => `${sign}${group}=${name}`))
}

const experiments = "experiments"

const configs = (folder: string): ReadonlyArray<Word> =>
  words([
    ...configsIn(folder),
    ...groupsIn(folder).filter((group) => group === experiments || group.startsWith(`${experiments}/`))
      .flatMap((group) => configsIn(path.join(folder, group)).map((name) => `${group}/${name}`))
  ])

const sessions = (stateDir: string | null) =>
  Effect.gen(function*() {
    const summaries = yield* Effect.forEach(yield* allSessions(stateDir), summarise)
    const newest = summaries.toSorted((a, b) => a.created < b.created ? 1 : -1)
    return [
      ...newest.length === 0 ? [] : [{ word: "last", help: "the newest" }],
      ...newest.map(({ planId, project, status }) => ({ word: planId, help: `${project}: ${status}` }))
    ]
  })

const Jobs = Schema.parseJson(Schema.Struct({
  jobs: Schema.Array(
    Schema.Struct({ name: Schema.String, state: Schema.String, outcome: Schema.NullOr(Schema.String) })
  )
}))

const jobs = (session: string, stateDir: string | null) =>
  Effect.gen(function*() {
    const place = yield* findSession(session, stateDir)
    const file = path.join(place.stateDir, `${place.planId}.json`)
    const known = Either.getOrNull(
      Schema.decodeUnknownEither(Jobs)(yield* Effect.try(() => fs.readFileSync(file, "utf8")))
    )
    return known === null ? [] : [
      ...known.jobs.map(({ name, outcome, state }) => ({ word: name, help: outcome ?? state })),
      { word: "all", help: "" }
    ]
  })

/** What a source has; files and folders are the shell's own business. */
export const lookUp = (
  source: Exclude<Source, "files" | "folders">,
  { given, typed }: Candidates
): Effect.Effect<ReadonlyArray<Word>, never, Invocation> =>
  Effect.gen(function*() {
    const { cwd } = yield* Invocation
    const folder = path.resolve(cwd, given.get("config-dir") ?? "config")
    const stateDir = given.get("state-dir") ?? null
    if (source === "sessions") return yield* sessions(stateDir)
    if (source === "jobs") return yield* jobs(given.get("session") ?? "last", stateDir)
    if (source === "configs") return configs(folder)
    if (source === "monitoring") return words(configsIn(path.join(folder, "monitoring")))
    return overrides(folder, typed)
  }).pipe(Effect.provide(FileJournal.layer), Effect.catchAll(() => Effect.succeed([])))
