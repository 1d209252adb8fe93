import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import * as path from "node:path"
import { Invocation } from "../../src/cli/Invocation.ts"
import { command } from "../../src/cli/run.ts"
import { behaviour } from "../../src/rule/behaviour.ts"
import { fakeScreen } from "../report/fakeScreen.ts"
import { machine, plannedJob } from "../rule/machine.ts"
import { autoexp, keep, temporary } from "./autoexp.ts"

/** A session whose job `train_1` was restarted until its budget was spent. */
const spent = () => {
  const m = machine({
    log_settle_seconds: 1,
    log_events: [{
      name: "nccl",
      pattern: "x",
      state: { class_name: "CrashState" },
      actions: [{
        class_name: "EventAction",
        conditions: [{ class_name: "MaxAttemptsCondition", max_attempts: 9 }],
        action: { class_name: "RestartAction", reason: "nccl error", max_restarts: 1 }
      }]
    }]
  }, [plannedJob("train_1"), plannedJob("train_2", 1)])
  const actor = { role: "monitor", user: "ada", host: "login1", pid: 1 } as const
  m.fact("MonitorAttached", { actor, tool_version: "0" })
  m.submitAll()
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    m.accept()
    m.state("RUNNING", "train_1")
    m.log([{ rule: "nccl" }], "train_1")
    m.state("FAILED", "train_1", { exit_code: 1 })
    m.pass(2)
  }
  return m.records
}

const world = Effect.gen(function*() {
  const home = yield* temporary
  yield* keep({ stateDir: home, planId: "plan" }, spent())
  return (words: string) => autoexp(home, [...words.split(" "), "--session", "plan", "--state-dir", home])
})

describe("autoexp job", () => {
  it.scoped("names the nearest job where there is none of the name, and exits 2", () =>
    Effect.gen(function*() {
      const ask = yield* world
      for (
        const command of [
          ...["restart", "retry", "cancel", "ack", "hold", "release", "logs", "why"].map((word) => `job ${word}`),
          "explain"
        ]
      ) {
        const { exitCode, stderr } = yield* ask(`${command} --job train_3`)
        expect(exitCode, command).toBe(2)
        expect(stderr, command).toContain("train_")
      }
      expect((yield* ask("job hold")).exitCode).toBe(2)
    }))

  it.scoped("decides by facts of the journal, and says why not", () =>
    Effect.gen(function*() {
      const ask = yield* world
      expect((yield* ask("job release --job train_2")).exitCode).toBe(1)
      expect(yield* ask("job hold --job train_2 --reason quota")).toMatchObject({ exitCode: 0 })
      const shown = JSON.parse((yield* ask("job restart --job train_1 --json")).stdout)
      expect(shown).toEqual([{ job: "train_1", accepted: true, why: "" }])
      const told = JSON.parse((yield* ask("explain --job train_1 --json")).stdout)
      expect(told).toMatchObject({ job: "train_1", outcome: null })
      const records = (yield* ask("events --json")).stdout.trim().split("\n").map((line) => JSON.parse(line))
      expect(records.find(({ type }) => type === "JobHeld").data.why).toContain("quota (asked for by ")
      // Nobody watches: what is to be submitted waits for a monitor.
      expect(records.filter(({ cause, type }) => type === "SubmissionIntended" && cause > 20)).toEqual([])
    }))
})

it.scoped("autoexp job restart says that it releases a job which was held", () =>
  Effect.gen(function*() {
    const home = yield* temporary
    const m = machine({}, [plannedJob("a")], { behaviour })
    m.submitAll()
    m.accept()
    m.state("RUNNING")
    yield* keep({ stateDir: home, planId: "plan" }, m.records)
    const ask = (...words: ReadonlyArray<string>) =>
      autoexp(home, ["job", ...words, "--job", "a", "--session", "plan", "--state-dir", home])
    yield* ask("hold", "--reason", "quota")
    const { exitCode, stdout } = yield* ask("restart")
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringMatching(/^a: restart is recorded; its restart ends the hold: quota \(asked for by .*\)\n$/)
    ])
  }))

it.scoped("autoexp job retry starts what failed once more, once, and touches nothing that runs or is done", () =>
  Effect.gen(function*() {
    const home = yield* temporary
    const m = machine({ log_settle_seconds: 1 }, ["a", "b", "c", "d"].map((name, index) => plannedJob(name, index)), {
      behaviour
    })
    m.submitAll()
    for (const _ of "abcd") m.accept()
    m.state("FAILED", "a", { exit_code: 1 })
    m.state("COMPLETED", "b", { exit_code: 0 })
    m.pass(2)
    m.state("RUNNING", "c")
    m.state("FAILED", "c", { exit_code: 1 })
    m.state("RUNNING", "d")
    yield* keep({ stateDir: home, planId: "plan" }, m.records)
    const retry = Effect.map(
      autoexp(home, ["job", "retry", "--job", "all", "--session", "plan", "--state-dir", home, "--json"]),
      ({ exitCode, stdout }) => ({ exitCode, answers: JSON.parse(stdout) })
    )
    const others = [
      { job: "b", accepted: false, why: "job b ended in success; `job restart` runs it all the same" },
      { job: "c", accepted: false, why: "job c has just ended, and how is not judged yet" },
      { job: "d", accepted: false, why: expect.stringContaining("job d has not failed, it is running; `job restart`") }
    ]
    expect(yield* retry).toEqual({ exitCode: 1, answers: [{ job: "a", accepted: true, why: "" }, ...others] })
    const again = { job: "a", accepted: false, why: expect.stringContaining("job a is about to be submitted") }
    expect(yield* retry).toEqual({ exitCode: 1, answers: [again, ...others] })
    const audit = yield* autoexp(home, ["audit", "--session", "plan", "--state-dir", home, "--json"])
    const asked = JSON.parse(audit.stdout).filter((entry: { readonly action: string; readonly job: string }) =>
      entry.action === "job_retry" && entry.job === "a"
    )
    const actor = { role: "operator", user: expect.any(String), host: expect.any(String) }
    expect(asked).toMatchObject([{ status: "done", actor }, { status: "refused", actor }])
  }))

describe("autoexp job logs", () => {
  it.scoped("prints as many lines as asked for, of the attempt asked for", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      const m = machine({
        log_settle_seconds: 0,
        state_events: [{ name: "crash", actions: [{ class_name: "RestartAction" }] }]
      }, [plannedJob("a")])
      m.submitAll()
      for (const attempt of [1, 2]) {
        const log = path.join(home, `${attempt}.log`)
        const lines = Array.from({ length: 9000 }, (_, line) => `attempt ${attempt} line ${line} ${"é".repeat(9)}\n`)
        fs.writeFileSync(log, lines.join(""))
        const [submission] = m.session.submissions.values()
        const { name = "", nonce = "" } = submission ?? {}
        const data = { nonce, name, slurm_id: `${attempt}`, task: null, cluster: "x", log_path: log }
        m.fact("JobSubmitted", { ...data, how: "answered" }, { job: "a", attempt })
        if (attempt === 2) break
        m.state("RUNNING")
        m.state("FAILED", "a", { exit_code: 1 })
        m.pass(1)
        m.confirm()
      }
      yield* keep({ stateDir: home, planId: "plan" }, m.records)
      const logs = (...words: ReadonlyArray<string>) =>
        autoexp(home, ["job", "logs", "--session", "plan", "--job", "a", "--state-dir", home, ...words])
      const lines = (text: string) => text.trimEnd().split("\n").map((line) => line.replace(/ é*$/, ""))
      expect(lines((yield* logs("--lines", "2")).stdout)).toEqual(["attempt 2 line 8998", "attempt 2 line 8999"])
      expect(lines((yield* logs("--lines", "2", "--attempt", "1")).stdout))
        .toEqual(["attempt 1 line 8998", "attempt 1 line 8999"])
      // More than is read at first, and from the middle of a character on.
      expect(lines((yield* logs("--lines", "7777")).stdout)[0]).toBe("attempt 2 line 1223")
      expect(lines((yield* logs("--lines", "20000")).stdout)).toHaveLength(9000)
      expect(yield* logs("--attempt", "3"))
        .toMatchObject({ exitCode: 2, stderr: expect.stringContaining("job a has no attempt 3: the latest is 2") })
      expect((yield* logs("--attempt", "1", "--follow")).exitCode).toBe(2)
    }))

  it.scoped("prints the end of the log, and only the path as JSON", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      const m = machine({}, [plannedJob("a")])
      m.submitAll()
      const log = path.join(home, "a.log")
      fs.writeFileSync(log, Array.from({ length: 100 }, (_, line) => `line ${line}\n`).join(""))
      const [nonce = ""] = m.session.submissions.keys()
      m.fact("JobSubmitted", {
        nonce,
        name: "a",
        slurm_id: "1",
        task: null,
        cluster: "x",
        log_path: log,
        how: "answered"
      }, { job: "a", attempt: 1 })
      yield* keep({ stateDir: home, planId: "plan" }, m.records)
      const argv = ["job", "logs", "--session", "plan", "--job", "a", "--state-dir", home]
      const { stdout } = yield* autoexp(home, argv)
      expect(stdout).toContain("line 99\n")
      expect(stdout).not.toContain("line 10\n")
      expect(JSON.parse((yield* autoexp(home, [...argv, "--json"])).stdout)).toMatchObject({ job: "a", log_path: log })
    }))
})

describe("autoexp job logs --follow", () => {
  it.scopedLive(
    "prints what is added, goes over to the next attempt's log, and ends with the job",
    () =>
      Effect.gen(function*() {
        const home = yield* temporary
        const m = machine({
          log_settle_seconds: 0,
          state_events: [{ name: "crash", actions: [{ class_name: "RestartAction" }] }]
        }, [plannedJob("a", 0)])
        let kept = 0
        const publish = Effect.suspend(() => {
          const news = m.records.slice(kept)
          kept = m.records.length
          return keep({ stateDir: home, planId: "plan" }, news)
        })
        /** An attempt of the job, with its log. */
        const begin = (attempt: number) => {
          const log = path.join(home, `${attempt}.log`)
          fs.writeFileSync(log, `attempt ${attempt} begins\n`)
          const [submission] = m.session.submissions.values()
          const { name = "", nonce = "" } = submission ?? {}
          const data = { nonce, name, slurm_id: `${attempt}`, task: null, cluster: "x", log_path: log, how: "answered" }
          m.fact("JobSubmitted", { ...data, how: "answered" }, { job: "a", attempt })
          m.state("RUNNING")
          return log
        }
        const { layer, written } = fakeScreen()
        const shows = (text: string) =>
          Effect.repeat(Effect.sleep("20 millis"), { until: () => written.out.includes(text) }).pipe(
            Effect.timeoutFail({ duration: "30 seconds", onTimeout: () => `${text} is not in ${written.out}` })
          )
        m.submitAll()
        const first = begin(1)
        yield* publish
        const argv = ["job", "logs", "--follow", "--session", "plan", "--job", "a", "--state-dir", home]
        const invocation = { version: "1", program: ["autoexp"], argv, env: { HOME: home }, cwd: home }
        const following = yield* Effect.fork(
          command.pipe(Effect.provide(Layer.merge(layer, Layer.succeed(Invocation, invocation))))
        )
        yield* shows("attempt 1 begins\n")
        fs.appendFileSync(first, "half a ")
        yield* shows("half a ")
        fs.appendFileSync(first, "line\n")
        yield* shows("half a line\n")
        m.state("FAILED", "a", { exit_code: 1 })
        m.pass(1)
        m.confirm()
        const second = begin(2)
        yield* publish
        yield* shows("attempt 2 begins\n")
        fs.appendFileSync(second, "the last words\n")
        m.state("COMPLETED", "a", { exit_code: 0 })
        m.pass(1)
        yield* publish
        expect(yield* Fiber.join(following)).toBe(0)
        expect(written.out).toBe("attempt 1 begins\nhalf a line\nattempt 2 begins\nthe last words\n")
        expect(written.err).toBe(`==> ${first} <==\n==> ${second} <==\n`)
      }),
    60_000
  )
})

describe("autoexp explain", () => {
  it.scoped("answers for a job of which nothing has been decided yet, too", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      const m = machine({ log_settle_seconds: 60 }, [plannedJob("a"), plannedJob("b", 1)])
      yield* keep({ stateDir: home, planId: "plan" }, m.records)
      const explain = Effect.map(
        autoexp(home, ["explain", "--session", "plan", "--job", "a", "--state-dir", home]),
        ({ stdout }) => stdout
      )
      expect(yield* explain).toContain("waits for `autoexp submit`")
      const submitted = m.records.length
      m.submitAll()
      m.accept()
      m.state("RUNNING")
      yield* keep({ stateDir: home, planId: "plan" }, m.records.slice(submitted))
      expect(yield* explain).toMatch(
        /running, attempt 1.*\n {2}waits for nothing but the scheduler.*\n {2}never restarted/
      )
      const running = m.records.length
      m.log([])
      m.state("FAILED", "a", { exit_code: 3 })
      yield* keep({ stateDir: home, planId: "plan" }, m.records.slice(running))
      expect(yield* explain).toContain("waits until its log is quiet")
      const dead = m.records.length
      m.pass(61)
      yield* keep({ stateDir: home, planId: "plan" }, m.records.slice(dead))
      expect(yield* explain).toMatch(
        /ended as failed after 1 attempt: FAILED with exit code 3.*\n.*has ended.*\n {2}not restarted: no rule asks/
      )
    }))

  it.scoped("says why it was restarted, why not, each condition, and the budgets, each with its records", () =>
    Effect.gen(function*() {
      const ask = yield* world
      const { statements, ...told } = JSON.parse((yield* ask("explain --job train_1 --json")).stdout)
      expect(told).toMatchObject({ job: "train_1", state: "ended", outcome: "failed", attempt: 2 })
      const of = (about: string) => statements.filter((one: { readonly about: string }) => one.about === about)
      expect(of("restart")[0].text).toMatch(
        /after attempt 1, because rule nccl: nccl error.*rule: 1 of 1 left before, 0/
      )
      expect(of("no_restart")[0].text).toContain("not restarted after attempt 2: the restart budget of nccl is spent")
      expect(of("condition")[0].text).toContain("MaxAttemptsCondition")
      expect(of("attention")).toHaveLength(1)
      const records = (yield* ask("events --json")).stdout.trim().split("\n").map((line) => JSON.parse(line))
      for (const { evidence } of statements) {
        expect(evidence.length).toBeGreaterThan(0)
        expect(records.some(({ seq }) => seq === evidence[0])).toBe(true)
      }
      expect(told.budgets).toContainEqual({ rule: "nccl", kind: "rule", max: 1, before: 0 })
      const { stdout } = yield* ask("explain --job train_1")
      expect(stdout).toContain("budget: restarts by nccl: 0 of 1 left")
      expect(stdout).toContain("condition 1 of nccl (MaxAttemptsCondition) passed")
      expect(stdout.split("\n").length).toBeLessThan(14)
    }))
})
