/** `Files` for a loop that must not stand still: a file system that hangs answers nobody, and is not waited for. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { type Files, FileUnreadableError } from "../port/Files.ts"

/**
 * How much is asked of file systems at once. What hangs keeps its thread, of which Node has four for all files: one is
 * left for the journal.
 */
const atOnce = 3

/** Seconds after which what has no answer yet is given up; it is asked again once the answer has come. */
export const patienceSeconds = 10

/**
 * The same files, whose reads fail after {@link patienceSeconds}, and at once while the read before of that file hangs or
 * nothing but what hangs is under way. Questions about files wait on: nobody waits for them.
 */
export const patientFiles = (
  files: Context.Tag.Service<typeof Files>
): Effect.Effect<Context.Tag.Service<typeof Files>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const room = yield* Effect.makeSemaphore(atOnce)
    /** What hangs, and the path that it is about. */
    const hanging = new Map<symbol, string>()

    /** Has its turn once there is room; hangs from the end of its patience until its answer. */
    const inTurn = <A, E>(path: string, work: Effect.Effect<A, E>, began: () => void): Effect.Effect<A, E> =>
      room.withPermits(1)(Effect.suspend(() => {
        began()
        const who = Symbol()
        return Effect.scoped(Effect.andThen(
          Effect.forkScoped(
            Effect.delay(Effect.sync(() => hanging.set(who, path)), `${patienceSeconds} seconds`)
          ),
          work
        )).pipe(Effect.ensuring(Effect.sync(() => hanging.delete(who))))
      }))

    const read = <A>(path: string, work: Effect.Effect<A, FileUnreadableError>) =>
      Effect.gen(function*() {
        const unanswered = new FileUnreadableError({ path, message: `no answer for ${patienceSeconds} s` })
        if (hanging.size >= atOnce || [...hanging.values()].includes(path)) return yield* unanswered
        let begun = false
        const fiber = yield* Effect.forkIn(inTurn(path, work, () => begun = true), scope)
        return yield* Fiber.join(fiber).pipe(
          Effect.timeoutFail({
            duration: `${patienceSeconds} seconds`,
            onTimeout: () => unanswered
          }),
          Effect.tapErrorTag("FileUnreadableError", () => begun ? Effect.void : Fiber.interruptFork(fiber))
        )
      })

    return {
      read: (path, offset, limit) => read(path, files.read(path, offset, limit)),
      moved: (path, identity) => Effect.orElseSucceed(read(path, files.moved(path, identity)), () => null),
      exists: (path) => inTurn(path, files.exists(path), () => {}),
      append: (path, text, how) => inTurn(path, files.append(path, text, how), () => {}),
      matches: (pattern, atLeast) => inTurn(pattern, files.matches(pattern, atLeast), () => {})
    }
  })
