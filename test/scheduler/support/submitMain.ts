/** Submits one script in a process of its own, to be killed: `DIR SCRIPT NAME CONTROLLER`. */
import * as Effect from "effect/Effect"
import { writeSync } from "node:fs"
import { Scheduler } from "../../../src/port/Scheduler.ts"
import { layer } from "../../../src/scheduler/local/layer.ts"

const [dir = "", script = "", name = "", controller = ""] = process.argv.slice(2)

const main = Effect.gen(function*() {
  const scheduler = yield* Scheduler
  writeSync(1, "begin\n")
  // Time to die in, before the acceptance.
  yield* Effect.sleep("3 millis")
  const { id } = yield* scheduler.submit({ script, name, nonce: "n0nce", array: null })
  writeSync(1, `answer ${id}\n`)
  yield* Effect.sleep("1 second")
})

Effect.runPromise(
  Effect.provide(main, layer({ dir, slots: 4, controller: [process.execPath, controller], idleSeconds: 5 }))
).then(() => process.exit(0), () => process.exit(1))
