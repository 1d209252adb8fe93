/** The little that a list of sessions says of each, without folding every journal. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as path from "node:path"
import { segmentFiles } from "../journal/places.ts"
import type { Journal, SessionPlace } from "../port/Journal.ts"
import { attentionOf, attentionText } from "../session/attention.ts"

export interface Summary {
  readonly planId: string
  readonly project: string
  readonly status: string
  readonly jobs: number
  /** ISO 8601 UTC; empty if the journal cannot be read. */
  readonly created: string
  /** What needs somebody's decision; null if nothing does. */
  readonly attention: string | null
  /** Whether another session's action started it. */
  readonly followUp: boolean
}

const Reason = Schema.Struct({ reason: Schema.String })

/** What is used of a session file. */
const SessionFile = Schema.parseJson(Schema.Struct({
  project: Schema.String,
  status: Schema.String,
  created: Schema.String,
  parent: Schema.Unknown,
  attention: Schema.NullOr(Reason),
  jobs: Schema.Array(Schema.Struct({ name: Schema.String, attention: Schema.NullOr(Reason) })),
  head: Schema.Struct({ hash: Schema.String })
}))
const decode = Schema.decodeUnknownEither(SessionFile)

/** The hash that ends the newest segment of a journal, null if its last line is not whole. */
const lastHash = (place: SessionPlace): string | null => {
  const [newest] = segmentFiles(place, fs.readdirSync(place.stateDir))
  if (newest === undefined) return null
  const file = fs.openSync(newest.path, "r")
  try {
    const tail = Buffer.alloc(80)
    const { size } = fs.fstatSync(file)
    const read = fs.readSync(file, tail, 0, tail.length, Math.max(0, size - tail.length))
    return /"hash":"([0-9a-f]{64})"\}\n$/.exec(tail.toString("latin1", 0, read))?.[1] ?? null
  } finally {
    fs.closeSync(file)
  }
}

const attentionLine = (sentences: ReadonlyArray<string>): string | null =>
  sentences.length === 0 ? null : sentences.join("; ")

/** The session file, if it tells what the whole journal tells. */
const published = (place: SessionPlace): Summary | null => {
  const text = fs.readFileSync(path.join(place.stateDir, `${place.planId}.json`), "utf8")
  const file = Either.getOrNull(decode(text))
  if (file === null || file.head.hash !== lastHash(place)) return null
  const { created, jobs, parent, project, status } = file
  return {
    planId: place.planId,
    project,
    status,
    jobs: jobs.length,
    created,
    attention: attentionLine(attentionText(file)),
    followUp: parent !== null
  }
}

const unreadable = (planId: string, status: string): Summary => ({
  planId,
  project: "",
  status,
  jobs: 0,
  created: "",
  attention: null,
  followUp: false
})

/** From the session file where that is up to date, else from the journal. A damaged journal is a status, not an error. */
export const summarise = (place: SessionPlace): Effect.Effect<Summary, never, Journal> =>
  Effect.gen(function*() {
    const quick = yield* Effect.orElseSucceed(Effect.try(() => published(place)), () => null)
    if (quick !== null) return quick
    const { glance } = yield* Effect.promise(() => import("../monitor/held.ts"))
    const { statusOf } = yield* Effect.promise(() => import("../session/Session.ts"))
    return yield* glance(place).pipe(
      Effect.map(({ session }): Summary => ({
        planId: place.planId,
        project: session.project,
        status: statusOf(session),
        jobs: session.jobs.size,
        created: session.created,
        attention: attentionLine(attentionOf(session)),
        followUp: session.parent !== null
      })),
      Effect.catchTag("JournalDamagedError", "UnreadableRecordError", () =>
        Effect.succeed(unreadable(place.planId, "damaged"))),
      Effect.catchAll((error) =>
        Effect.succeed(unreadable(place.planId, `unreadable: ${error.message}`))
      )
    )
  })
