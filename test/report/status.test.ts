import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { csv, markdown } from "../../src/report/formats.ts"
import { columnsOf, filterOf } from "../../src/report/status/columns.ts"
import { nodeCount } from "../../src/report/status/nodes.ts"
import { phasesOf, rowOf } from "../../src/report/status/rows.ts"
import { lines, namedCells, plainCells, tableColumns } from "../../src/report/status/table.ts"
import { table } from "../../src/report/table.ts"
import { behaviour } from "../../src/rule/behaviour.ts"
import { select } from "../../src/session/select.ts"
import { machine, plannedJob } from "../rule/machine.ts"

/** Two phases: one run under way, one that failed, two that wait. */
const world = () => {
  const m = machine(
    {
      log_settle_seconds: 1,
      log_events: [{ name: "step", pattern: "x", progress: { step: "n", total: "of", loss: "loss" } }]
    },
    [
      plannedJob("stable_1", 0, { stage: "stable", gpus: 8, nodes: 2 }),
      plannedJob("stable_2", 1, { stage: "stable", gpus: 8, nodes: 2 }),
      plannedJob("decay_1", 2, { stage: "decay", start_conditions: [{ class_name: "JobCondition", job: "stable_1" }] }),
      plannedJob("decay_2", 3, { stage: "decay", start_conditions: [{ class_name: "JobCondition", job: "stable_1" }] })
    ],
    { behaviour }
  )
  const step = (n: string) =>
    m.log(
      [{ rule: "step", groups: { progress_step: n, progress_total: "1,000", progress_loss: "nan" }, noted: true }],
      "stable_1"
    )
  m.submitAll()
  m.accept()
  m.state("RUNNING", "stable_1", { nodes: "n[1-2]" })
  m.state("RUNNING", "stable_2")
  step("100")
  m.pass(1800)
  step("400")
  m.state("FAILED", "stable_2", { exit_code: 1 })
  m.pass(2)
  return m
}
const rows = () => {
  const { session } = world()
  return [...session.jobs.values()].map((job) => rowOf(session, job, "2026-11-23T04:00:00.000Z"))
}
const names = (...texts: ReadonlyArray<string>) =>
  Either.match(select(world().session.jobs.values(), texts), {
    onLeft: ({ message }) => message,
    onRight: (jobs) => jobs.map(({ plan }) => plan.name)
  })

describe("how jobs stand", () => {
  it("counts steps, rate, GPU-hours and the end from what the log told", () => {
    const [first, second, third] = rows()
    expect(first).toMatchObject({
      state: "running",
      step: 400,
      total: 1000,
      percent: 40,
      rate: 600,
      loss: "nan",
      gpu_hours_used: 8,
      gpu_hours_left: 8,
      ends_at: "2026-11-23T04:30:00.000Z",
      nodes: 2
    })
    expect(second).toMatchObject({ outcome: "failed", gpu_hours_left: 0, ends_at: null, percent: null })
    expect(third).toMatchObject({ state: "waiting", outcome: null, gpu_hours_left: null })
  })

  it("adds up each phase", () => {
    const [stable, decay] = phasesOf(rows()).map(({ phase }) => phase)
    expect(stable).toMatchObject({ stage: "stable", jobs: 2, states: { running: 1, failed: 1 }, percent: 40, nodes: 4 })
    expect(decay).toMatchObject({ stage: "decay", jobs: 2, percent: null, gpu_hours_used: null })
  })

  it("reads in a narrow terminal, in a wide one, as Markdown and as CSV", () => {
    const columns = Either.getOrThrow(columnsOf("name,state,step,percent,gpu_hours_used"))
    const at = (width: number) => table(tableColumns(columns), lines(rows()), { columns: width, color: false })
    expect(at(200).join("\n")).toMatchInlineSnapshot(`
      "NAME              STATE                STEP   %  GPU-H USED
      stable_1          running               400  40           8
      stable_2          failed                  -   -           4
      = stable: 2 jobs  1 running, 1 failed        40          12
      decay_1           waiting                 -   -           -
      decay_2           waiting                 -   -           -
      = decay: 2 jobs   2 waiting"
    `)
    expect(at(30).every((line) => line.length <= 30)).toBe(true)
    expect(markdown(namedCells(columns), lines(rows())).slice(0, 3)).toMatchInlineSnapshot(`
      [
        "| name | state | step | percent | gpu_hours_used |",
        "| --- | --- | --- | --- | --- |",
        "| stable&#95;1 | running | 400 | 40 | 8 |",
      ]
    `)
    expect(csv(plainCells(columns), rows())).toMatchInlineSnapshot(`
      [
        "name,state,step,percent,gpu_hours_used",
        "stable_1,running,400,40,8",
        "stable_2,ended,,,4",
        "decay_1,waiting,,,",
        "decay_2,waiting,,,",
      ]
    `)
  })

  it("says at which link of its chain a job is, and of how many", () => {
    const { session } = world()
    const job = session.jobs.get("stable_1")
    expect(job).toBeDefined()
    if (job === undefined) return
    const chain = {
      links: 40,
      ahead: 1,
      until: null,
      expected_after_seconds: null,
      gate_seconds: 60,
      overrun_seconds: null
    }
    const chained = { ...job, link: 3, plan: { ...job.plan, chain } }
    const row = rowOf(session, chained, "2026-11-23T04:00:00.000Z")
    expect(row).toMatchObject({ link: 3, links: 40 })
    expect(rows()[0]).toMatchObject({ link: null, links: null })
    expect(table(tableColumns(["name", "link"]), lines([row]), { columns: 80, color: false })[1]).toContain("3 of 40")
  })

  it("is filtered by any column, and refuses others with what is near", () => {
    const fitting = (text: string) =>
      Either.match(filterOf(text), {
        onLeft: ({ message }) => message,
        onRight: (fits) => rows().filter(fits).map(({ name }) => name)
      })
    expect(fitting("percent>=40")).toEqual(["stable_1"])
    expect(fitting("outcome=fail*")).toEqual(["stable_2"])
    expect(fitting("name!=stable*")).toEqual(["decay_1", "decay_2"])
    expect(fitting("percnt>1")).toContain("percent")
    expect(fitting("percent<lots")).toContain("compares with no number")
    expect(Either.isLeft(columnsOf("name,stat"))).toBe(true)
  })

  it("counts nodes as SLURM writes them", () => {
    expect(["gpu07", "n[1-3,07],x2", "", "a[1-2]b[1-2]"].map(nodeCount)).toEqual([1, 5, null, 4])
  })
})

describe("selectors", () => {
  it("mean jobs by name, index, state, phase and pattern, each once and in order", () => {
    expect(names("stable_2", "0,1")).toEqual(["stable_1", "stable_2"])
    expect(names("1-3")).toEqual(["stable_2", "decay_1", "decay_2"])
    expect(names("state:failed")).toEqual(["stable_2"])
    expect(names("outcome:success")).toEqual([])
    expect(names("stage:dec*")).toEqual(["decay_1", "decay_2"])
    expect(names("name:*_1")).toEqual(["stable_1", "decay_1"])
    expect(names("last")).toEqual(["stable_2"])
    expect(names()).toHaveLength(4)
  })

  it("that mean nothing are mistakes, told with what is near", () => {
    expect(names("stable_3")).toContain("stable_")
    expect(names("9")).toBe("there is no job with the index 9; indices are 0 to 3")
    expect(names("state:faild")).toContain("failed")
    expect(names("stage:deacy")).toContain("decay")
  })
})
