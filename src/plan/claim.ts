/** The first act of every batch script: to claim its attempt, so that no attempt ever runs twice. */
import type { Chain } from "../event/PlannedJob.ts"
import { gateLines, gateVariables, startLine } from "./gate.ts"
import { quoteData } from "./shell.ts"

/** A job as its script sees it. */
export interface ClaimedJob {
  readonly name: string
  readonly index: number
  /** Its number in an array's script, if that is not `index`. */
  readonly task?: number
  readonly outputDir: string
  /** Null: it is one submission. */
  readonly chain?: Chain | null
}

/**
 * Shell lines (POSIX, fit for `set -eu`) that read `<name>.<attempt>.<nonce>` from the scheduler's job name, export
 * `AUTOEXP_JOB`, `AUTOEXP_INDEX`, `AUTOEXP_ATTEMPT`, `AUTOEXP_NONCE`, `AUTOEXP_PLAN_ID`, claim the attempt, and link `current.log` to the
 * log. `name` is what the scheduler calls the script without attempt and nonce; an array's script holds many `jobs`.
 *
 * The claim is the file `<output_dir>/.attempts/<plan_id>.<attempt>`, made by link(2), which one start wins on any file
 * system; it says `job_id=`, `array_job_id=`, `nonce=`, `host=`. A further start exits with 75 and a sentence, except the
 * scheduler's own requeue of the very same job; so does one of an attempt that a later one has followed. Exit 74: the
 * claim could not be written. A start by hand, whose name holds no attempt, is attempt 0 and claims nothing. At its end
 * the script leaves `nonce=` and `exit_code=` in the file `….exit` beside the claim, for where nobody keeps accounts;
 * one that is killed, or that sets an EXIT trap of its own, leaves none. A chain's link asks its gate before it claims.
 */
export const claimLines = (
  planId: string,
  name: string,
  jobs: ReadonlyArray<ClaimedJob>,
  array: boolean
): string => {
  const isChain = jobs.some(({ chain = null }) => chain !== null)
  const seconds = isChain ? "seconds=%s\\n" : ""
  const ran = isChain ? " \"$(($(date +%s) - autoexp_started))\"" : ""
  return `# autoexp: of all starts of this attempt, only one runs.
AUTOEXP_PLAN_ID=${quoteData(planId)} AUTOEXP_ATTEMPT=0 AUTOEXP_NONCE=
${array ? chooseTask(jobs, isChain) : jobs.map((job) => assignJob(job, isChain)).join("\n")}
case "\${SLURM_JOB_NAME:-}" in
  ${quoteData(name)}.[1-9]*.?*)
    AUTOEXP_NONCE=\${SLURM_JOB_NAME#${quoteData(name)}.}
    AUTOEXP_ATTEMPT=\${AUTOEXP_NONCE%%.*} AUTOEXP_NONCE=\${AUTOEXP_NONCE#*.} ;;
esac
case "$AUTOEXP_ATTEMPT" in *[!0-9]*) AUTOEXP_ATTEMPT=0 AUTOEXP_NONCE= ;; esac
export AUTOEXP_JOB AUTOEXP_INDEX AUTOEXP_ATTEMPT AUTOEXP_NONCE AUTOEXP_PLAN_ID
if [ "$AUTOEXP_ATTEMPT" = 0 ]; then
  echo "autoexp: started by hand, without an attempt in the job's name; nothing watches it" >&2
else
  autoexp_marker=$autoexp_dir/.attempts/$AUTOEXP_PLAN_ID.$AUTOEXP_ATTEMPT
  autoexp_try=$autoexp_marker.$(uname -n).\${SLURM_JOB_ID:-0}.$$
  mkdir -p "$autoexp_dir/.attempts" || :
  for autoexp_later in "$autoexp_dir/.attempts/$AUTOEXP_PLAN_ID".*; do
    autoexp_later=\${autoexp_later#"$autoexp_dir/.attempts/$AUTOEXP_PLAN_ID."}
    case "$autoexp_later" in *[!0-9]*) continue ;; esac
    if [ "$autoexp_later" -gt "$AUTOEXP_ATTEMPT" ]; then
      echo "autoexp: attempt $autoexp_later of job $AUTOEXP_JOB was started since; this start of attempt" \\
        "$AUTOEXP_ATTEMPT ends here" >&2
      exit 75
    fi
  done
${isChain ? `${startLine}\n${gateLines}\n` : ""}  rm -f "$autoexp_try"
  printf 'job_id=%s\\narray_job_id=%s\\nnonce=%s\\nhost=%s\\n' "\${SLURM_JOB_ID:-}" "\${SLURM_ARRAY_JOB_ID:-}" \\
    "$AUTOEXP_NONCE" "$(uname -n)" > "$autoexp_try" || :
${
    isChain
      ? `  printf 'started=%s\\n' "$autoexp_started" >> "$autoexp_try" || :\n`
      : ""
  }  ln "$autoexp_try" "$autoexp_marker" 2> /dev/null || :
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
  autoexp_exit=$autoexp_dir/.attempts/$AUTOEXP_PLAN_ID.$AUTOEXP_ATTEMPT.exit
  rm -f "$autoexp_exit"
  trap 'printf "nonce=%s\\nexit_code=%s\\n${seconds}" "$AUTOEXP_NONCE" "$?"${ran} > "$autoexp_exit.new" &&
    mv -f "$autoexp_exit.new" "$autoexp_exit" || :' EXIT
fi
autoexp_log=$(readlink "/proc/$$/fd/1" 2> /dev/null) || autoexp_log=
autoexp_link=$autoexp_dir/.current.log.\${SLURM_JOB_ID:-0}.$$
if [ -f "$autoexp_log" ] && ln -sfn "$autoexp_log" "$autoexp_link"; then
  mv -f "$autoexp_link" "$autoexp_dir/current.log" || rm -f "$autoexp_link"
fi
unset autoexp_dir autoexp_marker autoexp_try autoexp_later autoexp_log autoexp_link`
}

const assignJob = ({ chain = null, index, name, outputDir }: ClaimedJob, isChain: boolean): string =>
  `AUTOEXP_JOB=${quoteData(name)} AUTOEXP_INDEX=${index} autoexp_dir=${quoteData(outputDir)}` +
  (isChain ? ` ${gateVariables(chain, outputDir)}` : "")

const chooseTask = (jobs: ReadonlyArray<ClaimedJob>, isChain: boolean): string =>
  `case "\${SLURM_ARRAY_TASK_ID:-}" in
${jobs.map((job) => `  ${job.task ?? job.index}) ${assignJob(job, isChain)} ;;`).join("\n")}
  *) echo "autoexp: there is no array task \\"\${SLURM_ARRAY_TASK_ID:-}\\" in this plan" >&2; exit 64 ;;
esac`
