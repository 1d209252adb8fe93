/** The command line in this process: a fake screen, a home and working directory of its own. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { tell } from "../../src/cli/failure.ts"
import { Invocation } from "../../src/cli/Invocation.ts"
import { command } from "../../src/cli/run.ts"
import { encodeEvent, type EventRecord } from "../../src/event/EventRecord.ts"
import * as FileJournal from "../../src/journal/FileJournal.ts"
import { Journal, type SessionPlace } from "../../src/port/Journal.ts"
import { fakeScreen } from "../report/fakeScreen.ts"

export interface Ran {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** A directory that goes with the scope. */
export const temporary = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-cli-"))),
  (dir) => Effect.sync(() => fs.rmSync(dir, { recursive: true, force: true, maxRetries: 3 }))
)

/** What `autoexp …argv` prints in `dir`, which is its home too, and how it ends. */
export const autoexp = (
  dir: string,
  argv: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {}
): Effect.Effect<Ran> =>
  Effect.gen(function*() {
    const { layer, written } = fakeScreen()
    const invocation = { version: "1.2.3", program: ["node", "autoexp"], argv, env: { HOME: dir, ...env }, cwd: dir }
    const exit = yield* Effect.exit(
      command.pipe(Effect.provide(Layer.merge(layer, Layer.succeed(Invocation, invocation))))
    )
    const { exitCode, text } = Exit.match(exit, {
      onSuccess: (exitCode) => ({ exitCode, text: "" }),
      onFailure: (cause) => tell(cause, { json: argv.includes("--json"), debug: argv.includes("--debug") })
    })
    return { exitCode, stdout: written.out, stderr: written.err + text }
  })

/** Writes a session's journal as a monitor that ended would have left it. */
export const keep = (place: SessionPlace, records: ReadonlyArray<EventRecord>): Effect.Effect<void> =>
  Effect.scoped(Effect.gen(function*() {
    const writer = yield* (yield* Journal).hold(place, { takeover: false })
    for (const record of records) yield* writer.append(record.at, [encodeEvent(record)])
  })).pipe(Effect.provide(FileJournal.layer), Effect.orDie)
