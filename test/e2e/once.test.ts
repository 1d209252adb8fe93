/** A session that nobody watches but cron: passes of `monitor --once`, two at a time, on the local cluster. */
import { afterEach, beforeEach, expect, it } from "vitest"
import { type Demo, makeDemo } from "./demo.ts"

let demo: Demo
beforeEach(() => {
  demo = makeDemo()
})
afterEach(() => demo.remove())

it(
  "passes that meet do no harm, and bring jobs, restarts, the queue and follow-ups to their end",
  async () => {
    const begun = await demo.run(["run", "--plan-id", "cron", "--no-monitor", "sweep.axes.scenario=[healthy,nccl]"])
    expect([begun.code, begun.stderr]).toEqual([0, ""])
    const codes = new Set<unknown>()
    const isOpen = async () =>
      JSON.parse((await demo.run(["session", "list", "--json"])).stdout)
        .some(({ status }: { readonly status: string }) => status !== "finished" && status !== "success")
    do {
      const passes = await Promise.all([
        demo.run(["monitor", "--session", "cron", "--once"]),
        demo.run(["monitor", "--all", "--once"])
      ])
      for (const { code, stderr } of passes) {
        codes.add(code)
        if (code === 5) expect(stderr).toContain("session cron is watched by process")
        else expect([code, stderr]).toEqual([0, expect.not.stringContaining("rror")])
      }
    } while (await isOpen())
    // Sometimes they met, and each time the other one did the work.
    expect([...codes].every((code) => code === 0 || code === 5)).toBe(true)

    const starts = demo.starts()
    const training = starts.filter(({ mode }) => mode === "train").map(({ attempt, job }) => `${job} ${attempt}`)
    expect(training.sort()).toEqual(["demo_healthy 1", "demo_nccl 1", "demo_nccl 2"])
    expect(new Set(starts.map(({ nonce }) => nonce)).size).toBe(starts.length)
    const journal = demo.journal("cron")
    expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_, index) => index + 1))
    const followUps = journal.filter(({ type }) => type === "FollowUpEnded")
    expect(followUps.length).toBeGreaterThan(0)
    for (const { data } of followUps) expect(data["status"]).toBe("success")

    // Nothing is left to do: a further pass writes nothing.
    const idle = await demo.run(["monitor", "--session", "cron", "--once"])
    expect([idle.code, demo.journal("cron").length]).toEqual([0, journal.length])
  },
  180_000
)
