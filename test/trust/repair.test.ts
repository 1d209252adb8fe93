/** Random single faults in the journal of a session that goes on: it is repaired, and the next monitor carries it on. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as fs from "node:fs"
import { expect, it, vi } from "vitest"
import { look } from "../../src/monitor/held.ts"
import { repairJournal } from "../../src/monitor/mend.ts"
import { makeResumption } from "../../src/monitor/resume.ts"
import { saveSnapshot } from "../../src/monitor/snapshot.ts"
import { Journal } from "../../src/port/Journal.ts"
import { damaged, kinds, randomOf } from "../journal/faults.ts"
import { judge, judgeRepaired } from "./judge.ts"
import * as disk from "./memoryDisk.ts"
import { carryOut, place, type Told } from "./script.ts"

vi.mock("node:fs/promises", () => import("./memoryDisk.ts"))
vi.mock("node:zlib", () => import("./trackedZlib.ts"))
vi.mock("node:fs", async (original) => ({
  ...await original<typeof fs>(),
  ...(await import("./memoryDisk.ts")).streams
}))

const seed = Number(process.env["AUTOEXP_FAULT_SEED"] ?? 7)
const rounds = Number(process.env["AUTOEXP_FAULT_ROUNDS"] ?? 100)

/** So small that a session has many segments, and that older ones are merged, and compressed. */
const files = { segmentBytes: 6000, compaction: { smallBytes: 4000, atLeast: 2, compressFrom: 5000 } }

/** Carries the session out by monitors that die when they have brought the session file up so many times, in all. */
const carry = async (
  deaths: ReadonlyArray<number>,
  between: (death: number) => Effect.Effect<boolean, unknown, Journal>
): Promise<{ readonly told: Told; readonly published: number }> => {
  let published = 0
  const told = await carryOut(
    { before: () => false, after: () => false },
    [],
    {
      before: () => null,
      after: (operation, file) => {
        if (operation !== "rename" || file !== "/state/plan.json") return null
        published += 1
        return deaths.includes(published) ? disk.dies : null
      }
    },
    undefined,
    between,
    files,
    true
  )
  return { told, published }
}

/** Leaves a snapshot of the session as it is now. */
const saveSession = Effect.gen(function*() {
  const journal = yield* Journal
  const resumption = makeResumption(place, null, null)
  const { position } = yield* journal.walk(place, resumption.reader)
  if (position !== null) yield* saveSnapshot(place, { session: resumption.session(), position })
})

const nothing = () => Effect.succeed(false)

it(`does nothing twice after the repair of any of ${rounds} random faults (AUTOEXP_FAULT_SEED=${seed})`, async () => {
  const random = randomOf(seed)
  const calm = await carry([], nothing)
  const tally = { unnoticed: 0, repaired: 0, refused: 0, compressed: 0 }
  const failures: Array<string> = []
  for (let round = 0; round < rounds && failures.length < 5; round += 1) {
    let what = ""
    let outcome: "unnoticed" | "repaired" | null = null
    const before = tally.refused
    const pick = (from: number, to: number) => from + Math.floor(random() * (to - from))
    const first = pick(1, calm.published - 2)
    const second = pick(first + 1, calm.published)
    try {
      const { told } = await carry([first, second], (death) =>
        Effect.gen(function*() {
          if (death !== 2) return false
          // Half of the faults meet a compressed file.
          if (round % 4 < 2) yield* (yield* Journal).compact(place)
          const all = disk.files().filter((file) => /^\/state\/plan\.events\..*jsonl(\.gz)?$/.test(file))
          const compressed = all.filter((file) => file.endsWith(".gz"))
          const segments = round % 4 < 2 && compressed.length > 0 ? compressed : all
          const file = segments[pick(0, segments.length)] ?? ""
          if (file.endsWith(".gz")) tally.compressed += 1
          const whole = (yield* look(place)).records
          if (round % 2 === 0) yield* saveSession
          const broken = damaged(disk.bytesOf(file) ?? Buffer.alloc(0), random, kinds[round % kinds.length])
          what = `deaths at ${first} and ${second}, ${broken.what} of ${file}`
          disk.poke(file, broken.bytes)
          const repair = yield* Effect.either(repairJournal(place))
          if (Either.isLeft(repair)) {
            expect(repair.left.message).toContain("not one record stands before it")
            tally.refused += 1
            return yield* Effect.die("there is nothing to carry on")
          }
          const after = (yield* look(place)).records
          const kept = repair.right === null ? after.length : repair.right.records
          expect(after.slice(0, kept)).toEqual(whole.slice(0, kept))
          outcome = repair.right === null ? "unnoticed" : "repaired"
          return repair.right !== null
        }))
      if (outcome === "unnoticed") judge(told, calm.told)
      else judgeRepaired(told, calm.told)
    } catch (error) {
      if (tally.refused === before) failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`)
    }
    if (outcome === "repaired") tally.repaired += 1
    if (outcome === "unnoticed") tally.unnoticed += 1
  }
  expect(failures).toEqual([])
  expect(tally.repaired).toBeGreaterThan(rounds / 2)
  expect(tally.compressed).toBeGreaterThan(rounds / 3)
}, 900_000)
