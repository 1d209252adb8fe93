/** Entry of the controller's own program: `local-controller DIR SLOTS GRACE_SECONDS IDLE_SECONDS`. */
import * as Effect from "effect/Effect"
import { runController } from "./controller.ts"

const [dir = "", slots, graceSeconds, idleSeconds] = process.argv.slice(2)

const main = runController({
  dir,
  slots: Number(slots),
  graceSeconds: Number(graceSeconds),
  idleSeconds: Number(idleSeconds)
}).pipe(Effect.tapErrorCause((cause) => Effect.logFatal(cause)))

Effect.runPromise(main).then(
  () => process.exit(0),
  () => process.exit(1)
)
