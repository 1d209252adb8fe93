/** The jobs of a sweep: each point with its own config, name, directory and command. */
import * as Either from "effect/Either"
import * as path from "node:path"
import { launch } from "../backend/Backend.ts"
import type { LaunchCommand } from "../backend/launch.ts"
import { toPlain, type ValueMap } from "../backend/Value.ts"
import type { Loaded } from "../config/load.ts"
import type { ConfigError } from "../config/Problem.ts"
import { expandSweep } from "../sweep/expandSweep.ts"
import { formatTemplate } from "../sweep/format.ts"
import { jobNames, nameVariables } from "../sweep/names.ts"
import { isFilteredOut, type SweepPoint } from "../sweep/SweepPoint.ts"
import { PlanError } from "./PlanError.ts"

/** A point with the config that it leads to. */
export interface ConfiguredPoint extends SweepPoint {
  readonly loaded: Loaded
  readonly project: string
  /** The parameters that the config does not know: the backend's. */
  readonly others: ValueMap
}

/** A job, all but its script. Paths are absolute. */
export interface PointJob {
  readonly name: string
  readonly point: ConfiguredPoint
  readonly outputDir: string
  /** With SLURM's `%` codes. */
  readonly logPath: string
  readonly outputPaths: ReadonlyArray<string>
  /** What templates of the job may name. */
  readonly variables: ValueMap
  readonly command: LaunchCommand
}

/** Every point of the sweep, its config resolved anew with those of its parameters that are config keys. */
export const configuredPoints = (
  loaded: Loaded
): Either.Either<ReadonlyArray<ConfiguredPoint>, PlanError | ConfigError> =>
  Either.gen(function*() {
    const { points } = yield* Either.mapLeft(
      expandSweep(loaded.config.sweep),
      ({ at, message }) => PlanError.at(at, message)
    )
    return yield* Either.all(points.filter((point) => !isFilteredOut(point)).map((point) => configure(loaded, point)))
  })

const configure = (loaded: Loaded, point: SweepPoint): Either.Either<ConfiguredPoint, ConfigError> =>
  Either.map(loaded.at({ ...point, stage: "", siblings: {} }), (at) => ({
    ...point,
    parameters: at.parameters,
    loaded: at,
    project: at.config.project.name,
    others: at.others
  }))

/** `a, b and c` of what two sections differ in, for messages. */
const differences = (a: ValueMap, b: ValueMap): string =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((key) => JSON.stringify(toPlain(a[key] ?? null)) !== JSON.stringify(toPlain(b[key] ?? null)))
    .join(", ")

/** Fails if the points' `slurm` sections differ, which the one script of an array cannot do. */
export const sameSlurm = (points: ReadonlyArray<ConfiguredPoint>): Either.Either<void, PlanError> => {
  const sections = points.map(({ loaded }) => loaded.resolved["slurm"] as ValueMap)
  const [first = {}] = sections
  const other = sections.findIndex((section) => differences(first, section) !== "")
  return other < 0 ? Either.void : Either.left(PlanError.at(
    "slurm.array",
    `points ${points[0]?.index} and ${points[other]?.index} differ in slurm (${
      differences(first, sections[other] ?? {})
    }), ` +
      "which one array job cannot do; set slurm.array=false"
  ))
}

/** How the plan names a log that is not the point's own: an array's. */
export interface JobPlace {
  readonly planId: string
  readonly cwd: string
  readonly arrayLog: string | null
}

/** The jobs of all points, in order. */
export const pointJobs = (
  nameTemplate: string,
  points: ReadonlyArray<ConfiguredPoint>,
  place: JobPlace
): Either.Either<ReadonlyArray<PointJob>, PlanError> =>
  Either.gen(function*() {
    const names = yield* Either.mapLeft(
      jobNames(nameTemplate, points),
      ({ at, message }) => PlanError.at(at, message)
    )
    return yield* Either.all(points.map((point, at) => pointJob(point, names[at] ?? "", place)))
  })

const pointJob = (
  point: ConfiguredPoint,
  name: string,
  { arrayLog, cwd, planId }: JobPlace
): Either.Either<PointJob, PlanError> =>
  Either.gen(function*() {
    const { backend, monitoring, project } = point.loaded.config
    const outputDir = path.resolve(cwd, project.base_output_dir, name)
    const known: ValueMap = { ...nameVariables(point), name, output_dir: outputDir, plan_id: planId }
    const logPath = arrayLog ?? explicitLog(point, cwd) ??
      path.resolve(cwd, yield* renderText("monitoring.log_path_template", monitoring.log_path_template, escaped(known)))
    yield* checkLog(logPath)
    const variables = { ...known, log_path: logPath }
    const outputPaths = yield* Either.all(
      monitoring.output_paths.map((text, at) => renderText(`monitoring.output_paths[${at}]`, text, variables))
    )
    const command = yield* Either.mapLeft(
      launch(backend, { parameters: point.others, render: (template) => formatTemplate(template, variables) }),
      ({ at, message }) => PlanError.at(at, message)
    )
    return {
      name,
      point,
      outputDir,
      logPath,
      outputPaths: outputPaths.map((file) => path.resolve(cwd, file)),
      variables,
      command
    }
  })

const renderText = (at: string, template: string, variables: ValueMap): Either.Either<string, PlanError> =>
  Either.mapLeft(
    formatTemplate(template, variables),
    ({ column, message }) => PlanError.at(at, `column ${column}: ${message}`)
  )

/** Texts that go into a log's path, their percent signs doubled since SLURM reads codes there. */
const escaped = (variables: ValueMap): ValueMap =>
  Object.fromEntries(
    Object.entries(variables).map(([key, value]) => [
      key,
      typeof value === "string" ? escapeCodes(value) : value
    ])
  )

/** `text` as part of a path in which SLURM reads `%` codes. */
export const escapeCodes = (text: string): string => text.replaceAll("%", "%%")

/** The log that the `slurm` section itself names, whichever of its two places; null if it names none. */
const explicitLog = ({ loaded }: ConfiguredPoint, cwd: string): string | null => {
  const { sbatch, sbatch_overrides: overrides } = loaded.config.slurm
  const output = overrides["output"] ?? sbatch["output"]
  return typeof output === "string" ? path.resolve(cwd, output) : null
}

const checkLog = (logPath: string): Either.Either<void, PlanError> => {
  const fail = (message: string) => Either.left(PlanError.at("monitoring.log_path_template", message))
  if (logPath.includes("\\")) return fail("a backslash in a log's path turns SLURM's % codes off")
  if (/[\r\n]/.test(logPath)) return fail("a log's path cannot hold a line break")
  return /%(?!%)/.test(path.dirname(logPath).replaceAll("%%", ""))
    ? fail("a log's directory cannot hold % codes: SLURM does not make it")
    : Either.void
}
