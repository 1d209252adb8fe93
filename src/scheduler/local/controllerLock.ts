/**
 * One controller a directory. The right is a number: a file `controllers/<n>` made by link(2), of which only the
 * highest counts, and which is never removed or replaced; its owner gives it back by `controllers/<n>.released`.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Identity, livenessOf, self } from "./processes.ts"
import { attempt, hasCode, LocalStoreError, unlessAbsent } from "./store.ts"

const decode = Schema.decodeUnknownSync(Schema.parseJson(Identity))

const highest = (dir: string) =>
  attempt(() => {
    const files = unlessAbsent(() => readdirSync(join(dir, "controllers"))) ?? []
    const number = Math.max(0, ...files.filter((file) => /^\d+$/.test(file)).map(Number))
    const isFree = number === 0 || files.includes(`${number}.released`)
    return { number, owner: isFree ? null : decode(readFileSync(join(dir, "controllers", `${number}`), "utf8")) }
  })

const inspect = (dir: string) =>
  Effect.gen(function*() {
    const { number, owner } = yield* highest(dir)
    const liveness = owner === null ? "dead" : yield* livenessOf(owner)
    if (liveness === "elsewhere") {
      return yield* new LocalStoreError({ message: `the local cluster in ${dir} belongs to host ${owner?.host}` })
    }
    return { number, isHeld: liveness === "alive" }
  })

/** Whether a living controller runs the directory. Fails if only another host could tell. */
export const isHeld = (dir: string): Effect.Effect<boolean, LocalStoreError> =>
  Effect.map(inspect(dir), (lock) => lock.isHeld)

/** Takes the right for this process; null if another one has it. */
export const acquire = (dir: string): Effect.Effect<number | null, LocalStoreError> =>
  Effect.gen(function*() {
    const lock = yield* inspect(dir)
    if (lock.isHeld) return null
    const identity = yield* self
    return yield* attempt(() => {
      const number = lock.number + 1
      const aside = join(dir, "controllers", `tmp-${identity.pid}`)
      mkdirSync(join(dir, "controllers"), { recursive: true, mode: 0o700 })
      writeFileSync(aside, JSON.stringify(identity), { mode: 0o600 })
      try {
        linkSync(aside, join(dir, "controllers", `${number}`))
        return number
      } catch (cause) {
        if (hasCode(cause, "EEXIST")) return null
        throw cause
      } finally {
        rmSync(aside, { force: true })
      }
    })
  })

/** Gives the right back. */
export const release = (dir: string, number: number): Effect.Effect<void, LocalStoreError> =>
  attempt(() => writeFileSync(join(dir, "controllers", `${number}.released`), "", { mode: 0o600 }))
