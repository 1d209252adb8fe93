import * as Schema from "effect/Schema"
import { AnyMap } from "../../backend/Value.ts"
import type { RunAutoexpAction } from "./RunAutoexpAction.ts"

/**
 * Starts a job besides the plan's: a follow-up experiment of that one job, planned from the job's own config, which is
 * watched and told of like that of RunAutoexpAction. `command`: an argument vector, or a text for `sh`; both are templates,
 * values are inserted as they are. `sbatch`: options over those of the config. `LocalJob`: on the local cluster.
 */
export const NewJobAction = Schema.Struct({
  class_name: Schema.Literal("NewJobAction"),
  job_config: Schema.Struct({
    class_name: Schema.optionalWith(Schema.Literal("SlurmJob", "LocalJob"), { default: () => "SlurmJob" as const }),
    name: Schema.optionalWith(Schema.NonEmptyString, { default: () => "{job_name}-job" }),
    command: Schema.Union(Schema.NonEmptyArray(Schema.String), Schema.NonEmptyString),
    sbatch: Schema.optionalWith(AnyMap, { default: () => ({}) })
  })
})

/** The text in quotes, as the override grammar reads it. Source: Hydra's override grammar, quoted values. */
const quoted = (text: string): string => `'${text.replace(/\\*'/g, (quote) => `\\${quote}`).replace(/\\+$/, "$&$&")}'`

/** A template's braces by the letter: the follow-up renders its command once more. */
const literally = (text: string): string => text.replace(/[{}]/g, "$&$&")

/** The follow-up that runs it, from the config of the job that has this output directory. */
export const followUpOf = (
  { job_config: job }: typeof NewJobAction.Type,
  outputDir: string
): typeof RunAutoexpAction.Type => {
  const argv = typeof job.command === "string" ? ["sh", "-c", job.command] : job.command
  const options = Object.entries(job.sbatch).map(([key, value]) =>
    `++slurm.sbatch.${key}=${typeof value === "string" ? quoted(value) : JSON.stringify(value)}`
  )
  return {
    class_name: "RunAutoexpAction",
    config_path: `${outputDir}/_provenance/config_reference.json`,
    script: "",
    overrides: [
      "backend=command",
      "sweep=none",
      ...job.class_name === "LocalJob" ? ["slurm=local"] : [],
      `++project.name=${quoted(job.name)}`,
      `++backend.command=[${argv.map((text) => quoted(literally(text))).join(",")}]`,
      // What the job itself waits for, and its rules, are not the new one's.
      ...["job.start_conditions", "job.cancel_conditions", "monitoring.log_events", "monitoring.state_events"]
        .map((key) => `++${key}=[]`),
      "++job.start_condition_cmd=null",
      ...options
    ]
  }
}
