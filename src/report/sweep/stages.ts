/** The stages of a plan: which jobs each has, and which stage comes after which. */
import type { PlannedJob } from "../../event/PlannedJob.ts"
import { type JobSize, type StageSize, stageSizes } from "../../plan/gpuHours.ts"
import { jobEnd } from "./conditions.ts"

/** What of a plan is shown. */
export interface ShownPlan {
  readonly project: string
  readonly jobs: ReadonlyArray<PlannedJob>
  readonly sizes: ReadonlyMap<string, JobSize>
}

export interface Stage {
  readonly name: string
  readonly jobs: ReadonlyArray<PlannedJob>
  readonly size: StageSize
  /** The stages that its jobs wait for or refer to, in order. */
  readonly after: ReadonlyArray<string>
  /** How many stages stand before it, one after the other. */
  readonly depth: number
}

/** Names of the jobs that this one refers to or waits for. */
export const neededJobs = ({ needs, start_conditions: start }: PlannedJob): ReadonlyArray<string> => [
  ...new Set([...needs, ...start.flatMap((condition) => jobEnd(condition)?.job ?? [])])
]

const noSize: JobSize = { nodes: 0, tasks: 0, gpus: 0, hours: 0, gpuHours: 0, links: 1 }

const sized = ({ sizes }: ShownPlan, job: PlannedJob) => ({ stage: job.stage, size: sizes.get(job.name) ?? noSize })

/** The stages, each after those that it comes after; without stages one of the name "". */
export const stagesOf = (plan: ShownPlan): ReadonlyArray<Stage> => {
  const stageOf = new Map(plan.jobs.map(({ name, stage }) => [name, stage]))
  const stages = stageSizes(plan.jobs.map((job) => sized(plan, job))).map((size) => {
    const jobs = plan.jobs.filter(({ stage }) => stage === size.stage)
    const after = new Set(jobs.flatMap(neededJobs).map((job) => stageOf.get(job) ?? size.stage))
    return { name: size.stage, jobs, size, after: [...after].filter((stage) => stage !== size.stage) }
  })
  const depths = new Map<string, number>()
  // Jobs never wait for each other in a circle, but their stages may: as many rounds as there are stages end it.
  for (let round = 0; round < stages.length; round++) {
    for (const { after, name } of stages) {
      depths.set(name, Math.min(stages.length, Math.max(0, ...after.map((stage) => (depths.get(stage) ?? 0) + 1))))
    }
  }
  return stages.map((stage) => ({ ...stage, depth: depths.get(stage.name) ?? 0 })).sort((a, b) => a.depth - b.depth)
}

/** All jobs together. */
export const totalSize = (plan: ShownPlan): StageSize =>
  stageSizes(plan.jobs.map((job) => ({ ...sized(plan, job), stage: "" })))[0] ??
    { stage: "", jobs: 0, links: 0, nodes: 0, gpuHours: 0, unlimited: 0 }

/** A stage as a line of the tree; `lead` is what is drawn before its name. */
export interface Branch {
  readonly lead: string
  readonly stage: Stage
}

/** The stages as a tree: each below the one that it comes after last. */
export const treeOf = (stages: ReadonlyArray<Stage>): ReadonlyArray<Branch> => {
  const depthOf = new Map(stages.map(({ depth, name }) => [name, depth]))
  const parentOf = ({ after, depth }: Stage): string | null =>
    after.filter((name) => (depthOf.get(name) ?? 0) < depth)
      .sort((a, b) => (depthOf.get(b) ?? 0) - (depthOf.get(a) ?? 0))[0] ?? null
  const children = (parent: string | null) => stages.filter((stage) => parentOf(stage) === parent)
  const below = (parent: string | null, indent: string): ReadonlyArray<Branch> =>
    children(parent).flatMap((stage, at, all) => {
      const isLast = at === all.length - 1
      const isRoot = parent === null
      return [
        { stage, lead: isRoot ? "" : `${indent}${isLast ? "└─ " : "├─ "}` },
        ...below(stage.name, isRoot ? "" : `${indent}${isLast ? "   " : "│  "}`)
      ]
    })
  return below(null, "")
}
