/** The batch scripts of a plan: one of each job, or one of an array for all jobs that ask for the same. */
import * as Either from "effect/Either"
import * as path from "node:path"
import { formatArrayIndices } from "../backend/slurm/arraySpec.ts"
import { isMap, toPlain, type Value, type ValueMap } from "../backend/Value.ts"
import type { Config } from "../config/Config.ts"
import { commandText } from "./attemptScript.ts"
import type { PointJob } from "./jobs.ts"
import { arrayNameOf } from "./places.ts"
import { PlanError } from "./PlanError.ts"
import type { PlannedFile } from "./PlannedFiles.ts"
import type { PlanOptions } from "./PlanOptions.ts"
import { renderScript, type ScriptParts, type ScriptSettings } from "./sbatch.ts"

/** A script and the jobs that it is of. */
export interface Batch {
  readonly script: PlannedFile
  readonly jobs: ReadonlyArray<PointJob>
  /** The text by which it starts what it is for. */
  readonly command: string
  /** What of a job's index its task's number lacks; null if the script is no array's. */
  readonly offset: number | null
}

/** What scripts say of the plan that they are of. */
export interface ScriptPlan extends Pick<PlanOptions, "planId" | "cwd" | "autoexpCommand" | "template"> {
  /** The session's name, by which attempts are claimed. */
  readonly session: string
  readonly project: string
  /** Where array scripts find their points. */
  readonly sweepPath: string
}

/** The scripts of all jobs, those of arrays in the order of their first jobs. */
export const batches = (
  plan: ScriptPlan,
  jobs: ReadonlyArray<PointJob>
): Either.Either<ReadonlyArray<Batch>, PlanError> =>
  Either.gen(function*() {
    const groups = new Map<string, Group>()
    const keys = new WeakMap<object, string>()
    for (const job of jobs) {
      const { config, resolved } = job.point.loaded
      const { array, max_array_size: size } = config.slurm
      if (size < 1) yield* Either.left(PlanError.at("slurm.max_array_size", "an array has at least one task"))
      const text = [resolved["slurm"], resolved["container"]].map((section = null) => {
        const text = (isMap(section) ? keys.get(section) : undefined) ?? JSON.stringify(toPlain(section))
        if (isMap(section)) keys.set(section, text)
        return text
      })
      const offset = array ? job.point.index - job.point.index % size : null
      const key = array ? `${offset} ${text.join(" ")}` : job.point.name
      const group = groups.get(key)
      if (group === undefined) groups.set(key, { jobs: [job], offset })
      else group.jobs.push(job)
    }
    const arrays = [...groups.values()].filter(({ offset }) => offset !== null)
    const made = yield* Either.all([...groups.values()].map((group) =>
      group.offset === null
        ? jobBatch(plan, group)
        : arrayBatch(plan, group, group.offset, arrays.length === 1 ? "" : `-${arrays.indexOf(group)}`)
    ))
    const paths = new Set<string>()
    for (const { script } of made) {
      if (paths.has(script.path)) {
        yield* Either.left(PlanError.at("sweep.name_template", `two jobs would have the one script ${script.path}`))
      }
      paths.add(script.path)
    }
    return made
  })

interface Group {
  readonly jobs: Array<PointJob>
  readonly offset: number | null
}

/** The section with absolute paths, and without `output`, which the log's path decides. */
const scriptSettings = ({ container, slurm }: Config, cwd: string): ScriptSettings => ({
  ...slurm,
  binds: container.bind,
  containerEnv: container.env,
  sbatch: withPlaces(slurm.sbatch, cwd),
  sbatch_overrides: withPlaces(slurm.sbatch_overrides, cwd)
})

const withPlaces = (options: ValueMap, cwd: string): ValueMap =>
  Object.fromEntries(
    Object.entries(options).filter(([key]) => key !== "output").map(([key, value]) => [
      key,
      key === "error" && typeof value === "string" ? path.resolve(cwd, value) : value
    ])
  )

const batch = (
  plan: ScriptPlan,
  { jobs, offset }: Group,
  name: string,
  parts: Omit<ScriptParts, "planId" | "jobs" | "array" | "logPath">
): Either.Either<Batch, PlanError> =>
  Either.gen(function*() {
    const config = jobs[0]?.point.loaded.config
    if (config === undefined) return yield* Either.left(PlanError.at("sweep", "a script needs a job"))
    const template = yield* plan.template(config.slurm.template_path)
    const text = yield* renderScript(template, scriptSettings(config, plan.cwd), {
      ...parts,
      variables: { ...watched(jobs[0]?.point.loaded.resolved["monitoring"] ?? null), ...parts.variables },
      planId: plan.session,
      logPath: jobs[0]?.point.logPath ?? "",
      jobs: jobs.map(({ chain, point: { index, name, outputDir } }) => ({
        name,
        index,
        outputDir,
        chain,
        task: index - (offset ?? 0)
      })),
      array: offset !== null
    })
    const file = path.join(path.resolve(plan.cwd, config.slurm.script_dir), `${name}.${plan.planId}.sbatch`)
    return { script: { path: file, text, executable: true }, jobs, command: commandText(parts.argv), offset }
  })

/** What templates may name of the `monitoring` section, where it is set. */
const watched = (section: Value): ValueMap => {
  const names = [
    "start_condition_cmd",
    "termination_string",
    "termination_command",
    "inactivity_threshold_seconds"
  ]
  return isMap(section)
    ? Object.fromEntries(Object.entries(section).filter(([name, value]) => value !== null && names.includes(name)))
    : {}
}

const jobBatch = (plan: ScriptPlan, group: Group): Either.Either<Batch, PlanError> => {
  const [job] = group.jobs
  if (job === undefined) return Either.left(PlanError.at("sweep", "a script needs a job"))
  const { command, point } = job
  return batch(plan, group, point.name, {
    project: point.loaded.config.project.name,
    name: point.name,
    outputDir: point.outputDir,
    directives: {},
    argv: command.argv,
    env: command.env,
    taskEnv: new Map(),
    variables: point.variables
  })
}

/** One script for all its tasks; each runs its point of the sweep's file. */
const arrayBatch = (
  plan: ScriptPlan,
  group: Group,
  offset: number,
  suffix: string
): Either.Either<Batch, PlanError> => {
  const name = arrayNameOf(plan.project)
  const { jobs } = group
  const [first] = jobs
  const env = first?.command.env ?? {}
  const sameEnv = jobs.every(({ command }) => JSON.stringify(command.env) === JSON.stringify(env))
  const stages = new Set(jobs.map(({ point }) => point.stage))
  return batch(plan, group, `${name}${suffix}`, {
    project: plan.project,
    name,
    outputDir: path.resolve(plan.cwd, first?.point.loaded.config.project.base_output_dir ?? ""),
    directives: { array: formatArrayIndices(jobs.map(({ point }) => point.index - offset)) },
    argv: [...plan.autoexpCommand, "sweep-entry", "--sweep", plan.sweepPath, "--index", "$AUTOEXP_INDEX"],
    env: sameEnv ? env : {},
    taskEnv: new Map(sameEnv ? [] : jobs.map(({ command, point }) => [point.index, command.env])),
    variables: { stage: stages.size === 1 ? first?.point.stage ?? "" : "" }
  })
}
