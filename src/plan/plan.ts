/** From a config to a plan: manifest, scripts, sweep file and provenance, as texts. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as path from "node:path"
import { formatArrayIndices } from "../backend/slurm/arraySpec.ts"
import type { Loaded } from "../config/load.ts"
import type { ConfigError } from "../config/Problem.ts"
import { showJson } from "../config/show.ts"
import { Monitoring } from "../rule/Monitoring.ts"
import { Client } from "../scheduler/Client.ts"
import { unsafeName } from "../sweep/names.ts"
import type { Manifest } from "./Manifest.ts"
import { PlanError } from "./PlanError.ts"
import type { PlannedFile, PlannedFiles } from "./PlannedFiles.ts"
import type { PlanOptions } from "./PlanOptions.ts"
import { configuredPoints, escapeCodes, type PointJob, pointJobs, sameSlurm } from "./points.ts"
import { provenanceFiles } from "./provenance.ts"
import { redactArgument, redactConfig, redactedAt } from "./redact.ts"
import type { Template } from "./sbatch.ts"
import { arrayScript, jobScript } from "./scripts.ts"
import type { SweepEntry, SweepFile } from "./sweepFile.ts"
import { plainMap } from "./texts.ts"

/** The template that the config names, which is looked for in the config directory and then in `cwd`. */
export const readTemplate = (
  loaded: Loaded,
  cwd: string
): Effect.Effect<Template, PlanError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const given = loaded.config.slurm.template_path
    const places = [...new Set([path.resolve(cwd, loaded.request.configDir, given), path.resolve(cwd, given)])]
    return yield* Effect.firstSuccessOf(
      places.map((place) => Effect.map(files.readFileString(place), (text) => ({ path: place, text })))
    ).pipe(
      Effect.mapError(() =>
        located(loaded, PlanError.at("slurm.template_path", `there is no template at ${places.join(" or ")}`))
      )
    )
  })

/**
 * The plan of `loaded`, or the first thing that is wrong with it. Pure: the same input gives the same bytes, and
 * nothing is written.
 */
export const makePlan = (
  loaded: Loaded,
  options: PlanOptions
): Either.Either<PlannedFiles, PlanError | ConfigError> =>
  Either.mapLeft(assemble(loaded, options), (error) => error._tag === "PlanError" ? located(loaded, error) : error)

/** The error with the place in a file or override from which the value at fault came. */
const located = (loaded: Loaded, error: PlanError): PlanError => {
  const origin = error.at === null ? null : loaded.origin(error.at)
  return origin === null
    ? error
    : PlanError.located(error, origin, loaded.chain(origin.source === "file" ? origin.file : ""))
}

const assemble = (loaded: Loaded, options: PlanOptions): Either.Either<PlannedFiles, PlanError | ConfigError> =>
  Either.gen(function*() {
    const { cwd, planId } = options
    const { project, slurm } = loaded.config
    yield* checkName("plan id", planId, null)
    yield* checkRecord(loaded)
    if (slurm.array) yield* checkName("project", project.name, "project.name")
    const base = path.resolve(cwd, project.base_output_dir)
    const points = yield* configuredPoints(loaded)
    if (slurm.array) yield* sameSlurm(points)
    const arrayName = `${project.name}-array`
    const all = yield* pointJobs(loaded.config.sweep.name_template, points, {
      planId,
      cwd,
      arrayLog: slurm.array
        ? path.join(escapeCodes(path.resolve(cwd, slurm.log_dir)), `${escapeCodes(arrayName)}_%A_%a.log`)
        : null
    })
    const jobs = yield* chosen(all, options.subset)
    const sweepPath = slurm.array || loaded.config.sweep.store_sweep_json
      ? path.join(base, `sweep-${planId}.json`)
      : null
    const scripts = yield* slurm.array
      ? arrayScript(loaded, options, arrayName, jobs, sweepPath ?? "")
      : Either.all(jobs.map((job) => jobScript(options, job)))
    const manifest = yield* describe(loaded, options, jobs, scripts, slurm.array ? arrayName : null, sweepPath)
    const request = { ...loaded.request, configDir: path.resolve(cwd, loaded.request.configDir) }
    return {
      manifest,
      manifestPath: path.join(base, "manifests", `${planId}.json`),
      directories: [...jobs.map((job) => job.outputDir), ...jobs.map((job) => logFolder(job.logPath))],
      files: [
        ...scripts,
        ...provenanceFiles({ ...options, request }, jobs),
        ...(sweepPath === null ? [] : [{ path: sweepPath, text: sweepText(loaded, planId, jobs), executable: false }])
      ],
      links: sweepPath === null ? [] : [{ path: path.join(base, "sweep.json"), target: path.basename(sweepPath) }]
    }
  })

const checkName = (what: string, name: string, at: string | null): Either.Either<void, PlanError> => {
  const unsafe = unsafeName(name)
  return unsafe === null ? Either.void : Either.left(
    new PlanError({
      at,
      file: null,
      line: null,
      column: null,
      message: `${JSON.stringify(name)} is no ${what}: ${unsafe}`
    })
  )
}

/** What was recorded lacks its secrets, which must not be replaced by their masks. */
const checkRecord = ({ request, resolved }: Loaded): Either.Either<void, PlanError> => {
  const at = request.configRef.endsWith(".json") ? redactedAt(resolved) : null
  return at === null ? Either.void : Either.left(
    PlanError.at(at, `it was left out of this record, since it may be a secret; give it again, as in ${at}=VALUE`)
  )
}

/** A log's directory as it stands on disk: its doubled percent signs are single ones there. */
const logFolder = (logPath: string): string => path.dirname(logPath).replaceAll("%%", "%")

const chosen = (
  jobs: ReadonlyArray<PointJob>,
  subset: ReadonlyArray<number> | null
): Either.Either<ReadonlyArray<PointJob>, PlanError> => {
  if (subset === null) return Either.right(jobs)
  const fail = (message: string) =>
    Either.left(new PlanError({ at: null, file: null, line: null, column: null, message }))
  const missing = subset.filter((index) => !jobs.some(({ point }) => point.index === index))
  if (missing.length > 0) {
    return fail(
      `the sweep has no point ${formatArrayIndices(missing)}; it has ${
        formatArrayIndices(jobs.map(({ point }) => point.index))
      }`
    )
  }
  return subset.length === 0
    ? fail("the subset chooses no point")
    : Either.right(jobs.filter(({ point }) => subset.includes(point.index)))
}

const sweepText = (loaded: Loaded, planId: string, jobs: ReadonlyArray<PointJob>): string => {
  const points = jobs.map(({ command, name, outputDir, point }): SweepEntry => {
    const [program = "", ...rest] = command.argv
    const parameters = plainMap(point.parameters)
    return { index: point.index, name, output_dir: outputDir, parameters, argv: [program, ...rest], env: command.env }
  })
  const config = redactConfig(loaded.resolved)
  const file: SweepFile = { version: 1, plan_id: planId, project: loaded.config.project.name, config, points }
  return showJson(file)
}

const describe = (
  loaded: Loaded,
  options: PlanOptions,
  jobs: ReadonlyArray<PointJob>,
  scripts: ReadonlyArray<PlannedFile>,
  arrayName: string | null,
  sweep: string | null
): Either.Either<Manifest, PlanError> => {
  const { cwd } = options
  const { project, scheduler, slurm } = loaded.config
  const base = path.resolve(cwd, project.base_output_dir)
  const script = (at: number): string => scripts[arrayName === null ? at : 0]?.path ?? ""
  const [first, ...rest] = jobs.map((job, at): Manifest["jobs"][number] => ({
    name: job.name,
    index: job.point.index,
    parameters: plainMap(job.point.parameters),
    script: script(at),
    array: arrayName !== null,
    log_path: job.logPath,
    output_dir: job.outputDir,
    output_paths: job.outputPaths,
    stage: "",
    identity: "",
    needs: [],
    start_conditions: [],
    cancel_conditions: [],
    rule_set: null
  }))
  if (first === undefined) return Either.left(PlanError.at("sweep.axes", "the sweep has no points"))
  return Either.right({
    version: 1,
    plan_id: options.planId,
    created_at: options.createdAt,
    tool_version: options.toolVersion,
    project: project.name,
    config_ref: loaded.request.configRef,
    config_dir: path.resolve(cwd, loaded.request.configDir),
    overrides: loaded.request.overrides.map(redactArgument),
    base_output_dir: base,
    monitoring_state_dir: path.resolve(cwd, project.monitoring_state_dir ?? path.join(base, "monitoring_state")),
    config: redactConfig(loaded.resolved),
    jobs: [first, ...rest],
    array: arrayName === null
      ? null
      : { script: script(0), name: arrayName, indices: jobs.map(({ point }) => point.index) },
    sweep,
    monitoring: Schema.encodeSync(Monitoring)(loaded.config.monitoring),
    rule_sets: [],
    scheduler: {
      client: Schema.encodeSync(Client)(slurm.client),
      max_jobs: scheduler.max_jobs,
      settle_seconds: scheduler.settle_seconds,
      submit_rate_limit_seconds: scheduler.submit_rate_limit_seconds
    },
    parent: options.parent
  })
}
