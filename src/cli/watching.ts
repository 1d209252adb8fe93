/** Watching a session in front of people: live while it goes on, a summary when it ends. */
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { NewEvent } from "../event/EventRecord.ts"
import type { EventData } from "../event/events.ts"
import * as FileJournal from "../journal/FileJournal.ts"
import * as LiveFollowUps from "../monitor/followUps.ts"
import * as LiveFiles from "../monitor/LiveFiles.ts"
import * as RuleSource from "../monitor/ruleSource.ts"
import { type SessionError, type SessionServices, watchSession } from "../monitor/sessions.ts"
import type { SessionHeldError, SessionPlace } from "../port/Journal.ts"
import { ending, hasTrouble, liveRows, needsAttention } from "../report/ending.ts"
import { happening } from "../report/happenings.ts"
import { live, type LiveRow } from "../report/live.ts"
import { Screen } from "../report/Screen.ts"
import * as LiveSchedulers from "../scheduler/live.ts"
import { attentionOf } from "../session/attention.ts"
import { isFinished, type Session } from "../session/Session.ts"
import { sessionView } from "../session/view.ts"
import { Invocation } from "./Invocation.ts"
import { recordSession } from "./place.ts"
import { workshop } from "./planning.ts"
import { printJson, printLines } from "./print.ts"

/** What sessions need of this machine, follow-ups included. */
export const machine = Layer.unwrapEffect(Effect.map(Invocation, ({ cwd, program, version }) =>
  Layer.provideMerge(
    LiveFollowUps.layer({ toolVersion: version, autoexpCommand: program, cwd }),
    Layer.provideMerge(
      LiveSchedulers.layer,
      Layer.mergeAll(FileJournal.layer, LiveFiles.layer, Layer.provideMerge(RuleSource.layer, workshop))
    )
  )))

export interface Watching {
  readonly json: boolean
  readonly takeover: boolean
  readonly observeOnly: boolean
  /** Whether queued actions are executed here. */
  readonly worker: boolean
  readonly requests: ReadonlyArray<NewEvent<"OperatorRequested">>
  /** One cycle of each, then the end. */
  readonly once: boolean
  /** Leave sessions out that somebody else watches, and say so, unless that is all of them. */
  readonly leaveHeld: boolean
  readonly until: (session: Session) => boolean
}

/** One of the sessions to watch; `opening` begins it if it has no journal yet. */
export interface Watched {
  readonly place: SessionPlace
  readonly opening: EventData<"SessionOpened"> | null
  /** Whether it is begun in this working directory, in the place that the config names. */
  readonly begunHere: boolean
}

/** 1 for a session that somebody is to look after, or that has finished with trouble; else 0: it may still end well. */
export const exitCodeOf = (session: Session, worker: boolean): number =>
  needsAttention(session) || isFinished(session, worker) && hasTrouble(session) ? 1 : 0

/** With JSON on standard output, people read what happens on standard error. */
const besides = (screen: Screen["Type"], json: boolean): Screen["Type"] =>
  json ? { ...screen, out: screen.err, interactive: false, color: false } : screen

/** Notes the session and its follow-ups in the user's index, each once. */
const indexing = ({ begunHere, place }: Watched) => {
  const known = new Set<string>()
  return (session: Session) =>
    Effect.forEach([place.planId, ...session.followUps.keys()], (planId) => {
      if (known.has(planId)) return Effect.void
      known.add(planId)
      return recordSession({ ...place, planId }, { begunHere })
    }, { discard: true })
}

/**
 * Watches sessions side by side, each until it is finished or `until` holds, shows what happens, and returns them as they
 * are then. Ctrl-C detaches, and says how to attach again.
 */
export const watching = (
  watched: ReadonlyArray<Watched>,
  options: Watching
): Effect.Effect<ReadonlyArray<Session>, SessionError, Screen | Invocation | SessionServices> =>
  Effect.scoped(Effect.gen(function*() {
    const invocation = yield* Invocation
    const screen = besides(yield* Screen, options.json)
    const view = yield* live(screen)
    const rows = new Map<string, ReadonlyArray<LiveRow>>()
    const attention = new Map<string, ReadonlyArray<string>>()
    const several = watched.length > 1
    const held: Array<SessionHeldError> = []
    const seen = yield* Effect.forEach(watched, (each) => {
      const { opening, place } = each
      const index = indexing(each)
      const named = (job: string) => several ? `${place.planId}/${job}` : job
      return watchSession(place, {
        ...options,
        opening,
        toolVersion: invocation.version,
        onRecords: (records, session) =>
          Effect.gen(function*() {
            yield* index(session)
            for (const record of records) {
              const told = happening(record)
              if (told !== null) yield* view.tell({ ...told, job: told.job === null ? null : named(told.job) })
            }
            rows.set(place.planId, liveRows(session).map((row) => ({ ...row, job: named(row.job) })))
            attention.set(place.planId, attentionOf(session).map((line) => several ? `${place.planId}: ${line}` : line))
            yield* view.show([...rows.values()].flat(), [...attention.values()].flat())
          }).pipe(Effect.provideService(Invocation, invocation))
      }).pipe(
        Effect.onInterrupt(() =>
          screen.err(`detached; jobs go on. Attach again: autoexp monitor --session ${place.planId}\n`)
        ),
        Effect.asSome,
        Effect.catchTag("SessionHeldError", (error) => {
          if (!options.leaveHeld) return Effect.fail(error)
          held.push(error)
          return Effect.as(
            screen.err(
              `session ${error.planId} is watched by process ${error.pid} on ${error.host}, and left to that\n`
            ),
            Option.none<Session>()
          )
        })
      )
    }, { concurrency: "unbounded" })
    const [first] = held
    return first !== undefined && held.length === watched.length ? yield* first : Array.getSomes(seen)
  }))

/** Sums the sessions up and returns the exit code. */
export const sumUp = (
  sessions: ReadonlyArray<Session>,
  options: { readonly json: boolean; readonly worker: boolean }
) =>
  Effect.gen(function*() {
    const [only] = sessions
    yield* options.json
      ? printJson(only !== undefined && sessions.length === 1 ? sessionView(only) : sessions.map(sessionView))
      : printLines(sessions.flatMap((session) => ending(session)))
    return Math.max(0, ...sessions.map((session) => exitCodeOf(session, options.worker)))
  })
