/** The session that the model is of: its jobs, and rules that hold every limit there is. */
import { behaviour } from "../../../src/rule/behaviour.ts"
import type { Monitoring } from "../../../src/rule/Monitoring.ts"
import { opening, plannedJob } from "../../rule/machine.ts"
import type { Limits } from "./JobModel.ts"

const crashed = { class_name: "CrashState" } as const
const restart = (max_restarts: number | null) => ({ class_name: "RestartAction" as const, max_restarts })

const rulesOf = (limits: Limits): typeof Monitoring.Encoded => ({
  poll_interval_seconds: 0.25,
  inactivity_threshold_seconds: null,
  log_settle_seconds: 0.25,
  restarts: {
    max_restarts: limits.total,
    max_per_fingerprint: limits.fingerprint,
    max_no_progress: limits.noProgress,
    progress: limits.progressIsTold ? null : []
  },
  log_events: [
    {
      name: "iteration",
      pattern: "iteration (?P<n>\\d+)",
      extract_groups: { iteration: "n" },
      metadata: { kind: "progress" }
    },
    {
      name: "saved",
      pattern: "saved (?P<path>\\S+)",
      extract_groups: { path: "path" },
      metadata: { kind: "checkpoint" },
      actions: [{
        class_name: "EventAction",
        mode: "queue",
        action: { class_name: "RunCommandAction", command: ["evaluate", "{path}"] }
      }]
    },
    { name: "error", pattern: "ERROR", state: crashed },
    { name: "hang", pattern: "HANG", state: crashed, actions: [restart(limits.hang)] }
  ],
  state_events: [
    { name: "crash", actions: [restart(limits.crash)] },
    { name: "timeout", actions: [restart(limits.timeout)] }
  ]
})

export const everything = ["a", "b", "c", "last"]

export const opened = (limits: Limits) =>
  opening(
    rulesOf(limits),
    everything.map((name, index) =>
      // One job has a log for each of its submissions, the others one for all of them.
      plannedJob(name, index, {
        log_path: name === "a" ? "/out/a/slurm-%j.out" : `/out/${name}/log`,
        output_dir: `/out/${name}`
      })
    ),
    { settle_seconds: 1, behaviour }
  )
