/** The whole configuration, typed. Keys of strict sections are known; open maps take any. */
import * as Schema from "effect/Schema"
import { Condition } from "../action/conditions.ts"
import { Backend } from "../backend/Backend.ts"
import { Text } from "../backend/Text.ts"
import { AnyMap, Int, Number } from "../backend/Value.ts"
import { Monitoring } from "../rule/Monitoring.ts"
import { Client, SlurmClient, spare } from "../scheduler/Client.ts"
import { Sweep } from "../sweep/Sweep.ts"

const text = (value: string) => Schema.optionalWith(Text, { default: () => value })
const bool = (value: boolean) => Schema.optionalWith(Schema.Boolean, { default: () => value })
const texts = Schema.optionalWith(Schema.Array(Text), { default: () => [] })
const openMap = Schema.optionalWith(AnyMap, { default: () => ({}) })
const maybeText = Schema.optionalWith(Schema.NullOr(Text), { default: () => null })

const Project = Schema.Struct({
  name: Text,
  /** Where each job gets a directory. */
  base_output_dir: Text,
  /** Where sessions live; null: `monitoring_state` below `base_output_dir`. */
  monitoring_state_dir: maybeText,
  resume: bool(true),
  /** `run` asks before it submits a plan that may use more GPU-hours; null: never. */
  gpu_hours_confirm: Schema.optionalWith(Schema.NullOr(Number), { default: () => null })
})

const Slurm = Schema.Struct({
  /** The batch script's template, relative to the config directory or to where autoexp runs. */
  template_path: Text,
  /** Where scripts go; null: `scripts` below `base_output_dir`. */
  script_dir: maybeText,
  /** Where array logs go; null: `base_output_dir`. */
  log_dir: maybeText,
  /** One array job for all points of the same section, instead of one job a point. */
  array: bool(true),
  /** The site's MaxArraySize: the tasks of an array have numbers below it. More points are several arrays. */
  max_array_size: Schema.optionalWith(Int, { default: () => 1001 }),
  submit_cmd: text("sbatch"),
  squeue_cmd: text("squeue"),
  sacct_cmd: text("sacct"),
  cancel_cmd: text("scancel"),
  launcher_cmd: text(""),
  /** Declared by the predecessor, which never read it; without effect, like `test_only`. */
  launcher_env_passthrough: bool(false),
  test_only: bool(false),
  srun_opts: text(""),
  env: openMap,
  srun: openMap,
  sbatch: openMap,
  /** Wins over `sbatch`. */
  sbatch_overrides: openMap,
  sbatch_extra_directives: texts,
  /** Unset, as predecessors left it, it is SLURM: an experiment of many nodes must not begin on a login node. */
  client: Schema.optionalWith(Client, { default: () => SlurmClient.make({ class_name: "SlurmClient" }) })
})

const Container = Schema.Struct({
  image: maybeText,
  runtime: text("apptainer"),
  bind: texts,
  env: openMap,
  pwd: maybeText
})

const Breaker = Schema.Struct({
  jobs: Schema.optionalWith(Int, { default: () => 10 }),
  within_seconds: Schema.optionalWith(Number, { default: () => 600 })
})

const Scheduler = Schema.Struct({
  /** How many jobs are queued or run at once; null: no limit. */
  max_jobs: Schema.optionalWith(Schema.NullOr(Int), { default: () => null }),
  /** Seconds from one submission to the next (an array is one submission); null: no limit. */
  submit_rate_limit_seconds: Schema.optionalWith(Schema.NullOr(Number), { default: () => null }),
  /** How long the scheduler may take to know a job that was submitted; null: as long as its kind may. */
  settle_seconds: Schema.optionalWith(Schema.NullOr(Number), { default: () => null }),
  /** Restarts pause, and the session needs attention, if so many jobs fail alike within so many seconds; null: never. */
  breaker: Schema.optionalWith(Schema.NullOr(Breaker), { default: () => Breaker.make({}) }),
  /** Seconds for which one answer of squeue serves all who ask. */
  min_poll_seconds: Schema.optionalWith(Number, { default: () => spare.minPollSeconds }),
  /** How many calls of SLURM's commands a process makes in a minute at most. */
  calls_per_minute: Schema.optionalWith(Int, { default: () => spare.callsPerMinute })
})

const Finish = Schema.Struct({ step: Schema.Union(Int, Schema.Literal("total")) })

/** A job that takes more than one time limit allows: link after link, each queued ahead behind those before it. */
const Chain = Schema.Struct({
  /** How many links there are at most. Restarts after failures come on top, and have their own budgets. */
  links: Int.pipe(Schema.greaterThanOrEqualTo(1)),
  /** What says that the work is done; null: that a log event says so, or that all links have run. */
  until: Schema.optionalWith(Schema.NullOr(Condition), { default: () => null }),
  /** How many links wait in the queue behind the one that runs. */
  ahead: Schema.optionalWith(Int.pipe(Schema.greaterThanOrEqualTo(0)), { default: () => 3 }),
  /** How many seconds a link that has begun waits for the monitor's word, where the last end tells nothing good. */
  gate_seconds: Schema.optionalWith(Number, { default: () => 300 }),
  /** How many seconds a link may go on that is known to have done the work; then it is ended; null: as long as it likes. */
  overrun_seconds: Schema.optionalWith(Schema.NullOr(Number), { default: () => 3600 })
})
export type ChainSettings = typeof Chain.Type

const Job = Schema.Struct({
  /** What must hold before the job is submitted. */
  start_conditions: Schema.optionalWith(Schema.Array(Condition), { default: () => [] }),
  /** What ends the job as soon as it holds. */
  cancel_conditions: Schema.optionalWith(Schema.Array(Condition), { default: () => [] }),
  /**
   * The job is done already if all of these hold: asked, once each, before every submission, and when an attempt has ended
   * badly. A job that is done ends as a success.
   */
  finish_conditions: Schema.optionalWith(Schema.Array(Condition), { default: () => [] }),
  /** One more of them. */
  finish_condition: Schema.optionalWith(Schema.NullOr(Condition), { default: () => null }),
  /** One more of them: that so many steps are done, or all (`total`), as the log tells them. */
  finish: Schema.optionalWith(Schema.NullOr(Finish), { default: () => null }),
  /** Null: it is one submission, and its time limit ends it. */
  chain: Schema.optionalWith(Schema.NullOr(Chain), { default: () => null }),
  /** As in `monitoring`, and wins over it. */
  start_condition_cmd: maybeText,
  start_condition_interval_seconds: Schema.optionalWith(Schema.NullOr(Number), { default: () => null })
})

/** The root as it is written; `load` fills in what depends on other sections. */
export const ConfigSchema = Schema.Struct({
  project: Project,
  sweep: Sweep,
  slurm: Slurm,
  container: Schema.optionalWith(Container, { default: () => Container.make({}) }),
  monitoring: Monitoring,
  backend: Backend,
  job: Schema.optionalWith(Job, { default: () => Job.make({}) }),
  scheduler: Schema.optionalWith(Scheduler, { default: () => Scheduler.make({}) }),
  /** Free notes; rules may name them. */
  metadata: openMap,
  /** What follow-up evaluations are told. */
  evaluation: openMap
})

export type Written = typeof ConfigSchema.Type

/** The configuration with all paths that have a default. They may be relative to where autoexp runs. */
export interface Config extends Omit<Written, "project" | "slurm" | "scheduler"> {
  readonly project: Written["project"] & { readonly monitoring_state_dir: string }
  readonly slurm: Written["slurm"] & { readonly script_dir: string; readonly log_dir: string }
  readonly scheduler: Written["scheduler"] & { readonly settle_seconds: number }
}

/**
 * Seconds: longer than Slurm's message time-out and the delay of its accounting. The other clusters answer from disk, so
 * what they do not know after a few seconds they never got.
 */
const settleSeconds = ({ class_name }: Client): number => class_name === "SlurmClient" ? 120 : 3

/** The client with what other sections may say for it: SLURM's commands, and how often they are called. */
const withCommands = ({ scheduler, slurm: { client, ...slurm } }: Written): Client =>
  client.class_name !== "SlurmClient" ? client : {
    ...client,
    submit_cmd: client.submit_cmd ?? slurm.submit_cmd,
    squeue_cmd: client.squeue_cmd ?? slurm.squeue_cmd,
    sacct_cmd: client.sacct_cmd ?? slurm.sacct_cmd,
    cancel_cmd: client.cancel_cmd ?? slurm.cancel_cmd,
    min_poll_seconds: client.min_poll_seconds ?? scheduler.min_poll_seconds,
    calls_per_minute: client.calls_per_minute ?? scheduler.calls_per_minute
  }

/** `written` with its null paths filled in. */
export const complete = (written: Written): Config => {
  const base = written.project.base_output_dir.replace(/\/+$/, "")
  const { project, scheduler, slurm } = written
  return {
    ...written,
    project: { ...project, monitoring_state_dir: project.monitoring_state_dir ?? `${base}/monitoring_state` },
    slurm: {
      ...slurm,
      client: withCommands(written),
      script_dir: slurm.script_dir ?? `${base}/scripts`,
      log_dir: slurm.log_dir ?? project.base_output_dir
    },
    scheduler: { ...scheduler, settle_seconds: scheduler.settle_seconds ?? settleSeconds(slurm.client) }
  }
}
