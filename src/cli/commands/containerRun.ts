/** `autoexp container run … -- COMMAND…`: a command inside the image, as jobs run it, with this terminal. */
import * as Effect from "effect/Effect"
import * as LiveCommands from "../../monitor/LiveCommands.ts"
import { ContainerRuntime } from "../../port/ContainerRuntime.ts"
import { containerOf, imageOf, settingsOf } from "../containers.ts"
import type { Handler } from "../Handler.ts"

/** 24 days, in seconds: as long as a timer can be. */
const noLimit = 24 * 86_400

/** Ends with the command's own exit code. */
export const run: Handler<"container run"> = (given) =>
  Effect.gen(function*() {
    const { runtime, section } = yield* containerOf(given)
    const image = yield* imageOf(given.image, section)
    const settings = yield* settingsOf(section)
    const { exitCode } = yield* Effect.flatMap(ContainerRuntime, ({ exec }) =>
      exec({
        ...settings,
        image,
        argv: given.command,
        options: [],
        timeoutSeconds: noLimit,
        terminal: true
      })).pipe(Effect.provide(runtime))
    return exitCode
  }).pipe(Effect.provide(LiveCommands.layer))
