/** The jobs of a plan's points: what each runs, watches, waits for and may cost. */
import * as Array from "effect/Array"
import * as Either from "effect/Either"
import * as path from "node:path"
import { launch } from "../backend/Backend.ts"
import { environment, type LaunchCommand } from "../backend/launch.ts"
import { leafName } from "../config/leaves.ts"
import type { Loaded } from "../config/load.ts"
import type { Chain } from "../event/PlannedJob.ts"
import { formatTemplate } from "../sweep/format.ts"
import { chainOf } from "./chain.ts"
import { type Gates, gatesOf } from "./gates.ts"
import { type JobSize, jobSize } from "./gpuHours.ts"
import { renderText } from "./places.ts"
import { PlanError } from "./PlanError.ts"
import type { PlanOptions } from "./PlanOptions.ts"
import type { PlannedPoint } from "./points.ts"
import { settingPath } from "./settingPath.ts"

/** A job, all but its script. */
export interface PointJob {
  readonly point: PlannedPoint
  /** Absolute. */
  readonly outputPaths: ReadonlyArray<string>
  readonly command: LaunchCommand
  readonly gates: Gates
  /** Null: it is one submission. */
  readonly chain: Chain | null
  readonly size: JobSize
}

/** What jobs are made of besides their points. */
export interface JobOptions extends Pick<PlanOptions, "cwd" | "argumentTables"> {
  /** Names of jobs that the session has besides. */
  readonly others: ReadonlyArray<string>
}

/** The jobs of `points`, which are of the sweep of `whole`. What is wrong with several points is told of the first. */
export const pointJobs = (
  whole: Loaded,
  points: ReadonlyArray<PlannedPoint>,
  options: JobOptions
): Either.Either<ReadonlyArray<PointJob>, PlanError> => {
  const names = new Set([...points.map(({ name }) => name), ...options.others])
  const [wrong, jobs] = Array.separate(points.map((point) => pointJob(whole, point, names, options)))
  const [first] = wrong
  if (first === undefined) return Either.right(jobs)
  const count = wrong.length === points.length ? `all ${points.length}` : `${wrong.length} of ${points.length}`
  return Either.left(
    wrong.length === 1
      ? first
      : new PlanError({ ...first, message: `${first.message} (${count} points cannot be planned)` })
  )
}

const pointJob = (
  whole: Loaded,
  point: PlannedPoint,
  names: ReadonlySet<string>,
  { argumentTables, cwd }: JobOptions
): Either.Either<PointJob, PlanError> =>
  Either.gen(function*() {
    const { loaded: { config, others, parameters }, variables } = point
    const { backend, monitoring, slurm } = config
    const outputPaths = yield* Either.all(
      monitoring.output_paths.map((text, at) => renderText(`monitoring.output_paths[${at}]`, text, variables))
    )
    const chain = config.job.chain
    const size = jobSize(slurm, chain?.links ?? 1)
    const command = yield* Either.mapLeft(
      launch(backend, {
        parameters: others,
        render: (template) => formatTemplate(template, variables),
        swept: new Set(Object.keys(parameters)),
        size,
        env: environment(slurm.env),
        argumentTables
      }),
      ({ at, message }) => pointError(whole, point, at, message)
    )
    return {
      point,
      outputPaths: outputPaths.map((file) => path.resolve(cwd, file)),
      command,
      gates: yield* gatesOf(point, names),
      chain: chain === null ? null : chainOf(chain, slurm),
      size
    }
  })

/** An error of the value at `at`: with the place in the sweep that set it, else with that in the point's own config. */
const pointError = (whole: Loaded, { index, loaded, name }: PlannedPoint, at: string, message: string): PlanError => {
  const { parameters } = loaded
  const isSwept = Object.keys(parameters).length > 0
  const said = isSwept ? `point ${index} (${name}): ${message}` : message
  const key = Object.keys(parameters).find((key) => at === key || at.startsWith(`${key}.`) || at.startsWith(`${key}[`))
  const place = key === undefined
    ? null
    : settingPath(whole.resolved["sweep"] ?? null, { key, value: parameters[key] ?? null }, ["sweep"])
  const [from, origin] = place === null ? [loaded, loaded.origin(at)] as const : [whole, whole.origin(place)] as const
  const error = PlanError.at(place === null ? at : leafName(place), said)
  return origin === null
    ? error
    : PlanError.located(error, origin, from.chain(origin.source === "file" ? origin.file : ""))
}
