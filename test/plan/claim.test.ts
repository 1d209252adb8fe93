import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { claimLines } from "../../src/plan/claim.ts"
import { folder, run } from "./shells.ts"

const name = "toy_lr0.1.5_it's"

/** A script that claims, and then writes a line into `started` of its output directory. */
const plant = (array = false) => {
  const home = folder()
  const jobs = [0, 3].map((index) => ({
    name: `${name}${index}`,
    index,
    task: index,
    outputDir: path.join(home, `out ${index}`)
  }))
  jobs.forEach(({ outputDir }) => fs.mkdirSync(outputDir))
  const claim = claimLines("plan-1", array ? "toy-array" : name, array ? jobs : jobs.slice(0, 1), array)
  const file = path.join(home, "job.sh")
  fs.writeFileSync(
    file,
    `${claim}\necho "$AUTOEXP_JOB|$AUTOEXP_ATTEMPT|$AUTOEXP_NONCE|$AUTOEXP_PLAN_ID" >> '${home}/started'\nenv > '${home}/env'\n`
  )
  const started = () =>
    fs.existsSync(`${home}/started`) ? fs.readFileSync(`${home}/started`, "utf8").split("\n").slice(0, -1) : []
  return {
    home,
    started,
    file,
    start: (jobName: string, env: Readonly<Record<string, string>> = {}, shell = "bash") =>
      run([shell, "-eu", file], { SLURM_JOB_NAME: jobName, SLURM_JOB_ID: "7", ...env })
  }
}

describe("the claim", () => {
  it("lets one of many simultaneous starts run, and the others end with 75 and a sentence", async () => {
    const { start, started } = plant()
    for (const attempt of [1, 2, 3]) {
      const ended = await Promise.all(
        Array.from({ length: 8 }, (_, id) => start(`${name}.${attempt}.n0nce`, { SLURM_JOB_ID: `${id}` }))
      )
      expect(ended.map(({ code }) => code).sort()).toEqual([0, ...Array(7).fill(75)])
      for (const { stderr } of ended.filter(({ code }) => code === 75)) {
        expect(stderr).toMatch(
          new RegExp(
            `^autoexp: attempt ${attempt} of job ${name}0 was started before \\(job_id=\\d array_job_id= nonce=n0nce host=\\S+\\); this start ends here\n$`
          )
        )
      }
    }
    expect(started()).toEqual([1, 2, 3].map((attempt) => `${name}0|${attempt}|n0nce|plan-1`))
  })

  it.each(["bash", "sh"])("names job, attempt, nonce and plan, and leaves no other traces: %s", async (shell) => {
    const { home, start, started } = plant()
    expect(await start(`${name}.12.a-b_c`, {}, shell)).toEqual({ code: 0, stdout: "", stderr: "" })
    expect(started()).toEqual([`${name}0|12|a-b_c|plan-1`])
    expect(fs.readdirSync(`${home}/out 0/.attempts`)).toEqual(["plan-1.12", "plan-1.12.exit"])
    expect(fs.readFileSync(`${home}/out 0/.attempts/plan-1.12`, "utf8")).toMatch(
      /^job_id=7\narray_job_id=\nnonce=a-b_c\nhost=\S+\n$/
    )
    expect(fs.readFileSync(`${home}/env`, "utf8")).not.toMatch(/^autoexp_/m)
  })

  it.each([name, "", "other.1.nonce", `${name}.x1.nonce`, `${name}.1x.nonce`, `${name}.1`, `${name}.0.nonce`])(
    "goes on as attempt 0 when started by hand: %j",
    async (jobName) => {
      const { home, start, started } = plant()
      for (const _ of [1, 2]) {
        const { code, stderr } = await start(jobName)
        expect({ code, stderr }).toEqual({
          code: 0,
          stderr: "autoexp: started by hand, without an attempt in the job's name; nothing watches it\n"
        })
      }
      expect(started()).toEqual(Array(2).fill(`${name}0|0||plan-1`))
      expect(fs.existsSync(`${home}/out 0/.attempts`)).toBe(false)
    }
  )

  it("needs no variable of a scheduler", async () => {
    const { file, started } = plant()
    expect((await run(["bash", "-eu", file])).code).toBe(0)
    expect(started()).toEqual([`${name}0|0||plan-1`])
  })

  it("is each array task's own", async () => {
    const { home, start, started } = plant(true)
    const task = (index: number) => start("toy-array.1.abc", { SLURM_ARRAY_TASK_ID: `${index}` })
    const ended = [await task(0), await task(3), await task(3), await task(1)]
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 75, 64])
    expect(ended[3]?.stderr).toBe("autoexp: there is no array task \"1\" in this plan\n")
    expect(started()).toEqual([`${name}0|1|abc|plan-1`, `${name}3|1|abc|plan-1`])
    expect([0, 3].map((index) => fs.readdirSync(`${home}/out ${index}/.attempts`))).toEqual([0, 3].map(() => [
      "plan-1.1",
      "plan-1.1.exit"
    ]))
  })

  it("lets the scheduler's requeue of the same job run once more, and no other job", async () => {
    const { start, started } = plant()
    const requeue = (id: string) => start(`${name}.1.abc`, { SLURM_JOB_ID: id, SLURM_RESTART_COUNT: "1" })
    await start(`${name}.1.abc`)
    const ended = [await requeue("8"), await requeue("7"), await requeue("7")]
    expect(ended.map(({ code }) => code)).toEqual([75, 0, 75])
    expect(started()).toHaveLength(2)
  })

  it("ends with 74 where it cannot be written, rather than run unclaimed", async () => {
    const { home, start, started } = plant()
    fs.writeFileSync(`${home}/out 0/.attempts`, "no directory")
    const { code, stderr } = await start(`${name}.1.abc`)
    expect(code).toBe(74)
    expect(stderr).toContain(`autoexp: attempt 1 of job ${name}0 cannot be claimed`)
    expect(started()).toEqual([])
  })

  it("does not let an attempt begin that a later one has followed, such as a requeue that nobody expected", async () => {
    const { start, started } = plant()
    await start(`${name}.9.abc`)
    await start(`${name}.10.abc`)
    const { code, stderr } = await start(`${name}.9.abc`, { SLURM_RESTART_COUNT: "1" })
    expect({ code, stderr }).toEqual({
      code: 75,
      stderr: `autoexp: attempt 10 of job ${name}0 was started since; this start of attempt 9 ends here\n`
    })
    expect(started()).toHaveLength(2)
  })

  it.each(["bash", "sh"])(
    "leaves the script's exit code at its end, and none while a requeued run goes on: %s",
    async (shell) => {
      const { file, home, start } = plant()
      const marker = `${home}/out 0/.attempts/plan-1.1.exit`
      fs.appendFileSync(file, `test ! -e "${marker}" || echo "a marker while it runs" >&2\nexit 3\n`)
      expect(await start(`${name}.1.abc`, {}, shell)).toEqual({ code: 3, stdout: "", stderr: "" })
      expect(fs.readFileSync(marker, "utf8")).toBe("nonce=abc\nexit_code=3\n")
      expect(await start(`${name}.1.abc`, { SLURM_RESTART_COUNT: "1" }, shell)).toEqual({
        code: 3,
        stdout: "",
        stderr: ""
      })
    }
  )

  it("tells the id of the whole array, which a task's own id is not", async () => {
    const { home, start } = plant(true)
    await start("toy-array.1.abc", { SLURM_ARRAY_TASK_ID: "3", SLURM_ARRAY_JOB_ID: "5" })
    expect(fs.readFileSync(`${home}/out 3/.attempts/plan-1.1`, "utf8")).toContain("job_id=7\narray_job_id=5\n")
  })

  it("links current.log to the log of the latest start", async () => {
    const { file, home } = plant()
    for (const attempt of ["1", "2"]) {
      await run(["bash", "-c", `exec bash -eu '${file}' > '${home}/slurm ${attempt}.out'`], {
        SLURM_JOB_NAME: `${name}.${attempt}.abc`
      })
      expect(fs.readlinkSync(`${home}/out 0/current.log`)).toBe(`${home}/slurm ${attempt}.out`)
    }
  })
})
