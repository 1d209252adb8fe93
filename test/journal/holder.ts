/**
 * A process that holds a session, for tests: takes commands by line (`hold`, `takeover`, `append N`, `newest`,
 * `release`), answers each with one line of JSON. With arguments STATE_DIR PLAN_ID.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as process from "node:process"
import * as readline from "node:readline"
import * as FileJournal from "../../src/journal/FileJournal.ts"
import { Journal, type JournalWriter } from "../../src/port/Journal.ts"
import { at, facts } from "./temporary.ts"

const [stateDir = "", planId = ""] = process.argv.slice(2)
const scope = Effect.runSync(Scope.make())
let writer: JournalWriter | null = null

const answer = (command: string, count: number) =>
  Effect.gen(function*() {
    if (command === "hold" || command === "takeover") {
      const journal = yield* Journal
      writer = yield* Scope.extend(journal.hold({ stateDir, planId }, { takeover: command === "takeover" }), scope)
      return { epoch: writer.epoch, records: writer.records.length }
    }
    if (command === "release") {
      yield* Scope.close(scope, Exit.void)
      return {}
    }
    if (writer === null) return { error: "not held" }
    if (command === "newest") {
      yield* writer.assertNewest
      return {}
    }
    const records = yield* writer.append(at, facts(count))
    return { acknowledged: records.map(({ hash, seq }) => ({ seq, hash })) }
  }).pipe(
    Effect.catchAll((error) => Effect.succeed({ error: error._tag })),
    Effect.provide(FileJournal.layerWith({ heartbeat: { seconds: 0.2, missed: 3 } }))
  )

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [command = "", count = "1"] = line.split(" ")
  process.stdout.write(`${JSON.stringify(await Effect.runPromise(answer(command, Number(count))))}\n`)
}
