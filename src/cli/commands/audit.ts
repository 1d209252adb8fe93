/** `autoexp audit`: every action that sessions took or skipped, and whether their journals are as they were written. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FileJournal from "../../journal/FileJournal.ts"
import { recall } from "../../monitor/held.ts"
import { tellLeftOut } from "../../monitor/sessions.ts"
import { type Checked, verify } from "../../monitor/verify.ts"
import type { SessionPlace } from "../../port/Journal.ts"
import { auditEntries } from "../../report/audit/entries.ts"
import { type AuditRow, csv, markdown, tableColumns } from "../../report/audit/formats.ts"
import { Screen } from "../../report/Screen.ts"
import { clean } from "../../report/width.ts"
import type { Handler } from "../Handler.ts"
import { allSessions, findSession } from "../place.ts"
import { printJson, printLines, printTable } from "../print.ts"
import type { Given } from "../spec.ts"
import { usage } from "../UsageError.ts"

const damagedExitCode = 4

const placesOf = ({ all, session, "state-dir": stateDir }: Given<"audit">) =>
  Effect.gen(function*() {
    if (all === (session !== null)) {
      return yield* usage("autoexp audit needs either --session or --all", ["--session", "--all"])
    }
    return session === null ? yield* allSessions(stateDir) : [yield* findSession(session, stateDir)]
  })

const rowsOf = (place: SessionPlace) =>
  Effect.gen(function*() {
    const { leftOut, records } = yield* recall(place)
    yield* tellLeftOut(leftOut)
    return auditEntries(records).map((entry): AuditRow => ({ plan_id: place.planId, ...entry }))
  })

const verdict = ({ first_bad: bad, left_out, ok, plan_id, records }: Checked): string =>
  clean(
    bad === null || ok
      ? `${plan_id}: ${records} records, each as it was written` +
        left_out.map(({ bytes, path, why }) => `; ${bytes} bytes of ${path} are no record (${why})`).join("")
      : `${plan_id}: damaged at record ${bad.seq}: ${bad.segment}${
        bad.line === null ? "" : `, line ${bad.line}`
      }, bytes ${bad.from} to ${bad.to}: ` +
        bad.why
  )

const check = (given: Given<"audit">, places: ReadonlyArray<SessionPlace>) =>
  Effect.gen(function*() {
    if (given.format !== null) return yield* usage("--format is for actions; with --verify there is --json", ["--json"])
    const verified = yield* Effect.forEach(places, verify)
    yield* given.json ? printJson(given.all ? verified : verified[0]) : printLines(verified.map(verdict))
    return verified.every(({ ok }) => ok) ? 0 : damagedExitCode
  })

export const audit: Handler<"audit"> = (given) =>
  Effect.gen(function*() {
    const places = yield* placesOf(given)
    if (given.verify) return yield* check(given, places)
    const screen = yield* Screen
    // Of many sessions one that cannot be read hides no other.
    const read = yield* Effect.forEach(places, (place) =>
      given.all ? Effect.either(rowsOf(place)) : Effect.map(rowsOf(place), Either.right))
    const rows = read.flatMap(Either.getOrElse(() => []))
    yield* Effect.forEach(read.filter(Either.isLeft), ({ left }) =>
      screen.err(`autoexp: ${clean(left.message)}\n`))
    const format = given.json ? "json" : given.format ?? "table"
    yield* format === "json"
      ? printJson(rows)
      : format === "csv"
      ? printLines(csv(rows))
      : format === "md"
      ? printLines(markdown(rows))
      : printTable(tableColumns(given.all), rows, "no actions yet")
    return read.some(Either.isLeft) ? damagedExitCode : 0
  }).pipe(Effect.provide(FileJournal.layer))
