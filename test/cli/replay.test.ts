import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { EventRecord } from "../../src/event/EventRecord.ts"
import { history } from "../rule/histories.ts"
import { autoexp, keep, temporary } from "./autoexp.ts"

/** A directory with the session `plan`, and a way to ask autoexp there. */
const place = (records: ReadonlyArray<EventRecord> = history()) =>
  Effect.gen(function*() {
    const dir = yield* temporary
    yield* keep({ stateDir: dir, planId: "plan" }, records)
    return {
      dir,
      ask: (...argv: ReadonlyArray<string>) => autoexp(dir, [...argv, "--state-dir", dir])
    }
  })

const forged = (): ReadonlyArray<EventRecord> =>
  history().map((record) =>
    record.type === "RestartDecided" ? { ...record, data: { ...record.data, reason: "forged" } } : record
  )

describe("autoexp replay", () => {
  it.scoped("says that a journal is decided again as it was", () =>
    Effect.gen(function*() {
      const { ask } = yield* place()
      const told = yield* ask("replay", "--session", "plan", "--json")
      expect(told.exitCode).toBe(0)
      expect(JSON.parse(told.stdout)).toEqual({
        identical: true,
        facts: expect.any(Number),
        decisions: expect.any(Number),
        first_divergence: null
      })
      expect((yield* ask("replay", "--session", "plan")).stdout).toMatch(
        /^identical: \d+ facts led to the same \d+ decisions\n$/
      )
    }))

  it.scoped("ends with exit code 1 and shows the first difference and its rule", () =>
    Effect.gen(function*() {
      const { ask } = yield* place(forged())
      const { exitCode, stdout } = yield* ask("replay", "--session", "plan", "--json")
      expect(exitCode).toBe(1)
      expect(JSON.parse(stdout)).toMatchObject({
        identical: false,
        first_divergence: { fact: { type: "LogRead" }, recorded: { data: { reason: "forged" } }, rule: "nccl" }
      })
      const text = yield* ask("replay", "--session", "plan")
      expect(text).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("from rule nccl") })
    }))

  it.scoped("shows the state as it was at a record or a time", () =>
    Effect.gen(function*() {
      const { ask } = yield* place()
      const records = history()
      const restart = records.find(({ type }) => type === "RestartDecided")
      const state = (to: string) =>
        Effect.map(
          ask("replay", "--session", "plan", "--json", "--to", to),
          ({ stdout }) => JSON.parse(stdout).state.jobs[0]
        )
      expect((yield* state(`${(restart?.seq ?? 0) - 1}`)).restarts).toEqual([])
      expect((yield* state(`${restart?.seq}`)).restarts).toHaveLength(1)
      expect((yield* state("2026-11-23T03:00:00Z")).outcome).toBeNull()
      const { stdout } = yield* ask("replay", "--session", "plan", "--to", `${restart?.seq}`)
      expect(stdout).toContain("is to be restarted")
      expect(yield* ask("replay", "--session", "plan", "--to", "2020-01-01")).toMatchObject({ exitCode: 2 })
    }))

  it.scoped("prints every fact with what was decided of it where nobody can type", () =>
    Effect.gen(function*() {
      const { ask } = yield* place()
      const { exitCode, stdout } = yield* ask("replay", "--session", "plan", "--step")
      expect(exitCode).toBe(0)
      expect(stdout).toMatch(/fact \d+ {2}LogRead {2}a#1\n {4}saved at byte 0: saved\n/)
      expect(stdout).toMatch(/ {4}decided \d+ {2}RestartDecided {2}a#1: restart because of nccl/)
      expect(stdout).toMatch(/identical: \d+ facts led to the same \d+ decisions\n$/)
      const diverged = yield* (yield* place(forged())).ask("replay", "--session", "plan", "--step")
      expect(diverged.exitCode).toBe(1)
      expect(diverged.stdout.trimEnd().split("\n").at(-1)).toMatch(/^ {2}decided: {2}\d+ {2}RestartDecided/)
    }))

  it.scoped("refuses overrides without rules to change, and what does not exist", () =>
    Effect.gen(function*() {
      const { ask } = yield* place()
      for (const argv of [["--session", "plan", "monitoring.x=1"], ["--session", "nothing"], []]) {
        expect((yield* ask("replay", ...argv)).exitCode, argv.join(" ")).toBe(2)
      }
    }))
})

/** Files of a config whose rules are options of the group `monitoring`. */
const writeConfig = (dir: string) => {
  const write = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
    fs.writeFileSync(path.join(dir, name), text)
  }
  write(
    "config/autoexp.yaml",
    [
      "defaults: [{monitoring: none}, _self_]",
      "project: { name: demo, base_output_dir: ./output }",
      "sweep: {}",
      "slurm: { template_path: t.sbatch, client: { class_name: LocalClient } }",
      "backend: { class_name: NullBackend }"
    ].join("\n")
  )
  write("config/monitoring/none.yaml", "log_events: []\n")
  const rule = "{ name: nccl, pattern: \"NCCL WARN (?P<what>\\\\w+)\", extract_groups: { what: what }, " +
    "actions: [{ class_name: RestartAction }] }"
  write("config/monitoring/nccl.yaml", `log_events:\n  - ${rule}\n`)
  write("elsewhere/section.yaml", `log_events:\n  - ${rule}\n`)
  write("train.log", "step 1\nNCCL WARN timeout\nNCCL warn\n")
}

describe("autoexp backtest", () => {
  const prepared = Effect.tap(temporary, (dir) => Effect.sync(() => writeConfig(dir)))

  const backtest = (dir: string, ...argv: ReadonlyArray<string>) =>
    autoexp(dir, ["backtest", "-C", path.join(dir, "config"), "--log", "train.log", ...argv])

  it.scoped("shows which rule matches where, by an option, a path of it, or a file elsewhere", () =>
    Effect.gen(function*() {
      const dir = yield* prepared
      const refs = ["nccl", "monitoring=nccl", "monitoring/nccl", path.join(dir, "elsewhere/section.yaml")]
      for (const ref of refs) {
        const { exitCode, stderr, stdout } = yield* backtest(dir, "--monitoring", ref, "--json")
        expect(exitCode, ref + stderr).toBe(0)
        expect(JSON.parse(stdout), ref).toEqual([{
          rule: "nccl",
          file: path.join(dir, "train.log"),
          offset: 7,
          line_number: 2,
          line: "NCCL WARN timeout",
          groups: { what: "timeout" },
          event: "nccl",
          actions: [{ class_name: "RestartAction", conditions: [] }]
        }])
      }
      expect((yield* backtest(dir, "--monitoring", "nccl")).stdout).toMatch(/nccl +train\.log:2 +RestartAction/)
      // The config itself has no rules, but an override may choose some.
      expect((yield* backtest(dir, "--monitoring", "autoexp")).stderr).toContain("no rule matches")
      expect((yield* backtest(dir, "--monitoring", "autoexp", "monitoring=nccl")).stdout).toContain("train.log:2")
    }))

  it.scoped("says of one line why each rule does or does not match", () =>
    Effect.gen(function*() {
      const dir = yield* prepared
      const explain = (line: string) => backtest(dir, "--monitoring", "nccl", "--explain", line)
      expect((yield* explain("2")).stdout).toContain("nccl matches: its pattern is found at byte 0 of the line")
      expect((yield* explain("3")).stdout).toContain("nccl does not match: ")
      expect(yield* explain("4")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("no line 4") })
    }))

  it.scoped("fails where a rule that must match does not", () =>
    Effect.gen(function*() {
      const dir = yield* prepared
      const expecting = (...argv: ReadonlyArray<string>) => backtest(dir, "--monitoring", "nccl", ...argv)
      expect((yield* expecting("--expect", "nccl")).exitCode).toBe(0)
      fs.writeFileSync(path.join(dir, "train.log"), "all is well\n")
      expect(yield* expecting("--expect", "nccl")).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining("rule nccl matches nowhere")
      })
      expect(yield* expecting("--expect", "ncl")).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining("nccl")
      })
    }))

  it.scoped("refuses a log that is not there, and rules that do not exist", () =>
    Effect.gen(function*() {
      const dir = yield* prepared
      expect((yield* backtest(dir, "--monitoring", "nccl", "--log", "absent.log")).exitCode).toBe(2)
      expect((yield* backtest(dir, "--monitoring", "absent")).exitCode).toBe(2)
      expect((yield* autoexp(dir, ["backtest", "--monitoring", "nccl", "-C", "config"])).exitCode).toBe(2)
    }))
})
