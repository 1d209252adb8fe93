import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { execFileSync } from "node:child_process"
import { describe, expect, it } from "vitest"
import { RestartAction } from "../../src/action/actions/RestartAction.ts"
import { overriddenArgv } from "../../src/backend/overridden.ts"
import { commandText, withCommand } from "../../src/plan/attemptScript.ts"
import { actor, machine, plannedJob, types } from "./machine.ts"

const argv = ["python", "train.py", "--micro-batch-size", "4", "--lr", "3e-4", "--bf16", "--data", "a b", "c$HOME'\""]
const launch = { argv, command: commandText(argv) }

describe("arguments that a restart changes", () => {
  it.each<readonly [string, Parameters<typeof overriddenArgv>, ReadonlyArray<string>]>([
    ["replaced where they stand", [["p", "--lr", "1", "x.py"], { lr: ["2"] }], ["p", "--lr", "2"]],
    ["replaced by any name of theirs", [["p", "--a-b", "1"], { "backend.megatron.a_b": ["2"] }], ["p", "--a-b", "2"]],
    ["kept in their form", [["p", "--a_b=1", "lr=1", "--c"], { a_b: ["2"], lr: ["3"] }], [
      "p",
      "--a_b=2",
      "lr=3",
      "--c"
    ]],
    ["added where they are missing", [["p"], { a_b: ["2", "3"], c: [] }], ["p", "--a-b", "2", "3", "--c"]],
    ["left out", [["p", "--a", "1", "-2", "--b"], { a: null, x: null }], ["p", "--b"]],
    ["there once", [["p", "--a", "1", "--b", "--a", "2"], { a: ["3"] }], ["p", "--a", "3", "--b"]],
    ["not those whose names only begin alike", [["p", "--lr-min", "1"], { lr: ["2"] }], [
      "p",
      "--lr-min",
      "1",
      "--lr",
      "2"
    ]]
  ])("are %s", (_, [before, overrides], after) => {
    expect(overriddenArgv(before, overrides)).toEqual(after)
    expect(overriddenArgv(after, overrides)).toEqual(after)
  })

  it("reach the program unchanged wherever the script holds its command, and nothing else of it changes", () => {
    const word = fc.string({ unit: fc.constantFrom(..."ab '\"\\$`!*;&|<>(){}[]#~-=/"), minLength: 1, maxLength: 8 })
      .filter((text) => !/\$[A-Za-z{(]/.test(text))
    fc.assert(
      fc.property(fc.array(word, { maxLength: 4 }), (words) => {
        const planned = ["printf", "%s\\n", ...words.map((text) => `_${text}`), "--lr", "1"]
        const text = commandText(planned)
        const single = text.replaceAll("'", "'\\''")
        const double = text.replace(/["\\`$]/g, "\\$&")
        const script = `${text}\nbash -c '${single}'\nbash -c "${double}"\n`
        const other = overriddenArgv(planned, { lr: ["2.0e-5", "x,y"], seed: ["7"] })
        const rewritten = withCommand(script, text, other)
        expect(rewritten).not.toBeNull()
        const said = execFileSync("bash", ["-c", rewritten ?? ""], { encoding: "utf8" })
        expect(said).toBe(`${other.slice(2).join("\n")}\n`.repeat(3))
      }),
      { numRuns: 60 }
    )
  })

  it("change no script that does not hold the command, or only a longer word", () => {
    expect(withCommand("python train.py.old\n", "python train.py", ["x"])).toBeNull()
    expect(withCommand("echo\n", "python", ["x"])).toBeNull()
  })

  it("may be nothing that a shell reads otherwise in quotes, or that is no option", () => {
    const decode = (overrides: unknown) =>
      Schema.decodeUnknownEither(RestartAction)({ class_name: "RestartAction", overrides })._tag
    expect([{ lr: 1 }, { lr: "1e-5", a: [1, 2], b: null, c: true }, { "backend.args.lr": "a/b:c" }].map(decode))
      .toEqual(["Right", "Right", "Right"])
    expect(
      [{ lr: "$(rm)" }, { lr: "a b" }, { lr: "" }, { "--lr": 1 }, { lr: { a: 1 } }, { lr: [] }, { lr: "'" }].map(decode)
    )
      .toEqual(["Left", "Left", "Left", "Left", "Left", "Left", "Left"])
  })
})

describe("a restart with overrides", () => {
  const oom = {
    name: "oom",
    pattern: "x",
    state: { class_name: "CrashState" },
    actions: [{ class_name: "RestartAction", overrides: { micro_batch_size: 2, bf16: false } }]
  } as const
  const slow = {
    name: "slow",
    pattern: "y",
    state: { class_name: "CrashState" },
    actions: [{ class_name: "RestartAction", overrides: { lr: 0.1 } }]
  } as const
  const start = (jobs: ReadonlyArray<ReturnType<typeof plannedJob>>) => {
    const m = machine({ inactivity_threshold_seconds: null, log_settle_seconds: 0, log_events: [oom, slow] }, jobs)
    m.submitAll()
    m.accept()
    for (const { name } of jobs) m.state("RUNNING", name)
    return m
  }
  const fail = (m: ReturnType<typeof start>, rule: string, name = "a") => {
    m.log([{ rule }], name)
    m.state("FAILED", name, { exit_code: 1 })
    return m.pass(1).flatMap((record) => record.type === "SubmissionIntended" ? [record.data] : [])
  }

  it("submits a script of the attempt's own with the arguments changed, adds to what was changed, and undoes it on ack", () => {
    const m = start([plannedJob("a", 0, { launch, script: "/scripts/a.plan.sbatch" })])
    const [second] = fail(m, "oom")
    expect(second).toMatchObject({
      script: "/scripts/a.plan.2.sbatch",
      rewritten: { of: "/scripts/a.plan.sbatch", command: launch.command }
    })
    expect(second?.rewritten?.argv.slice(0, 6)).toEqual([
      "python",
      "train.py",
      "--micro-batch-size",
      "2",
      "--lr",
      "3e-4"
    ])
    expect(second?.rewritten?.argv).not.toContain("--bf16")
    m.accept()
    m.state("RUNNING")
    const [third] = fail(m, "slow")
    expect(third?.rewritten?.argv.slice(2, 6)).toEqual(["--micro-batch-size", "2", "--lr", "0.1"])
    expect(m.job().changes?.overrides).toEqual({ micro_batch_size: ["2"], bf16: null, lr: ["0.1"] })
    m.accept()
    m.state("RUNNING")
    m.fact("OperatorRequested", { request_id: "k", actor, request: { kind: "job_ack", job: "a", reason: "" } })
    m.fact("OperatorRequested", { request_id: "r", actor, request: { kind: "job_restart", job: "a", reason: "" } })
    m.state("CANCELLED")
    const [fourth] = m.pass(1).flatMap((record) => record.type === "SubmissionIntended" ? [record.data] : [])
    expect(fourth).toMatchObject({ script: "/scripts/a.plan.sbatch" })
    expect(fourth?.rewritten).toBeUndefined()
    expect(m.replay()).toEqual(m.records)
  })

  it("takes each task of an array alone, under its own index", () => {
    const array = {
      array: true,
      script: "/scripts/demo-array.plan.sbatch",
      launch: { argv, command: "autoexp sweep-entry" }
    }
    const m = start([plannedJob("a", 3, array), plannedJob("b", 5, array)])
    m.log([{ rule: "oom" }], "a")
    m.log([{ rule: "oom" }], "b")
    m.state("FAILED", "a")
    m.state("FAILED", "b")
    const intended = m.pass(1).flatMap((record) => record.type === "SubmissionIntended" ? [record.data] : [])
    expect(intended.map(({ array, script }) => [script, array])).toEqual([
      ["/scripts/demo-array.plan.2.3.sbatch", [3]],
      ["/scripts/demo-array.plan.2.5.sbatch", [5]]
    ])
  })

  it("is not done with the arguments that failed where the plan does not hold the command, and says so", () => {
    const m = start([plannedJob("a")])
    const decisions = m.log([{ rule: "oom" }])
    expect(types(decisions)).toEqual(["EventRaised", "ActionSkipped"])
    expect(decisions[1]).toMatchObject({ data: { why: expect.stringContaining("plan it again") } })
  })
})
