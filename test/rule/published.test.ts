import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { lintRules } from "../../src/rule/lint.ts"
import { Monitoring } from "../../src/rule/Monitoring.ts"
import { machine, types } from "./machine.ts"

type Rules = Parameters<typeof machine>[0]

const publish = (event_name: string, rest: object = {}) => ({
  class_name: "PublishEventAction" as const,
  event_name,
  ...rest
})
const say = (message: string) => ({ class_name: "LogAction" as const, message })
const restart = { class_name: "RestartAction" } as const
const crash = { class_name: "CrashState" } as const

const running = (rules: Rules) => {
  const m = machine({ inactivity_threshold_seconds: null, log_settle_seconds: 0, ...rules })
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  return m
}

const logged = (records: ReturnType<ReturnType<typeof machine>["log"]>) =>
  records.flatMap((record) => record.type === "ActionLogged" ? [record.data.message] : [])

const checkpoint = {
  name: "checkpoint_saved",
  pattern: "saved (?P<path>\\S+)",
  extract_groups: { path: "path" },
  metadata: { kind: "checkpoint" }
}

describe("PublishEventAction", () => {
  it("raises an event that a published rule, a log event and a state event can bind", () => {
    const m = running({
      log_events: [
        { ...checkpoint, actions: [publish("fresh"), publish("looked_for"), publish("crash")] },
        { name: "fresh", pattern_type: "published", actions: [say("1")] },
        { name: "looked_for", pattern: "x", actions: [say("2")] }
      ],
      state_events: [{ name: "crash", actions: [say("3")] }]
    })
    const decisions = m.log([{ rule: "checkpoint_saved", groups: { path: "/c/1" } }])
    expect(logged(decisions)).toEqual(["1", "2", "3"])
    expect(m.replay()).toEqual(m.records)
  })

  it("hands texts on, rendered once, with payload before metadata before the job's own", () => {
    const m = running({
      log_events: [
        {
          ...checkpoint,
          actions: [publish("evaluate", {
            metadata: { where: "{path}", kind: "outer", deep: { list: ["{job_name}", 3] } },
            payload: { kind: "payload", braces: "{path}" }
          })]
        },
        { name: "evaluate", pattern_type: "published", actions: [say("{kind} {where} {deep} {braces} {event_name}")] }
      ]
    })
    const decisions = m.log([{ rule: "checkpoint_saved", groups: { path: "/c/{lr}" } }])
    expect(logged(decisions)).toEqual(["payload /c/{lr} {'list': ['a', 3]} /c/{lr} evaluate"])
    const raised = decisions.find((one) => one.type === "EventRaised" && one.data.name === "evaluate")
    expect(raised).toMatchObject({ data: { source: "published", metadata: { kind: "outer" }, count: 1 } })
    const published = decisions.find(({ type }) => type === "EventPublished")
    expect(raised?.cause).toBe(published?.seq)
  })

  it("keeps what the event before it still waits for, whatever is published beside it", () => {
    const waiting = {
      class_name: "EventAction" as const,
      conditions: [{ class_name: "FileExistsCondition" as const, path: "/c/ready" }],
      action: say("ready {path}")
    }
    const m = running({
      log_events: [
        { ...checkpoint, actions: [publish("a_thing"), waiting, publish("a_thing"), waiting] },
        { name: "a_thing", pattern_type: "published", actions: [waiting && say("published")] }
      ]
    })
    m.log([{ rule: "checkpoint_saved", groups: { path: "/c/1" } }])
    const open = [...m.session.bindings.keys()]
    expect(open).toHaveLength(2)
    const answered = open.flatMap((binding) =>
      logged(m.fact("ConditionObserved", { binding }, { job: "a", attempt: 1 }))
    )
    expect(answered).toEqual(["ready /c/1", "ready /c/1"])
    expect(m.replay()).toEqual(m.records)
  })

  it("ends a circle of events eight deep, and says so", () => {
    const m = running({
      log_events: [
        { name: "ping", pattern: "ping", actions: [publish("pong")] },
        { name: "pong", pattern_type: "published", actions: [publish("ping")] }
      ]
    })
    const decisions = m.log([{ rule: "ping" }])
    expect(types(decisions).filter((type) => type === "EventRaised")).toHaveLength(9)
    expect(decisions.at(-1)).toMatchObject({ type: "ActionSkipped", data: { why: expect.stringContaining("8 deep") } })
  })

  it("bounds how many events follow from one line, though they multiply at each step", () => {
    const m = running({
      log_events: [{ name: "ping", pattern: "ping", actions: Array.from({ length: 5 }, () => publish("ping")) }]
    })
    const decisions = m.log([{ rule: "ping" }, { rule: "ping" }])
    expect(types(decisions).filter((type) => type === "EventRaised")).toHaveLength(2 * (1 + 64))
    expect(decisions.length).toBeLessThan(800)
  })

  it("is no way around the budgets of a failure, and no way to fight a scancel", () => {
    const rules: Rules = {
      log_events: [
        { name: "boom", pattern: "boom", state: crash, actions: [publish("again")] },
        { name: "again", pattern_type: "published", actions: [restart] }
      ],
      state_events: [{ name: "crash", actions: [publish("again")] }]
    }
    const m = running(rules)
    for (const _ of [1, 2, 3]) {
      m.log([{ rule: "boom" }])
      m.state("FAILED", "a", { exit_code: 1 })
      m.pass(1)
      m.accept()
      m.state("RUNNING")
    }
    expect(types(m.log([{ rule: "boom" }]))).toEqual([
      "EventRaised",
      "EventPublished",
      "EventRaised",
      "ActionSkipped",
      "AttentionNeeded"
    ])
    const other = running(rules)
    other.state("CANCELLED")
    expect(types(other.pass(1))).not.toContain("RestartDecided")
    expect(other.job()).toMatchObject({ outcome: "cancelled", attempt: 1 })
  })

  it("does not start a completed job again because of a failure that was published", () => {
    const m = running({
      log_events: [
        { name: "boom", pattern: "boom", state: crash, actions: [publish("again")] },
        { name: "again", pattern_type: "published", actions: [restart] }
      ]
    })
    m.log([{ rule: "boom" }])
    m.state("COMPLETED")
    expect(types(m.pass(1))).toContain("RestartDropped")
    expect(m.job()).toMatchObject({ outcome: "success", attempt: 1 })
  })

  it("is skipped, and says why, where its texts name something unknown", () => {
    const m = running({ log_events: [{ ...checkpoint, actions: [publish("x", { payload: { y: "{nothing}" } })] }] })
    expect(m.log([{ rule: "checkpoint_saved", groups: { path: "/c" } }]).at(-1)).toMatchObject({
      type: "ActionSkipped",
      data: { why: expect.stringContaining("nothing") }
    })
  })

  it("lets templates name what is published to them, and nothing else", () => {
    const messages = (name: string) =>
      lintRules(
        Schema.decodeUnknownSync(Monitoring)({
          log_events: [
            { ...checkpoint, actions: [publish("evaluate", { payload: { where: "{path}" } })] },
            { name: "evaluate", pattern_type: "published", actions: [say(name)] }
          ]
        }),
        []
      ).map(({ message }) => message)
    expect(messages("{where}")).toEqual([])
    expect(messages("{whereto}")).toEqual([expect.stringContaining("whereto")])
  })
})
