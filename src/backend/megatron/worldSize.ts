/** How many processes train together, as far as the config says it. */
import type { LaunchPoint } from "../launch.ts"
import { toInt } from "../numeric.ts"
import type { Torchrun } from "../torchrun/torchrun.ts"
import type { Value } from "../Value.ts"

/** A number of processes, and where it comes from in words. */
export interface WorldSize {
  readonly count: number
  readonly why: string
}

const wholeOf = (value: Value | undefined): number | null => {
  const whole = value === undefined ? null : toInt(value)
  return whole === null || whole < 1n ? null : Number(whole)
}

/**
 * By torchrun's `nnodes` and `nproc_per_node`; else by a WORLD_SIZE of the job's environment; else one process for each
 * task if Python is started directly, and for each GPU if a script of the user's starts it. Null if that is decided on
 * the node only.
 */
export const worldSize = (
  { torchrun_args: args, use_torchrun: isUsed }: Torchrun,
  script: string,
  env: Readonly<Record<string, string>>,
  { size }: Pick<LaunchPoint, "size">
): WorldSize | null => {
  if (isUsed) {
    const count = (name: string) => args[name] ?? args[name.replaceAll("_", "-")] ?? 1
    // Of one launcher on each of several nodes, which do not say how many they are, the rendezvous decides.
    if (args["nnodes"] === undefined && size.nodes > 1) return null
    const nodes = wholeOf(count("nnodes"))
    const each = count("nproc_per_node")
    const local = each === "gpu" || each === "auto" ? Math.floor(size.gpus / size.nodes) || null : wholeOf(each)
    return nodes === null || local === null
      ? null
      : { count: nodes * local, why: `torchrun: ${nodes} ${nodes === 1 ? "node" : "nodes"} of ${local}` }
  }
  const given = env["WORLD_SIZE"]
  if (given !== undefined) {
    const count = wholeOf(given)
    return count === null ? null : { count, why: "WORLD_SIZE" }
  }
  return /^\S*python[\d.]*(?:\s|$)/.test(script) || size.gpus === 0
    ? { count: size.tasks, why: size.tasks === 1 ? "slurm: 1 task" : `slurm: ${size.tasks} tasks` }
    : { count: size.gpus, why: size.gpus === 1 ? "slurm: 1 GPU" : `slurm: ${size.gpus} GPUs` }
}
