/** Death at every point of a session: whatever a monitor does next, it may end before that, and in the middle of it. */
import { describe, expect, it, vi } from "vitest"
import { judge, judgeFiles } from "./judge.ts"
import type { Death } from "./memoryDisk.ts"
import { makePoints } from "./points.ts"
import { carryOut } from "./script.ts"

vi.mock("node:fs/promises", () => import("./memoryDisk.ts"))

/** A way to end, and at which of the points. */
type Ends = ReadonlyArray<readonly [death: Death, at: number]>

/** Carries the session out; `kind`: by which points the ends are counted. */
const carry = async (kind: Death, ends: Ends) => {
  const points = makePoints(kind, ends.map(([, at]) => at))
  const told = await carryOut(points.effects, ends.map(([death]) => death), points.faults)
  return { told, passed: points.passed }
}

/** What goes wrong if monitors end so. */
const wrong = async (kind: Death, ends: Ends, calm: Awaited<ReturnType<typeof carry>>) => {
  const where = ends.map(([death, at]) => `${death} at ${at} (without it: ${calm.passed[at] ?? "the end"})`).join(", ")
  try {
    const { told } = await carry(kind, ends)
    expect(told.monitors).toBe(ends.length + 1)
    judge(told, calm.told)
    judgeFiles(told)
    return []
  } catch (error) {
    return [`${where}: ${error instanceof Error ? error.message : String(error)}`]
  }
}

/** So many failures tell enough. */
const enough = 5

describe("a session whose monitor ends at any point of it, and is followed by another", () => {
  it.each(
    [
      ["crash", 0, 3],
      ["crash", 1, 3],
      ["crash", 2, 3],
      ["power cut", 0, 1]
    ] as const
  )("comes to the same end: %s, every point, beginning with %i, in steps of %i", async (death, first, step) => {
    const calm = await carry(death, [])
    expect(calm.passed.length).toBeGreaterThan(death === "crash" ? 200 : 20)
    const failures: Array<string> = []
    for (let at = first; at < calm.passed.length && failures.length < enough; at += step) {
      failures.push(...await wrong(death, [[death, at]], calm))
    }
    expect(failures).toEqual([])
  }, 300_000)

  it.each(
    [
      ["after submit bad.1"],
      ["before run evaluate /ckpt/1"]
    ]
  )(
    "comes to the same end although that one ends soon as well: crash %s, and at each of the next points",
    async (point) => {
      const calm = await carry("crash", [])
      const first = calm.passed.indexOf(point)
      expect(first).toBeGreaterThan(0)
      const failures: Array<string> = []
      for (let at = first + 1; at < first + 36 && failures.length < enough; at += 1) {
        failures.push(...await wrong("crash", [["crash", first], ["crash", at]], calm))
      }
      expect(failures).toEqual([])
    },
    300_000
  )

  it("comes to the same end although a power cut takes what the first had written and never synced", async () => {
    const calm = await carry("crash", [])
    const failures: Array<string> = []
    for (const [at, point] of calm.passed.entries()) {
      if (point !== "before fsync /state/plan.events.jsonl" || failures.length >= enough) continue
      failures.push(...await wrong("crash", [["crash", at], ["power cut", at + 24]], calm))
    }
    expect(failures).toEqual([])
  }, 300_000)
})
