/**
 * The gate in the script of a chain's link. A link may begin before the monitor has seen how the last one ended: it then
 * obeys the decision that the monitor would come to.
 */
import type { Chain } from "../event/PlannedJob.ts"
import { quoteData } from "./shell.ts"

/** Seconds between two looks at the monitor's word. */
const interval = 2

/** A file whose being there says that the work is done, where the script can ask for it by itself. */
const goalFile = ({ until }: Chain, outputDir: string): string => {
  const written = until?.class_name === "FileExistsCondition" ? until["path"] : null
  const file = typeof written === "string" ? written.replaceAll("{output_dir}", () => outputDir) : null
  return file !== null && file.startsWith("/") && !/[{}\n]/.test(file) ? file : ""
}

/** Variables of a job's own for the lines below; `autoexp_wait` is empty where the job is no chain. */
export const gateVariables = (chain: Chain | null, outputDir: string): string => {
  if (chain === null) return "autoexp_wait= autoexp_after= autoexp_goal="
  const after = chain.expected_after_seconds
  return `autoexp_wait=${Math.ceil(Math.max(0, chain.gate_seconds))} ` +
    `autoexp_after=${after === null ? "" : Math.floor(after)} autoexp_goal=${quoteData(goalFile(chain, outputDir))}`
}

/** When the script began, in seconds since 1970; also where it is no link. */
export const startLine = "  autoexp_started=$(date +%s)"

/**
 * Shell lines (POSIX, fit for `set -eu`) that end the script with 76 and a sentence if this link is not to begin. It begins
 * if the gate file (`<output_dir>/.attempts/<plan_id>.gate`) names its nonce. It does not if that says `decision=stop`, or
 * if the goal is reached. Else it goes by the last attempt that ran: if that ended with 0, or after as long as its time
 * limit allows, this one begins; if not, it waits for the monitor's word, for a bounded time.
 */
export const gateLines = `  if [ -n "$autoexp_wait" ]; then
    autoexp_gate=$autoexp_dir/.attempts/$AUTOEXP_PLAN_ID.gate
    autoexp_last=0
    for autoexp_file in "$autoexp_dir/.attempts/$AUTOEXP_PLAN_ID".*; do
      autoexp_file=\${autoexp_file#"$autoexp_dir/.attempts/$AUTOEXP_PLAN_ID."}
      case "$autoexp_file" in *[!0-9]*) continue ;; esac
      if [ "$autoexp_file" -gt "$autoexp_last" ] && [ "$autoexp_file" -lt "$AUTOEXP_ATTEMPT" ]; then
        autoexp_last=$autoexp_file
      fi
    done
    autoexp_file=$autoexp_dir/.attempts/$AUTOEXP_PLAN_ID.$autoexp_last
    autoexp_waited=0
    while :; do
      autoexp_said=$(grep '^nonce=' "$autoexp_gate" 2> /dev/null | head -n 1) || autoexp_said=
      if [ "$autoexp_said" = "nonce=$AUTOEXP_NONCE" ]; then break; fi
      if [ -n "$autoexp_goal" ] && [ -e "$autoexp_goal" ]; then
        echo "autoexp: the work of job $AUTOEXP_JOB is done, since there is $autoexp_goal; this link ends here" >&2
        exit 76
      fi
      if grep -qx 'decision=stop' "$autoexp_gate" 2> /dev/null; then
        echo "autoexp: no link of job $AUTOEXP_JOB is to begin: $(grep '^why=' "$autoexp_gate" | head -n 1)" >&2
        exit 76
      fi
      if [ "$autoexp_last" = 0 ]; then break; fi
      # An end that left nothing was a kill: it was that of the time limit if as much time has passed.
      autoexp_code=$(grep '^exit_code=[0-9]*$' "$autoexp_file.exit" 2> /dev/null | head -n 1) || autoexp_code=
      autoexp_ran=$(grep '^seconds=[0-9]*$' "$autoexp_file.exit" 2> /dev/null | head -n 1) || autoexp_ran=
      autoexp_ran=\${autoexp_ran#seconds=}
      if [ -z "$autoexp_code" ]; then
        autoexp_ran=$(grep '^started=[0-9]*$' "$autoexp_file" 2> /dev/null | head -n 1) || autoexp_ran=
        autoexp_ran=\${autoexp_ran#started=}
        if [ -n "$autoexp_ran" ]; then autoexp_ran=$((autoexp_started - autoexp_ran)); fi
      fi
      if [ "$autoexp_code" = exit_code=0 ]; then break; fi
      if [ -n "$autoexp_after" ] && [ -n "$autoexp_ran" ] && [ "$autoexp_code" != exit_code=93 ] &&
        [ "$autoexp_ran" -ge "$autoexp_after" ]; then break; fi
      if [ "$autoexp_waited" -ge "$autoexp_wait" ]; then
        echo "autoexp: attempt $autoexp_last of job $AUTOEXP_JOB has not ended as its chain expects" \\
          "(\${autoexp_code:-it left no exit code}), and no monitor has decided what follows; this link ends here" >&2
        exit 76
      fi
      sleep ${interval}
      autoexp_waited=$((autoexp_waited + ${interval}))
    done
    # What it waited was not work.
    autoexp_started=$(date +%s)
    unset autoexp_gate autoexp_last autoexp_file autoexp_waited autoexp_said autoexp_code autoexp_ran
  fi
  unset autoexp_wait autoexp_after autoexp_goal`
