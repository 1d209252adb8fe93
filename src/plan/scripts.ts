/** The batch scripts of a plan: one of each job, or one of an array. */
import * as Either from "effect/Either"
import * as path from "node:path"
import { formatArrayIndices } from "../backend/slurm/arraySpec.ts"
import type { ValueMap } from "../backend/Value.ts"
import type { Loaded } from "../config/load.ts"
import type { PlanError } from "./PlanError.ts"
import type { PlannedFile } from "./PlannedFiles.ts"
import type { PlanOptions } from "./PlanOptions.ts"
import type { PointJob } from "./points.ts"
import { renderScript, type ScriptSettings } from "./sbatch.ts"

/** The section without `output`, which the log's path decides. */
const scriptSettings = (slurm: Loaded["config"]["slurm"]): ScriptSettings => ({
  ...slurm,
  sbatch: withoutOutput(slurm.sbatch),
  sbatch_overrides: withoutOutput(slurm.sbatch_overrides)
})

const withoutOutput = (options: ValueMap): ValueMap =>
  Object.fromEntries(Object.entries(options).filter(([key]) => key !== "output"))

const scriptFile = (
  slurm: Loaded["config"]["slurm"],
  { cwd, planId }: PlanOptions,
  name: string,
  text: string
): PlannedFile => ({
  path: path.join(path.resolve(cwd, slurm.script_dir), `${name}.${planId}.sbatch`),
  text,
  executable: true
})

/** The script of one job. */
export const jobScript = (options: PlanOptions, job: PointJob): Either.Either<PlannedFile, PlanError> => {
  const { slurm } = job.point.loaded.config
  const text = renderScript(options.template, scriptSettings(slurm), {
    planId: options.planId,
    project: job.point.project,
    name: job.name,
    outputDir: job.outputDir,
    logPath: job.logPath,
    directives: {},
    argv: job.command.argv,
    env: job.command.env,
    variables: job.variables,
    jobs: [claimed(job)],
    array: false
  })
  return Either.map(text, (text) => scriptFile(slurm, options, job.name, text))
}

const claimed = ({ name, outputDir, point }: PointJob) => ({ name, index: point.index, outputDir })

/** The one script of an array of `jobs`; each task runs its point of the sweep's file. */
export const arrayScript = (
  loaded: Loaded,
  options: PlanOptions,
  name: string,
  jobs: ReadonlyArray<PointJob>,
  sweepPath: string
): Either.Either<ReadonlyArray<PlannedFile>, PlanError> => {
  const slurm = jobs[0]?.point.loaded.config.slurm ?? loaded.config.slurm
  const text = renderScript(options.template, scriptSettings(slurm), {
    planId: options.planId,
    project: loaded.config.project.name,
    name,
    outputDir: path.resolve(options.cwd, loaded.config.project.base_output_dir),
    logPath: jobs[0]?.logPath ?? "",
    directives: { array: formatArrayIndices(jobs.map(({ point }) => point.index)) },
    argv: [...options.autoexpCommand, "sweep-entry", "--sweep", sweepPath, "--index", "$SLURM_ARRAY_TASK_ID"],
    env: {},
    variables: {},
    jobs: jobs.map(claimed),
    array: true
  })
  return Either.map(text, (text) => [scriptFile(slurm, options, name, text)])
}
