/** What the end of an attempt means. Source of the state words: squeue man page, JOB STATE CODES. */
import type { ValueMap } from "../backend/Value.ts"
import type { JobOutcome, Mode } from "../event/terms.ts"
import type { Job } from "../session/Job.ts"
import { attemptKey, type Session } from "../session/Session.ts"

export interface Classification {
  readonly mode: Mode
  readonly outcome: JobOutcome
  /** A sentence for people. */
  readonly why: string
  readonly metadata: ValueMap
}

/** The exit code by which a program says that another start of it would be of no use. */
export const noRestartCode = 93

interface End {
  readonly mode: Classification["mode"]
  readonly outcome: JobOutcome
  readonly reason: string
  readonly errorType: string | null
}

const crash = (reason: string, errorType: string, outcome: JobOutcome = "failed"): End => ({
  mode: "crash",
  outcome,
  reason,
  errorType
})

const ends: Readonly<Record<string, End>> = {
  COMPLETED: { mode: "success", outcome: "success", reason: "slurm_completed", errorType: null },
  TIMEOUT: { mode: "timeout", outcome: "timeout", reason: "slurm_timeout", errorType: "timeout" },
  DEADLINE: { mode: "timeout", outcome: "timeout", reason: "slurm_deadline", errorType: "deadline" },
  CANCELLED: crash("job_cancelled", "cancelled", "cancelled"),
  REVOKED: crash("job_revoked", "cancelled", "cancelled"),
  FAILED: crash("job_failed", "slurm_failure"),
  LAUNCH_FAILED: crash("job_launch_failed", "slurm_failure"),
  RECONFIG_FAIL: crash("job_launch_failed", "slurm_failure"),
  NODE_FAIL: crash("job_node_failed", "node_failure"),
  BOOT_FAIL: crash("job_boot_failed", "boot_fail"),
  OUT_OF_MEMORY: crash("job_out_of_memory", "oom"),
  PREEMPTED: crash("job_preempted", "preempted")
}

/** Whether somebody, or another cluster of a federation that runs the job instead (REVOKED), took the job away. */
export const isCancelled = (state: string | null): boolean => state !== null && ends[state]?.outcome === "cancelled"

/** Whether an operator, or another cluster of a federation, took the job away, not this session. */
export const isCancelledByOthers = ({ toldRestarts }: Session, { attempt, cancel, plan, slurmState }: Job): boolean =>
  isCancelled(slurmState) && cancel === null && !toldRestarts.has(attemptKey(plan.name, attempt))

/** SLURM's own numbers where a signal would stand: what could not be begun, and what the kernel's memory limit killed. */
const notSignals: Readonly<Record<number, string>> = {
  53: " before its script began: its working directory or its log's directory was not there",
  125: ""
}

const how = (job: Job): string =>
  job.signal !== null && Object.hasOwn(notSignals, job.signal)
    ? notSignals[job.signal] ?? ""
    : job.signal !== null && job.signal > 0
    ? ` by signal ${job.signal}`
    : job.exitCode !== null && job.exitCode !== 0
    ? ` with exit code ${job.exitCode}`
    : ""

const outcomes: Readonly<Record<Mode, JobOutcome>> = {
  success: "success",
  crash: "failed",
  stall: "failed",
  timeout: "timeout"
}

/** The end that a log event asked for by a cancel, or that was told before it came; what completed before the cancel came, completed. */
const asked = (mode: Mode, completed: string | null): End => ({
  mode,
  outcome: outcomes[mode],
  reason: completed ?? "cancelled_by_log_event",
  errorType: mode === "timeout" || mode === "stall" ? mode : null
})

/**
 * What the attempt's end means. What the log said (`evidence`: an OOM, an NCCL error) refines what the scheduler alone
 * calls FAILED; a job that the scheduler saw complete is a success whatever its log said on the way.
 */
export const classify = (job: Job): Classification => {
  const state = job.slurmState ?? "FAILED"
  const said = ends[state] ?? crash("job_failed", "slurm_failure")
  const mode = job.completed === null ? job.cancel?.mode ?? null : "success"
  const end = mode === null || said.mode === "success" ? said : asked(mode, job.completed)
  const seen = job.evidence["error_type"]
  const errorType = (end === said ? end.errorType === "slurm_failure" : mode !== "success") && typeof seen === "string"
    ? seen
    : end.errorType
  return {
    mode: end.mode,
    outcome: end.outcome,
    why: end.mode === "success"
      ? (end === said ? "completed" : `it has done its work: ${job.completed ?? "a log event says so"}`)
      : `${state}${how(job)}${errorType === null ? "" : ` (${errorType})`}`,
    metadata: {
      ...(end.mode === "success" ? {} : job.evidence),
      reason: end.reason,
      slurm_state: state,
      subsystem: "slurm",
      ...(errorType === null ? {} : { error_type: errorType }),
      ...(job.exitCode === null ? {} : { exit_code: job.exitCode }),
      ...(job.signal === null ? {} : { signal: job.signal }),
      ...(job.nodes === null ? {} : { nodes: job.nodes })
    }
  }
}
