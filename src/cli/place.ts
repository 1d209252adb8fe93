/** Where sessions are looked for, and which one a name means. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { didYouMean, nearest } from "../backend/nearest.ts"
import { Journal, type JournalIoError, type SessionPlace } from "../port/Journal.ts"
import { Invocation } from "./Invocation.ts"
import { summarise } from "./summary.ts"
import { UnknownNameError } from "./UnknownNameError.ts"

/** The user's own index: one small file per session, so that a bare id works from anywhere. */
export const indexDir = (env: Invocation["Type"]["env"]): string =>
  path.join(env["XDG_STATE_HOME"] || path.join(env["HOME"] || os.homedir(), ".local", "state"), "autoexp", "sessions")

/** The state directory that was named: by the option, else by AUTOEXP_STATE_DIR; absolute. */
export const namedStateDir = (option: string | null): Effect.Effect<string | null, never, Invocation> =>
  Effect.map(Invocation, ({ cwd, env }) => {
    const named = option ?? env["AUTOEXP_STATE_DIR"] ?? ""
    return named === "" ? null : path.resolve(cwd, named)
  })

/** What an entry of the index says. */
interface Entry extends SessionPlace {
  /** Working directory in which the session was begun where its config said; null if a state directory was named. */
  readonly begunIn: string | null
}

const readEntry = (file: string): Entry | null => {
  try {
    const said: unknown = JSON.parse(fs.readFileSync(file, "utf8"))
    if (typeof said !== "object" || said === null || !("state_dir" in said) || !("begun_in" in said)) return null
    const { begun_in: begunIn, state_dir: stateDir } = said
    if (typeof stateDir !== "string" || typeof begunIn !== "string" && begunIn !== null) return null
    return { planId: path.basename(file, ".json"), stateDir, begunIn }
  } catch {
    // Half a file, or one that another process has just removed: an entry that says nothing.
    return null
  }
}

/** All entries of the index whose session is still there. */
const readIndex = (env: Invocation["Type"]["env"]): ReadonlyArray<Entry> => {
  const dir = indexDir(env)
  if (!fs.existsSync(dir)) return []
  return fs.readdirSync(dir).filter((name) => name.endsWith(".json")).sort().flatMap((name) => {
    const entry = readEntry(path.join(dir, name))
    return entry !== null && sessionExists(entry) ? [entry] : []
  })
}

/**
 * The state directories that the config in the working directory names. Where sessions were begun here before, the index
 * remembers it: composing a config takes longer than all else, and a name that holds the time is another one each time.
 */
const configuredStateDirs: Effect.Effect<ReadonlyArray<string>, never, Invocation> = Effect.gen(function*() {
  const { cwd, env } = yield* Invocation
  if (!fs.existsSync(path.join(cwd, "config", "autoexp.yaml"))) return []
  const remembered = readIndex(env).filter(({ begunIn }) => begunIn === cwd).map(({ stateDir }) => stateDir)
  if (remembered.length > 0) return [...new Set(remembered)]
  const { stateDirOfConfig } = yield* Effect.promise(() => import("./configured.ts"))
  const dir = yield* stateDirOfConfig
  return dir === null ? [] : [dir]
})

/** Whether a session of that name has begun there. */
export const sessionExists = ({ planId, stateDir }: SessionPlace): boolean =>
  ["", ".gz"].some((suffix) => fs.existsSync(path.join(stateDir, `${planId}.events.jsonl${suffix}`)))

/**
 * Notes in the user's index where a session is kept; what stands there of the same place is left as it is. Best effort:
 * the session itself does not need it.
 */
export const recordSession = (
  { planId, stateDir }: SessionPlace,
  options: { readonly begunHere: boolean }
): Effect.Effect<void, never, Invocation> =>
  Effect.flatMap(Invocation, ({ cwd, env }) =>
    Effect.try(() => {
      const dir = indexDir(env)
      const file = path.join(dir, `${planId}.json`)
      if (readEntry(file)?.stateDir === stateDir) return
      fs.mkdirSync(dir, { recursive: true, mode: 0o700 })
      const temporary = path.join(dir, `.${planId}.${process.pid}`)
      fs.writeFileSync(
        temporary,
        `${JSON.stringify({ state_dir: stateDir, begun_in: options.begunHere ? cwd : null })}\n`
      )
      fs.renameSync(temporary, file)
    }).pipe(
      Effect.catchAll((error) => Effect.logDebug(`the index of sessions was not written: ${error.message}`))
    ))

/** Takes a session out of the user's index, if it stands there for this place. */
export const forgetSession = ({ planId, stateDir }: SessionPlace): Effect.Effect<void, never, Invocation> =>
  Effect.map(Invocation, ({ env }) => {
    const file = path.join(indexDir(env), `${planId}.json`)
    if (readEntry(file)?.stateDir === stateDir) fs.rmSync(file, { force: true })
  })

const sessionsIn = (stateDir: string): Effect.Effect<ReadonlyArray<SessionPlace>, JournalIoError, Journal> =>
  Effect.gen(function*() {
    const journal = yield* Journal
    return (yield* journal.list(stateDir)).map((planId) => ({ planId, stateDir }))
  })

/** All sessions of the first place that is known: named, configured, or the user's index. */
export const allSessions = (
  stateDir: string | null
): Effect.Effect<ReadonlyArray<SessionPlace>, JournalIoError, Journal | Invocation> =>
  Effect.gen(function*() {
    const named = yield* namedStateDir(stateDir)
    const dirs = named === null ? yield* configuredStateDirs : [named]
    if (dirs.length > 0) return (yield* Effect.forEach(dirs, sessionsIn)).flat()
    return readIndex((yield* Invocation).env)
  })

const fileOfSession = /^(?<planId>.+?)(?:\.events(?:\.[\d.-]+)?\.jsonl(?:\.gz)?|\.json)$/

/**
 * The session that `name` means: a plan id, the beginning of one, `last` (the newest that a person started), or a path of
 * its file. An id that is not in the configured place is looked up in the user's index as well.
 */
export const findSession = (
  name: string,
  stateDir: string | null
): Effect.Effect<SessionPlace, UnknownNameError | JournalIoError, Journal | Invocation> =>
  Effect.gen(function*() {
    const { cwd, env } = yield* Invocation
    if (name.includes("/") || fileOfSession.test(name) && fs.existsSync(path.resolve(cwd, name))) {
      const file = path.resolve(cwd, name)
      const planId = fileOfSession.exec(path.basename(file))?.groups?.["planId"] ?? ""
      const place = { planId, stateDir: path.dirname(file) }
      if (planId !== "" && sessionExists(place)) return place
      return yield* new UnknownNameError({ message: `${name} is no file of a session`, suggestions: [] })
    }
    const named = yield* namedStateDir(stateDir)
    const near = yield* allSessions(stateDir)
    const known = named === null ? [...near, ...readIndex(env)] : near
    const byId = new Map<string, SessionPlace>()
    for (const place of known) if (!byId.has(place.planId)) byId.set(place.planId, place)
    const where = named === null ? "" : ` in ${named}`
    if (name === "last") {
      const summaries = yield* Effect.forEach([...byId.values()], (place) =>
        Effect.map(summarise(place), (summary) => ({ place, summary })))
      const [newest] = summaries
        .filter(({ summary }) =>
          !summary.followUp
        )
        .sort((a, b) => a.summary.created < b.summary.created ? 1 : -1)
      if (newest !== undefined) return newest.place
      return yield* new UnknownNameError({ message: `there is no session${where} yet`, suggestions: [] })
    }
    const exact = byId.get(name)
    if (exact !== undefined) return exact
    const begun = [...byId.values()].filter(({ planId }) => planId.startsWith(name))
    // A follow-up's id begins with its parent's, which is the one that is meant.
    const [only, ...others] = begun.toSorted((a, b) => a.planId.length - b.planId.length)
    if (only !== undefined && name !== "" && others.every(({ planId }) => planId.startsWith(`${only.planId}-q`))) {
      return only
    }
    const ids = begun.length > 1 ? begun.map(({ planId }) => planId) : [...byId.keys()]
    return yield* new UnknownNameError({
      message: begun.length > 1
        ? `"${name}" begins the names of ${begun.length} sessions: ${ids.slice(0, 20).join(", ")}`
        : `there is no session "${name}"${where}; ${didYouMean(name, ids)}`,
      suggestions: begun.length > 1 ? ids.slice(0, 20) : nearest(name, ids)
    })
  })
