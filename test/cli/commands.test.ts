import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { machine, plannedJob } from "../rule/machine.ts"
import { autoexp, keep, type Ran, temporary } from "./autoexp.ts"

/** A directory with the smallest config that plans: two points of a command. */
const project = Effect.map(temporary, (dir) => {
  const write = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
    fs.writeFileSync(path.join(dir, name), text)
  }
  write(
    "config/autoexp.yaml",
    [
      `project: { name: tiny, base_output_dir: ${dir}/output, monitoring_state_dir: ${dir}/monitor }`,
      "sweep: { axes: { lr: [1e-3, 1e-4] }, name_template: 'tiny_{lr}' }",
      "slurm: { template_path: job.sbatch, client: { class_name: LocalClient } }",
      "monitoring: {}",
      "backend: { class_name: CommandBackend, command: [sh, -c, 'exit 7'], args: {} }"
    ].join("\n")
  )
  write("config/job.sbatch", "#!/bin/bash\n{sbatch_directives}\n{env_exports}\nsrun {srun_opts}{launcher_cmd}\n")
  return {
    dir,
    write,
    run: (line: string) =>
      autoexp(dir, [...line.split(" "), ...composes(line) ? ["-C", path.join(dir, "config")] : []]),
    files: () => fs.readdirSync(dir).sort()
  }
})

const composes = (line: string): boolean =>
  /^(run|plan|config|sweep) /.test(`${line} `) && !/--(manifest|from)/.test(line)

const jsonOf = ({ exitCode, stderr, stdout }: Ran) => {
  expect(exitCode, stderr).toBe(0)
  return JSON.parse(stdout)
}

describe("plan", () => {
  it.scoped("writes scripts and manifest, of which its JSON tells", () =>
    Effect.gen(function*() {
      const { dir, run } = yield* project
      const ran = yield* run("plan --plan-id p --json")
      expect(ran).toMatchObject({ exitCode: 0, stderr: "" })
      const plan = jsonOf(ran)
      expect(plan).toMatchObject({
        plan_id: "p",
        manifest: `${dir}/output/manifests/p.json`,
        project: "tiny",
        jobs: [{ name: "tiny_0.001", index: 0, parameters: { lr: 0.001 } }, { name: "tiny_0.0001", index: 1 }],
        array: { name: "tiny-array", indices: [0, 1] }
      })
      for (const file of [plan.manifest, plan.sweep, plan.jobs[0].script, plan.jobs[1].script]) {
        expect(fs.existsSync(file), file).toBe(true)
      }
    }))

  it.scoped("writes nothing when only asked to show or to check", () =>
    Effect.gen(function*() {
      const { files, run } = yield* project
      for (
        const line of [
          "plan --dry-run",
          "run --dry-run --json",
          "plan --check",
          "run --check",
          "sweep show",
          "config show"
        ]
      ) {
        expect(yield* run(line), line).toMatchObject({ exitCode: 0 })
      }
      expect(files()).toEqual(["config"])
    }))

  it.scoped("keeps the indices of a subset, and says where sessions go", () =>
    Effect.gen(function*() {
      const { dir, run } = yield* project
      const plan = jsonOf(yield* run("plan --plan-id p --array-subset 1 --state-dir elsewhere --json"))
      expect(plan.jobs).toMatchObject([{ name: "tiny_0.0001", index: 1 }])
      expect(JSON.parse(fs.readFileSync(plan.manifest, "utf8")).monitoring_state_dir).toBe(`${dir}/elsewhere`)
    }))

  it.scoped("plans a recorded job once more, with other overrides", () =>
    Effect.gen(function*() {
      const { dir, run } = yield* project
      yield* run("plan --plan-id p")
      const again = yield* autoexp(dir, [
        "plan",
        "--from",
        "output/tiny_0.0001",
        "--json",
        "--plan-id",
        "q",
        "project.name=other"
      ])
      expect(again.exitCode, again.stderr).toBe(0)
      expect(jsonOf(again)).toMatchObject({ plan_id: "q", project: "other", jobs: [{ index: 1 }] })
    }))

  it.scoped("does not touch the files of a session that has begun", () =>
    Effect.gen(function*() {
      const { dir, run } = yield* project
      yield* run("plan --plan-id p")
      yield* keep({ stateDir: `${dir}/monitor`, planId: "p" }, machine({}, undefined, { plan_id: "p" }).records)
      const manifest = fs.statSync(`${dir}/output/manifests/p.json`).mtimeMs
      for (const line of ["plan --plan-id p", "run --plan-id p"]) {
        const { exitCode, stderr, stdout } = yield* run(line)
        expect([exitCode, stdout]).toEqual([2, ""])
        expect(stderr).toContain("autoexp run --resume p")
      }
      expect(fs.statSync(`${dir}/output/manifests/p.json`).mtimeMs).toBe(manifest)
    }))
})

describe("bad input", () => {
  it.scoped("is told with exit code 2 on standard error, and nothing is written", () =>
    Effect.gen(function*() {
      const { files, run } = yield* project
      const cases: ReadonlyArray<readonly [line: string, told: string | RegExp]> = [
        ["run projekt.name=x", `did you mean "project"`],
        ["run project.nam=x", `"name"`],
        ["plan --config-ref autoexpp", `did you mean "autoexp"`],
        ["plan backend.class_name=CommandBackendd", `"CommandBackend"`],
        ["plan --plan-id a/b", `"a/b" is no plan id`],
        ["plan --array-subset 7", "has no point 7"],
        ["plan sweep.name_template=same", "same"],
        ["plan sweep.name_template={nothing}", "nothing"],
        ["plan --resume last", "there is no session yet"],
        ["run --resume nothing lr=1", `there is no session "nothing"`],
        ["plan --resume x --from y", "--resume and --from exclude one another"],
        ["plan --from nowhere", "There is no config reference"],
        ["run --manifest nowhere.json", "There is no manifest"],
        ["run --manifest nowhere.json a=1", `the override "a=1" cannot change it`],
        ["run --manifest x.json --resume y", "--resume and --manifest exclude one another"],
        ["run --monitor-only", "--resume or --manifest"],
        ["submit --manifest nowhere.json", "There is no manifest"],
        ["monitor", "needs one of --session, --manifest and --all"],
        ["monitor --all --session x", "needs one of"],
        ["monitor --session x --include-completed", "--include-completed goes with --all"],
        ["monitor --session nothing", `there is no session "nothing"`],
        ["actions --session x --once --drain", "--once and --drain exclude one another"],
        ["sweep-entry --sweep nowhere.json --index 0", "There is no sweep"],
        ["session dump-config nothing", `there is no session "nothing"`]
      ]
      for (const [line, sentence] of cases) {
        const { exitCode, stderr, stdout } = yield* run(line)
        expect(exitCode, line).toBe(2)
        expect(stdout, line).toBe("")
        expect(stderr, line).toMatch(/^autoexp: /)
        expect(stderr, line).toContain(sentence)
      }
      expect(files()).toEqual(["config"])
    }))

  it.scoped("in a config file has its place, in text and as JSON", () =>
    Effect.gen(function*() {
      const { dir, run, write } = yield* project
      const file = path.join(dir, "config/autoexp.yaml")
      write(
        "config/autoexp.yaml",
        fs.readFileSync(file, "utf8").replace("monitoring: {}", "monitoring:\n  pol_interval: 3")
      )
      expect((yield* run("plan")).stderr).toMatch(new RegExp(`^autoexp: ${file}:5:3: `))
      const { exitCode, stderr, stdout } = yield* run("plan --json")
      expect([exitCode, stdout]).toEqual([2, ""])
      expect(JSON.parse(stderr).error).toMatchObject({ code: "config", file, line: 5, column: 3 })
    }))
})

describe("a manifest without a session", () => {
  it.scoped("is submitted in full by submit, which --dry-run shows, and cannot be monitored", () =>
    Effect.gen(function*() {
      const { dir, run } = yield* project
      yield* run("plan --plan-id p")
      const manifest = `${dir}/output/manifests/p.json`
      expect(jsonOf(yield* run(`submit --manifest ${manifest} --dry-run --json`))).toEqual({
        plan_id: "p",
        submit: ["tiny_0.001", "tiny_0.0001"]
      })
      expect(yield* run(`monitor --manifest ${manifest}`)).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining("nothing of plan p was submitted")
      })
      expect(fs.existsSync(`${dir}/monitor`)).toBe(false)
    }))
})

describe("config and sweep", () => {
  it.scoped("are shown as they come out", () =>
    Effect.gen(function*() {
      const { run } = yield* project
      expect(jsonOf(yield* run("config show --json project.name=other"))).toMatchObject({ project: { name: "other" } })
      expect((yield* run("config show")).stdout).toContain(`name: "tiny"\n`)
      expect(yield* run("config show --json --yaml")).toMatchObject({ exitCode: 2, stdout: "" })
      expect((yield* run("config show --unresolved ++project.name=${oc.env:HOME}")).stdout).toContain("${oc.env:HOME}")
      expect(jsonOf(yield* run("sweep show --json"))).toMatchObject([
        { index: 0, name: "tiny_0.001", parameters: { lr: 0.001 } },
        { index: 1, name: "tiny_0.0001", parameters: { lr: 0.0001 } }
      ])
    }))

  it.scoped("sweep-entry stands for its command: exit code and all", () =>
    Effect.gen(function*() {
      const { run } = yield* project
      const { sweep } = jsonOf(yield* run("plan --plan-id p --json"))
      expect(jsonOf(yield* run(`sweep-entry --sweep ${sweep} --index 1 --dry-run --json`))).toMatchObject({
        name: "tiny_0.0001",
        argv: ["sh", "-c", "exit 7", expect.any(String), expect.any(String)]
      })
      expect(yield* run(`sweep-entry --sweep ${sweep} --index 1`)).toMatchObject({ exitCode: 7, stdout: "" })
    }))

  it.scoped("session dump-config shows the config that a session was planned from", () =>
    Effect.gen(function*() {
      const { dir, run } = yield* project
      yield* run("plan --plan-id p")
      const opened = machine({}, undefined, { plan_id: "p", manifest: `${dir}/output/manifests/p.json` })
      yield* keep({ stateDir: `${dir}/monitor`, planId: "p" }, opened.records)
      expect(jsonOf(yield* run("session dump-config p --state-dir monitor"))).toMatchObject({
        project: { name: "tiny" }
      })
    }))
})

describe("the action worker", () => {
  /** A session with a queued command for each of the lines. */
  const queued = (dir: string, commands: ReadonlyArray<string>) => {
    const m = machine({
      log_events: commands.map((command, at) => ({
        name: `event${at}`,
        pattern: "x",
        actions: [{
          class_name: "EventAction" as const,
          mode: "queue" as const,
          action: { class_name: "RunCommandAction" as const, command: ["sh", "-c", command] as const, cwd: dir }
        }]
      }))
    }, [plannedJob("a")])
    m.submitAll()
    m.accept()
    m.state("RUNNING")
    m.log(commands.map((_, at) => ({ rule: `event${at}` })))
    return keep({ stateDir: dir, planId: "plan" }, m.records)
  }
  const worker = (dir: string, ...options: ReadonlyArray<string>) =>
    autoexp(dir, ["actions", "--session", "plan", "--state-dir", ".", ...options])
  const statuses = (dir: string) =>
    Effect.map(
      autoexp(dir, ["queue", "list", "--session", "plan", "--state-dir", ".", "--json"]),
      (ran) => jsonOf(ran).map(({ status }: { readonly status: string }) => status)
    )

  it.scopedLive("runs one action with --once and the rest with --drain", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      yield* queued(dir, [`echo one >> ${dir}/ran`, `echo two >> ${dir}/ran`, `echo three >> ${dir}/ran`])
      expect(yield* worker(dir, "--once")).toMatchObject({ exitCode: 0 })
      expect(yield* statuses(dir)).toEqual(["done", "queued", "queued"])
      expect(yield* worker(dir, "--drain")).toMatchObject({ exitCode: 0 })
      expect(yield* statuses(dir)).toEqual(["done", "done", "done"])
      expect(fs.readFileSync(`${dir}/ran`, "utf8")).toBe("one\ntwo\nthree\n")
    }))

  it.scopedLive("ends with 1 if an action failed, which can be queued again", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      yield* queued(dir, [`test -e ${dir}/ready`])
      expect(yield* worker(dir)).toMatchObject({ exitCode: 1 })
      expect(yield* statuses(dir)).toEqual(["failed"])
      fs.writeFileSync(`${dir}/ready`, "")
      yield* autoexp(dir, ["queue", "retry", "--session", "plan", "--state-dir", "."])
      expect(yield* statuses(dir)).toEqual(["queued"])
      expect(yield* worker(dir)).toMatchObject({ exitCode: 0 })
    }))

  it.scopedLive("runs each action once, however many workers there are", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      yield* queued(dir, Array.from({ length: 6 }, (_, at) => `echo ${at} >> ${dir}/ran`))
      const ran = yield* Effect.all([worker(dir), worker(dir), worker(dir)], { concurrency: "unbounded" })
      expect(ran.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual([[0, ""], [0, ""], [0, ""]])
      expect(fs.readFileSync(`${dir}/ran`, "utf8").split("\n").sort()).toEqual(["", "0", "1", "2", "3", "4", "5"])
      expect(new Set(yield* statuses(dir))).toEqual(new Set(["done"]))
    }), 60_000)
})
