/** The files that people look at: projections of the journal, rewritten whole, never read back as truth. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { nodesFile } from "../journal/places.ts"
import { JournalIoError, type SessionPlace } from "../port/Journal.ts"
import type { QueueEntry } from "../session/entries.ts"
import type { Session } from "../session/Session.ts"
import { queueView, sessionView } from "../session/view.ts"
import { nodesText } from "./projectNodes.ts"
import { replaceFile } from "./replaceFile.ts"

/** The last record of a journal: kept in the session file too, so that removed last lines are noticed. */
export interface Head {
  readonly seq: number
  readonly hash: string
}

export const sessionFile = ({ planId, stateDir }: SessionPlace): string => path.join(stateDir, `${planId}.json`)

const SessionFileHead = Schema.parseJson(
  Schema.Struct({ head: Schema.Struct({ seq: Schema.Int, hash: Schema.String }) })
)

/** The last record that the session file has seen; null if there is none or it tells nothing. */
export const publishedHead = (place: SessionPlace): Effect.Effect<Head | null> =>
  Effect.tryPromise(() => fs.readFile(sessionFile(place), "utf8")).pipe(
    Effect.flatMap(Schema.decodeUnknown(SessionFileHead)),
    Effect.map(({ head }) => head),
    Effect.orElseSucceed(() => null)
  )

/** The file of a queue entry. */
export const queueFile = (place: SessionPlace, { eventId, queueId }: QueueEntry): string =>
  path.join(actionsDir(place), eventId, `${queueId}.json`)

const actionsDir = ({ planId, stateDir }: SessionPlace): string => path.join(stateDir, `${planId}.actions`)

const pretty = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** Path and text of each file, a function of the journal alone; the session file last, whose head vouches for the others. */
const filesOf = (place: SessionPlace, session: Session, head: Head): ReadonlyMap<string, string> =>
  new Map([
    ...[nodesText(session) ?? []].flat().map((text): readonly [string, string] => [nodesFile(place), text]),
    ...[...session.queue.values()].map((entry): readonly [string, string] => [
      queueFile(place, entry),
      pretty(queueView(entry))
    ]),
    [sessionFile(place), pretty({ ...sessionView(session), head })]
  ])

const write = async (file: string, text: string): Promise<void> => {
  await fs.mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  await replaceFile(file, text)
}

const ioError = (file: string) => (cause: unknown) => new JournalIoError({ path: file, message: String(cause) })

const present = async (directory: string): Promise<ReadonlyArray<string>> => {
  const entries = await fs.readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name))
}

/**
 * Brings the files of a session up to its journal. What was written last time is remembered, so that only changed files
 * are touched; files of queue entries that are gone are removed.
 */
export const makePublisher = (place: SessionPlace) => {
  let written: ReadonlyMap<string, string> | null = null
  return (session: Session, head: Head): Effect.Effect<void, JournalIoError> =>
    Effect.tryPromise({
      try: async () => {
        const files = filesOf(place, session, head)
        const stale = (written === null ? [...await present(actionsDir(place)), nodesFile(place)] : [...written.keys()])
          .filter((file) => !files.has(file))
        for (const [file, text] of files) if (written?.get(file) !== text) await write(file, text)
        for (const file of stale) await fs.rm(file, { force: true })
        written = files
      },
      catch: ioError(place.stateDir)
    })
}

/** The same, by one who goes on without: files that cannot be written are told of once, and brought up as soon as they can. */
export const makePatientPublisher = (place: SessionPlace) => {
  const publish = makePublisher(place)
  let failing = false
  const say = (now: boolean, text: string) =>
    Effect.suspend(() => {
      if (failing === now) return Effect.void
      failing = now
      return now ? Effect.logWarning(text) : Effect.logInfo(text)
    })
  return (session: Session, head: Head): Effect.Effect<void> =>
    Effect.matchEffect(publish(session, head), {
      onFailure: ({ message }) =>
        say(true, `the files of session ${place.planId} are behind its journal, they cannot be written: ${message}`),
      onSuccess: () => say(false, `the files of session ${place.planId} are written again`)
    })
}
