/** Starts one task of a job: where its output goes, what stands in its environment, and the wrapper that runs it. */
import type * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { defaultOutput, expandFileName } from "../../backend/slurm/fileNames.ts"
import { nodeName } from "./processes.ts"
import { attempt, BATCH, type JobSpec, type LocalStoreError, type Run, runDir, scriptPath } from "./store.ts"

/** The name of the cluster and, where a script asks for none, of its only partition. */
export const CLUSTER = "local"

/** Carried by every process of a run, so that those are found that left the session. */
const MARKER = "AUTOEXP_LOCAL_RUN"
const markerValue = (dir: string, run: Run): string => `${dir}:${run.id}_${run.key}.${run.restarts}`
export const marker = (dir: string, run: Run): string => `${MARKER}=${markerValue(dir, run)}`

/** Index within the array; null for a plain job. */
export const arrayTask = (key: string): number | null => (key === BATCH ? null : Number(key))

/** The id that the task sees as its own: each array task has one. */
export const rawId = (spec: JobSpec, run: Run): number => {
  const task = arrayTask(run.key)
  return task === null ? run.id : run.id + (spec.directives.array?.indices.indexOf(task) ?? 0)
}

export interface Places {
  readonly workingDir: string
  readonly output: string
  readonly error: string
}

/** Absolute paths; relative ones count from the working directory. */
export const placesOf = (spec: JobSpec, run: Run): Places => {
  const { chdir, error, output } = spec.directives
  const workingDir = resolve(spec.submitDir, chdir ?? ".")
  const task = arrayTask(run.key)
  const expand = (pattern: string) =>
    resolve(
      workingDir,
      expandFileName(pattern, {
        jobId: `${rawId(spec, run)}`,
        arrayJobId: task === null ? null : `${run.id}`,
        arrayTask: task,
        jobName: spec.name,
        user: spec.user,
        node: nodeName()
      })
    )
  const out = expand(output ?? defaultOutput(task !== null))
  return { workingDir, output: out, error: error === null ? out : expand(error) }
}

/** `--export`: `ALL`, `NONE`, or names with or without a value, which add to nothing unless `ALL` stands among them. */
const exported = (
  wanted: string,
  env: Readonly<Record<string, string>>
): Record<string, string> => {
  const items = wanted.split(",").filter((item) => item !== "")
  const isAll = items.includes("ALL")
  // An outer job's variables are not this job's.
  const keep = (name: string) =>
    !/^SLURMD?_/.test(name) && name !== MARKER && (isAll || ["HOME", "USER", "LOGNAME", "SHELL", "PATH"].includes(name))
  const result = Object.fromEntries(Object.entries(env).filter(([name]) => keep(name)))
  for (const item of items) {
    const [name = "", ...value] = item.split("=")
    if (item.includes("=")) result[name] = value.join("=")
    else if (!["ALL", "NONE", "NIL"].includes(name)) result[name] = env[name] ?? ""
  }
  return result
}

const perNode = (count: number, nodes: number): string => (nodes === 1 ? `${count}` : `${count}(x${nodes})`)

/**
 * The environment of a batch script (sbatch man page, "output environment variables"). Several nodes are all this host,
 * under the same name.
 */
export const environmentOf = (
  dir: string,
  spec: JobSpec,
  run: Run,
  env: Readonly<Record<string, string>>
): Record<string, string> => {
  const { directives } = spec
  const task = arrayTask(run.key)
  const id = `${rawId(spec, run)}`
  const node = nodeName()
  const nodes = directives.nodes ?? 1
  const ntasks = directives.ntasks ?? (directives.ntasksPerNode ?? 1) * nodes
  const cpus = directives.cpusPerTask ?? 1
  const nodelist = Array.from({ length: nodes }, () => node).join(",")
  const base = exported(directives.export, env)
  const variables: Record<string, string | null> = {
    [MARKER]: markerValue(dir, run),
    PATH: `${join(dir, "bin")}:${base["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"}`,
    SLURM_CLUSTER_NAME: CLUSTER,
    SLURM_JOB_ID: id,
    SLURM_JOBID: id,
    SLURM_JOB_NAME: spec.name,
    SLURM_JOB_USER: spec.user,
    SLURM_JOB_PARTITION: directives.partition ?? CLUSTER,
    SLURM_JOB_ACCOUNT: directives.account,
    SLURM_JOB_NODELIST: nodelist,
    SLURM_NODELIST: nodelist,
    SLURM_JOB_NUM_NODES: `${nodes}`,
    SLURM_NNODES: `${nodes}`,
    SLURM_NTASKS: `${ntasks}`,
    SLURM_NPROCS: `${ntasks}`,
    SLURM_NTASKS_PER_NODE: directives.ntasksPerNode === null ? null : `${directives.ntasksPerNode}`,
    SLURM_TASKS_PER_NODE: perNode(Math.ceil(ntasks / nodes), nodes),
    SLURM_CPUS_PER_TASK: directives.cpusPerTask === null ? null : `${cpus}`,
    SLURM_CPUS_ON_NODE: `${cpus * Math.ceil(ntasks / nodes)}`,
    SLURM_JOB_CPUS_PER_NODE: perNode(cpus * Math.ceil(ntasks / nodes), nodes),
    SLURM_GPUS_PER_NODE: directives.gpusPerNode,
    SLURM_SUBMIT_DIR: spec.submitDir,
    SLURM_SUBMIT_HOST: node,
    SLURMD_NODENAME: node,
    SLURM_NODEID: "0",
    SLURM_PROCID: "0",
    SLURM_LOCALID: "0",
    SLURM_RESTART_COUNT: run.restarts === 0 ? null : `${run.restarts}`,
    SLURM_ARRAY_JOB_ID: task === null ? null : `${run.id}`,
    SLURM_ARRAY_TASK_ID: task === null ? null : `${task}`,
    SLURM_ARRAY_TASK_COUNT: directives.array === null ? null : `${directives.array.indices.length}`,
    SLURM_ARRAY_TASK_MIN: directives.array === null ? null : `${directives.array.indices[0]}`,
    SLURM_ARRAY_TASK_MAX: directives.array === null ? null : `${directives.array.indices.at(-1)}`
  }
  for (const [name, value] of Object.entries(variables)) if (value !== null) base[name] = value
  return base
}

/** Starts the wrapper in a session of its own. It runs the script unless another wrapper has claimed the run. */
export const startWrapper = (
  dir: string,
  spec: JobSpec,
  run: Run,
  env: Readonly<Record<string, string>>
): Effect.Effect<ChildProcess, LocalStoreError> =>
  attempt(() => {
    const places = placesOf(spec, run)
    const argv = [
      join(dir, "task.sh"),
      runDir(dir, run),
      places.output,
      places.error,
      spec.directives.append ? "append" : "truncate",
      places.workingDir,
      spec.umask.toString(8).padStart(4, "0"),
      scriptPath(dir, run.id)
    ]
    // "-p": neither start files nor functions of the job's environment act on the wrapper.
    const shell = ["/bin/bash", "/usr/bin/bash"].find((path) => existsSync(path))
    return spawn(shell ?? "/bin/sh", shell === undefined ? argv : ["-p", ...argv], {
      cwd: "/",
      detached: true,
      env: environmentOf(dir, spec, run, env),
      stdio: "ignore"
    })
  })
