/** The variables that templates of rules may use. */
import { pyStr } from "../backend/python.ts"
import { isMap, mapWithFloats, type Value, type ValueMap } from "../backend/Value.ts"
import type { Occurrence } from "../session/entries.ts"
import type { Job } from "../session/Job.ts"
import type { Session } from "../session/Session.ts"
import { floatsPrintAsPythons } from "./behaviour.ts"

/** Text of one metadata entry; empty if there is none. */
export const metadataOf = (metadata: ValueMap, key: string): string => {
  const value = Object.hasOwn(metadata, key) ? metadata[key] : undefined
  return value === undefined || value === null ? "" : pyStr(value)
}

/** Where the event was seen: `source` is `log`, `output` (one of `output_paths`), `inactivity`, `state` or `published`. */
const seenIn = ({ logPath, plan }: Job, { path, source }: Occurrence): ValueMap => ({
  source: source === "log" && path !== null && plan.output_paths.includes(path) ? "output" : source,
  source_path: path ?? logPath ?? plan.log_path
})

const printable = ({ behaviour }: Session, map: ValueMap): ValueMap =>
  behaviour < floatsPrintAsPythons ? map : mapWithFloats(map)

/** What is known of a job before anything happens to it: `job_name`, `output_dir`, the sweep's parameters, … */
export const jobVariables = (session: Session, job: Job): ValueMap => {
  const parameters = printable(session, job.plan.parameters as ValueMap)
  return {
    output_paths: job.plan.output_paths,
    ...(isMap(parameters) ? parameters : {}),
    parameters,
    plan_id: session.planId,
    project: session.project,
    index: job.plan.index,
    stage: job.plan.stage,
    attempt: job.attempt,
    job_name: job.plan.name,
    job_id: job.slurm === null ? "" : idText(job.slurm),
    output_dir: job.plan.output_dir,
    log_path: job.logPath ?? job.plan.log_path
  }
}

/** What the event holds over the job's own. */
export const variablesOf = (session: Session, job: Job, occurrence: Occurrence): ValueMap => ({
  ...seenIn(job, occurrence),
  ...jobVariables(session, job),
  event_id: occurrence.eventId,
  event_name: occurrence.name,
  ...printable(session, { ...occurrence.metadata, ...occurrence.published?.payload as ValueMap | undefined })
})

/** The id as SLURM prints it: `900`, or `900_3` for a task of an array. */
export const idText = (slurm: { readonly id: string; readonly task: number | null }): Value & string =>
  slurm.task === null ? slurm.id : `${slurm.id}_${slurm.task}`
