/** The first act of every batch script: to claim its attempt, so that no attempt ever runs twice. */
import { quoteData } from "./shell.ts"

/** A job as its script sees it. */
export interface ClaimedJob {
  readonly name: string
  readonly index: number
  readonly outputDir: string
}

/**
 * Shell lines (POSIX, fit for `set -eu`) that read `<name>.<attempt>.<nonce>` from the scheduler's job name, export
 * `AUTOEXP_JOB`, `AUTOEXP_ATTEMPT`, `AUTOEXP_NONCE`, `AUTOEXP_PLAN_ID`, claim the attempt, and link `current.log` to the
 * log. `name` is what the scheduler calls the script without attempt and nonce; an array's script holds many `jobs`.
 *
 * The claim is the file `<output_dir>/.attempts/<plan_id>.<attempt>`, made by link(2), which one start wins on any file
 * system; it says `job_id=`, `nonce=`, `host=`. A further start exits with 75 and a sentence, except the scheduler's own
 * requeue of the very same job. Exit 74: the claim could not be written. A start by hand, whose name holds no attempt,
 * is attempt 0 and claims nothing.
 */
export const claimLines = (
  planId: string,
  name: string,
  jobs: ReadonlyArray<ClaimedJob>,
  array: boolean
): string =>
  `# autoexp: of all starts of this attempt, only one runs.
AUTOEXP_PLAN_ID=${quoteData(planId)} AUTOEXP_ATTEMPT=0 AUTOEXP_NONCE=
${array ? chooseTask(jobs) : jobs.map(assignJob).join("\n")}
case "\${SLURM_JOB_NAME:-}" in
  ${quoteData(name)}.[1-9]*.?*)
    AUTOEXP_NONCE=\${SLURM_JOB_NAME#${quoteData(name)}.}
    AUTOEXP_ATTEMPT=\${AUTOEXP_NONCE%%.*} AUTOEXP_NONCE=\${AUTOEXP_NONCE#*.} ;;
esac
case "$AUTOEXP_ATTEMPT" in *[!0-9]*) AUTOEXP_ATTEMPT=0 AUTOEXP_NONCE= ;; esac
export AUTOEXP_JOB AUTOEXP_ATTEMPT AUTOEXP_NONCE AUTOEXP_PLAN_ID
if [ "$AUTOEXP_ATTEMPT" = 0 ]; then
  echo "autoexp: started by hand, without an attempt in the job's name; nothing watches it" >&2
else
  autoexp_marker=$autoexp_dir/.attempts/$AUTOEXP_PLAN_ID.$AUTOEXP_ATTEMPT
  autoexp_try=$autoexp_marker.$(uname -n).\${SLURM_JOB_ID:-0}.$$
  mkdir -p "$autoexp_dir/.attempts" || :
  rm -f "$autoexp_try"
  printf 'job_id=%s\\nnonce=%s\\nhost=%s\\n' "\${SLURM_JOB_ID:-}" "$AUTOEXP_NONCE" "$(uname -n)" > "$autoexp_try" || :
  ln "$autoexp_try" "$autoexp_marker" 2> /dev/null || :
  if [ "\${SLURM_RESTART_COUNT:-0}" -gt 0 ] && ! [ "$autoexp_try" -ef "$autoexp_marker" ] &&
    grep -qx "job_id=\${SLURM_JOB_ID:-}" "$autoexp_marker"; then
    autoexp_marker=$autoexp_marker.requeue-$SLURM_RESTART_COUNT
    ln "$autoexp_try" "$autoexp_marker" 2> /dev/null || :
  fi
  if ! [ "$autoexp_try" -ef "$autoexp_marker" ]; then
    rm -f "$autoexp_try"
    if [ -e "$autoexp_marker" ]; then
      echo "autoexp: attempt $AUTOEXP_ATTEMPT of job $AUTOEXP_JOB was started before" \\
        "($(paste -s -d " " "$autoexp_marker")); this start ends here" >&2
      exit 75
    fi
    echo "autoexp: attempt $AUTOEXP_ATTEMPT of job $AUTOEXP_JOB cannot be claimed: no link at $autoexp_marker" >&2
    exit 74
  fi
  rm -f "$autoexp_try"
fi
autoexp_log=$(readlink "/proc/$$/fd/1" 2> /dev/null) || autoexp_log=
if [ -f "$autoexp_log" ]; then ln -sfn "$autoexp_log" "$autoexp_dir/current.log" || :; fi
unset autoexp_dir autoexp_marker autoexp_try autoexp_log`

const assignJob = ({ name, outputDir }: ClaimedJob): string =>
  `AUTOEXP_JOB=${quoteData(name)} autoexp_dir=${quoteData(outputDir)}`

const chooseTask = (jobs: ReadonlyArray<ClaimedJob>): string =>
  `case "\${SLURM_ARRAY_TASK_ID:-}" in
${jobs.map((job) => `  ${job.index}) ${assignJob(job)} ;;`).join("\n")}
  *) echo "autoexp: there is no array task \\"\${SLURM_ARRAY_TASK_ID:-}\\" in this plan" >&2; exit 64 ;;
esac`
