/** `autoexp status`: a row for each job. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FileJournal from "../../journal/FileJournal.ts"
import { glance, recordedNow } from "../../monitor/held.ts"
import type { SessionPlace } from "../../port/Journal.ts"
import * as formats from "../../report/formats.ts"
import { Screen } from "../../report/Screen.ts"
import { columnNames, columnsOf, filterOf, usualColumns } from "../../report/status/columns.ts"
import { phasesOf, rowOf, type StatusRow } from "../../report/status/rows.ts"
import { lines, namedCells, plainCells, tableColumns, told } from "../../report/status/table.ts"
import { clean } from "../../report/width.ts"
import { select } from "../../session/select.ts"
import type { Handler } from "../Handler.ts"
import { allSessions, findSession } from "../place.ts"
import { printJson, printLines, printTable } from "../print.ts"
import type { Given } from "../spec.ts"
import { bytesBelow } from "../storage.ts"
import { UnknownNameError } from "../UnknownNameError.ts"
import { usage } from "../UsageError.ts"

const damagedExitCode = 4

const named = <A>(found: Either.Either<A, ConstructorParameters<typeof UnknownNameError>[0]>) =>
  Either.match(found, { onLeft: (error) => Effect.fail(new UnknownNameError(error)), onRight: Effect.succeed })

const placesOf = ({ all, session, "state-dir": stateDir }: Given<"status">) =>
  Effect.gen(function*() {
    if (all && session !== null) return yield* usage("autoexp status takes either --session or --all", ["--all"])
    return all ? yield* allSessions(stateDir) : [yield* findSession(session ?? "last", stateDir)]
  })

/** The rows of the jobs that the selectors mean; of many sessions one that has none of them is no mistake. */
const rowsOf = (place: SessionPlace, given: Given<"status">, now: string, storage: boolean) =>
  Effect.gen(function*() {
    const { session } = yield* glance(place)
    const chosen = select(session.jobs.values(), given.operands)
    const jobs = given.all ? Either.getOrElse(chosen, () => []) : yield* named(chosen)
    return yield* Effect.forEach(
      jobs,
      (job) =>
        Effect.map(
          storage ? bytesBelow(job.plan.output_dir) : Effect.succeed(null),
          (bytes) => rowOf(session, job, now, bytes)
        ),
      { concurrency: 4 }
    )
  })

export const status: Handler<"status"> = (given) =>
  Effect.gen(function*() {
    const screen = yield* Screen
    const asked = given.columns === null ? null : yield* named(columnsOf(given.columns))
    const filters = yield* Effect.forEach(given.filter, (text) => named(filterOf(text)))
    const storage = asked?.includes("storage_bytes") === true ||
      given.filter.some((text) => text.startsWith("storage_bytes"))
    const now = yield* recordedNow
    const places = yield* placesOf(given)
    const read = yield* Effect.forEach(places, (place) =>
      given.all
        ? Effect.either(rowsOf(place, given, now, storage))
        : Effect.map(rowsOf(place, given, now, storage), Either.right))
    const unread = read.filter(Either.isLeft)
    yield* Effect.forEach(unread, ({ left }) => screen.err(`autoexp: ${clean(left.message)}\n`))
    const rows = read.flatMap(Either.getOrElse((): ReadonlyArray<StatusRow> => []))
      .filter((row) => filters.every((fits) => fits(row)))
    const shown = asked ?? told(given.all ? ["plan_id", ...usualColumns] : usualColumns, rows)
    const format = given.json ? "json" : given.format ?? "table"
    if (format === "json") {
      yield* printJson({ at: now, jobs: rows, phases: phasesOf(rows).map(({ phase }) => phase) })
    } else if (format === "csv") {
      yield* printLines(formats.csv(plainCells(asked ?? columnNames), rows))
    } else if (format === "md") {
      yield* printLines(formats.markdown(namedCells(shown), lines(rows)))
    } else {
      yield* printTable(tableColumns(shown), lines(rows), "no jobs")
    }
    return unread.length > 0 ? damagedExitCode : 0
  }).pipe(Effect.provide(FileJournal.layer))
