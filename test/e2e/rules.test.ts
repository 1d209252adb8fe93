/** Rules that are edited while `autoexp run` goes on, and a session that is only observed: real files, real processes. */
import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type Demo, makeDemo } from "./demo.ts"

const shipped = path.resolve(import.meta.dirname, "../../config")
const preset = fs.readFileSync(path.join(shipped, "monitoring/demo.yaml"), "utf8")

let demo: Demo
beforeEach(() => {
  demo = makeDemo({ "config/empty.yaml": "" })
  fs.cpSync(shipped, path.join(demo.folder, "config"), { recursive: true })
})
afterEach(() => demo.remove())

const one = ["slurm=fake", "sweep.axes.scenario=[healthy]"]

const edit = (text: string) => {
  const file = path.join(demo.folder, "config/monitoring/demo.yaml")
  fs.writeFileSync(`${file}.new`, text)
  fs.renameSync(`${file}.new`, file)
}

const planId = () =>
  fs.existsSync(demo.stateDir)
    ? fs.readdirSync(demo.stateDir).flatMap((name) => name.match(/^(.*)\.events\.jsonl$/)?.slice(1) ?? [])[0]
    : undefined

/** Waits, as long as the test may take, until the session's journal has so many records of that type. */
const recorded = async (type: string, count = 1) => {
  for (;;) {
    const id = planId()
    const found = id === undefined ? [] : demo.journal(id).filter((record) => record.type === type)
    if (found.length >= count) return found
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

describe("rules that are edited while they are in force", () => {
  it("are taken over, told of when they cannot be read, set by hand, and shown by every command", async () => {
    const running = demo.run(["run", ...one, "slurm.client.speed=0.02"])
    await recorded("JobSubmitted")
    edit(preset.replace("inactivity_threshold_seconds: 8", "inactivity_threshold_seconds: 9999"))
    const [change] = await recorded("RulesChanged")
    expect(change?.data["changed"]).toEqual(["inactivity_threshold_seconds"])
    edit(preset.replace("poll_interval_seconds", "poll_interval_secs"))
    const [broken] = await recorded("RulesUnreadable")
    expect(broken?.data["message"]).toMatch(/demo\.yaml:\d+:1: Unknown key "poll_interval_secs".* did you mean/)
    edit(preset.replace("inactivity_threshold_seconds: 8", "inactivity_threshold_seconds: 9999"))
    await recorded("RulesReadable")

    const monitor = (...args: ReadonlyArray<string>) => demo.run(["monitor", "--session", "last", ...args])
    const set = await monitor("--set", "monitoring.log_settle_seconds=0.25")
    expect([set.code, set.stdout]).toEqual([
      0,
      expect.stringContaining("is being watched, and goes on with what was set")
    ])
    await recorded("RulesChanged", 2)
    const wrong = await monitor("--set", "log_settle_secs=1")
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("Unknown key \"log_settle_secs\"")])
    const refused = await monitor("--observe-only")
    expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining("is watched by process")])

    const inForce = JSON.parse((await demo.run(["session", "dump-config", "last"])).stdout)
    expect(inForce.monitoring).toMatchObject({ inactivity_threshold_seconds: 9999, log_settle_seconds: 0.25 })
    const told = {
      code: 0,
      stdout: expect.stringMatching(/rules.* changed .*log_settle_seconds|log_settle_seconds changed/)
    }
    expect(await demo.run(["session", "show", "last"])).toMatchObject(told)
    expect(await demo.run(["explain", "--session", "last", "--job", "demo_healthy"])).toMatchObject(told)
    const events = await demo.run(["events", "--session", "last", "--type", "RulesUnreadable"])
    expect(events.stdout).toMatch(/the rules were edited, but cannot be read, so those in force stay/)

    expect((await demo.run(["job", "cancel", "--session", "last", "--job", "demo_healthy"])).code).toBe(0)
    await running
    expect((await recorded("RulesUnreadable")).length).toBe(1)
  }, 120_000)
})

describe("a session that is only observed", () => {
  it("submits nothing while monitoring.act is false, and goes on once it is set true", async () => {
    expect((await demo.run(["run", "--no-monitor", ...one, "slurm.client.speed=20", "++monitoring.act=false"])).code)
      .toBe(0)
    const types = () => demo.journal(planId() ?? "").map(({ type }) => type)
    expect(types()).not.toContain("JobSubmitted")
    const ended = await demo.run(["monitor", "--session", "last", "--set", "act=true", "--no-actions"])
    expect(ended.code, ended.stderr).toBe(0)
    expect(types().filter((type) => type === "JobSubmitted")).toHaveLength(2)
  }, 120_000)

  it("says what it would do and restarts nothing", async () => {
    expect((await demo.run(["run", "--no-monitor", ...one, "slurm.client.speed=4"])).code).toBe(0)
    const { code, stdout } = await demo.run(["monitor", "--session", "last", "--observe-only"])
    expect([code, stdout]).toEqual([1, expect.stringContaining("would, if it acted: restart because of nccl_error")])
    expect(demo.journal(planId() ?? "").filter(({ type }) => type === "JobSubmitted")).toHaveLength(1)
    const shown = await demo.run(["session", "show", "last"])
    expect(shown.stdout).toMatch(/demo_healthy: .* would restart: nccl error/)
  }, 120_000)
})
