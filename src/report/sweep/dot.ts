/** A plan as a graph in the language of Graphviz. */
import { clean } from "../width.ts"
import { jobEnd, outcomesText } from "./conditions.ts"
import { neededJobs, type ShownPlan, stagesOf } from "./stages.ts"
import { counted, sizeText } from "./words.ts"

/** More jobs than this make no graph that anybody could read: their stages stand for them. */
const MOST_JOBS = 200

/** A quoted text, in which only a line break of our own means anything. */
const quoted = (...lines: ReadonlyArray<string>): string =>
  `"${lines.map((line) => clean(line).replaceAll("\\", "\\\\").replaceAll("\"", "\\\"")).join("\\n")}"`

const graph = (plan: ShownPlan, content: ReadonlyArray<string>): string =>
  [`digraph ${quoted(plan.project)} {`, "  rankdir=LR", "  node [shape=box]", ...content, "}", ""].join("\n")

/** The jobs and what they wait for, or the stages where there are too many jobs. Dashed: what cancels a job. */
export const dotOf = (plan: ShownPlan): string => plan.jobs.length > MOST_JOBS ? stageGraph(plan) : jobGraph(plan)

const jobGraph = (plan: ShownPlan): string =>
  graph(plan, [
    ...stagesOf(plan).flatMap(({ jobs, name }) => {
      const nodes = jobs.map((job) => `${quoted(job.name)}`)
      return name === "" ? nodes.map((node) => `  ${node}`) : [
        `  subgraph ${quoted(`cluster_${name}`)} {`,
        `    label=${quoted(name)}`,
        ...nodes.map((node) => `    ${node}`),
        "  }"
      ]
    }),
    ...plan.jobs.flatMap((job) => {
      const ends = job.start_conditions.flatMap((condition) => jobEnd(condition) ?? [])
      const cancels = job.cancel_conditions.flatMap((condition) => jobEnd(condition) ?? [])
      return [
        ...neededJobs(job).map((needed) => {
          const outcomes = ends.find((end) => end.job === needed)?.outcomes ?? null
          if (outcomes === null) return edge(needed, job.name, ["style=dotted", `label=${quoted("refers to")}`])
          const label = outcomesText(outcomes)
          return edge(needed, job.name, label === "success" ? [] : [`label=${quoted(label)}`])
        }),
        ...cancels.map(({ job: other, outcomes }) =>
          edge(other, job.name, ["style=dashed", `label=${quoted(`cancels: ${outcomesText(outcomes)}`)}`])
        )
      ]
    })
  ])

const edge = (from: string, to: string, attributes: ReadonlyArray<string>): string =>
  `  ${quoted(from)} -> ${quoted(to)}${attributes.length === 0 ? "" : ` [${attributes.join(", ")}]`}`

const stageGraph = (plan: ShownPlan): string => {
  const stages = stagesOf(plan)
  return graph(plan, [
    ...stages.map(({ jobs, name, size }) =>
      `  ${quoted(name)} [label=${quoted(name, counted(jobs.length, "job"), sizeText(size))}]`
    ),
    ...stages.flatMap(({ after, name }) => after.map((stage) => edge(stage, name, [])))
  ])
}
