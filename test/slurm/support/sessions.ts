/** The built program in a folder of its own, running a bash script as its job on the real cluster. */
import * as fs from "node:fs"
import * as path from "node:path"
import { type Demo, type JournalLine, makeDemo } from "../../e2e/demo.ts"
import { dir } from "./cluster.ts"
import { until } from "./commands.ts"

export interface Shown {
  readonly plan_id: string
  readonly status: string
  readonly jobs: ReadonlyArray<{
    readonly name: string
    readonly outcome: string
    readonly attempts: number
    readonly restarts: ReadonlyArray<{ readonly cause: string }>
  }>
}

/** What each run of the script told: `begin` and `end`, with job, attempt, nonce and SLURM's id. */
export interface Told {
  readonly what: string
  readonly job: string
  readonly attempt: string
  readonly nonce: string
  readonly id: string
}

const demos: Array<Demo> = []
/** Ends and removes all that was begun. */
export const removeAll = (): Promise<unknown> => Promise.all(demos.splice(0).map((demo) => demo.remove()))

/** The environment that SLURM's commands need, which jobs get as well. */
export const environment = { SLURM_CONF: path.join(dir, "etc", "slurm.conf") }

export const begin = (name: string, script: string, overrides: ReadonlyArray<string> = []) => {
  const demo = makeDemo()
  demos.push(demo)
  const ledger = path.join(demo.folder, "ledger.txt")
  const command = path.join(demo.folder, "job.sh")
  const tell = (what: string) =>
    `echo "${what} $AUTOEXP_JOB $AUTOEXP_ATTEMPT $AUTOEXP_NONCE $SLURM_JOB_ID" >> '${ledger}'`
  fs.writeFileSync(command, `${tell("begin")}\n${script}\n${tell("end")}\n`)
  const planId = `${name}-1`
  const ended = demo.run([
    "run",
    "--plan-id",
    planId,
    "slurm=demo",
    "scheduler=default",
    "backend=command",
    `backend.command=[bash,'${command}']`,
    "sweep=none",
    `project.name=${name}`,
    // These jobs print nothing, however long SLURM takes over them.
    "monitoring.inactivity_threshold_seconds=null",
    ...overrides
  ], environment)
  let isOver = false
  void ended.finally(() => isOver = true)
  const journal = (type: string): ReadonlyArray<JournalLine> =>
    fs.existsSync(demo.stateDir) ? demo.journal(planId).filter((line) => line.type === type) : []
  return {
    demo,
    ended,
    journal,
    told: (what: string): ReadonlyArray<Told> =>
      fs.existsSync(ledger)
        ? fs.readFileSync(ledger, "utf8").trim().split("\n").map((line): Told => {
          const [what = "", job = "", attempt = "", nonce = "", id = ""] = line.split(" ")
          return { what, job, attempt, nonce, id }
        }).filter((told) => told.what === what)
        : [],
    /** Until the journal has as many records of a type. */
    reaches: (type: string, count = 1) =>
      until(`${count} ${type}`, async () => {
        const over = isOver
        const found = journal(type)
        if (found.length < count && over) {
          throw new Error(`it ended without ${count} ${type}: ${JSON.stringify(await ended)}`)
        }
        return found.length >= count ? found : null
      }, 90),
    shown: () => demo.json<Shown>(["session", "show", planId])
  }
}

export type Session = ReturnType<typeof begin>

/** How the program ended, and what it shows of the session afterwards. */
export const endOf = async (session: Session) => {
  const { code, stderr, stdout } = await session.ended
  return { code, said: stdout + stderr, ...(await session.shown()) }
}
