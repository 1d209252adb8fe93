/** The jobs of a plan's points: what each runs, watches, waits for and may cost. */
import * as Either from "effect/Either"
import * as path from "node:path"
import { launch } from "../backend/Backend.ts"
import type { LaunchCommand } from "../backend/launch.ts"
import { formatTemplate } from "../sweep/format.ts"
import { type Gates, gatesOf } from "./gates.ts"
import { type JobSize, jobSize } from "./gpuHours.ts"
import { renderText } from "./places.ts"
import { PlanError } from "./PlanError.ts"
import type { PlannedPoint } from "./points.ts"

/** A job, all but its script. */
export interface PointJob {
  readonly point: PlannedPoint
  /** Absolute. */
  readonly outputPaths: ReadonlyArray<string>
  readonly command: LaunchCommand
  readonly gates: Gates
  readonly size: JobSize
}

/** The jobs of `points`; `others`: names of jobs that the session has besides. */
export const pointJobs = (
  points: ReadonlyArray<PlannedPoint>,
  others: ReadonlyArray<string>,
  cwd: string
): Either.Either<ReadonlyArray<PointJob>, PlanError> => {
  const names = new Set([...points.map(({ name }) => name), ...others])
  return Either.all(points.map((point) => pointJob(point, names, cwd)))
}

const pointJob = (
  point: PlannedPoint,
  names: ReadonlySet<string>,
  cwd: string
): Either.Either<PointJob, PlanError> =>
  Either.gen(function*() {
    const { loaded: { config, others }, variables } = point
    const { backend, monitoring, slurm } = config
    const outputPaths = yield* Either.all(
      monitoring.output_paths.map((text, at) => renderText(`monitoring.output_paths[${at}]`, text, variables))
    )
    const command = yield* Either.mapLeft(
      launch(backend, { parameters: others, render: (template) => formatTemplate(template, variables) }),
      ({ at, message }) => PlanError.at(at, message)
    )
    return {
      point,
      outputPaths: outputPaths.map((file) => path.resolve(cwd, file)),
      command,
      gates: yield* gatesOf(point, names),
      size: jobSize(slurm)
    }
  })
