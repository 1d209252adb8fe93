/** The journal between real processes that are killed, stopped and set against one another. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as esbuild from "esbuild"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as readline from "node:readline"
import { afterAll, beforeAll } from "vitest"
import * as FileJournal from "../../src/journal/FileJournal.ts"
import { type Envelope, Journal, type SessionPlace } from "../../src/port/Journal.ts"
import { failure, fileIn, temporaryPlace } from "./temporary.ts"

let bundleDir = ""
let bundle = ""

beforeAll(async () => {
  bundleDir = fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-holder-"))
  bundle = path.join(bundleDir, "holder.mjs")
  const entry = path.join(import.meta.dirname, "holder.ts")
  await esbuild.build({
    entryPoints: [entry],
    outfile: bundle,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error"
  })
}, 120_000)

afterAll(() => fs.rmSync(bundleDir, { recursive: true, force: true }))

const Answer = Schema.Struct({
  epoch: Schema.optional(Schema.Int),
  error: Schema.optional(Schema.String),
  acknowledged: Schema.optional(Schema.Array(Schema.Struct({ seq: Schema.Int, hash: Schema.String })))
})
type Answer = typeof Answer.Type

/** A holder process; killed with the scope if it still is there. */
const start = (place: SessionPlace) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn(process.execPath, [bundle, place.stateDir, place.planId], {
          stdio: ["pipe", "pipe", "inherit"]
        })
        child.stdin.on("error", () => {})
        return { child, ended: new Promise<void>((resolve) => child.once("exit", () => resolve())) }
      }),
      ({ child, ended }) =>
        Effect.promise(() => {
          child.kill("SIGKILL")
          return ended
        })
    ),
    ({ child, ended }) => {
      const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]()
      const say = (command: string): void => {
        child.stdin.write(`${command}\n`)
      }
      /** The answer to the oldest command without one; null once the process is gone. */
      const next = Effect.promise(async (): Promise<Answer | null> => {
        const { done, value } = await lines.next()
        return done === true ? null : Schema.decodeUnknownSync(Schema.parseJson(Answer))(value)
      })
      const ask = (command: string) => Effect.zipRight(Effect.sync(() => say(command)), next)
      const signal = (name: NodeJS.Signals) =>
        Effect.sync(() => {
          child.kill(name)
        })
      const kill = Effect.zipRight(signal("SIGKILL"), Effect.promise(() => ended))
      return { ask, say, next, signal, kill }
    }
  )

const run = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provide(effect, FileJournal.layer)

const isChain = (records: ReadonlyArray<Envelope>): void => {
  expect(records.map(({ seq }) => seq)).toStrictEqual(records.map((_, index) => index + 1))
}

describe("between processes", () => {
  it.scopedLive(
    "a living holder is left alone, a killed one followed at once with all it acknowledged",
    () =>
      run(Effect.gen(function*() {
        const place = yield* temporaryPlace
        const journal = yield* Journal
        const holder = yield* start(place)
        expect(yield* holder.ask("hold")).toMatchObject({ epoch: 1 })
        const answer = yield* holder.ask("append 3")
        expect(yield* journal.holder(place)).toMatchObject({ alive: "alive" })
        expect(yield* failure(journal.hold(place, { takeover: false }))).toMatchObject({ _tag: "SessionHeldError" })
        yield* holder.kill
        expect(yield* journal.holder(place)).toMatchObject({ alive: "dead" })
        const writer = yield* journal.hold(place, { takeover: false })
        expect(writer.epoch).toBe(2)
        expect(writer.records.slice(0, 3).map(({ hash, seq }) => ({ seq, hash }))).toStrictEqual(answer?.acknowledged)
      })),
    60_000
  )

  it.scopedLive(
    "a stopped holder is not taken for dead; taken over, it wakes up fenced and leaves no trace",
    () =>
      run(Effect.gen(function*() {
        const place = yield* temporaryPlace
        const journal = yield* Journal
        const holder = yield* start(place)
        yield* holder.ask("hold")
        yield* holder.ask("append 2")
        yield* holder.signal("SIGSTOP")
        expect(yield* failure(journal.hold(place, { takeover: false }))).toMatchObject({ _tag: "SessionHeldError" })
        const writer = yield* journal.hold(place, { takeover: true })
        yield* writer.append("2026-11-24T00:00:00.000Z", [{ type: "New", data: null }])
        const before = yield* journal.read(place)
        holder.say("append 5")
        yield* holder.signal("SIGCONT")
        expect(yield* holder.next).toStrictEqual({ error: "FencedError" })
        expect(yield* holder.ask("append 1")).toStrictEqual({ error: "FencedError" })
        expect(yield* holder.ask("newest")).toStrictEqual({ error: "FencedError" })
        const after = yield* journal.read(place)
        expect(after.records).toStrictEqual(before.records)
        expect(after.leftOut).toMatchObject([
          { path: fileIn(place, "plan.events.jsonl"), why: "beyond the seal of a later epoch" }
        ])
        yield* holder.ask("release")
        yield* writer.assertNewest
      })),
    60_000
  )

  it.scopedLive("a session that was let go is free, though its process lives on", () =>
    run(Effect.gen(function*() {
      const place = yield* temporaryPlace
      const journal = yield* Journal
      const holder = yield* start(place)
      yield* holder.ask("hold")
      yield* holder.ask("release")
      expect(yield* journal.holder(place)).toBe(null)
      expect((yield* journal.hold(place, { takeover: false })).epoch).toBe(2)
    })), 60_000)

  it.scopedLive(
    "kills, stops and takeovers at any moment lose nothing acknowledged and leave one chain",
    () =>
      run(Effect.gen(function*() {
        const seed = Date.now() % 1_000_000
        const random = Random.make(seed)
        const place = yield* temporaryPlace
        const journal = yield* Journal
        const acknowledged = new Map<number, string>()
        const keep = (answer: Answer | null) => {
          for (const { hash, seq } of answer?.acknowledged ?? []) {
            expect(acknowledged.has(seq), `seed ${seed}: record ${seq} acknowledged twice`).toBe(false)
            acknowledged.set(seq, hash)
          }
        }
        /** Takes over, appends until it is fenced, and is killed or stopped somewhere on the way. */
        const attacker = Effect.scoped(Effect.gen(function*() {
          const holder = yield* start(place)
          const commands = yield* random.nextIntBetween(3, 12)
          holder.say("takeover")
          for (let n = 0; n < commands; n++) holder.say(`append ${1 + n % 4}`)
          const until = yield* random.nextIntBetween(0, commands + 1)
          for (let n = 0; n < until; n++) keep(yield* holder.next)
          if (yield* random.nextBoolean) {
            yield* holder.signal("SIGSTOP")
            yield* Effect.sleep(yield* random.nextIntBetween(5, 150))
            yield* holder.signal("SIGCONT")
            yield* Effect.sleep(yield* random.nextIntBetween(0, 20))
          }
          yield* holder.kill
          let answer = yield* holder.next
          while (answer !== null) {
            keep(answer)
            answer = yield* holder.next
          }
        }))
        yield* Effect.forEach([1, 2, 3], () => Effect.repeatN(attacker, 5), { concurrency: 3, discard: true })
        const { records } = yield* journal.read(place)
        isChain(records)
        for (const [seq, hash] of acknowledged) expect(records[seq - 1]?.hash, `seed ${seed}`).toBe(hash)
        expect(acknowledged.size).toBeGreaterThan(0)
      })),
    120_000
  )
})
