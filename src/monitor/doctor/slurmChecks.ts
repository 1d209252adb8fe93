/** What of SLURM there is on this machine, and what its version and site lack. */
import * as Effect from "effect/Effect"
import type { Commands } from "../../port/Commands.ts"
import { type Features, readFeatures } from "../../scheduler/slurm/features.ts"
import { type Check, missing, ok, problem } from "./Check.ts"
import { asked, onPath } from "./programs.ts"

/** What each command is for; without those marked nothing can be submitted and watched. */
const commands: ReadonlyArray<readonly [name: string, isNeeded: boolean, without: string]> = [
  ["sbatch", true, "nothing can be submitted"],
  ["squeue", true, "jobs cannot be watched"],
  ["scancel", true, "jobs cannot be cancelled"],
  ["scontrol", true, "the site's settings cannot be asked"],
  ["sacct", false, "ended jobs are known while the controller remembers them, and by the marks that scripts leave"],
  ["sinfo", false, "partitions cannot be shown"],
  ["srun", false, "scripts of the shipped templates start nothing (it may be on compute nodes only)"]
]

const load = "load the site's module for SLURM, or log in to a node where jobs are submitted"

/** 2011 for `20.11.9`; null if it is no version. */
const releaseOf = (version: string): number | null => {
  const match = /(\d+)\.(\d+)/.exec(version)
  return match === null ? null : Number(match[1]) * 100 + Number(match[2])
}

const versionCheck = (version: string): Check => {
  const release = releaseOf(version)
  if (release === null) return problem("slurm version", version, "autoexp is made for Slurm 20.11 and later")
  if (release < 2011) {
    return problem(
      "slurm version",
      `${version}, older than 20.11`,
      "it may work; it has not been tried, so try --smoke"
    )
  }
  return release < 2205
    ? ok("slurm version", `${version}: srun takes the cores of a task from the job`)
    : ok("slurm version", `${version}: srun must be told the cores of a task (slurm.srun.cpus_per_task)`)
}

const secondsOf = (config: string, name: string): number | null => {
  const match = new RegExp(`^${name}\\s*= (\\d+)`, "m").exec(config)
  return match === null ? null : Number(match[1])
}

/** What the site's settings mean for autoexp. Source: slurm.conf(5). */
const settingChecks = (features: Features, config: string): ReadonlyArray<Check> => {
  const { accounts, comments, maxArraySize, minJobAge } = features
  const timeout = secondsOf(config, "MessageTimeout")
  return [
    versionCheck(features.version),
    accounts
      ? ok("accounting", `sacct tells of ended jobs${comments ? ", with their comments" : "; it keeps no comments"}`)
      : missing(
        "accounting",
        "no accounting storage: sacct knows nothing",
        "nothing: what ends is told by scontrol and " +
          "by the marks that scripts leave; poll more often than MinJobAge"
      ),
    minJobAge !== null && minJobAge < 60
      ? problem(
        "MinJobAge",
        `${minJobAge} s: ended jobs leave squeue soon`,
        accounts ? "nothing: sacct is asked" : `set monitoring.poll_interval_seconds below ${minJobAge}`
      )
      : ok("MinJobAge", minJobAge === null ? "not told" : `${minJobAge} s`),
    maxArraySize === null
      ? missing("MaxArraySize", "not told", null)
      : maxArraySize < 2
      ? problem("MaxArraySize", `${maxArraySize}: no arrays here`, "set slurm.array=false")
      : ok("MaxArraySize", `${maxArraySize}: indices up to ${maxArraySize - 1}`),
    timeout !== null && timeout >= 100
      ? problem(
        "MessageTimeout",
        `${timeout} s`,
        `set scheduler.settle_seconds above ${timeout + 20}: answers may come that late`
      )
      : ok("MessageTimeout", timeout === null ? "not told" : `${timeout} s`)
  ]
}

export interface SlurmState {
  readonly checks: ReadonlyArray<Check>
  /** Whether jobs can be submitted and watched here, as far as can be told without a job. */
  readonly isUsable: boolean
}

const partitions = (search: string): Effect.Effect<ReadonlyArray<Check>, never, Commands> =>
  Effect.gen(function*() {
    const sinfo = onPath("sinfo", search)
    if (sinfo === null) return []
    const answer = yield* asked([sinfo, "--noheader", "--summarize", "--format=%P %a %l %D"], 60)
    if ("why" in answer) return [problem("partitions", answer.why, null)]
    const lines = answer.stdout.trim().split("\n").filter((line) => line !== "").map((line) => {
      const [name = "", state = "", limit = "", nodes = ""] = line.trim().split(/\s+/)
      return `${name} (${state}, ${nodes} nodes, up to ${limit})`
    })
    return [
      lines.length === 0
        ? problem("partitions", "none", "ask the site which partitions you may use")
        : ok("partitions", lines.join(", "))
    ]
  })

/** Looks at SLURM with at most three calls of its commands. `search` is PATH. */
export const slurmState = (search: string): Effect.Effect<SlurmState, never, Commands> =>
  Effect.gen(function*() {
    const found = commands.map(([name, isNeeded, without]) => ({ name, isNeeded, without, file: onPath(name, search) }))
    if (found.every(({ file }) => file === null)) {
      return { isUsable: false, checks: [missing("slurm", "none of its commands is on PATH", load)] }
    }
    const programs = found.map(({ file, name, without }) =>
      file === null ? missing(name, `not on PATH: ${without}`, load) : ok(name, file)
    )
    const hasAll = found.every(({ file, isNeeded }) => file !== null || !isNeeded)
    const scontrol = onPath("scontrol", search)
    if (scontrol === null) return { isUsable: false, checks: programs }
    // The controller's answer may take two message time-outs, which sites raise.
    const answer = yield* asked([scontrol, "show", "config"], 60)
    const features = "why" in answer ? null : readFeatures(answer.stdout)
    if ("why" in answer || features === null) {
      const why = "why" in answer ? answer.why : "its answer cannot be read"
      return {
        isUsable: false,
        checks: [...programs, problem("slurm controller", why, "try `scontrol ping`; ask the site if it stays so")]
      }
    }
    const answered = ok("slurm controller", `cluster ${features.cluster} answers`)
    return {
      isUsable: hasAll,
      checks: [...programs, answered, ...settingChecks(features, answer.stdout), ...yield* partitions(search)]
    }
  })
