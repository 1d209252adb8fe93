import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { expect } from "vitest"
import { layer } from "../../src/monitor/LiveCommands.ts"
import { Commands } from "../../src/port/Commands.ts"
import { queryEnvironment, submitEnvironment } from "../../src/scheduler/slurm/environment.ts"
import { readFeatures } from "../../src/scheduler/slurm/features.ts"
import { fixture } from "../slurm/support/fixtures.ts"

describe("the environment of SLURM's commands", () => {
  it("has nothing in it by which sbatch waits, makes arrays, moves logs, goes to another cluster, or takes the job it runs in for the one it submits", () => {
    const inside = {
      SLURM_JOB_ID: "7",
      SLURM_ARRAY_TASK_ID: "3",
      SLURM_CPUS_PER_TASK: "8",
      SLURM_MEM_PER_CPU: "100",
      SLURM_RESTART_COUNT: "1",
      SLURMD_NODENAME: "n1",
      SLURM_CONF: "/etc/slurm.conf",
      SLURM_ACCOUNT: "proj",
      SLURM_PARTITION: "debug",
      SLURM_CLUSTERS: "lumi",
      SBATCH_ACCOUNT: "proj",
      HOME: "/home/ada"
    }
    expect(Object.keys(submitEnvironment(inside)).sort()).toEqual([
      "SBATCH_ARRAY_INX",
      "SBATCH_CLUSTERS",
      "SBATCH_ERROR",
      "SBATCH_OPEN_MODE",
      "SBATCH_OUTPUT",
      "SBATCH_WAIT",
      "SLURMD_NODENAME",
      "SLURM_ARRAY_TASK_ID",
      "SLURM_CLUSTERS",
      "SLURM_CPUS_PER_TASK",
      "SLURM_JOB_ID",
      "SLURM_MEM_PER_CPU",
      "SLURM_RESTART_COUNT"
    ])
  })

  it.live("is the caller's without what is taken out, and answers may be as long as is asked for", () =>
    Effect.gen(function*() {
      const commands = yield* Commands
      const run = (script: string, outputLimit?: number) =>
        commands.run({
          argv: ["sh", "-c", script],
          cwd: null,
          env: { ...queryEnvironment, HOME: null },
          timeoutSeconds: 30,
          ...(outputLimit === undefined ? {} : { outputLimit })
        })
      const { stdout } = yield* run("echo \"${HOME-none} ${SQUEUE_PARTITION-none} $TZ ${PATH:+path}\"")
      expect(stdout).toBe("none none UTC path\n")
      const long = "head -c 200000 /dev/zero | tr '\\0' x"
      expect((yield* run(long)).stdout).toHaveLength(65_536)
      expect((yield* run(long, 1_000_000)).stdout).toHaveLength(200_000)
    }).pipe(Effect.provide(layer)))
})

describe("what a cluster has", () => {
  it("is read from its configuration", () => {
    expect(readFeatures(fixture("scontrol-config"))).toEqual({
      cluster: "test",
      version: "22.05.8",
      accounts: true,
      maxArraySize: 10_001,
      minJobAge: 10,
      comments: false
    })
  })

  it.each(["(null)", "accounting_storage/none", ""])("is no accounting where that is %j", (storage) => {
    const text = fixture("scontrol-config").replace(/^(AccountingStorageType\s+= ).*$/m, `$1${storage}`)
    expect(readFeatures(text)?.accounts).toBe(false)
  })

  it("is not guessed from anything else", () => expect(readFeatures("Slurmctld(primary) at host is UP\n")).toBeNull())
})
