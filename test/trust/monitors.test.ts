/**
 * Two monitors, one session: one acts. Whole processes of the built program on the local cluster; what the jobs wrote down
 * and what the cluster was given is the judge, beside the journal.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import type { Started } from "../e2e/demo.ts"
import { makeRivals, planId, type Rivals, until } from "./rivals.ts"

const all: Array<Rivals> = []
afterEach(() => Promise.all(all.splice(0).map((rivals) => rivals.remove())))

const rivalsOf = (): Rivals => {
  const rivals = makeRivals()
  all.push(rivals)
  return rivals
}

const each = ["ill.1", "ill.2", "well.1"]

/** Records of this epoch's segments, as they stand in its files. */
const writtenBy = ({ stateDir }: Rivals, epoch: number): string =>
  fs.readdirSync(stateDir)
    .filter((name) => epoch === 1 ? name === `${planId}.events.jsonl` : name === `${planId}.events.${epoch}.jsonl`)
    .map((name) => fs.readFileSync(path.join(stateDir, name), "utf8"))
    .join("")

/** Who lost the session says so and ends with 5. */
const expectFenced = async ({ ended }: Started): Promise<void> => {
  const { code, stderr, stdout } = await ended
  expect(code, stderr + stdout).toBe(5)
  expect(stderr).toMatch(/session shared was taken over by another process \(epoch \d+\); this one stops/)
}

/** The session came to its right end, each attempt ran once, and its journal is one sound chain that replays. */
const expectRightEnd = async (rivals: Rivals): Promise<void> => {
  const shown = await rivals.json<{ jobs: ReadonlyArray<{ name: string; outcome: string; attempts: number }> }>(
    ["session", "show", planId]
  )
  expect(shown.jobs.map(({ attempts, name, outcome }) => [name, outcome, attempts]))
    .toEqual([["well", "success", 1], ["ill", "success", 2]])
  expect(rivals.ran()).toEqual(each)
  expect(rivals.noted()).toEqual(["ill", "well"])
  const published = JSON.parse(fs.readFileSync(path.join(rivals.stateDir, `${planId}.json`), "utf8")) as unknown
  expect(published).toMatchObject({ status: "finished", jobs: [{ outcome: "success" }, { outcome: "success" }] })
  expect(await rivals.json(["audit", "--session", planId, "--verify"])).toMatchObject({ ok: true })
  expect(await rivals.json(["replay", "--session", planId])).toMatchObject({ identical: true })
}

describe("two monitors of one session", () => {
  it("let one act: another is refused, and one that takes it over ends the first", async () => {
    const rivals = rivalsOf()
    const first = rivals.begin()
    await until(() => rivals.ran().length === 3)

    const refused = await rivals.monitor().ended
    expect(refused.code, refused.stdout).toBe(5)
    expect(refused.stderr).toContain(`session ${planId} is watched by process ${first.child.pid} on `)
    expect(refused.stderr).toContain("--takeover")

    const second = rivals.monitor("--takeover")
    await expectFenced(first)
    // It had nothing to record, looked whether it still was the one, and wrote no byte behind the seal.
    const before = writtenBy(rivals, 1)
    const [seal] = rivals.journal(planId).filter(({ type }) => type === "SegmentOpened")
    expect(seal?.data).toMatchObject({ sealed: { bytes: Buffer.byteLength(before) } })
    rivals.letGo()
    const ended = await second.ended
    expect(ended.code, ended.stderr + ended.stdout).toBe(0)
    expect(writtenBy(rivals, 1)).toBe(before)
    expect(rivals.submitted()).toEqual(each)
    await expectRightEnd(rivals)
  }, 300_000)

  it.each([
    ["before it appends what it saw", "before JobStateChanged 3"],
    ["in the middle of a record", "torn RestartDecided 1"],
    ["between the intent of a submission and the check that must follow", "after SubmissionIntended 3"],
    ["before it writes the session's file", "before publish 3"]
  ])("never let one append or submit that stood still %s", async (_, moment) => {
    const rivals = rivalsOf()
    const first = rivals.begin(moment)
    await rivals.stopped(first)
    const second = rivals.monitor("--takeover")
    await until(() => rivals.ran().length === 3)
    first.child.kill("SIGCONT")
    await expectFenced(first)
    rivals.letGo()
    const ended = await second.ended
    expect(ended.code, ended.stderr + ended.stdout).toBe(0)
    expect(rivals.submitted()).toEqual(each)
    await expectRightEnd(rivals)
  }, 300_000)

  it("come to the right end although one of them wakes up when all is over", async () => {
    const rivals = rivalsOf()
    const first = rivals.begin("after JobSubmitted 3")
    await rivals.stopped(first)
    const second = rivals.monitor("--takeover")
    rivals.letGo()
    const ended = await second.ended
    expect(ended.code, ended.stderr + ended.stdout).toBe(0)
    first.child.kill("SIGCONT")
    await expectFenced(first)
    expect(rivals.submitted()).toEqual(each)
    await expectRightEnd(rivals)
  }, 300_000)

  it("run an attempt once although one of them wakes up in the middle of its submit command", async () => {
    const rivals = rivalsOf()
    const first = rivals.begin("before sbatch 3")
    await rivals.stopped(first)
    const second = rivals.monitor("--takeover")
    await until(() => rivals.ran().length === 3)
    first.child.kill("SIGCONT")
    await expectFenced(first)
    // No check can hold back a command that runs already: its job finds the attempt claimed, and ends at once.
    expect(rivals.submitted()).toEqual(["ill.1", "ill.2", "ill.2", "well.1"])
    rivals.letGo()
    const ended = await second.ended
    expect(ended.code, ended.stderr + ended.stdout).toBe(0)
    await expectRightEnd(rivals)
  }, 300_000)

  it("take it over at the same time, and one of them wins", async () => {
    const rivals = rivalsOf()
    const first = rivals.begin()
    await until(() => rivals.ran().length === 3)
    const both = [rivals.monitor("--takeover"), rivals.monitor("--takeover")]
    await expectFenced(first)
    const loser = await Promise.race(both.map(async (one) => {
      await one.ended
      return one
    }))
    await expectFenced(loser)
    rivals.letGo()
    const ended = await Promise.all(both.map((one) => one.ended))
    expect(ended.map(({ code }) => code).sort()).toEqual([0, 5])
    expect(rivals.submitted()).toEqual(each)
    await expectRightEnd(rivals)
  }, 300_000)
})
