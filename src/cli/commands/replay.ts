/** `autoexp replay`: a journal's facts decided on again; with other rules, what they would have done. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as readline from "node:readline"
import * as ConfigFiles from "../../config/ConfigFiles.ts"
import type { EventRecord } from "../../event/EventRecord.ts"
import * as FileJournal from "../../journal/FileJournal.ts"
import { follow, look } from "../../monitor/held.ts"
import * as LiveFiles from "../../monitor/LiveFiles.ts"
import type { SessionPlace } from "../../port/Journal.ts"
import { otherRules } from "../../replay/otherRules.ts"
import { readAgain } from "../../replay/readAgain.ts"
import { Replay, replayView } from "../../replay/replay.ts"
import { whatIf } from "../../replay/whatIf.ts"
import { replayLines, stateLines } from "../../report/replay.ts"
import { Screen } from "../../report/Screen.ts"
import { whatIfLines, whatIfView } from "../../report/whatIf.ts"
import { rulesOf } from "../../rule/Context.ts"
import { fold } from "../../session/fold.ts"
import { emptySession } from "../../session/Session.ts"
import { sessionView } from "../../session/view.ts"
import { requestOf } from "../composing.ts"
import type { Handler } from "../Handler.ts"
import { findSession } from "../place.ts"
import { printJson, printLines } from "../print.ts"
import type { Given } from "../spec.ts"
import { step } from "../stepping.ts"
import { usage } from "../UsageError.ts"

/** Whether the record is not behind the point that `--to` names. */
const isWithin = (to: Given<"replay">["to"]) => ({ at, seq }: EventRecord): boolean =>
  to === null || ("seq" in to ? seq <= to.seq : Date.parse(at) <= to.at)

/** Lines that a person types, for as long as the scope lives. */
const typedLines = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => readline.createInterface({ input: process.stdin, output: process.stdout, prompt: "" })),
    (reader) => Effect.sync(() => reader.close())
  ),
  (reader) => reader[Symbol.asyncIterator]()
)

/** What the rules that `--monitoring` names would have done. */
const underOthers = (given: Given<"replay">, ref: string) =>
  Effect.gen(function*() {
    if (given.step) return yield* usage("--step walks through what was decided; leave --monitoring out")
    const rules = rulesOf(yield* otherRules(ref, requestOf(given)))
    const place = yield* findSession(given.session, given["state-dir"])
    const { records } = yield* look(place)
    const past = records.filter(isWithin(given.to))
    const { changed, matches, unread } = yield* readAgain(past, rules)
    const result = whatIf(past, rules, matches)
    yield* given.json
      ? printJson({ ...whatIfView(result), rules_changed: changed, logs_unread: unread })
      : printLines(whatIfLines(result, unread))
    return 0
  }).pipe(Effect.provide(Layer.merge(ConfigFiles.layer, LiveFiles.layer)))

const nothingThere = (first: string | undefined) =>
  usage(`nothing is recorded up to there; the first record is of ${first}`)

/** The facts up to `to` decided on again while the journal is read: it is never all in memory. */
const decideAll = (place: SessionPlace, to: Given<"replay">["to"]) =>
  Effect.gen(function*() {
    const within = isWithin(to)
    let again = new Replay()
    // What was, not what is decided today: they are the same unless it diverges.
    let was = emptySession()
    let first: string | undefined
    yield* follow(place, null, () => {
      again = new Replay()
      was = emptySession()
      return (record) => {
        first ??= record.at
        if (!within(record)) return
        again.take(record)
        if (to !== null) was = fold(was, record)
      }
    })
    return { replayed: yield* again.end(), was, first }
  })

export const replay: Handler<"replay"> = (given) =>
  Effect.gen(function*() {
    if (given.monitoring !== null) return yield* underOthers(given, given.monitoring)
    if (given.operands.length > 0) {
      return yield* usage("overrides change the rules that --monitoring names; without it there are none to change")
    }
    const place = yield* findSession(given.session, given["state-dir"])
    if (given.step && !given.json) {
      const { records } = yield* look(place)
      const past = records.filter(isWithin(given.to))
      if (past.length === 0) return yield* nothingThere(records[0]?.at)
      const asks = (yield* Screen).interactive && process.stdin.isTTY
      return yield* Effect.scoped(
        Effect.flatMap(asks ? typedLines : Effect.succeed(null), (lines) => step(past, lines))
      )
    }
    const { first, replayed, was } = yield* decideAll(place, given.to)
    if (given.to !== null && was.seq === 0) return yield* nothingThere(first)
    const state = given.to === null ? null : was
    yield* given.json
      ? printJson({ ...replayView(replayed), ...(state === null ? {} : { state: sessionView(state) }) })
      : printLines([...replayLines(replayed), ...(state === null ? [] : stateLines(state))])
    return replayed.identical ? 0 : 1
  }).pipe(Effect.provide(FileJournal.layer))
