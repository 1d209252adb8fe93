import { afterAll, afterEach, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { spawn } from "node:child_process"
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { hostname, tmpdir, userInfo } from "node:os"
import { join } from "node:path"
import { Scheduler } from "../../src/port/Scheduler.ts"
import { parseDirectives } from "../../src/scheduler/local/directives.ts"
import { requeue } from "../../src/scheduler/local/layer.ts"
import { accept } from "../../src/scheduler/local/store.ts"
import { bundle, eventually, kill, type LocalCluster, makeCluster, processesWith } from "./support/localCluster.ts"

let built: string
let cluster: LocalCluster | null = null
const controller = () => join(built, "local-controller.mjs")
const start = (settings?: Parameters<typeof makeCluster>[1]): LocalCluster =>
  cluster = makeCluster(controller(), settings)

beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), "local-controller-"))
  await bundle("src/scheduler/local/controllerMain.ts", controller())
  await bundle("test/scheduler/support/submitMain.ts", join(built, "submit.mjs"))
}, 240_000)
afterEach(async () => {
  await cluster?.dispose()
  cluster = null
})
afterAll(() => rmSync(built, { recursive: true, force: true }))

const node = hostname().split(".")[0]

/** The lines of a file, once there are `count` of them. */
const lines = (path: string, count: number) =>
  eventually(`${count} lines in ${path}`, async () => {
    const all = existsSync(path) ? readFileSync(path, "utf8").split("\n").filter((line) => line !== "") : []
    return all.length >= count ? all : null
  })

const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}/stat`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))

describe("how jobs end", () => {
  it("runs a script and reports its exit code", async () => {
    const { ended, read, script, submit } = start()
    const id = await submit("ok.1.a", script("ok", "echo out; echo err >&2"))
    await submit("bad.1.b", script("bad", "exit 3"))
    expect(await ended("ok.1.a")).toMatchObject([{ id, task: null, state: "COMPLETED", exitCode: 0, signal: null }])
    expect(await ended("bad.1.b")).toMatchObject([{ state: "FAILED", exitCode: 3, signal: null }])
    expect(read(`slurm-${id}.out`)).toBe("out\nerr\n")
  })

  it("tells a script killed by a signal from one whose child was", async () => {
    const { ended, script, submit } = start()
    await submit("self.1.a", script("self", "kill -KILL $$"))
    await submit("child.1.b", script("child", "bash -c 'kill -KILL $$'"))
    expect(await ended("self.1.a")).toMatchObject([{ state: "FAILED", exitCode: 0, signal: 9 }])
    expect(await ended("child.1.b")).toMatchObject([{ state: "FAILED", exitCode: 137, signal: null }])
  })

  it("reports TIMEOUT although the script traps TERM and never stops", async () => {
    const { ended, read, script, submit } = start()
    await submit(
      "slow.1.a",
      script("slow", "#SBATCH --time=0:01 -o slow.out", "trap 'echo got TERM' TERM", "while :; do sleep 0.1; done")
    )
    const [report] = await ended("slow.1.a")
    expect(report).toMatchObject({ state: "TIMEOUT", reason: "TimeLimit" })
    expect(read("slow.out")).toContain("got TERM")
    expect(read("slow.out")).toMatch(
      /^slurmstepd: error: \*\*\* JOB 1 ON \S+ CANCELLED AT \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d DUE TO TIME LIMIT \*\*\*$/m
    )
  })

  it("sends the wanted signal to the script before the limit", async () => {
    const { ended, read, script, submit } = start()
    await submit(
      "warned.1.a",
      script(
        "warned",
        "#SBATCH --time=1:00 --signal=B:USR1@59 --output=warned.out",
        "trap 'echo saved; exit 0' USR1",
        "while :; do sleep 0.1; done"
      )
    )
    expect(await ended("warned.1.a")).toMatchObject([{ state: "COMPLETED", exitCode: 0 }])
    expect(read("warned.out")).toBe("saved\n")
  })

  it("cancels a running job with its grandchildren, also one in a session of its own", async () => {
    const { ended, run, script, submit, work } = start()
    const id = await submit(
      "tree.1.a",
      script(
        "tree",
        "trap '' TERM",
        "bash -c \"trap '' TERM; sh -c 'echo \\$\\$ >> pids; sleep 600' & echo \\$\\$ >> pids; wait\" &",
        "setsid sh -c 'echo $$ >> pids; sleep 600' &",
        "echo $$ >> pids; sleep 600; sleep 600"
      )
    )
    const pids = (await lines(join(work, "pids"), 4)).map(Number)
    await run(Effect.flatMap(Scheduler, (scheduler) => scheduler.cancel({ name: "tree.1.a", id, task: null })))
    expect(await ended("tree.1.a")).toMatchObject([{ state: "CANCELLED", reason: null }])
    expect(pids.filter(isAlive)).toEqual([])
  })

  it("leaves nothing running when the script ends", async () => {
    const { ended, options, script, submit, work } = start()
    await submit("leaves.1.a", script("leaves", "sleep 600 & echo $! > pid; setsid sleep 600 &"))
    expect(await ended("leaves.1.a")).toMatchObject([{ state: "COMPLETED" }])
    expect(isAlive(Number(readFileSync(join(work, "pid"), "utf8")))).toBe(false)
    expect(processesWith("environ", `AUTOEXP_LOCAL_RUN=${options.dir}:`)).toEqual([])
  })

  it("does not start a job that was cancelled while it waited", async () => {
    const { ended, run, script, submit, until, work } = start({ slots: 1 })
    const first = await submit("first.1.a", script("first", "sleep 600"))
    const second = await submit("second.1.b", script("second", "touch started"))
    expect(await until("second.1.b", ({ state }) => state === "PENDING")).toMatchObject([{ reason: "Resources" }])
    const cancel = (id: string, name: string) =>
      run(Effect.flatMap(Scheduler, (scheduler) => scheduler.cancel({ name, id, task: null })))
    await cancel(second, "another name")
    await cancel(second, "second.1.b")
    expect(await ended("second.1.b")).toMatchObject([{ state: "CANCELLED", start: null }])
    await cancel(first, "first.1.a")
    await ended("first.1.a")
    await cancel(first, "first.1.a")
    expect(existsSync(join(work, "started"))).toBe(false)
  })

  it("fails a job whose output directory is missing, without running it", async () => {
    const { ended, script, submit, work } = start()
    await submit("nowhere.1.a", script("nowhere", "#SBATCH -o missing/x.out", "touch started"))
    expect(await ended("nowhere.1.a")).toMatchObject([{ state: "FAILED", signal: 53, reason: "JobLaunchFailure" }])
    expect(readdirSync(work)).toEqual(["nowhere.sbatch"])
  })
})

describe("arrays", () => {
  it("keeps indices and never runs more tasks at once than %limit and slots allow", async () => {
    const { ended, read, script, submit, work } = start({ slots: 3 })
    // Each task counts those that run beside it.
    const count = "mkdir run.$SLURM_ARRAY_TASK_ID; ls -d run.* | wc -l >> ${SLURM_JOB_NAME}.seen; sleep 0.5"
    const leave = "rmdir run.$SLURM_ARRAY_TASK_ID"
    const limited = await submit("limited.1.a", script("limited", "#SBATCH --array=0,3-7:2%2", count, leave))
    const reports = await ended("limited.1.a")
    expect(reports.map(({ id, state, task }) => [id, task, state])).toEqual(
      [0, 3, 5, 7].map((task) => [limited, task, "COMPLETED"])
    )
    expect(Math.max(...read("limited.1.a.seen").trim().split("\n").map(Number))).toBeLessThanOrEqual(2)
    await submit("slots.1.b", script("slots", count, leave), [4, 9, 2, 11, 30])
    expect((await ended("slots.1.b")).map(({ task }) => task)).toEqual([2, 4, 9, 11, 30])
    expect(Math.max(...read("slots.1.b.seen").trim().split("\n").map(Number))).toBeLessThanOrEqual(3)
    expect(readdirSync(work)).toContain(`slurm-${limited}_7.out`)
  })

  it("cancels one task and leaves the others alone", async () => {
    const { ended, run, script, submit, work } = start()
    const id = await submit(
      "some.1.a",
      script("some", "touch at.$SLURM_ARRAY_TASK_ID", "until [ -e go ]; do sleep 0.1; done"),
      [1, 2]
    )
    await eventually("both tasks", async () => existsSync(join(work, "at.1")) && existsSync(join(work, "at.2")) || null)
    const snapshot = (task: number) =>
      run(
        Effect.flatMap(Scheduler, (scheduler) =>
          Effect.map(scheduler.snapshot([{ name: "some.1.a", id, task }]), ({ reports }) => reports))
      )
    await run(Effect.flatMap(Scheduler, (scheduler) => scheduler.cancel({ name: "some.1.a", id, task: 2 })))
    await eventually("the cancelled task", async () => (await snapshot(2))[0]?.state === "CANCELLED" || null)
    expect(await snapshot(1)).toMatchObject([{ task: 1, state: "RUNNING" }])
    writeFileSync(join(work, "go"), "")
    expect((await ended("some.1.a")).map(({ state }) => state)).toEqual(["COMPLETED", "CANCELLED"])
  })
})

describe("what a job sees", () => {
  it("gets the submitter's environment unchanged, quotes, newlines and exported functions included", async () => {
    const { ended, script, submit, work } = start()
    const values: Record<string, string> = {
      LOCAL_TEST_VALUE: "it's \"quoted\"\n$HOME `date` \\ ünï\t*\n",
      "LOCAL.TEST.NAME": "dots",
      "BASH_FUNC_local_test%%": "() {  echo from a function\n}",
      SLURM_ARRAY_TASK_ID: "77"
    }
    Object.assign(process.env, values)
    try {
      await submit("env.1.a", script("env", "cat /proc/self/environ > environ; local_test > function"))
    } finally {
      for (const name of Object.keys(values)) Reflect.deleteProperty(process.env, name)
    }
    expect(await ended("env.1.a")).toMatchObject([{ state: "COMPLETED" }])
    const seen = readFileSync(join(work, "environ"), "utf8").split("\0")
    expect(seen).toContain(`LOCAL_TEST_VALUE=${values["LOCAL_TEST_VALUE"]}`)
    expect(seen).toContain("LOCAL.TEST.NAME=dots")
    expect(seen.filter((variable) => variable.startsWith("SLURM_ARRAY"))).toEqual([])
    expect(readFileSync(join(work, "function"), "utf8")).toBe("from a function\n")
  })

  it("has the SLURM_ variables of its task, and only wanted ones with --export", async () => {
    const { ended, read, script, submit, work } = start()
    process.env["LOCAL_TEST_SECRET"] = "hidden"
    const id = await submit(
      "vars.1.a",
      script(
        "vars",
        "#SBATCH --export=NONE,GIVEN=x=y --nodes=2 --ntasks-per-node=2 --cpus-per-task 3 -A acct -p part",
        "env > vars.$SLURM_ARRAY_TASK_ID; scontrol show hostnames > hosts"
      ),
      [5, 6]
    )
    Reflect.deleteProperty(process.env, "LOCAL_TEST_SECRET")
    await ended("vars.1.a")
    const seen = read("vars.6").split("\n")
    for (
      const variable of [
        `SLURM_ARRAY_JOB_ID=${id}`,
        `SLURM_JOB_ID=${Number(id) + 1}`,
        "SLURM_ARRAY_TASK_ID=6",
        "SLURM_ARRAY_TASK_COUNT=2",
        "SLURM_ARRAY_TASK_MIN=5",
        "SLURM_ARRAY_TASK_MAX=6",
        "SLURM_JOB_NAME=vars.1.a",
        "SLURM_NNODES=2",
        "SLURM_NTASKS=4",
        "SLURM_NTASKS_PER_NODE=2",
        "SLURM_CPUS_PER_TASK=3",
        "SLURM_JOB_PARTITION=part",
        "SLURM_JOB_ACCOUNT=acct",
        "SLURM_CLUSTER_NAME=local",
        `SLURMD_NODENAME=${node}`,
        "GIVEN=x=y",
        `PWD=${work}`
      ]
    ) expect(seen).toContain(variable)
    expect(seen.filter((variable) => variable.startsWith("LOCAL_TEST"))).toEqual([])
    expect(read("hosts")).toBe(`${node}\n${node}\n`)
    expect(await submit("next.1.b", script("next", ":"))).toBe(`${Number(id) + 2}`)
  })

  it("writes to the files that % codes name, and appends only on demand", async () => {
    const { ended, read, script, submit, work } = start()
    writeFileSync(join(work, "appended"), "before\n")
    writeFileSync(join(work, "truncated"), "before\n")
    const id = await submit(
      "codes.1.a",
      script("codes", "#SBATCH -o %A_%4a.%j.%x.%u.%N.%n.%t.%s.%%.out -e %a.err", "echo out; echo err >&2"),
      [7]
    )
    await submit("append.1.b", script("append", "#SBATCH --open-mode=append --output=appended", "echo after"))
    await submit("truncate.1.c", script("truncate", "#SBATCH --output=truncated", "echo after"))
    for (const name of ["codes.1.a", "append.1.b", "truncate.1.c"]) await ended(name)
    expect(read(`${id}_0007.${id}.codes.1.a.${userInfo().username}.${node}.0.0.batch.%.out`)).toBe("out\n")
    expect(read("7.err")).toBe("err\n")
    expect(read("appended")).toBe("before\nafter\n")
    expect(read("truncated")).toBe("after\n")
  })

  it("runs the script as it was when it was submitted", async () => {
    const { ended, read, script, submit } = start({ slots: 1 })
    const path = script("snapshot", "#SBATCH -o snapshot.out", "echo first")
    await submit("hold.1.a", script("hold", "sleep 1"))
    await submit("snapshot.1.b", path)
    script("snapshot", "#SBATCH -o snapshot.out", "echo second")
    await ended("snapshot.1.b")
    expect(read("snapshot.out")).toBe("first\n")
  })
})

describe("refusals", () => {
  it("says like sbatch what is wrong with a script, and queues nothing", async () => {
    const { options, run, script, submit, work } = start()
    writeFileSync(join(work, "noshebang"), "echo hi\n")
    writeFileSync(join(work, "empty"), " \n")
    const refusal = (path: string, array?: ReadonlyArray<number>) =>
      run(
        Effect.flatMap(Scheduler, (scheduler) =>
          Effect.flip(scheduler.submit({ script: path, name: "x.1.a", nonce: "a", array: array ?? null })))
      )
    expect(await refusal(join(work, "absent"))).toMatchObject({
      _tag: "SubmissionRefusedError",
      message: `sbatch: error: Unable to open file ${join(work, "absent")}`
    })
    for (
      const [path, message] of [
        [join(work, "noshebang"), "This does not look like a batch script"],
        [join(work, "empty"), "Batch script is empty!"],
        [script("time", "#SBATCH --time=soon"), "Invalid --time specification"],
        [script("array", "#SBATCH --array=3-1"), "Invalid job array specification: 3-1"]
      ] as const
    ) {
      expect(await refusal(path)).toMatchObject({
        _tag: "SubmissionRefusedError",
        message: expect.stringContaining(message)
      })
    }
    expect(await refusal(script("none", ":"), [])).toMatchObject({ _tag: "SubmissionRefusedError" })
    expect(existsSync(options.dir)).toBe(false)
    const none = await run(
      Effect.flatMap(
        Scheduler,
        (scheduler) =>
          Effect.zip(scheduler.lookup(["x.1.a"], ""), scheduler.snapshot([{ name: "x.1.a", id: "1", task: null }]))
      )
    )
    expect(none).toEqual([[], { reports: [], unanswered: [], failure: null }])
    expect(await submit("after.1.a", script("after", ":"))).toBe("1")
  })
})

describe("crashes", () => {
  it("learns the exit code of a job that ended while no controller lived", async () => {
    const { controllerPid, ended, run, script, submit, until, work } = start()
    const id = await submit("orphan.1.a", script("orphan", "until [ -e go ]; do sleep 0.1; done; touch done; exit 7"))
    await until("orphan.1.a", ({ state }) => state === "RUNNING")
    const killed = await eventually("a controller", controllerPid)
    kill(killed)
    await eventually("its end", async () => isAlive(killed) ? null : true)
    writeFileSync(join(work, "go"), "")
    await eventually("the job's end", async () => existsSync(join(work, "done")) || null)
    expect(await ended("orphan.1.a")).toMatchObject([{ id, state: "FAILED", exitCode: 7 }])
    expect(await controllerPid()).not.toBe(killed)
    const { calls } = await run(Effect.map(Scheduler, (scheduler) => ({ calls: scheduler.calls })))
    expect(await run(calls)).toMatchObject({ sbatch: 1, scancel: 0 })
  })

  it("enforces the limit of a job that a killed controller had started", async () => {
    const { controllerPid, ended, script, submit, until, work } = start()
    await submit("adopted.1.a", script("adopted", "#SBATCH -t 0:02", "echo run >> runs; sleep 600"))
    await until("adopted.1.a", ({ state }) => state === "RUNNING")
    await lines(join(work, "runs"), 1)
    kill(await eventually("a controller", controllerPid))
    expect(await ended("adopted.1.a")).toMatchObject([{ state: "TIMEOUT" }])
    expect(readFileSync(join(work, "runs"), "utf8")).toBe("run\n")
  })

  it("starts no task twice, however often controllers are killed", async () => {
    const { controllerPid, ended, options, run, script, submit, work } = start({ slots: 3 })
    const indices = Array.from({ length: 12 }, (_, i) => i)
    await submit("often.1.a", script("often", "echo $SLURM_ARRAY_TASK_ID >> runs; sleep 0.2"), indices)
    for (let kills = 0; kills < 6; kills++) {
      const pid = await controllerPid()
      if (pid !== null) kill(pid)
      await Effect.runPromise(Effect.sleep(`${150 + kills * 130} millis`))
      await run(requeue(options, "999"))
    }
    expect((await ended("often.1.a")).map(({ state }) => state)).toEqual(indices.map(() => "COMPLETED"))
    expect((await lines(join(work, "runs"), 12)).map(Number).sort((a, b) => a - b)).toEqual(indices)
  })

  it("reports NODE_FAIL of a job that was killed together with its wrapper and the controller", async () => {
    const { controllerPid, ended, options, script, submit, until } = start()
    await submit("gone.1.a", script("gone", "sleep 600"))
    await until("gone.1.a", ({ state }) => state === "RUNNING")
    kill(await eventually("a controller", controllerPid))
    processesWith("environ", `AUTOEXP_LOCAL_RUN=${options.dir}:`).forEach(kill)
    expect(await ended("gone.1.a")).toMatchObject([{ state: "NODE_FAIL" }])
  })

  it("kills what runs on without its wrapper before it gives the job up", async () => {
    const { ended, options, script, submit, work } = start()
    await submit("headless.1.a", script("headless", "echo $$ > pid; sleep 600"))
    const [pid] = (await lines(join(work, "pid"), 1)).map(Number)
    const wrapper = processesWith("cmdline", `${options.dir}/task.sh`)[0]
    kill(wrapper ?? 0)
    expect(await ended("headless.1.a")).toMatchObject([{ state: "NODE_FAIL" }])
    expect(isAlive(pid ?? 0)).toBe(false)
  })

  it("gives distinct ids to 20 submissions at once", async () => {
    const { script, submit } = start()
    const path = script("many", ":")
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, i) => submit(`many${i}.1.a`, path, i % 3 === 0 ? [1, 2] : undefined))
    )
    expect(new Set(ids).size).toBe(20)
  })

  it("does not know a submission that died before its rename, and runs one that died right after it", async () => {
    const { ended, options, run, submit, script, work } = start()
    const accepted = await run(accept(options.dir, {
      spec: {
        name: "after.1.a",
        comment: "",
        submitDir: work,
        umask: 0o022,
        user: "ada",
        submittedAt: "2026-11-23T03:12:07.114Z",
        directives: Either.getOrThrow(parseDirectives("#!/bin/sh\n"))
      },
      script: "#!/bin/sh\necho run >> runs\n",
      env: { PATH: process.env["PATH"] ?? "" },
      unique: "x"
    }))
    // What a dead process left that had prepared the same submission.
    const dead = spawn("true")
    await new Promise((resolve) => dead.once("exit", resolve))
    const aside = join(options.dir, `tmp-${dead.pid}-y`)
    cpSync(join(options.dir, "jobs", `${accepted}`), aside, { recursive: true })
    writeFileSync(join(aside, "job.json"), readFileSync(join(aside, "job.json"), "utf8").replace("after.1", "before.1"))
    expect(await ended("after.1.a")).toMatchObject([{ id: `${accepted}`, state: "COMPLETED" }])
    expect(await run(Effect.flatMap(Scheduler, (scheduler) => scheduler.lookup(["before.1.a"], "")))).toEqual([])
    expect(readFileSync(join(work, "runs"), "utf8")).toBe("run\n")
    expect(await submit("next.1.b", script("next", ":"))).toBe(`${accepted + 1}`)
    expect(readdirSync(options.dir).filter((entry) => entry.startsWith("tmp-"))).toEqual([])
  })

  it("lets one controller run a directory, however many are started", async () => {
    const { ended, options, script, submit, work } = start()
    const [program = "", ...args] = options.controller
    const rivals = Array.from(
      { length: 5 },
      () => spawn(program, [...args, options.dir, "4", "1", "5"], { stdio: "ignore", cwd: "/" })
    )
    await submit("one.1.a", script("one", "echo $SLURM_ARRAY_TASK_ID >> runs"), [0, 1, 2, 3, 4, 5])
    await ended("one.1.a")
    expect((await lines(join(work, "runs"), 6)).length).toBe(6)
    await eventually(
      "the losers' end",
      async () => rivals.filter(({ exitCode }) => exitCode === null).length <= 1 || null
    )
    expect(rivals.map(({ exitCode }) => exitCode ?? 0)).toEqual([0, 0, 0, 0, 0])
  })

  it("has queued no job or one job when a submitting process is killed", async () => {
    const { ended, options, run, script, work } = start()
    const path = script("killed", "echo run >> runs.$SLURM_JOB_NAME")
    const killAfter = (name: string, millis: number) =>
      new Promise<boolean>((resolve) => {
        const child = spawn(process.execPath, [join(built, "submit.mjs"), options.dir, path, name, controller()], {
          stdio: ["ignore", "pipe", "ignore"]
        })
        let isAnswered = false
        // It says when it begins, and answers when it was told an id.
        child.stdout.on("data", (data: Buffer) => {
          if (`${data}`.includes("begin")) setTimeout(() => child.kill("SIGKILL"), millis)
          if (`${data}`.includes("answer")) isAnswered = true
        })
        child.once("close", () => resolve(isAnswered))
      })
    for (let i = 0; i < 8; i++) {
      const name = `killed${i}.1.a`
      const isAnswered = await killAfter(name, i * 2)
      const found = await run(Effect.flatMap(Scheduler, (scheduler) => scheduler.lookup([name], "")))
      expect(found.length).toBeGreaterThanOrEqual(isAnswered ? 1 : 0)
      expect(found.length).toBeLessThanOrEqual(1)
      if (found.length === 1) {
        await ended(name)
        expect(readFileSync(join(work, `runs.${name}`), "utf8")).toBe("run\n")
      }
    }
  })
})

describe("controller", () => {
  it("ends when there is nothing to do, and comes back for the next job", async () => {
    const { controllerPid, ended, script, submit } = start({ idleSeconds: 0.3 })
    await submit("one.1.a", script("one", ":"))
    await ended("one.1.a")
    await eventually("the controller's end", async () => ((await controllerPid()) === null ? true : null))
    await submit("two.1.b", script("two", ":"))
    expect(await ended("two.1.b")).toMatchObject([{ state: "COMPLETED" }])
  })

  it("puts a job back into the queue on demand", async () => {
    const { ended, options, run, script, submit, until, work } = start()
    const count = "echo ${SLURM_RESTART_COUNT:-none} >> counts.$SLURM_ARRAY_TASK_ID"
    const wait = "[ $SLURM_ARRAY_TASK_ID = 1 ] || until [ -e go ]; do sleep 0.1; done"
    const id = await submit("again.1.a", script("again", count, wait, "exit 1"), [1, 2])
    await lines(join(work, "counts.2"), 1)
    await until("again.1.a", ({ end, task }) => task === 2 || end !== null)
    await run(requeue(options, id))
    expect(await lines(join(work, "counts.1"), 2)).toEqual(["none", "1"])
    expect(await lines(join(work, "counts.2"), 2)).toEqual(["none", "1"])
    writeFileSync(join(work, "go"), "")
    expect((await ended("again.1.a")).map(({ state }) => state)).toEqual(["FAILED", "FAILED"])
  })

  it("keeps a job's environment as long as a task may start, and no longer", async () => {
    const { ended, options, run, script, submit, until, work } = start({ slots: 1 })
    const kept = (id: string) => existsSync(join(options.dir, "jobs", id, "env.json"))
    const id = await submit("secret.1.a", script("secret", "echo run >> runs; until [ -e go ]; do sleep 0.1; done"), [
      1,
      2
    ])
    const waiting = await submit("waiting.1.b", script("waiting", "touch started"))
    await lines(join(work, "runs"), 1)
    expect([id, waiting].map(kept)).toEqual([true, true])
    await run(
      Effect.flatMap(Scheduler, (scheduler) => scheduler.cancel({ name: "waiting.1.b", id: waiting, task: null }))
    )
    await run(Effect.flatMap(Scheduler, (scheduler) => scheduler.cancel({ name: "secret.1.a", id, task: 1 })))
    await ended("waiting.1.b")
    await lines(join(work, "runs"), 2)
    await until("secret.1.a", ({ end, task }) => task === 2 || end !== null)
    expect([id, waiting].map(kept)).toEqual([true, false])
    writeFileSync(join(work, "go"), "")
    expect((await ended("secret.1.a")).map(({ state }) => state)).toEqual(["CANCELLED", "COMPLETED"])
    expect([id, waiting].map(kept)).toEqual([false, false])
  })

  it("does not run a job again that is over", async () => {
    const { ended, options, run, script, submit, work } = start()
    const id = await submit("over.1.a", script("over", "echo run >> runs"))
    const reports = await ended("over.1.a")
    await run(requeue(options, id))
    await eventually("the request's end", async () => readdirSync(join(options.dir, "requests")).length === 0 || null)
    expect(await ended("over.1.a")).toEqual(reports)
    expect(readFileSync(join(work, "runs"), "utf8")).toBe("run\n")
  })

  it("says why it cannot be started", async () => {
    const broken = cluster = makeCluster(join(built, "absent.mjs"))
    await broken.submit("never.1.a", broken.script("never", ":"))
    const error = await eventually(
      "the failure",
      () =>
        broken.run(
          Effect.flatMap(Scheduler, (scheduler) =>
            scheduler.lookup(["never.1.a"], "").pipe(Effect.as(null), Effect.catchAll(Effect.succeed)))
        )
    )
    expect(error).toMatchObject({ _tag: "SchedulerUnavailableError" })
    expect(error.message).toContain("controller.log")
  })
})

describe("srun", () => {
  it("runs the command once a task and exits with the highest code", async () => {
    const { ended, read, script, submit } = start()
    await submit(
      "ranks.1.a",
      script(
        "ranks",
        "#SBATCH --ntasks=2 --output=ranks.out",
        "srun -l --cpu-bind=none --mpi pmix -N1 -c 4 --export=ALL --kill-on-bad-exit=0 -u \\",
        "  bash -c 'echo \"$SLURM_PROCID/$SLURM_NTASKS $SLURM_LOCALID $1\" > rank.$SLURM_PROCID; exit $((SLURM_PROCID * 4))' _ 'a  b'",
        "echo srun said $?",
        "srun -n3 -- sh -c 'cat; echo $SLURM_STEP_NUM_TASKS' < /dev/null",
        "srun --ntasks 1 sh -c 'kill -9 $$'"
      )
    )
    expect(await ended("ranks.1.a")).toMatchObject([{ state: "FAILED", exitCode: 137 }])
    expect(read("rank.0")).toBe("0/2 0 a  b\n")
    expect(read("rank.1")).toBe("1/2 1 a  b\n")
    expect(read("ranks.out")).toBe(
      `srun: error: ${node}: task 1: Exited with exit code 4\nsrun said 4\n3\n3\n3\nsrun: error: ${node}: task 0: Killed\n`
    )
  })

  it("ends all tasks when one fails under --kill-on-bad-exit, and passes TERM on", async () => {
    const { ended, read, script, submit } = start()
    await submit(
      "bad.1.a",
      script(
        "bad",
        "#SBATCH --output=bad.out",
        "srun -K -n 2 bash -c 'if [ $SLURM_PROCID = 1 ]; then exit 5; fi; exec sleep 600'",
        "echo first $?",
        "srun -n 2 sleep 600 & pid=$!",
        "sleep 0.5; kill -TERM $pid; wait $pid; echo second $?"
      )
    )
    await ended("bad.1.a")
    expect(read("bad.out")).toContain("first 143\n")
    expect(read("bad.out")).toContain("second 143\n")
  })
})

describe("scontrol", () => {
  it("expands host lists", async () => {
    const { ended, read, script, submit } = start()
    await submit(
      "hosts.1.a",
      script("hosts", "#SBATCH -o hosts.out", "scontrol show hostnames 'gpu[01-03,7]-ib,login'")
    )
    await ended("hosts.1.a")
    expect(read("hosts.out")).toBe("gpu01-ib\ngpu02-ib\ngpu03-ib\ngpu7-ib\nlogin\n")
  })
})
