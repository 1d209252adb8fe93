import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { lintRules } from "../../src/rule/lint.ts"
import { Monitoring } from "../../src/rule/Monitoring.ts"

const decode = Schema.decodeUnknownSync(Monitoring)

const lint = (monitoring: unknown, names: ReadonlyArray<string> = []) =>
  lintRules(decode(monitoring), names).map(({ message, path }) => `${path.join(".")}: ${message}`)

const log = (text: string) => [{ class_name: "LogAction", message: text }]

describe("rules without a mistake", () => {
  it("may name what the job, the event, the rule and the sweep know", () => {
    expect(lint({
      log_events: [{
        name: "saved",
        pattern: "saved (?P<path>\\S+) (\\d+)",
        metadata: { kind: "checkpoint" },
        extract_groups: { checkpoint_path: "path", size: 2, line: "match" },
        actions: log(
          "{job_name} {event_id} {kind} {checkpoint_path} {size:>4} {line!r} {optimizer.lr} {parameters[lr]} {{x}}"
        )
      }],
      state_events: [{ name: "crash", metadata: { note: "n" }, actions: log("{error_type} {note} {checkpoint_path}") }]
    }, ["optimizer.lr"])).toEqual([])
  })

  it("may watch silence without a pattern", () => {
    expect(lint({ log_events: [{ name: "idle", pattern_type: "inactivity", actions: log("{stall_seconds}") }] }))
      .toEqual([])
  })
})

describe("a mistake is told with its path", () => {
  it("in every text of every action", () => {
    const actions = [
      {
        class_name: "EventAction",
        conditions: [{ class_name: "AlwaysTrueCondition" }, { class_name: "FileExistsCondition", path: "{x1}" }],
        action: { class_name: "RunAutoexpAction", config_path: "{x2}", overrides: ["a={x3}"] }
      },
      { class_name: "RunCommandAction", command: ["{x4}", "{x5}"], cwd: "{x6}" },
      { class_name: "RestartAction", reason: "{x7}" }
    ]
    expect(
      lint({ state_events: [{ name: "stall", actions }] }).map((text) => text.replace(/: The template.*names/, ""))
        .map((text) => text.replace(/ at column.*/, ""))
    ).toEqual([
      "state_events.0.actions.0.conditions.1.path \"x1\"",
      "state_events.0.actions.0.action.config_path \"x2\"",
      "state_events.0.actions.0.action.overrides.0 \"x3\"",
      "state_events.0.actions.1.command.0 \"x4\"",
      "state_events.0.actions.1.command.1 \"x5\"",
      "state_events.0.actions.1.cwd \"x6\"",
      "state_events.0.actions.2.reason \"x7\""
    ])
  })

  it("of a rule that knows less than another", () => {
    expect(lint({
      log_events: [
        { name: "a", pattern: "(?P<p>x)", extract_groups: { found: "p" }, metadata: { k: 1 } },
        { name: "b", pattern: "y", actions: log("{found}") }
      ]
    })).toEqual([
      expect.stringMatching(
        /^log_events\.1\.actions\.0\.message: The template "\{found\}" names "found" at column 2, which is unknown/
      )
    ])
  })

  it("of patterns and groups", () => {
    expect(lint({
      log_events: [
        { name: "a", pattern: "(", metadata: { k: 1 } },
        { name: "b", pattern: "(x)", extract_groups: { two: 2, named: "x" }, metadata: { k: 1 } },
        { name: "c", pattern: "", pattern_type: "substring", metadata: { k: 1 } },
        { name: "d", pattern: "(", pattern_type: "substring", metadata: { k: 1 } }
      ]
    })).toEqual([
      "log_events.0.pattern: The pattern \"(\" is wrong at column 1: This \"(\" is not closed; write \"\\(\" for the character.",
      "log_events.1.extract_groups.two: The pattern has no group 2; it has 1.",
      "log_events.1.extract_groups.named: The pattern has no group \"x\"; known: match.",
      "log_events.2.pattern: The log event \"c\" needs a pattern."
    ])
  })

  it("of two state events with one name, of which one would be lost", () => {
    expect(lint({ state_events: [{ name: "crash" }, { name: "crash" }] })).toEqual([
      "state_events.1.name: There are two state_events named \"crash\"; give each a name of its own."
    ])
  })
})
