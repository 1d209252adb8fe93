/** A disk that is full or fails for a while, from any operation of a session on. */
import { describe, expect, it, vi } from "vitest"
import { judge } from "./judge.ts"
import type { Operation } from "./memoryDisk.ts"
import { makePoints } from "./points.ts"
import { carryOut } from "./script.ts"

vi.mock("node:fs/promises", () => import("./memoryDisk.ts"))

/** An outage that a monitor meets again when it tries once more. */
const long = 40_000

/** Which operations of which files fail. */
type Which = (operation: Operation, file: string) => boolean

const isJournal: Which = (_operation, file) => file.includes(".events.")
const isWriting: Which = (operation, file) =>
  /^\/state\/plan[./]/.test(file) && operation !== "fsync" && operation !== "remove"

/**
 * Carries the session out on a disk that fails from the operation number `from` on, of those that are meant, for so many
 * milliseconds (0: once). `deadAt`: position of a power cut after that, counted as a crash is.
 */
const carry = async (code: string, which: Which, from: number, lasts = long, deadAt: number | null = null) => {
  const points = makePoints("crash", deadAt === null ? [] : [deadAt])
  const meant: Array<number> = []
  const acts: Array<string> = []
  let now = 0
  let until: number | null = null
  let isStopped = false
  const told = await carryOut(
    {
      before: (effect) => {
        if (isStopped && until !== null && now < until) acts.push(effect)
        return points.effects.before(effect)
      },
      after: points.effects.after
    },
    ["power cut"],
    {
      before: (operation, file, bytes) => {
        if (!which(operation, file)) return points.faults.before(operation, file, bytes)
        meant.push(points.passed.length)
        if (meant.length - 1 < from || (until !== null && now >= until)) {
          return points.faults.before(operation, file, bytes)
        }
        until ??= now + lasts
        isStopped ||= isJournal(operation, file)
        return { fails: code, bytes: bytes === null ? 0 : bytes.length >> 1 }
      },
      after: points.faults.after
    },
    (millis) => now = millis
  )
  return { told, meant, acts }
}

const codes = ["ENOSPC", "EDQUOT", "EIO", "EROFS"] as const

describe("a session on a disk that fails for a while", () => {
  it.each([0, 1, 2])(
    "goes on when it can, without having acted, and says so once: whatever is written from any write on, %i",
    async (first) => {
      const { meant, told: calm } = await carry("", isWriting, Infinity)
      const begins = meant.findIndex((_, index) => index > 12)
      for (let from = begins + first * 2; from < meant.length - 4; from += 6) {
        const code = codes[from % codes.length] ?? "EIO"
        const { acts, told } = await carry(code, isWriting, from)
        const story = `${code} from write ${from} on: ${told.said.join("; ")}`
        expect(told.monitors, story).toBe(1)
        expect(acts, story).toEqual([])
        judge(told, calm)
        expect(told.said.filter((text) => text.includes("journal of session plan cannot")).length, story)
          .toBeLessThanOrEqual(1)
        expect(told.said.filter((text) => text.includes("files of session plan are behind")).length, story)
          .toBeLessThanOrEqual(1)
      }
    },
    300_000
  )

  it(
    "goes on after a sync that failed, and never counts on what was not synced, though the power fails as well",
    async () => {
      const isSync: Which = (operation, file) => operation === "fsync" && file.startsWith("/state/plan.events.")
      const { meant, told: calm } = await carry("", isSync, Infinity)
      for (let from = 4; from < meant.length - 2; from += 1) {
        const { told } = await carry("EIO", isSync, from, 0, (meant[from] ?? 0) + 24)
        expect(told.said.join("; "), `sync ${from}`).toContain("the journal of session plan cannot be written")
        judge(told, calm)
      }
    },
    300_000
  )

  it("takes the session again although the names of its leases could not be synced when it tried", async () => {
    let names = 0
    const isLease: Which = (operation, file) =>
      operation === "sync names" && file === "/state/plan.lease" && (names += 1) > 1
    const isAppend: Which = (operation, file) => operation === "fsync" && file.startsWith("/state/plan.events.")
    let syncs = 0
    const which: Which = (operation, file) => isAppend(operation, file) ? (syncs += 1) === 12 : isLease(operation, file)
    const { told } = await carry("EIO", which, 0, 10_000)
    expect(told.session.jobs.size).toBe(4)
    expect(told.said.join("; ")).toContain("is written again")
    judge(told, (await carry("", () => false, Infinity)).told)
  })

  it("acts on although its files alone cannot be written, tells of it once, and writes them when it can", async () => {
    const isFile: Which = (_operation, file) => file.startsWith("/state/plan.json") || file.includes(".actions")
    const { acts, told } = await carry("EACCES", isFile, 3)
    const { told: calm } = await carry("", isFile, Infinity)
    expect(acts).toEqual([])
    expect(told.seconds).toBeLessThan(long / 1000)
    expect(told.said.filter((text) => text.includes("files of session plan are behind"))).toHaveLength(1)
    expect(told.said.join("; ")).not.toContain("journal of session plan cannot")
    judge(told, calm)
  })
})
