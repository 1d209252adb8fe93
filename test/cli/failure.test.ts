import * as Cause from "effect/Cause"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { type Failure, tell } from "../../src/cli/failure.ts"
import { UnknownNameError } from "../../src/cli/UnknownNameError.ts"
import { usage } from "../../src/cli/UsageError.ts"
import { ConfigError } from "../../src/config/Problem.ts"
import { UnreadableRecordError } from "../../src/event/EventRecord.ts"
import { ManifestError } from "../../src/plan/Manifest.ts"
import { PlanError } from "../../src/plan/PlanError.ts"
import {
  FencedError,
  JournalDamagedError,
  JournalIoError,
  NoJournalError,
  SessionHeldError
} from "../../src/port/Journal.ts"
import { SchedulerUnavailableError } from "../../src/port/Scheduler.ts"

const plainly = { json: false, debug: false }
const told = (error: Failure) => tell(Cause.fail(error), plainly)
const problem = (line: number, message: string) => ({
  kind: "unknown_key",
  message,
  file: "/config/autoexp.yaml",
  line,
  column: 3,
  suggestions: ["project"],
  override: null,
  chain: []
})

describe("a damaged journal", () => {
  const damagedAt = (seq: number) =>
    told(new JournalDamagedError({ path: "/j", from: 1, to: 2, seq, message: "no" })).text

  it("is to be repaired, but not where no record stands before the damage", () => {
    expect(damagedAt(2)).toContain("journal repair")
    expect(damagedAt(1)).toContain("no repair can help")
    expect(damagedAt(1)).not.toContain("journal repair")
  })
})

describe("an error", () => {
  it.each<[number, Failure]>([
    [2, usage("no")],
    [2, new UnknownNameError({ message: "no", suggestions: [] })],
    [2, new NoJournalError({ planId: "p", stateDir: "/s" })],
    [2, new ConfigError({ problems: [problem(1, "no")] })],
    [2, PlanError.at("slurm", "no")],
    [2, new ManifestError({ path: "/m", message: "There is no manifest at /m." })],
    [3, new SchedulerUnavailableError({ command: "sbatch", message: "no" })],
    [4, new JournalDamagedError({ path: "/j", from: 1, to: 2, seq: 1, message: "no" })],
    [4, new UnreadableRecordError({ seq: 1, type: "X", why: "no" })],
    [5, new SessionHeldError({ planId: "p", host: "h", pid: 1, since: "now" })],
    [5, new FencedError({ planId: "p", epoch: 1, newest: 2 })],
    [1, new JournalIoError({ path: "/j", message: "disk full" })]
  ])("ends the program with %i: %s", (exitCode, error) => {
    expect(told(error).exitCode).toBe(exitCode)
    expect(told(error).text).toMatch(/^autoexp: .+\n$/)
    expect(JSON.parse(tell(Cause.fail(error), { json: true, debug: false }).text).error).toMatchObject({
      code: expect.stringMatching(/^[a-z_]+$/),
      message: expect.any(String),
      suggestions: expect.any(Array)
    })
  })

  it("of a config names every mistake, each with its place", () => {
    const error = new ConfigError({
      problems: [problem(4, `"projekt" is unknown; did you mean "project"?`), problem(7, "no")]
    })
    expect(told(error).text).toBe(
      `autoexp: /config/autoexp.yaml:4:3: "projekt" is unknown; did you mean "project"?\n` +
        "autoexp: /config/autoexp.yaml:7:3: no; did you mean `project`?\n"
    )
    expect(JSON.parse(tell(Cause.fail(error), { json: true, debug: false }).text).error).toMatchObject({
      code: "config",
      file: "/config/autoexp.yaml",
      line: 4,
      column: 3,
      suggestions: ["project"],
      problems: [{ line: 4 }, { line: 7 }]
    })
  })

  it("shows the line of a file, and which defaults led to it, with a caret under the place", () => {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "autoexp-failure-")), "base.yaml")
    fs.writeFileSync(file, `a: 1\n\tname: "\u4e16\x1b[2J" # ${"x".repeat(200)}\n`)
    const at = { ...problem(2, "no"), file, column: 9, suggestions: [], chain: ["autoexp", "slurm/base"] }
    const found = told(new ConfigError({ problems: [at] })).text
    fs.rmSync(path.dirname(file), { recursive: true })
    expect(found).toBe(
      `autoexp: ${file}:2:9: no\n` +
        `  2 |  name: "\u4e16" # ${"x".repeat(83)}…\n` +
        "    |         ^\n" +
        "  defaults: autoexp -> slurm/base\n"
    )
    expect(told(new ConfigError({ problems: [at] })).text).toBe(
      `autoexp: ${file}:2:9: no\n  defaults: autoexp -> slurm/base\n`
    )
  })

  it("shows the override that holds it, and how many there are", () => {
    const at = { ...problem(1, "no"), file: null, line: null, column: null, override: { text: "a.b=x=y", column: 6 } }
    expect(told(new ConfigError({ problems: [at, { ...at, suggestions: [] }] })).text).toBe(
      "autoexp: no; did you mean `project`?\n   | a.b=x=y\n   |      ^\n\n" +
        "autoexp: no\n   | a.b=x=y\n   |      ^\n\nautoexp: 2 mistakes\n"
    )
  })

  it("of a file names it once", () => {
    expect(told(new ManifestError({ path: "/m", message: "There is no manifest at /m." })).text)
      .toBe("autoexp: There is no manifest at /m.\n")
  })

  it("lets no escape sequence of a name or a file through", () => {
    expect(told(usage("there is no \x1b[2J\x07evil")).text).toBe("autoexp: there is no evil\n")
  })

  it("shows a stack trace only for --debug", () => {
    const cause = Cause.die(new TypeError("undefined is not a function"))
    expect(tell(cause, plainly)).toEqual({
      exitCode: 70,
      text: "autoexp: this should not have happened: TypeError: undefined is not a function; " +
        "run it again with --debug for details\n"
    })
    expect(tell(cause, { json: false, debug: true }).text).toMatch(/\n +at .*failure\.test\.ts/)
    expect(JSON.parse(tell(cause, { json: true, debug: false }).text).error).toMatchObject({ code: "defect" })
  })
})
