/** From a config to a plan: manifest, scripts, sweep file and provenance, as texts. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as path from "node:path"
import { environment } from "../backend/launch.ts"
import { isMap, type Value, type ValueMap } from "../backend/Value.ts"
import type { Loaded } from "../config/load.ts"
import type { ConfigError } from "../config/Problem.ts"
import { unsafeName } from "../sweep/names.ts"
import { difference } from "./difference.ts"
import { environmentOf } from "./environments.ts"
import { absentNote } from "./gates.ts"
import { type PointJob, pointJobs } from "./jobs.ts"
import { manifestOf } from "./manifestOf.ts"
import { distinctPlaces, errorFolders } from "./places.ts"
import { PlanError } from "./PlanError.ts"
import type { PlannedFiles } from "./PlannedFiles.ts"
import type { PlanOptions } from "./PlanOptions.ts"
import { plannedPoints } from "./points.ts"
import { provenanceFiles } from "./provenance.ts"
import { redactConfig, redactedAt } from "./redact.ts"
import { batches } from "./scripts.ts"
import { type SweepEntry, sweepText } from "./sweepFile.ts"
import { plainMap } from "./texts.ts"

/**
 * The plan of `loaded`, or the first thing that is wrong with it: the same input gives the same bytes, and
 * nothing is written.
 */
export const makePlan = (
  loaded: Loaded,
  options: PlanOptions
): Effect.Effect<PlannedFiles, PlanError | ConfigError> =>
  Effect.mapError(assemble(loaded, options), (error) => error._tag === "PlanError" ? located(loaded, error) : error)

/** The error with the place in a file or override from which the value at fault came. */
const located = (loaded: Loaded, error: PlanError): PlanError => {
  const isKnown = error.file !== null || error.override !== undefined
  const origin = error.at === null || isKnown ? null : loaded.origin(error.at)
  return origin === null
    ? error
    : PlanError.located(error, origin, loaded.chain(origin.source === "file" ? origin.file : ""))
}

const assemble = (loaded: Loaded, options: PlanOptions): Effect.Effect<PlannedFiles, PlanError | ConfigError> =>
  Effect.gen(function*() {
    const { cwd, grows, planId, subset } = options
    const { project, sweep } = loaded.config
    yield* checkName("plan id", planId, null)
    yield* checkRecord(loaded)
    const known = grows?.jobs ?? null
    const { gone, notes, points } = yield* plannedPoints(loaded, {
      cwd,
      planId,
      project: project.name,
      subset,
      known
    })
    const isArray = points.some((point) => point.loaded.config.slurm.array)
    if (isArray) yield* checkName("project", project.name, "project.name")
    const jobs = yield* pointJobs(loaded, points, {
      ...options,
      others: known?.map(({ name }) => name) ?? []
    })
    const base = path.resolve(cwd, project.base_output_dir)
    const sweepPath = isArray || sweep.store_sweep_json ? path.join(base, `sweep-${planId}.json`) : null
    const scripts = yield* batches(
      { ...options, session: grows?.session ?? planId, project: project.name, sweepPath: sweepPath ?? "" },
      jobs
    )
    const manifest = yield* manifestOf(loaded, options, { jobs, scripts, sweep: sweepPath })
    yield* distinctPlaces(manifest.jobs)
    const request = { ...loaded.request, configDir: path.resolve(cwd, loaded.request.configDir) }
    const text = sweepPath === null ? "" : sweepFileText(loaded, planId, jobs)
    // What stands there of the session's own jobs tells how they were started.
    const names = new Set(known?.map(({ name }) => name))
    const isNew = ({ point }: PointJob) => !names.has(point.name)
    return {
      manifest,
      manifestPath: path.join(base, "manifests", `${planId}.json`),
      directories: [
        ...points.map(({ outputDir }) => outputDir),
        ...points.map(({ logPath }) => logFolder(logPath)),
        ...points.flatMap(({ loaded }) => errorFolders(loaded.config, cwd))
      ],
      files: [
        ...scripts.filter((batch) => batch.jobs.some(isNew)).map(({ script }) => script),
        ...provenanceFiles({ ...options, facts: yield* options.facts, request }, jobs.filter(isNew)),
        ...(sweepPath === null ? [] : [{ path: sweepPath, text, executable: false }])
      ],
      links: sweepPath === null ? [] : [{ path: path.join(base, "sweep.json"), target: path.basename(sweepPath) }],
      sizes: new Map(jobs.map(({ point, size }) => [point.name, size])),
      environments: new Map(jobs.map((job) => [job.point.name, environmentOf(job)])),
      gone,
      notes: [...notes, ...commandNotes(jobs), ...absentNote(jobs.map(({ gates }) => gates))]
    }
  })

/** What backends have to say of their commands, each once, with how many jobs it is about. */
const commandNotes = (jobs: ReadonlyArray<PointJob>): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  for (const note of jobs.flatMap(({ command }) => command.notes ?? [])) counts.set(note, (counts.get(note) ?? 0) + 1)
  return [...counts].map(([note, count]) => count === jobs.length ? note : `${note} (${count} of ${jobs.length} jobs)`)
}

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

const sweepFileText = (loaded: Loaded, planId: string, jobs: ReadonlyArray<PointJob>): string => {
  const config = redactConfig(loaded.resolved)
  const { sweep: _, ...shared } = config
  const same = { slurm: exportsOf(shared["slurm"]), container: exportsOf(shared["container"]) }
  const texts = { slurm: JSON.stringify(same.slurm), container: JSON.stringify(same.container) }
  const ownExports = (section: "slurm" | "container", own: ValueMap) => {
    if (own[section] === shared[section]) return null
    const env = exportsOf(own[section])
    return JSON.stringify(env) === texts[section] ? null : env
  }
  const points = jobs.map(({ command: { argv, env }, point }): SweepEntry => {
    const { index, name, outputDir, stage } = point
    const [program = "", ...rest] = argv
    const { sweep: _, ...own } = redactConfig(point.loaded.resolved)
    return {
      index,
      name,
      output_dir: outputDir,
      stage,
      parameters: plainMap(point.loaded.parameters),
      argv: [program, ...rest],
      env,
      slurm_env: ownExports("slurm", own),
      container_env: ownExports("container", own),
      ...difference(shared, own)
    }
  })
  return sweepText({
    version: 1,
    plan_id: planId,
    project: loaded.config.project.name,
    config,
    slurm_env: same.slurm,
    container_env: same.container,
    points
  })
}

/** What jobs export of the `env` of a config's section. */
const exportsOf = (section: Value = null): Readonly<Record<string, string>> => {
  const env = isMap(section) ? section["env"] ?? null : null
  return isMap(env) ? environment(env) : {}
}
