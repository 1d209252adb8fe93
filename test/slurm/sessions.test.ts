/** Whole sessions while SLURM misbehaves. Judges: the jobs' own ledger, and SLURM's books. */
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, afterEach, describe, expect, it } from "vitest"
import { everHad } from "./support/accounting.ts"
import { clear, configured, dir, down, downNode, up, upNode, without } from "./support/cluster.ts"
import { output, until } from "./support/commands.ts"
import { begin, endOf, removeAll, type Session } from "./support/sessions.ts"

afterEach(clear)
afterAll(removeAll)

const running = (session: Session) => until("the script to run", async () => session.told("begin")[0] ?? null, 90)

/** A program that does what `line` says as often as `times`, and then what it stands for. */
const faulty = (name: string, times: number, line: string): string => {
  const file = path.join(dir, `faulty-${name}`)
  fs.writeFileSync(`${file}.left`, String(times))
  fs.writeFileSync(
    file,
    `#!/bin/bash
left=$(cat '${file}.left')
if [ "$left" -gt 0 ]; then
  echo $((left - 1)) > '${file}.left'
  ${line}
fi
exec ${name} "$@"
`,
    { mode: 0o755 }
  )
  return file
}

/** No attempt ran twice, by the jobs themselves; and SLURM had no more jobs than ran. */
const ranOnce = async (session: Session, project: string) => {
  const starts = session.told("begin").map(({ attempt, job }) => `${job} ${attempt}`)
  expect(new Set(starts).size).toBe(starts.length)
  expect(session.told("end").length).toBe(session.told("begin").length)
  expect(await everHad(project)).toEqual(new Set(session.told("begin").map(({ id }) => id)))
}

describe("a session", () => {
  const sweep = [
    "+sweep.axes.point=[0,1,2,3,4,5,6,7,8,9]",
    "sweep.name_template=\"{project}_{point}\""
  ]

  it("whose controller restarts while it submits submits each job once", async () => {
    const session = begin("restarted", "sleep 1", [...sweep, "scheduler.settle_seconds=12"])
    await session.reaches("JobSubmitted", 2)
    // Which of its commands meets the outage first is chance: after squeue has failed, sbatch is not called.
    await without(
      "slurmctld",
      "stop",
      () => Promise.any([session.reaches("SubmissionUnanswered"), session.reaches("SchedulerFailed")])
    )
    const ended = await endOf(session)
    expect(ended.code, ended.said).toBe(0)
    expect(ended.jobs.map(({ attempts, outcome }) => [outcome, attempts])).toEqual(Array(10).fill(["success", 1]))
    await ranOnce(session, "restarted")
  })

  it("whose controller freezes while it submits submits each job once", async () => {
    const session = begin("frozen", "sleep 1", sweep)
    await session.reaches("JobSubmitted", 2)
    await without("slurmctld", "hang", () => session.reaches("SubmissionUnanswered"))
    const ended = await endOf(session)
    expect(ended.code, ended.said).toBe(0)
    expect(ended.jobs.map(({ attempts, outcome }) => [outcome, attempts])).toEqual(Array(10).fill(["success", 1]))
    await ranOnce(session, "frozen")
  })

  it("whose jobs the controller forgets submits them again, and takes nothing from their budget", async () => {
    const session = begin("forgotten", "sleep 2", [
      ...sweep,
      "slurm.sbatch.partition=down",
      "scheduler.settle_seconds=12"
    ])
    await session.reaches("JobSubmitted", 10)
    await down("slurmctld", "kill")
    await up("slurmctld")
    await output(["scontrol", "update", "partitionname=down", "state=up"])
    try {
      const ended = await endOf(session)
      expect(ended.code, ended.said).toBe(0)
      expect(ended.jobs.map(({ outcome }) => outcome)).toEqual(Array(10).fill("success"))
      const causes = ended.jobs.flatMap(({ restarts }) => restarts.map(({ cause }) => cause))
      expect(new Set(causes)).toEqual(new Set(["lost"]))
      expect(session.journal("RestartDecided").filter(({ data }) => data["budget"] !== null)).toEqual([])
      const ends = session.told("end").map(({ job }) => job)
      expect(ends.sort()).toEqual([...new Set(ends)].sort())
      expect(ends).toHaveLength(10)
    } finally {
      await output(["scontrol", "update", "partitionname=down", "state=down"])
    }
  })

  it("whose squeue fails three times changes nothing, and says so once", async () => {
    const squeue = faulty("squeue", 3, "echo 'slurm_load_jobs error: Unexpected message received' >&2; exit 1")
    const session = begin("blind", "sleep 12", [`+slurm.client.squeue_cmd=${squeue}`])
    const ended = await endOf(session)
    expect(ended.code, ended.said).toBe(0)
    expect(ended.jobs).toMatchObject([{ outcome: "success", attempts: 1 }])
    expect(session.journal("SchedulerFailed")).toHaveLength(1)
    expect(session.journal("SchedulerRecovered")).toHaveLength(1)
    await ranOnce(session, "blind")
  })

  it.each([
    ["garbage", "sbatch \"$@\" > /dev/null; echo '<html>502 Bad Gateway</html>'; exit 0"],
    [
      "a time-out",
      "sbatch \"$@\" > /dev/null; echo 'sbatch: error: Batch job submission failed: " +
      "Socket timed out on send/recv operation' >&2; exit 1"
    ],
    [
      "a time-out, and was not taken",
      "echo 'sbatch: error: Batch job submission failed: " +
      "Socket timed out on send/recv operation' >&2; exit 1"
    ]
  ])("whose submission is answered with %s has its job once", async (what, line) => {
    const name = `answered${what.length}`
    const session = begin(name, "sleep 1", [
      `+slurm.client.submit_cmd=${faulty("sbatch", 1, line)}`,
      "scheduler.settle_seconds=12"
    ])
    const ended = await endOf(session)
    expect(ended.code, ended.said).toBe(0)
    expect(ended.jobs).toMatchObject([{ outcome: "success", attempts: 1, restarts: [] }])
    await ranOnce(session, name)
  })

  it("whose node is lost restarts the job for that reason", async () => {
    const session = begin("lostnode", "[ $AUTOEXP_ATTEMPT -gt 1 ] || sleep 300", ["+slurm.sbatch.no_requeue=true"])
    const { id } = await running(session)
    const node = await output(["squeue", "-h", "-j", id, "-o", "%N"]) === "n1" ? "n1" : "n2"
    try {
      await downNode(node)
      const ended = await endOf(session)
      expect(ended.code, ended.said).toBe(0)
      expect(ended.jobs).toMatchObject([{ outcome: "success", attempts: 2, restarts: [{ cause: "crash" }] }])
      expect(session.journal("JobClassified")[0]?.data["metadata"]).toMatchObject({ error_type: "node_failure" })
    } finally {
      await upNode(node)
    }
  })

  it("whose job an administrator requeues goes on with it", async () => {
    const session = begin("requeued", "[ ${SLURM_RESTART_COUNT:-0} -gt 0 ] || sleep 300")
    const { id } = await running(session)
    await output(["scontrol", "requeue", id])
    const ended = await endOf(session)
    expect(ended.code, ended.said).toBe(0)
    expect(ended.jobs).toMatchObject([{ outcome: "success", restarts: [] }])
    expect(session.journal("SubmissionIntended")).toHaveLength(1)
    expect(await everHad("requeued")).toEqual(new Set([id]))
  })

  it("whose job an operator cancels leaves it so", async () => {
    const session = begin("stopped", "sleep 300")
    const { id } = await running(session)
    await output(["scancel", id])
    const ended = await endOf(session)
    expect(ended.jobs).toMatchObject([{ outcome: "cancelled", attempts: 1, restarts: [] }])
    expect(session.journal("SubmissionIntended")).toHaveLength(1)
  })

  it("runs without slurmdbd", async () => {
    await without("slurmdbd", "stop", async () => {
      const session = begin("unbooked", "sleep 1")
      const ended = await endOf(session)
      expect(ended.code, ended.said).toBe(0)
      expect(ended.jobs).toMatchObject([{ outcome: "success", attempts: 1 }])
    })
  })

  it("finds by what its script left a job that came and went without any books", async () => {
    const slow = ["monitoring.poll_interval_seconds=20"]
    const bare = { AccountingStorageType: "accounting_storage/none", AccountingStorageEnforce: "", MinJobAge: 2 }
    await configured(bare, async () => {
      const well = begin("well", "sleep 1", slow)
      const ill = begin("ill", "exit 3", [...slow, "monitoring=default"])
      const [ended, failed] = await Promise.all([endOf(well), endOf(ill)])
      expect(ended.jobs, ended.said).toMatchObject([{ outcome: "success", attempts: 1 }])
      expect(failed.jobs, failed.said).toMatchObject([{ outcome: "failed", attempts: 1 }])
    })
  })
})
