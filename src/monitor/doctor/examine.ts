/** What of this machine autoexp can use, and what is missing. */
import * as Effect from "effect/Effect"
import { tryDirectory } from "../../journal/trial.ts"
import type { Commands } from "../../port/Commands.ts"
import { type Check, missing, ok, problem } from "./Check.ts"
import { onPath, programCheck } from "./programs.ts"
import { slurmState } from "./slurmChecks.ts"

export interface Machine {
  readonly version: string
  /** Directories in which sessions are or would be kept, absolute. */
  readonly stateDirs: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface Examination {
  /** Whether anything here can run a job. */
  readonly usable: boolean
  readonly checks: ReadonlyArray<Check>
}

/** What the presets take from the environment, and what they do without. Source: config/, docs/clusters.md. */
const variables: Readonly<Record<string, string>> = {
  SLURM_ACCOUNT: "no --account; most sites refuse the job then",
  SLURM_PARTITION: "the preset's partition, or the site's default",
  SLURM_PARTITION_DEBUG: "the preset's partition for short jobs",
  CONTAINER_CACHE_DIR: "images are looked for where autoexp is started",
  OUTPUT_DIR: "jobs write to ./output"
}

const nodeCheck = (): Check => {
  const { node } = process.versions
  const [major = 0, minor = 0] = node.split(".").map(Number)
  return major > 20 || major === 20 && minor >= 19
    ? ok("node", node)
    : problem("node", `${node}, older than 20.19`, "install a newer Node.js")
}

const directoryCheck = (dir: string) =>
  Effect.map(tryDirectory(dir), ({ dir: tried, fileSystem, problem: why }) => {
    const where = tried === dir ? dir : `${dir} (to be made below ${tried})`
    return why === null
      ? ok("state directory", `${where} on ${fileSystem}: link, rename and fsync work`)
      : problem("state directory", `${where} on ${fileSystem}: ${why}`, "choose another one: --state-dir DIR")
  })

/** Examines the machine. Nothing is left behind, no job is submitted. */
export const examine = ({ env, stateDirs, version }: Machine): Effect.Effect<Examination, never, Commands> =>
  Effect.gen(function*() {
    const search = env["PATH"] ?? process.env["PATH"] ?? ""
    const directories = yield* Effect.forEach(stateDirs, directoryCheck)
    const bash = onPath("bash", search)
    const canKeep = directories.some(({ status }) => status === "ok")
    const local = bash === null
      ? problem("local cluster", "bash is not on PATH, and batch scripts are written for it", "install bash")
      : ok("local cluster", `runs jobs as processes of this host with ${bash}`)
    const slurm = yield* slurmState(search)
    const images = yield* Effect.forEach(["apptainer", "singularity"], (name) => programCheck(name, search, null))
    const hasImages = images.some(({ status }) => status === "ok")
    const noImages = missing(
      "containers",
      "neither apptainer nor singularity on PATH",
      "only container=none works here; " +
        "on some sites they are on compute nodes only"
    )
    return {
      usable: canKeep && (slurm.isUsable || local.status === "ok"),
      checks: [
        ok("autoexp", version),
        nodeCheck(),
        ...directories,
        local,
        ...slurm.checks,
        ...hasImages ? images.filter(({ status }) => status !== "missing") : [noImages],
        yield* programCheck("git", search, "without it, provenance does not tell the commit of your code"),
        ...Object.entries(variables).map(([name, without]) => {
          const value = env[name] ?? ""
          return value === ""
            ? missing(name, `not exported: ${without}`, `export ${name}=… in your profile, if that does not suit`)
            : ok(name, value)
        })
      ]
    }
  })
