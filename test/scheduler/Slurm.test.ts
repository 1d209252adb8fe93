import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { expect } from "vitest"
import type { JobRef, Submission } from "../../src/port/Scheduler.ts"
import { accountingDown, books, controllerDown, noAccounts, queue, scripted } from "./support/scriptedSlurm.ts"

const submission = (name = "a.1.n0nce", array: ReadonlyArray<number> | null = null): Submission => ({
  script: "/scripts/a.sbatch",
  name,
  nonce: "n0nce",
  array
})
const job = (id = "100", name = "a.1.n0nce", task: number | null = null): JobRef => ({ id, name, task })
const since = "2026-11-23T10:00:00.000Z"
const calm = TestClock.adjust("10 minutes")

describe("a submission to SLURM", () => {
  it.effect("carries its nonce on the command line, in the job's name and comment", () => {
    const slurm = scripted({ sbatch: ["sbatch", "--qos=x"] })
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        expect(yield* scheduler.submit(submission())).toMatchObject({ id: "100", cluster: "test" })
        expect(yield* scheduler.submit(submission("arr.2.n0nce", [0, 3, 4, 5]))).toMatchObject({
          id: "100",
          cluster: "test"
        })
        expect(slurm.asked.slice(1).map(({ args }) => args)).toEqual([
          ["--qos=x", "--parsable", "--job-name=a.1.n0nce", "--comment=n0nce", "/scripts/a.sbatch"],
          ["--qos=x", "--parsable", "--job-name=arr.2.n0nce", "--comment=n0nce", "--array=0,3-5", "/scripts/a.sbatch"]
        ])
      })
    )
  })

  it.effect("W-23: knows the id from an answer alone that can be nothing else", () => {
    const slurm = scripted()
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        slurm.answers.sbatch = { stdout: "Welcome, 3 nodes ok\n12345;lumi\n" }
        expect(yield* scheduler.submit(submission())).toMatchObject({ id: "12345", cluster: "lumi" })
        for (const stdout of ["", "2 nodes ok\n", "Submitted batch job 7\n", "7\n8\n"]) {
          slurm.answers.sbatch = { stdout }
          yield* calm
          assert.strictEqual((yield* Effect.flip(scheduler.submit(submission())))._tag, "SchedulerUnavailableError")
        }
      })
    )
  })

  it.effect("is in doubt after whatever may have come behind its acceptance, and refused only by SLURM's own word", () => {
    const slurm = scripted()
    const fail = "sbatch: error: Batch job submission failed:"
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        for (
          const [answer, tag, temporary] of [
            ["hang", "SchedulerUnavailableError"],
            [{ exitCode: 1, stderr: `${fail} Socket timed out on send/recv operation` }, "SchedulerUnavailableError"],
            [{ exitCode: 1, stderr: `${fail} Unable to contact slurm controller` }, "SchedulerUnavailableError"],
            [{ exitCode: 1, stderr: "oops" }, "SchedulerUnavailableError"],
            [{ exitCode: 1, stdout: "99\n", stderr: `${fail} Invalid account` }, "SchedulerUnavailableError"],
            [{ exitCode: 137 }, "SchedulerUnavailableError"],
            [{ exitCode: 1, stderr: `${fail} Invalid partition name specified` }, "SubmissionRefusedError", false],
            [
              {
                exitCode: 1,
                stderr: `sbatch: error: QOSMaxSubmitJobPerUserLimit\n${fail} Job violates accounting/QOS` +
                  " policy (job submit limit, user's size and/or time limits)"
              },
              "SubmissionRefusedError",
              true
            ]
          ] as const
        ) {
          slurm.answers.sbatch = answer
          yield* calm
          const error = yield* Effect.flip(scheduler.submit(submission()))
          expect(error).toMatchObject({ _tag: tag, ...(temporary === undefined ? {} : { temporary }) })
        }
      })
    )
  })

  it.effect("is given the time in which sbatch itself tries again at a full queue, and is then refused for now", () => {
    const slurm = scripted()
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        slurm.answers.sbatch = {
          exitCode: 1,
          stderr: "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying\n".repeat(15) +
            "sbatch: error: Batch job submission failed: Resource temporarily unavailable\n"
        }
        expect(yield* Effect.flip(scheduler.submit(submission()))).toMatchObject({ temporary: true })
        expect(slurm.asked.at(-1)?.timeoutSeconds).toBeGreaterThan(120)
      })
    )
  })

  it.effect("is not tried while the controller is known to be down, which leaves no doubt", () => {
    const slurm = scripted()
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        slurm.answers.features = controllerDown
        expect(yield* Effect.flip(scheduler.submit(submission()))).toMatchObject({
          _tag: "SchedulerBusyError",
          failure: "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"
        })
        expect(yield* Effect.flip(scheduler.submit(submission()))).toMatchObject({ failure: null })
        expect(slurm.names()).toEqual(["features"])
      })
    )
  })
})

describe("a lost answer", () => {
  it.effect("is looked up by name in squeue and in sacct from before the intent, all names at once", () => {
    const slurm = scripted()
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        slurm.answers.squeue = queue(["7", "PENDING", "a.1.n0nce"], ["8", "RUNNING", "a.1.other"])
        slurm.answers.sacct = books(["9", "CANCELLED by 0", "0:0", "b.1.x"], ["10", "PENDING", "0:0", "allocation"])
        const found = yield* scheduler.lookup(["a.1.n0nce", "b.1.x", "c.1.y"], since)
        expect(found.map(({ id, name }) => [id, name])).toEqual([["7", "a.1.n0nce"], ["9", "b.1.x"]])
        expect(slurm.names()).toEqual(["features", "squeue", "sacct"])
        expect(slurm.asked[2]?.args).toContain("--starttime=2026-11-23T09:00:00")
        expect(slurm.asked[2]?.args.filter((arg) => /^--(jobs|name)/.test(arg))).toEqual([])
      })
    )
  })

  it.effect("is not missing before both have answered", () => {
    const slurm = scripted()
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        for (
          const [squeue, sacct] of [
            [controllerDown, books()],
            [queue(), accountingDown],
            [queue(), "hang"],
            [{ stdout: "" }, books()],
            [queue(), { stdout: "" }],
            [{ ...queue() as object, stderr: "squeue: error: Invalid user: 1001" }, books()]
          ] as const
        ) {
          slurm.answers.squeue = squeue
          slurm.answers.sacct = sacct
          yield* calm
          assert.strictEqual(
            (yield* Effect.flip(scheduler.lookup(["a.1.n0nce"], since)))._tag,
            "SchedulerUnavailableError"
          )
        }
        slurm.answers.squeue = queue()
        slurm.answers.sacct = books()
        yield* calm
        expect(yield* scheduler.lookup(["a.1.n0nce"], since)).toEqual([])
      })
    )
  })
})

describe("a look at jobs", () => {
  it.effect("is one squeue while all live, and one sacct more when some do not, however many", () => {
    const slurm = scripted()
    const jobs = Array.from({ length: 500 }, (_, i) => job(`${1000 + i}`, `j${i}.1.n`))
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        slurm.answers.squeue = queue(...jobs.map(({ id, name }) => [id, "RUNNING", name] as const))
        expect((yield* scheduler.snapshot(jobs)).reports).toHaveLength(500)
        expect(slurm.names()).toEqual(["features", "squeue"])
        slurm.answers.squeue = queue()
        slurm.answers.sacct = books(...jobs.map(({ id, name }) => [id, "COMPLETED", "0:0", name] as const))
        const { reports } = yield* scheduler.snapshot(jobs)
        expect(reports.map(({ exitCode, state }) => `${state} ${exitCode}`)).toEqual(jobs.map(() => "COMPLETED 0"))
        expect(slurm.names(2)).toEqual(["squeue", "sacct"])
        expect(yield* scheduler.calls).toEqual({ scontrol: 1, squeue: 2, sacct: 1 })
      })
    )
  })

  it.effect("asks the accounting by lists that fit into an argument", () => {
    const slurm = scripted()
    const jobs = Array.from({ length: 30_000 }, (_, i) => job(`${1_000_000 + i}`, `j${i}.1.n`))
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        slurm.answers.sacct = books(...jobs.map(({ id, name }) => [id, "COMPLETED", "0:0", name] as const))
        expect((yield* scheduler.snapshot(jobs)).reports).toHaveLength(30_000)
        const lists = slurm.asked.flatMap(({ args }) => args.filter((arg) => arg.startsWith("--jobs=")))
        expect(lists.map((list) => list.length < 128 * 1024)).toEqual([true, true, true])
        expect(new Set(lists.flatMap((list) => list.slice("--jobs=".length).split(","))).size).toBe(30_000)
      })
    )
  })

  it.effect("hides behind nothing that a profile sets", () => {
    const slurm = scripted()
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        yield* scheduler.snapshot([job()])
        for (const { env } of slurm.asked.slice(1)) {
          expect(env).toMatchObject({
            TZ: "UTC",
            SQUEUE_PARTITION: null,
            SQUEUE_STATES: null,
            SLURM_TIME_FORMAT: "standard"
          })
        }
      })
    )
  })

  it.effect("that fails, is cut or is empty changes nothing, and tells of no missing job", () => {
    const slurm = scripted()
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        const whole = queue(["100", "RUNNING", "a.1.n0nce"]) as { readonly stdout: string }
        for (
          const answer of [controllerDown, "hang", {}, { stdout: whole.stdout.slice(0, -2) }, { exitCode: 1 }] as const
        ) {
          slurm.answers.squeue = answer
          yield* calm
          expect(yield* Effect.flip(scheduler.snapshot([job()]))).toMatchObject({ _tag: "SchedulerUnavailableError" })
          // Until the failure has been waited out nobody is asked, and nothing is said.
          expect(yield* scheduler.snapshot([job()])).toEqual({ reports: [], unanswered: [job()], failure: null })
        }
      })
    )
  })

  it.effect("goes on for what lives while the accounting is down, and leaves the others open", () => {
    const slurm = scripted()
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        slurm.answers.squeue = queue(["1", "RUNNING", "a.1.n"])
        slurm.answers.sacct = accountingDown
        const jobs = [job("1", "a.1.n"), job("2", "b.1.n")]
        const first = yield* scheduler.snapshot(jobs)
        expect(first).toMatchObject({ reports: [{ id: "1" }], unanswered: [jobs[1]], failure: { command: "sacct" } })
        const second = yield* scheduler.snapshot(jobs)
        expect(second).toMatchObject({ reports: [{ id: "1" }], unanswered: [jobs[1]], failure: null })
        expect(slurm.names()).toEqual(["features", "squeue", "sacct", "squeue"])
        slurm.answers.sacct = books(["2", "NODE_FAIL", "0:0", "b.1.n"])
        yield* calm
        expect(yield* scheduler.snapshot(jobs)).toMatchObject({
          reports: [{ id: "1" }, { id: "2", state: "NODE_FAIL", end: "2026-11-23T10:30:00.000Z" }],
          unanswered: [],
          failure: null
        })
      })
    )
  })

  it.effect("asks scontrol for exit codes where nobody keeps accounts, and sacct never", () => {
    const slurm = scripted()
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        slurm.answers.features = noAccounts
        slurm.answers.squeue = queue(["100", "FAILED", "a.1.n0nce"])
        slurm.answers.scontrol = {
          stdout:
            "JobId=100 JobName=a.1.n0nce UserId=ada(7) JobState=FAILED Reason=NonZeroExitCode Dependency=(null) " +
            "ExitCode=3:0 SubmitTime=2026-11-23T10:00:00 StartTime=2026-11-23T10:00:01 EndTime=2026-11-23T10:00:09 NodeList=n1\n"
        }
        expect(yield* scheduler.snapshot([job(), job("101", "b.1.n")])).toMatchObject({
          reports: [{ id: "100", state: "FAILED", exitCode: 3, nodes: "n1" }],
          unanswered: []
        })
        expect(slurm.names()).toEqual(["features", "squeue", "scontrol"])
        expect(yield* scheduler.lookup(["c.1.n"], since)).toEqual([])
        expect(slurm.names()).not.toContain("sacct")
      })
    )
  })

  it.effect("by several within the shortest time between two polls is one call, and makes no younger job missing", () => {
    const slurm = scripted({ minPollSeconds: 30 })
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        slurm.answers.squeue = queue(["1", "RUNNING", "a.1.n"])
        yield* scheduler.snapshot([job("1", "a.1.n")])
        yield* TestClock.adjust("20 seconds")
        expect(yield* scheduler.snapshot([job("1", "a.1.n"), job("2", "b.1.n")])).toMatchObject({
          reports: [{ id: "1" }],
          unanswered: [job("2", "b.1.n")],
          failure: null
        })
        expect((yield* scheduler.calls)["squeue"]).toBe(1)
        yield* TestClock.adjust("11 seconds")
        yield* scheduler.snapshot([job("1", "a.1.n")])
        expect((yield* scheduler.calls)["squeue"]).toBe(2)
      })
    )
  })
})

describe("calls of SLURM's commands", () => {
  it.effect("keep to their number in a minute, and submissions leave some for looking", () => {
    const slurm = scripted({ callsPerMinute: 20 })
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        const submitAll = Effect.gen(function*() {
          let accepted = 0
          for (;;) {
            const result = yield* Effect.either(scheduler.submit(submission()))
            if (result._tag === "Left") {
              expect(result.left).toMatchObject({ _tag: "SchedulerBusyError", failure: null })
              return accepted
            }
            accepted += 1
          }
        })
        const first = yield* submitAll
        expect(first).toBeLessThan(20)
        expect(first).toBeGreaterThan(10)
        slurm.answers.squeue = queue(["100", "RUNNING", "a.1.n0nce"])
        expect((yield* scheduler.snapshot([job()])).reports).toHaveLength(1)
        const before = slurm.asked.length
        for (let minute = 0; minute < 3; minute++) {
          yield* TestClock.adjust("1 minute")
          yield* submitAll
        }
        expect(slurm.asked.length - before).toBeLessThanOrEqual(60)
      })
    )
  })

  it.effect("wait longer after each failure in a row, not all alike, and at once no longer after a success", () => {
    const slurm = scripted()
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        yield* scheduler.snapshot([])
        slurm.answers.squeue = controllerDown
        const waits: Array<number> = []
        let last = slurm.asked.length
        let waited = 0
        while (waits.length < 8) {
          yield* TestClock.adjust("1 second")
          waited += 1
          yield* Effect.either(scheduler.snapshot([job()]))
          if (slurm.asked.length === last) continue
          waits.push(waited)
          last = slurm.asked.length
          waited = 0
        }
        const gaps = waits.slice(1)
        gaps.forEach((gap, i) => {
          expect(gap).toBeGreaterThanOrEqual(Math.min(150, 2 * 2 ** i))
          expect(gap).toBeLessThanOrEqual(Math.min(300, 4 * 2 ** i) + 1)
        })
        slurm.answers.squeue = queue()
        yield* TestClock.adjust("5 minutes")
        yield* scheduler.snapshot([job()])
        yield* scheduler.snapshot([job()])
        expect(slurm.names(last)).toEqual(["squeue", "sacct", "squeue", "sacct"])
      })
    )
  })
})

describe("a cancellation", () => {
  it.effect("of a plain job says its name too, so that no later job of the id dies", () => {
    const slurm = scripted()
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        yield* scheduler.cancel(job())
        expect(slurm.asked).toMatchObject([{ program: "scancel", args: ["--name=a.1.n0nce", "100"] }])
      })
    )
  })

  it.effect("of an array task never uses --name, by which SLURM cancels all waiting tasks, and looks first whose id it is", () => {
    const slurm = scripted()
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        slurm.answers.squeue = queue(["100_3", "PENDING", "arr.1.n"], ["200_3", "PENDING", "other.1.x"])
        yield* scheduler.cancel(job("100", "arr.1.n", 3))
        yield* scheduler.cancel(job("200", "arr.1.n", 3))
        expect(slurm.asked.filter(({ program }) => program === "scancel").map(({ args }) => args)).toEqual([["100_3"]])
      })
    )
  })

  it.effect("that SLURM did not take is said, and one of a job that is gone is done", () => {
    const slurm = scripted()
    return slurm.run((scheduler) =>
      Effect.gen(function*() {
        slurm.answers.scancel = {
          exitCode: 210,
          stderr: "scancel: error: Kill job error on job id 100: Access/permission denied"
        }
        expect(yield* Effect.flip(scheduler.cancel(job()))).toMatchObject({ _tag: "SchedulerUnavailableError" })
        slurm.answers.scancel = {
          exitCode: 1,
          stderr: "scancel: error: Kill job error on job id 100: Invalid job id specified"
        }
        yield* calm
        yield* scheduler.cancel(job())
      })
    )
  })
})
