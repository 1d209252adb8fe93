/** Chains on the local cluster: real scripts, real time limits, real processes. */
import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import { type Demo, makeDemo } from "./demo.ts"

/** Counts up, a step each tenth of a second, and goes on where the attempt before stopped; a TERM is its warning. */
const trainer = `#!/bin/bash
n=$(cat "$1/step" 2> /dev/null || echo 0)
echo "$AUTOEXP_ATTEMPT" >> "$1/began"
trap 'echo "warned at $n"; exit 0' TERM
if [ -n "\${FAULT:-}" ]; then exit 2; fi
while [ "$n" -lt "$2" ]; do n=$((n + 1)); echo "$n" > "$1/step"; sleep 0.1; done
touch "$1/done"
`

let demo: Demo
beforeEach(() => {
  demo = makeDemo({ "train.sh": trainer })
  fs.chmodSync(path.join(demo.folder, "train.sh"), 0o755)
})
afterEach(() => demo.remove())

const long = (steps: number, ...more: ReadonlyArray<string>) => [
  "run",
  "backend=command",
  `backend.command=[${path.join(demo.folder, "train.sh")},"{output_dir}","${steps}"]`,
  "sweep=none",
  "project.name=long",
  `project.base_output_dir=${path.join(demo.folder, "output")}`,
  `project.monitoring_state_dir=${demo.stateDir}`,
  "monitoring=default",
  "++monitoring.poll_interval_seconds=0.5",
  "++monitoring.log_settle_seconds=0.25",
  "slurm.sbatch.time=00:00:06",
  "+slurm.sbatch.signal=TERM@1",
  "+job.chain={links: 30, ahead: 2, until: {class_name: FileExistsCondition, path: \"{output_dir}/done\"}}",
  ...more
]
const began = () => fs.readFileSync(path.join(demo.folder, "output/long/began"), "utf8").trim().split("\n")
const planId = () =>
  fs.readdirSync(demo.stateDir).flatMap((name) => /^(.*)\.events\.jsonl$/.exec(name)?.slice(1) ?? [])[0] ?? ""

it("runs link after link over its time limit, and leaves nothing in the queue once its work is done", async () => {
  const { code, stderr, stdout } = await demo.run(long(130))
  expect([code, stderr]).toEqual([0, ""])
  expect(stdout).toContain("next link of the chain")
  const attempts = began()
  expect(attempts.length).toBeGreaterThan(1)
  // Never twice, never out of turn.
  expect(attempts).toEqual([...new Set(attempts)].sort())
  expect(fs.readFileSync(path.join(demo.folder, "output/long/step"), "utf8").trim()).toBe("130")
  const records = demo.journal(planId())
  expect(records.findLast(({ type }) => type === "JobFinished")?.data["outcome"]).toBe("success")
  const gone = records.filter(({ type }) => type === "LinkEnded" || type === "LinkTaken").length
  expect(records.filter(({ data, type }) => type === "SubmissionIntended" && data["ahead"] === true)).toHaveLength(gone)
}, 60_000)

it(
  "lets no link begin after a fault, although those that wait are released before the monitor has looked",
  async () => {
    const { code } = await demo.run(long(60, "++slurm.env.FAULT=1", "++monitoring.log_settle_seconds=3"))
    expect(code).toBe(1)
    expect(began()).toEqual(["1"])
    const records = demo.journal(planId())
    expect(records.findLast(({ type }) => type === "JobFinished")?.data["outcome"]).toBe("failed")
    expect(records.filter(({ type }) => type === "LinkEnded")).toHaveLength(2)
  },
  60_000
)
