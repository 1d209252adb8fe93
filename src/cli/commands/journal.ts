/** `autoexp journal …`: the files that a session's history stands in. */
import * as Effect from "effect/Effect"
import * as FileJournal from "../../journal/FileJournal.ts"
import { repairJournal, verifyJournal } from "../../monitor/mend.ts"
import { tellLeftOut } from "../../monitor/sessions.ts"
import { type Fault, Journal } from "../../port/Journal.ts"
import { noRepair } from "../failure.ts"
import type { Handler } from "../Handler.ts"
import { makeOutflow } from "../outflow.ts"
import { findSession } from "../place.ts"
import { printJson, printLines } from "../print.ts"

const placeOf = ({ from, line, path, to }: Fault): string =>
  line === null ? path : `${path}, line ${line}, bytes ${from} to ${to}`

const faultLine = (fault: Fault): string => `${placeOf(fault)}: ${fault.kind}: ${fault.why}`

/** Exit code of a damaged journal. */
const damagedCode = 4

export const verify: Handler<"journal verify"> = (given) =>
  Effect.gen(function*() {
    const place = yield* findSession(given.session, given["state-dir"])
    const { bytes, faults, leftOut, records } = yield* verifyJournal(place)
    yield* tellLeftOut(leftOut)
    if (given.json) yield* printJson({ ok: faults.length === 0, records, bytes, faults })
    else if (faults.length === 0) yield* printLines([`${records} records, ${bytes} bytes: nothing is wrong`])
    else {
      yield* printLines([
        ...faults.map(faultLine),
        "",
        records === 0
          ? `no record stands before the first fault, so that no repair can help: ${noRepair}`
          : `${records} records stand before the first fault; ` +
            `\`autoexp journal repair --session ${place.planId}\` cuts there and keeps the rest aside`
      ])
    }
    return faults.length === 0 ? 0 : damagedCode
  }).pipe(Effect.provide(FileJournal.layer))

export const repair: Handler<"journal repair"> = (given) =>
  Effect.gen(function*() {
    const place = yield* findSession(given.session, given["state-dir"])
    const repaired = yield* repairJournal(place)
    if (given.json) yield* printJson({ repaired: repaired !== null, ...repaired })
    else if (repaired === null) yield* printLines(["nothing is wrong: the journal stays as it is"])
    else {
      yield* printLines([
        `cut at ${faultLine(repaired.fault)}`,
        `${repaired.records} records stand before it; the files as they were are kept in ${repaired.kept}`,
        "the next monitor asks the scheduler for what was cut off before it submits anything"
      ])
    }
    return 0
  }).pipe(Effect.provide(FileJournal.layer))

export const exportAll: Handler<"journal export"> = (given) =>
  Effect.gen(function*() {
    const place = yield* findSession(given.session, given["state-dir"])
    const { leftOut } = yield* makeOutflow(place, (record) => JSON.stringify(record))
    yield* tellLeftOut(leftOut)
    return 0
  }).pipe(Effect.provide(FileJournal.layer))

export const compact: Handler<"journal compact"> = (given) =>
  Effect.gen(function*() {
    const journal = yield* Journal
    const place = yield* findSession(given.session, given["state-dir"])
    const done = yield* journal.compact(place)
    yield* given.json ? printJson(done) : printLines(
      done.merged.length + done.compressed.length === 0 ? ["nothing to merge or to compress"] : [
        ...done.merged.map((name) => `merged into ${name}`),
        ...done.compressed.map((name) => `compressed into ${name}`)
      ]
    )
    return 0
  }).pipe(Effect.provide(FileJournal.layer))
