/** Chains on SLURM: its queue holds the links, and its books say when each ran. */
import { afterAll, afterEach, describe, expect, it } from "vitest"
import { everHad } from "./support/accounting.ts"
import { clear } from "./support/cluster.ts"
import { output } from "./support/commands.ts"
import { begin, endOf, removeAll } from "./support/sessions.ts"

afterEach(clear)
afterAll(removeAll)

describe("a chain", () => {
  it("waits in the queue behind its present link, runs one link after another, and leaves no surplus behind", async () => {
    const session = begin("chained", "sleep 6", [
      "+job.chain={links: 5, ahead: 2}",
      "++monitoring.log_settle_seconds=1"
    ])
    await session.reaches("JobSubmitted", 3)
    expect(await output(["squeue", "-h", "-o", "%j %t %r"])).toMatch(/chained\.3\.\S+ PD Dependency/)
    await session.reaches("LinkTaken", 2)
    const ended = await endOf(session)
    expect(ended.code, ended.said).toBe(0)
    expect(ended.jobs.map(({ attempts, outcome }) => [outcome, attempts])).toEqual([["success", 5]])
    const starts = session.told("begin").map(({ attempt }) => attempt)
    expect(starts).toEqual(["1", "2", "3", "4", "5"])
    expect(session.told("end").map(({ attempt }) => attempt)).toEqual(starts)
    expect(await everHad("chained")).toEqual(new Set(session.told("begin").map(({ id }) => id)))
    expect(await output(["squeue", "-h"])).toBe("")
  })
})
