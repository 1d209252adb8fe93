/** `start_condition_cmd`, the predecessor's start condition, as a condition like the others. */
import type { EncodedCondition } from "../event/PlannedJob.ts"
import { type Monitoring, pollSeconds } from "./Monitoring.ts"

/** The command of a section, and the seconds after which it is asked again; null where nothing is said. */
export type StartCommand = Pick<Monitoring, "start_condition_cmd" | "start_condition_interval_seconds">

/** One run may take this long; the predecessor's could hold up everything for ever. */
const timeoutSeconds = 600

/**
 * The start condition of a job by its `job` section, else by its `monitoring` section; none if neither names a command.
 * The command is the author's own shell text: no `{…}` of it is a template.
 */
export const startCommand = (job: StartCommand, monitoring: Monitoring): ReadonlyArray<EncodedCondition> => {
  const command = job.start_condition_cmd ?? monitoring.start_condition_cmd
  if (command === null || command.trim() === "") return []
  const interval = job.start_condition_interval_seconds ?? monitoring.start_condition_interval_seconds ??
    pollSeconds(monitoring)
  return [{
    class_name: "CommandCondition",
    command: command.replace(/[{}]/g, "$&$&"),
    interval_seconds: interval,
    timeout_seconds: timeoutSeconds,
    answer: "stdout"
  }]
}
