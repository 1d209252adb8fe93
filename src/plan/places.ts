/** Where a job writes: its directory and its log. */
import * as Either from "effect/Either"
import * as path from "node:path"
import type { ValueMap } from "../backend/Value.ts"
import type { Config } from "../config/Config.ts"
import type { PlannedJob } from "../event/PlannedJob.ts"
import { formatTemplate } from "../sweep/format.ts"
import { PlanError } from "./PlanError.ts"

/** The plan of which a job is one. */
export interface PlanPlace {
  readonly planId: string
  /** What relative paths are relative to. */
  readonly cwd: string
  /** The whole plan's, whatever a point's own. */
  readonly project: string
}

/** Absolute paths. */
export interface JobPlaces {
  readonly outputDir: string
  /** With SLURM's `%` codes. */
  readonly logPath: string
  /** What templates of the job may name. */
  readonly variables: ValueMap
}

/** The places of the job `name`, whose templates may name `known`. */
export const jobPlaces = (
  config: Config,
  name: string,
  known: ValueMap,
  plan: PlanPlace
): Either.Either<JobPlaces, PlanError> =>
  Either.gen(function*() {
    const { monitoring, project } = config
    const { cwd, planId } = plan
    const outputDir = path.resolve(cwd, project.base_output_dir, name)
    const variables: ValueMap = { ...known, name, output_dir: outputDir, plan_id: planId }
    const logPath = arrayLog(config, plan) ?? explicitLog(config, cwd) ?? path.resolve(
      cwd,
      yield* renderText("monitoring.log_path_template", monitoring.log_path_template, escaped(variables))
    )
    yield* checkLog(logPath)
    return { outputDir, logPath, variables: { ...variables, log_path: logPath } }
  })

/** Directories besides the log's that SLURM opens files in and does not make: that of `error`, without `%` codes. */
export const errorFolders = ({ slurm }: Config, cwd: string): ReadonlyArray<string> => {
  const error = slurm.sbatch_overrides["error"] ?? slurm.sbatch["error"]
  if (typeof error !== "string") return []
  const folder = path.dirname(path.resolve(cwd, error))
  return folder.includes("%") ? [] : [folder]
}

/** The template at `at` of the config, rendered. */
export const renderText = (at: string, template: string, variables: ValueMap): Either.Either<string, PlanError> =>
  Either.mapLeft(
    formatTemplate(template, variables),
    ({ column, message }) => PlanError.at(at, `column ${column}: ${message}`)
  )

/** What the scheduler calls an array of the project's, without attempt and nonce. */
export const arrayNameOf = (project: string): string => `${project}-array`

/** An array's one script has one log path for all its tasks. */
const arrayLog = ({ slurm }: Config, { cwd, project }: PlanPlace): string | null =>
  slurm.array
    ? path.join(escapeCodes(path.resolve(cwd, slurm.log_dir)), `${escapeCodes(arrayNameOf(project))}_%A_%a.log`)
    : null

/** The log that the `slurm` section itself names, whichever of its two places; null if it names none. */
const explicitLog = ({ slurm }: Config, cwd: string): string | null => {
  const { sbatch, sbatch_overrides: overrides } = slurm
  const output = overrides["output"] ?? sbatch["output"]
  return typeof output === "string" ? path.resolve(cwd, output) : null
}

/** Texts that go into a log's path, their percent signs doubled since SLURM reads codes there. */
const escaped = (variables: ValueMap): ValueMap =>
  Object.fromEntries(
    Object.entries(variables).map(([key, value]) => [key, typeof value === "string" ? escapeCodes(value) : value])
  )

/** `text` as part of a path in which SLURM reads `%` codes. */
const escapeCodes = (text: string): string => text.replaceAll("%", "%%")

const checkLog = (logPath: string): Either.Either<void, PlanError> => {
  const fail = (message: string) => Either.left(PlanError.at("monitoring.log_path_template", message))
  if (logPath.includes("\\")) return fail("a backslash in a log's path turns SLURM's % codes off")
  if (/[\r\n]/.test(logPath)) return fail("a log's path cannot hold a line break")
  return /%(?!%)/.test(path.dirname(logPath).replaceAll("%%", ""))
    ? fail("a log's directory cannot hold % codes: SLURM does not make it")
    : Either.void
}

/** What tells the log of one job, or of one task of an array, from that of another. */
const logKey = ({ array, log_path: logPath, name }: PlannedJob): string => {
  const codes = new Set([...logPath.replaceAll("%%", "").matchAll(/%\d*([jAax])/g)].map(([, code]) => code))
  const isOwn = codes.has("j") || (array ? codes.has("a") : codes.has("A") || codes.has("x"))
  return isOwn ? `${logPath}\0${name}` : logPath
}

/** An error, naming both, if two jobs would write to one directory or one log. */
export const distinctPlaces = (jobs: ReadonlyArray<PlannedJob>): Either.Either<void, PlanError> => {
  const owners = new Map<string, string>()
  for (const job of jobs) {
    const places = [
      ["project.base_output_dir", job.output_dir, job.output_dir],
      ["monitoring.log_path_template", job.log_path, logKey(job)]
    ] as const
    for (const [at, place, key] of places) {
      const other = owners.get(`${at} ${key}`)
      if (other !== undefined) {
        return Either.left(PlanError.at(at, `the jobs ${other} and ${job.name} would both write to ${place}`))
      }
      owners.set(`${at} ${key}`, job.name)
    }
  }
  return Either.void
}
