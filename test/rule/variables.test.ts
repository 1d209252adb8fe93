/** What templates of rules may name, and that each action takes effect in both modes. */
import { describe, expect, it } from "vitest"
import { behaviour, floatsPrintAsPythons, sourcesAreTold } from "../../src/rule/behaviour.ts"
import { machine, plannedJob } from "./machine.ts"

type Rules = Parameters<typeof machine>[0]
type Bound = NonNullable<NonNullable<Rules["log_events"]>[number]["actions"]>[number]

const running = (actions: ReadonlyArray<Bound>, rest: Rules = {}, of = behaviour) => {
  const job = plannedJob("a", 3, {
    parameters: { lr: 0.1, source: "wiki" },
    stage: "decay",
    output_paths: ["/out/a/rank0.err"]
  })
  const m = machine(
    {
      inactivity_threshold_seconds: null,
      log_settle_seconds: 0,
      log_events: [{
        name: "x",
        pattern: "x (?P<n>\\d+)",
        extract_groups: { n: "n" },
        metadata: { kind: "k" },
        actions
      }],
      ...rest
    },
    [job],
    { behaviour: of }
  )
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  return m
}
type Action = Exclude<Bound, { class_name: "EventAction" }>
const log = (message: string): Bound => ({ class_name: "LogAction", message })
const logged = (m: ReturnType<typeof machine>) =>
  m.records.flatMap((record) => record.type === "ActionLogged" ? [record.data.message] : [])

const read = (m: ReturnType<typeof machine>, file: string) =>
  m.fact("LogRead", {
    path: file,
    from: 0,
    to: 9,
    size: 9,
    identity: file,
    matches: [{ rule: "x", offset: 0, groups: { n: "7" }, line: "x 7" }]
  }, { job: "a", attempt: 1 })

describe("templates name", () => {
  it("numbers that print as Python prints them, in any format that fits, and compare as numbers", () => {
    const equals = { class_name: "MetadataCondition", key: "lr", equals: [1, 0.00001] } as const
    const rules = (text: string): Rules => ({
      log_events: [{
        name: "x",
        pattern: "x",
        metadata: { share: 0.00002 },
        actions: [{ class_name: "EventAction", conditions: [equals], action: log(text) as Action }]
      }]
    })
    const said = (text: string, of = behaviour) => {
      const job = plannedJob("a", 0, { parameters: { lr: 0.00001, steps: 10, list: [0.5] } })
      const m = machine(rules(text), [job], { behaviour: of })
      m.submitAll()
      m.accept()
      m.log([{ rule: "x" }])
      expect(m.replay()).toEqual(m.records)
      return logged(m)
    }
    expect(said("{lr} {parameters[lr]} {share} {list} {lr:.1e} {steps:03d} {steps:.1f}")).toEqual([
      "1e-05 1e-05 2e-05 [0.5] 1.0e-05 010 10.0"
    ])
    expect(said("{lr} {lr:.1e}", floatsPrintAsPythons - 1)).toEqual(["0.00001 1.0e-05"])
    expect(said("{lr:d}")).toEqual([])
  })

  it("what is known of the job, and what its event holds, by the letter where braces are doubled", () => {
    const m = running([log(
      "{job_name} {attempt} {index} {stage} {lr:.2f} {parameters[lr]} {output_dir} {output_paths[0]} {plan_id} {project} " +
        "{event_name} {n:0>3} {kind} {{n}}"
    )])
    m.log([{ rule: "x", groups: { n: "7" } }])
    expect(logged(m)).toEqual(["a 1 3 decay 0.10 0.1 /out/a /out/a/rank0.err plan demo x 007 k {n}"])
    const ids = running([log("{job_id} {event_id} {log_path}")])
    ids.log([{ rule: "x" }])
    expect(logged(ids)).toEqual([expect.stringMatching(/^1\d\d e\d+ \/out\/a\/slurm-1.out$/)])
  })

  it("the file that the line stands in, and whether that is the job's log or one of its output files", () => {
    const m = running([log("{event_name}: {source_path}")], {})
    read(m, "/out/a/slurm-1.out")
    read(m, "/out/a/rank0.err")
    expect(logged(m)).toEqual(["x: /out/a/slurm-1.out", "x: /out/a/rank0.err"])
    expect(m.replay()).toEqual(m.records)
    expect(m.refold().occurrences).toEqual(m.session.occurrences)
  })

  it("the source of an event, but for a parameter of that name", () => {
    const of = (file: string, parameters: Record<string, number>) => {
      const m = machine(
        { log_events: [{ name: "x", pattern: "x", actions: [log("{source}")] }] },
        [plannedJob("a", 0, { parameters, output_paths: ["/out/a/rank0.err"] })],
        { behaviour }
      )
      m.submitAll()
      m.accept()
      m.state("RUNNING")
      read(m, file)
      return logged(m)
    }
    expect(of("/out/a/slurm-1.out", {})).toEqual(["log"])
    expect(of("/out/a/rank0.err", {})).toEqual(["output"])
    expect(of("/out/a/rank0.err", { source: 2 })).toEqual(["2"])
  })

  it("no file but the log in a session that began before files were told", () => {
    const m = running([log("{source_path}")], {}, sourcesAreTold - 1)
    read(m, "/out/a/rank0.err")
    expect(logged(m)).toEqual(["/out/a/slurm-1.out"])
    expect(m.records.every((record) => record.type !== "EventRaised" || record.data.path === undefined)).toBe(true)
    expect(m.replay()).toEqual(m.records)
  })
})

describe("an action", () => {
  const published = { name: "y", pattern_type: "published", actions: [log("y of {n}")] } as const
  const actions: ReadonlyArray<readonly [Bound & { readonly class_name: string }, string, string]> = [
    [{ class_name: "LogAction", message: "n {n}" }, "ActionLogged", "ActionLogged"],
    [{ class_name: "LogMessageAction", message: "n {n}" }, "ActionLogged", "ActionLogged"],
    [{ class_name: "RestartAction", reason: "n {n}" }, "RestartDecided", "RestartDecided"],
    [{ class_name: "ExcludeNodesAction", nodes: "lrdn000{n}" }, "NodesExcluded", "NodesExcluded"],
    [
      { class_name: "PublishEventAction", event_name: "y", metadata: { n: "{n}" } },
      "EventPublished",
      "EventPublished"
    ],
    [{ class_name: "RunCommandAction", command: ["eval", "{n}"] }, "ActionStarted", "ActionQueued"],
    [{ class_name: "RunAutoexpAction", overrides: ["n={n}"] }, "ActionStarted", "ActionQueued"]
  ]

  it.each(actions)("takes effect in both modes: those that have nothing to execute at once ($class_name)", (
    ...[
      action,
      inline,
      queued
    ]
  ) => {
    for (const [mode, type] of [["inline", inline], ["queue", queued]] as const) {
      const bound = { class_name: "EventAction", mode, action } as Extract<Bound, { class_name: "EventAction" }>
      const m = running([bound], {
        log_events: [
          { name: "x", pattern: "x (?P<n>\\d+)", extract_groups: { n: "n" }, actions: [bound] },
          published
        ]
      })
      const decided = m.log([{ rule: "x", groups: { n: "7" } }])
      expect(decided.map((record) => record.type)).toContain(type)
      expect(m.session.queue.size).toBe(type === "ActionQueued" ? 1 : 0)
      const texts = decided.flatMap(({ data, type: of }) => of === type ? [JSON.stringify(data)] : [])
      if (type !== "RestartDecided" && type !== "EventPublished") expect(texts.join()).toContain("7")
      expect(m.replay()).toEqual(m.records)
    }
  })
})
