import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { growthOf, openingOf } from "../../src/monitor/sessions.ts"
import type { Manifest } from "../../src/plan/Manifest.ts"
import { planned, toy } from "../plan/toy.ts"
import { actor, machine } from "../rule/machine.ts"

const home = fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-growth-"))
afterAll(() => fs.rmSync(home, { recursive: true, force: true }))

const planOf = async (lrs: ReadonlyArray<number>, monitoring: object) =>
  (await planned(home, toy({ monitoring: { ...monitoring }, sweep: { axes: { lr: lrs } } }))).manifest

/** The session of `first` after `second` was added to it. */
const grown = (first: Manifest, second: Manifest) => {
  const { jobs, rule_sets, rules } = openingOf(first, "/first.json")
  const m = machine(first.monitoring, jobs, { rules, rule_sets })
  const request = growthOf(second, "/second.json", m.session.rules, [])
  m.fact("OperatorRequested", { request_id: "grow", actor, request })
  return m
}

describe("a plan that grows a session", () => {
  it("brings nothing but its new jobs along if its rules are the session's", async () => {
    const m = grown(await planOf([1], {}), await planOf([1, 2], {}))
    expect([...m.session.jobs.values()].map(({ plan }) => [plan.name, plan.rule_set])).toEqual([
      ["toy_0", null],
      ["toy_1", null]
    ])
    expect(m.session.ruleSets).toEqual([])
  })

  it("puts its new jobs, and only these, under its own rules if they differ", async () => {
    const m = grown(await planOf([1], { log_settle_seconds: 1 }), await planOf([1, 2], { log_settle_seconds: 70 }))
    expect([...m.session.jobs.values()].map(({ plan }) => [plan.name, plan.rule_set])).toEqual([
      ["toy_0", null],
      ["toy_1", 0]
    ])
    m.submitAll()
    m.accept()
    for (const name of ["toy_0", "toy_1"]) m.state("FAILED", name)
    m.pass(10)
    expect(m.job("toy_0").outcome).toBe("failed")
    expect(m.job("toy_1").outcome).toBeNull()
    m.pass(70)
    expect(m.job("toy_1").outcome).toBe("failed")
  })
})
