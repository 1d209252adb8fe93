/** A plan as its manifest says it. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as path from "node:path"
import { eventAction } from "../action/actions.ts"
import type { Loaded } from "../config/load.ts"
import { Monitoring } from "../rule/Monitoring.ts"
import { Client } from "../scheduler/Client.ts"
import type { JobSize } from "./gpuHours.ts"
import type { PointJob } from "./jobs.ts"
import type { Manifest } from "./Manifest.ts"
import { arrayNameOf } from "./places.ts"
import { PlanError } from "./PlanError.ts"
import type { PlanOptions } from "./PlanOptions.ts"
import { redactArgument, redactConfig } from "./redact.ts"
import { ruleSets } from "./ruleSets.ts"
import type { Batch } from "./scripts.ts"
import { plainMap } from "./texts.ts"

/** What was made of the points. */
export interface Made {
  readonly jobs: ReadonlyArray<PointJob>
  readonly scripts: ReadonlyArray<Batch>
  /** The path of the points' file; null if there is none. */
  readonly sweep: string | null
}

/** Whether a rule of the section may start a job again with other arguments. */
const mayChange = ({ log_events, state_events }: Monitoring): boolean =>
  [...log_events, ...state_events].some(({ actions }) =>
    actions.some((bound) => {
      const { action } = eventAction(bound)
      return action.class_name === "RestartAction" && Object.keys(action.overrides).length > 0
    })
  )

/** The manifest of the plan. Conditions, rules and client are encoded. */
export const manifestOf = (
  loaded: Loaded,
  options: PlanOptions,
  { jobs, scripts, sweep }: Made
): Either.Either<Manifest, PlanError> => {
  const { cwd } = options
  const { monitoring, project, scheduler, slurm } = loaded.config
  const base = path.resolve(cwd, project.base_output_dir)
  const rules = ruleSets(monitoring, jobs.map(({ point }) => point.loaded.config.monitoring))
  const batchOf = new Map(scripts.flatMap((batch) => batch.jobs.map((job) => [job, batch] as const)))
  const [first, ...rest] = jobs.map((job, at): Manifest["jobs"][number] => {
    const { chain, gates, outputPaths, point, size } = job
    const { identity, index, loaded: { parameters }, logPath, name, outputDir, stage } = point
    const batch = batchOf.get(job)
    const offset = batch?.offset ?? null
    return {
      name,
      index,
      parameters: plainMap(parameters),
      script: batch?.script.path ?? "",
      array: offset !== null,
      task: offset === null || offset === 0 ? null : index - offset,
      log_path: logPath,
      output_dir: outputDir,
      output_paths: outputPaths,
      ...(mayChange(point.loaded.config.monitoring)
        ? { launch: { argv: job.command.argv, command: batch?.command ?? "" } }
        : {}),
      stage,
      identity,
      needs: gates.needs,
      start_conditions: gates.start,
      cancel_conditions: gates.cancel,
      finish_conditions: gates.finish,
      ...(chain === null ? {} : { chain }),
      gpus: size.gpus,
      nodes: size.nodes,
      rule_set: rules.positions[at] ?? null
    }
  })
  if (first === undefined) return Either.left(PlanError.at("sweep.axes", "the sweep has no points"))
  const arrays = scripts.flatMap(({ jobs, offset, script }) =>
    offset === null ? [] : [{
      script: script.path,
      name: arrayNameOf(project.name),
      indices: jobs.map(({ point }) => point.index),
      offset
    }]
  )
  return Either.right({
    version: 1,
    plan_id: options.planId,
    session: options.grows?.session ?? null,
    created_at: options.createdAt,
    tool_version: options.toolVersion,
    project: project.name,
    config_ref: loaded.request.configRef,
    config_dir: path.resolve(cwd, loaded.request.configDir),
    overrides: loaded.request.overrides.map(redactArgument),
    cwd,
    sources: [],
    base_output_dir: base,
    monitoring_state_dir: path.resolve(cwd, project.monitoring_state_dir ?? path.join(base, "monitoring_state")),
    config: redactConfig(loaded.resolved),
    jobs: [first, ...rest],
    array: scripts.length === 1 ? arrays[0] ?? null : null,
    arrays,
    sweep,
    monitoring: Schema.encodeSync(Monitoring)(monitoring),
    rule_sets: rules.sets,
    scheduler: {
      client: Schema.encodeSync(Client)(slurm.client),
      max_jobs: scheduler.max_jobs,
      settle_seconds: scheduler.settle_seconds,
      breaker: scheduler.breaker,
      submit_rate_limit_seconds: scheduler.submit_rate_limit_seconds
    },
    budget: { confirm: project.gpu_hours_confirm, costs: costsOf(jobs) },
    parent: options.parent
  })
}

/** The jobs by what they may cost, in the order of the first of each. */
const costsOf = (jobs: ReadonlyArray<PointJob>): NonNullable<Manifest["budget"]>["costs"] => {
  const groups = new Map<string, { readonly size: JobSize; readonly names: Array<string> }>()
  for (const { point: { name }, size } of jobs) {
    const key = `${size.nodes} ${size.gpuHours}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { size, names: [name] })
    else group.names.push(name)
  }
  return [...groups.values()].map(({ names, size }) => ({ jobs: names, nodes: size.nodes, gpu_hours: size.gpuHours }))
}
