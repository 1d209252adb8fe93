import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { Monitoring } from "../../src/rule/Monitoring.ts"
import { startCommand } from "../../src/rule/startCommand.ts"
import { machine, plannedJob } from "./machine.ts"

const section = Schema.decodeUnknownSync(Monitoring)
const nothing = { start_condition_cmd: null, start_condition_interval_seconds: null }

describe("start_condition_cmd", () => {
  it("is the job's own, else the monitoring section's, and none where neither names one", () => {
    const monitoring = section({ start_condition_cmd: "test -f shared" })
    expect(startCommand({ ...nothing, start_condition_cmd: "test -f own" }, monitoring)).toMatchObject([
      { class_name: "CommandCondition", command: "test -f own", answer: "stdout" }
    ])
    expect(startCommand(nothing, monitoring)).toMatchObject([{ command: "test -f shared" }])
    expect(startCommand(nothing, section({}))).toEqual([])
  })

  it.each([
    [{ start_condition_interval_seconds: 5 }, { start_condition_interval_seconds: 7 }, 5],
    [{}, { start_condition_interval_seconds: 7, check_interval_seconds: 9 }, 7],
    [{}, { check_interval_seconds: 9, poll_interval_seconds: 11 }, 9],
    [{}, { poll_interval_seconds: 11 }, 11],
    [{}, {}, 600]
  ])("is asked again as often as %j over %j says: every %s s", (job, monitoring, seconds) => {
    const own = { ...nothing, ...job, start_condition_cmd: "x" }
    expect(startCommand(own, section(monitoring))[0]?.["interval_seconds"]).toBe(seconds)
  })

  it("reaches the shell as it was written, braces included", () => {
    const text = "ls /data | awk '{print $1}' | grep -c {x} || echo ${HOME}"
    const start_conditions = startCommand({ ...nothing, start_condition_cmd: text }, section({}))
    const m = machine({}, [plannedJob("a", 0, { start_conditions })])
    m.submitAll()
    expect(m.session.gates.get("start a")?.asked.question).toMatchObject({ argv: ["sh", "-c", text], env: {} })
  })
})
