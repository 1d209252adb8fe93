/** Names in the `{name}` templates of a configuration, looked up before anything is rendered. */
import { lintCondition, lintConditions, lintTemplate, type RuleProblem } from "../rule/lint.ts"
import type { Config } from "./Config.ts"

/** Mistakes in what names jobs, logs and output files, and in what jobs wait for; `parameters` are those of all points together. */
export const lintTemplates = (
  { job, monitoring, sweep }: Pick<Config, "job" | "monitoring" | "sweep">,
  parameters: ReadonlyArray<string>
): ReadonlyArray<RuleProblem> => {
  const named = ["project", "index", "stage", ...parameters, ...parameters.map((name) => name.replaceAll(".", "___"))]
  const placed = new Set([...named, "name", "output_dir", "plan_id"])
  return [
    ...lintTemplate(["sweep", "name_template"], sweep.name_template, new Set(named)),
    ...lintTemplate(["monitoring", "log_path_template"], monitoring.log_path_template, placed),
    ...monitoring.output_paths.flatMap((template, index) =>
      lintTemplate(["monitoring", "output_paths", index], template, new Set([...placed, "log_path"]))
    ),
    ...lintConditions(["job", "start_conditions"], job.start_conditions, parameters),
    ...lintConditions(["job", "cancel_conditions"], job.cancel_conditions, parameters),
    ...lintConditions(["job", "finish_conditions"], job.finish_conditions, parameters),
    ...(job.finish_condition === null
      ? []
      : lintCondition(["job", "finish_condition"], job.finish_condition, parameters))
  ]
}
