import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as fs from "node:fs"
import * as path from "node:path"
import { Invocation } from "../../src/cli/Invocation.ts"
import { indexDir, recordSession } from "../../src/cli/place.ts"
import type { SessionPlace } from "../../src/port/Journal.ts"
import { machine, plannedJob } from "../rule/machine.ts"
import { autoexp, keep, temporary } from "./autoexp.ts"

/** A session that restarted a job and queued an evaluation. */
const eventful = (planId: string) => {
  const m = machine(
    {
      log_settle_seconds: 1,
      log_events: [
        { name: "nccl", pattern: "x", actions: [{ class_name: "RestartAction", max_restarts: 3 }] },
        {
          name: "saved",
          pattern: "x",
          actions: [{ class_name: "EventAction", mode: "queue", action: { class_name: "RunAutoexpAction" } }]
        }
      ]
    },
    [plannedJob("a"), plannedJob("b", 1)],
    { plan_id: planId }
  )
  m.submitAll()
  m.accept()
  m.state("RUNNING")
  m.log([{ rule: "saved" }, { rule: "nccl" }])
  return m.records
}
const quiet = (planId: string, parent = false) =>
  machine({}, [plannedJob("a")], {
    plan_id: planId,
    parent: parent ? { plan_id: "x", queue_id: "y" } : null
  }).records

const record = (home: string, place: SessionPlace, begunHere = false) =>
  recordSession(place, { begunHere }).pipe(
    Effect.provideService(Invocation, { version: "", program: [], argv: [], env: { HOME: home }, cwd: home })
  )

describe("a session is found", () => {
  it.scoped("W-46: by its id, by the beginning of it, and by the path of its file, from anywhere", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      const place = { stateDir: path.join(home, "elsewhere"), planId: "demo-one" }
      yield* keep(place, quiet("demo-one"))
      yield* record(home, place)
      const names = ["demo-one", "demo", "last", "elsewhere/demo-one.json", `${place.stateDir}/demo-one.events.jsonl`]
      for (const name of names) {
        const { exitCode, stdout } = yield* autoexp(home, ["session", "show", name, "--json"])
        expect(exitCode, name).toBe(0)
        expect(JSON.parse(stdout).plan_id, name).toBe("demo-one")
      }
    }))

  it.scoped("in --state-dir before AUTOEXP_STATE_DIR, and in either before the index", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      for (const name of ["one", "two", "three"]) {
        yield* keep({ stateDir: path.join(home, name), planId: name }, quiet(name))
      }
      yield* record(home, { stateDir: path.join(home, "three"), planId: "three" })
      const list = (argv: ReadonlyArray<string>, env = {}) =>
        Effect.map(autoexp(home, ["session", "list", "--json", ...argv], env), ({ stdout }) =>
          JSON.parse(stdout).map(({ plan_id }: { readonly plan_id: string }) => plan_id))
      expect(yield* list(["--state-dir", "one"], { AUTOEXP_STATE_DIR: "two" })).toEqual(["one"])
      expect(yield* list([], { AUTOEXP_STATE_DIR: "two" })).toEqual(["two"])
      expect(yield* list([])).toEqual(["three"])
    }))

  it.scoped("as `last` only if a person started it", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      const argv = ["session", "show", "last", "--json", "--state-dir", home]
      yield* keep({ stateDir: home, planId: "parent" }, quiet("parent"))
      yield* keep({ stateDir: home, planId: "zz-evaluation" }, quiet("zz-evaluation", true))
      expect(JSON.parse((yield* autoexp(home, argv)).stdout).plan_id).toBe("parent")
    }))
})

describe("in a directory with a config", () => {
  const config = (home: string, stateDir: string) => {
    fs.mkdirSync(path.join(home, "config"))
    const text = [
      `project: { name: demo, base_output_dir: ./output, monitoring_state_dir: ${stateDir} }`,
      "sweep: {}",
      "slurm: { template_path: t.sbatch, client: { class_name: LocalClient } }",
      "monitoring: {}",
      "backend: { class_name: NullBackend }"
    ]
    fs.writeFileSync(path.join(home, "config", "autoexp.yaml"), text.join("\n"))
  }
  const list = (home: string) =>
    Effect.map(
      autoexp(home, ["session", "list", "--json"]),
      ({ stdout }) => JSON.parse(stdout).map(({ plan_id }: { readonly plan_id: string }) => plan_id)
    )

  it.scoped("sessions are those of the place it names, and a bare id is found in the index too", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      config(home, "./mine")
      const elsewhere = { stateDir: path.join(home, "elsewhere"), planId: "there" }
      yield* keep({ stateDir: path.join(home, "mine"), planId: "here" }, quiet("here"))
      yield* keep(elsewhere, quiet("there"))
      yield* record(home, elsewhere)
      expect(yield* list(home)).toEqual(["here"])
      expect(yield* autoexp(home, ["session", "show", "there"])).toMatchObject({ exitCode: 0 })
    }))

  it.scoped("sessions that were begun there are found although the config cannot be loaded any more", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      const place = { stateDir: path.join(home, "run-1", "state"), planId: "here" }
      yield* keep(place, quiet("here"))
      yield* record(home, place, true)
      config(home, "{")
      expect(yield* list(home)).toEqual(["here"])
    }))
})

describe("a session is not found", () => {
  it.scoped("and the error names what there is and what is near", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      yield* keep({ stateDir: home, planId: "demo-one" }, quiet("demo-one"))
      yield* keep({ stateDir: home, planId: "demo-two" }, quiet("demo-two"))
      const show = (name: string) => autoexp(home, ["session", "show", name, "--state-dir", "."])
      expect(yield* show("demo-on3")).toMatchObject({
        exitCode: 2,
        stdout: "",
        stderr: `autoexp: there is no session "demo-on3" in ${home}; did you mean "demo-one"?\n`
      })
      expect((yield* show("other")).stderr).toContain("known: demo-one, demo-two.")
      expect((yield* show("demo")).stderr).toContain(`"demo" begins the names of 2 sessions: demo-one, demo-two`)
      expect((yield* show("./demo-nine.json")).stderr).toContain("./demo-nine.json is no file of a session")
    }))

  it.scoped("and nothing is written, not even a directory", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      for (const argv of [["session", "show", "x"], ["session", "list"], ["queue", "list", "--session", "last"]]) {
        yield* autoexp(home, argv)
      }
      expect(fs.readdirSync(home)).toEqual([])
    }))

  it.scoped("and with --json the error is JSON on standard error", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      const { exitCode, stderr, stdout } = yield* autoexp(home, ["events", "--session", "x", "--json"])
      expect([exitCode, stdout]).toEqual([2, ""])
      expect(JSON.parse(stderr).error).toMatchObject({
        code: "unknown",
        message: `there is no session "x"; there is none.`,
        file: null,
        line: null,
        column: null,
        suggestions: []
      })
    }))
})

describe("the user's index", () => {
  it.scoped("does not mind entries that are broken or lead nowhere", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      const place = { stateDir: path.join(home, "state"), planId: "good" }
      yield* keep(place, quiet("good"))
      yield* record(home, place)
      yield* record(home, { stateDir: "/nowhere", planId: "gone" })
      fs.writeFileSync(path.join(indexDir({ HOME: home }), "torn.json"), `{"state_d`)
      const { stdout } = yield* autoexp(home, ["session", "list", "--json"])
      expect(JSON.parse(stdout)).toHaveLength(1)
    }))

  it.scoped("is shown although its files cannot be written, as on a full disk", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      const place = { stateDir: path.join(home, "state"), planId: "demo" }
      yield* keep(place, eventful("demo"))
      fs.writeFileSync(path.join(place.stateDir, "demo.actions"), "")
      const { exitCode, stdout } = yield* autoexp(home, ["session", "show", "demo", "--state-dir", "state", "--json"])
      expect(exitCode).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({ plan_id: "demo", queue: { queued: 1 } })
    }))

  it.scoped("tells of a torn last line, and shows what stands before it", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      const place = { stateDir: path.join(home, "state"), planId: "torn" }
      yield* keep(place, quiet("torn"))
      fs.appendFileSync(path.join(place.stateDir, "torn.events.jsonl"), "{\"v\":1,\"se")
      const warnings: Array<string> = []
      const shown = yield* autoexp(home, ["session", "show", "torn", "--state-dir", "state"]).pipe(
        Effect.provide(Logger.add(Logger.make(({ message }) => void warnings.push(String(message)))))
      )
      expect(shown.exitCode).toBe(0)
      expect(warnings.join()).toContain("torn last line")
    }))

  it.scoped("keeps a session whose jobs may still run, unless it is removed by force", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      const place = { stateDir: path.join(home, "state"), planId: "alive" }
      yield* keep(place, eventful("alive"))
      const remove = (...more: ReadonlyArray<string>) =>
        autoexp(home, ["session", "remove", "alive", "--state-dir", "state", ...more])
      const refused = yield* remove()
      expect(refused).toMatchObject({ exitCode: 1, stdout: "" })
      expect(refused.stderr).toContain("a, b")
      expect(fs.existsSync(path.join(place.stateDir, "alive.events.jsonl"))).toBe(true)
      expect(yield* remove("--force")).toMatchObject({ exitCode: 0 })
      expect(fs.existsSync(path.join(place.stateDir, "alive.events.jsonl"))).toBe(false)
    }))

  it.scoped("takes the beginning of a parent's id for the parent, not for its follow-ups", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      const stateDir = path.join(home, "state")
      yield* keep({ stateDir, planId: "demo-1" }, quiet("demo-1"))
      yield* keep({ stateDir, planId: "demo-1-q45" }, quiet("demo-1-q45", true))
      const show = yield* autoexp(home, ["session", "show", "demo", "--state-dir", "state", "--json"])
      expect(JSON.parse(show.stdout)).toMatchObject({ plan_id: "demo-1" })
    }))

  it.scoped("forgets a session that is removed", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      const place = { stateDir: path.join(home, "state"), planId: "good" }
      yield* keep(place, quiet("good"))
      yield* record(home, place)
      expect(yield* autoexp(home, ["session", "remove", "good"])).toMatchObject({ exitCode: 0 })
      expect(fs.readdirSync(indexDir({ HOME: home }))).toEqual([])
      expect(fs.readdirSync(place.stateDir)).toEqual([])
    }))
})

describe("session list", () => {
  it.scoped("tells what the journal tells, also where the session file is old or gone", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      const place = { stateDir: home, planId: "plan" }
      const records = eventful("plan")
      yield* keep(place, records.slice(0, -1))
      const list = Effect.map(autoexp(home, ["session", "list", "--json", "--state-dir", "."]), (ran) =>
        JSON.parse(ran.stdout))
      const expected = [{
        plan_id: "plan",
        project: "demo",
        status: "running",
        jobs: 2,
        created: expect.any(String),
        attention: null
      }]
      expect(yield* list).toEqual(expected)
      yield* autoexp(home, ["session", "show", "plan", "--state-dir", "."])
      const file = path.join(home, "plan.json")
      const text = fs.readFileSync(file, "utf8")
      expect(yield* list).toEqual(expected)
      fs.writeFileSync(file, text.replace(`"status": "running"`, `"status": "finished"`))
      expect(yield* list, "a file that ends where the journal ends is believed").toMatchObject([{ status: "finished" }])
      yield* keep(place, records.slice(-1))
      expect(yield* list).toEqual(expected)
      fs.rmSync(file)
      expect(yield* list).toEqual(expected)
    }))
})

describe("restarts that pause, and jobs whose budget is spent", () => {
  it.scoped("are told by the list and by the session itself, from the journal as from the session file", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      const jobs = ["a", "b", "c"].map((name, index) => plannedJob(name, index))
      const state = { class_name: "CrashState" } as const
      const restart = { class_name: "RestartAction" } as const
      const m = machine(
        {
          log_settle_seconds: 0,
          log_events: [
            { name: "nccl", pattern: "x", state, actions: [restart] },
            { name: "full", pattern: "x", state, actions: [{ ...restart, max_restarts: 0 }] }
          ]
        },
        jobs,
        { breaker: { jobs: 2, within_seconds: 600 } }
      )
      m.submitAll()
      m.accept()
      for (const name of ["a", "b"]) m.log([{ rule: "nccl" }], name)
      m.log([{ rule: "full" }], "c")
      yield* keep({ stateDir: home, planId: "plan" }, m.records)
      const ask = (...words: ReadonlyArray<string>) =>
        Effect.map(autoexp(home, ["session", ...words, "--state-dir", "."]), ({ stdout }) => stdout)
      const listed = Effect.map(ask("list", "--json"), (text) => JSON.parse(text))
      const attention = "restarts pause: 2 jobs failed alike within 600 s: nccl; c"
      expect(yield* listed).toMatchObject([{ attention }])
      expect(yield* ask("list")).toMatch(/ NEEDS ATTENTION *\nplan .* restarts pause: 2 jobs failed alike/)
      expect(yield* ask("show", "plan")).toContain("job ack --session plan --all")
      expect(yield* listed, "now of the session file").toMatchObject([{ attention }])
    }))
})

describe("session show", () => {
  it.scoped("brings deleted projections back to the same bytes", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      yield* keep({ stateDir: home, planId: "plan" }, eventful("plan"))
      const bytes = () =>
        fs.readdirSync(home, { recursive: true, encoding: "utf8" })
          .filter((name) => /^plan\.(json$|actions\/.*\.json$)/.test(name))
          .sort().map((name) => [name, fs.readFileSync(path.join(home, name), "utf8")])
      const show = autoexp(home, ["session", "show", "plan", "--state-dir", ".", "--json"])
      const first = yield* show
      const before = bytes()
      expect(before.length).toBeGreaterThan(1)
      fs.rmSync(path.join(home, "plan.json"))
      fs.rmSync(path.join(home, "plan.actions"), { recursive: true })
      expect(yield* show).toEqual(first)
      expect(bytes()).toEqual(before)
    }))

  it.scoped("W-09: is made of its own journal alone where the session's file is torn, never of another session", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      yield* keep({ stateDir: home, planId: "one" }, eventful("one"))
      yield* keep({ stateDir: home, planId: "two" }, quiet("two"))
      const show = (planId: string) => autoexp(home, ["session", "show", planId, "--state-dir", ".", "--json"])
      const [one, two] = [yield* show("one"), yield* show("two")]
      expect(JSON.parse(one.stdout)).toMatchObject({ plan_id: "one", jobs: [{ name: "a" }, { name: "b" }] })
      const file = path.join(home, "one.json")
      const whole = fs.readFileSync(file, "utf8")
      for (const torn of ["", whole.slice(0, 200), "{}"]) {
        fs.writeFileSync(file, torn)
        const listed = JSON.parse((yield* autoexp(home, ["session", "list", "--json", "--state-dir", "."])).stdout)
        expect(listed).toMatchObject([{ plan_id: "one", jobs: 2 }, { plan_id: "two", jobs: 1 }])
        expect(yield* show("one")).toEqual(one)
        expect(fs.readFileSync(file, "utf8")).toBe(whole)
      }
      // Another session's file under this one's name has seen a journal that this one is not.
      fs.copyFileSync(path.join(home, "two.json"), file)
      expect(yield* show("one")).toMatchObject({ exitCode: 4, stdout: "" })
      expect(yield* show("two")).toEqual(two)
    }))

  it.scoped("is a table for people", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      yield* keep({ stateDir: home, planId: "plan" }, eventful("plan"))
      const { stdout } = yield* autoexp(home, ["session", "show", "plan", "--state-dir", "."])
      expect(stdout).toMatch(/^plan {2}demo {2}running {2}created 2026/)
      expect(stdout).toMatch(/^a +\w+ +1 /m)
      expect(stdout).toMatch(/^saved +a +1 +1 /m)
      expect(stdout).toContain("queue: 1 queued, 0 running, 0 done, 0 failed")
    }))
})

describe("the queue", () => {
  it.scoped("W-48: is listed, retried and removed by id or event", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      yield* keep({ stateDir: home, planId: "plan" }, eventful("plan"))
      const queue = (...argv: ReadonlyArray<string>) =>
        autoexp(home, ["queue", ...argv, "--session", "plan", "--state-dir", ".", "--json"])
      const listed = JSON.parse((yield* queue("list")).stdout)
      expect(listed).toMatchObject([{
        event: "saved",
        job: "a",
        action: "RunAutoexpAction",
        status: "queued",
        attempts: 0
      }])
      const id: string = listed[0].queue_id
      expect(JSON.parse((yield* queue("list", "--event", "saved")).stdout)).toHaveLength(1)
      expect(yield* queue("list", "--event", "svaed")).toMatchObject({ exitCode: 2, stdout: "" })
      expect(yield* queue("show", "--id", "nothing")).toMatchObject({ exitCode: 2, stdout: "" })
      expect(yield* queue("remove")).toMatchObject({ exitCode: 2, stdout: "" })
      expect(JSON.parse((yield* queue("retry")).stdout), "nothing failed").toEqual([])
      expect(JSON.parse((yield* queue("remove", "--id", id)).stdout)).toMatchObject([{ queue_id: id, accepted: true }])
      expect(JSON.parse((yield* queue("list")).stdout)).toEqual([])
    }))
})

describe("events", () => {
  it.scoped("are the journal's own records as JSON, and filtered by job, type and start", () =>
    Effect.gen(function*() {
      const home = yield* temporary
      const records = eventful("plan")
      yield* keep({ stateDir: home, planId: "plan" }, records)
      const events = (...argv: ReadonlyArray<string>) =>
        Effect.map(autoexp(home, ["events", "--session", "plan", "--state-dir", ".", ...argv]), ({ stdout }) =>
          stdout.split("\n").slice(0, -1))
      expect(`${(yield* events("--json")).join("\n")}\n`).toBe(
        fs.readFileSync(path.join(home, "plan.events.jsonl"), "utf8")
      )
      const raised = yield* events("--type", "EventRaised", "--type", "RestartDecided")
      expect(raised.map((line) =>
        line.split(/ +/)[3]
      )).toContain("EventRaised")
      expect(yield* events("--since", String(records.length))).toHaveLength(1)
      expect(yield* events("--job", "nobody")).toEqual([])
      expect((yield* events("--since", "2100-01-01")).length).toBe(0)
    }))
})
