/** A plan's points for programs: the shape of `sweep show --json`. */
import type { ShownPlan } from "./stages.ts"

/** The points by their indices, of each stage at most `perStage`. */
export const pointsOf = ({ jobs, sizes }: ShownPlan, perStage: number) => {
  const counts = new Map<string, number>()
  return jobs.filter(({ stage }) => {
    const count = counts.get(stage) ?? 0
    counts.set(stage, count + 1)
    return count < perStage
  }).map((job) => {
    const size = sizes.get(job.name)
    return {
      index: job.index,
      name: job.name,
      parameters: job.parameters,
      stage: job.stage,
      identity: job.identity,
      needs: job.needs,
      start_conditions: job.start_conditions,
      cancel_conditions: job.cancel_conditions,
      finish_conditions: job.finish_conditions,
      output_dir: job.output_dir,
      log_path: job.log_path,
      nodes: size?.nodes ?? null,
      gpus: size?.gpus ?? null,
      hours: size?.hours ?? null,
      gpu_hours: size?.gpuHours ?? null
    }
  })
}
