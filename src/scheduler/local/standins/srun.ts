/**
 * Stand-in for `srun` inside a local job: runs the command once a task, all on this host, and exits with the highest
 * exit code. Options of the real one are read past; `-n`, `-N`, `-c`, `--ntasks-per-node`, `-K` and `-D` have an effect.
 */
export const srun = `#!/bin/sh
tasks= nodes=$SLURM_JOB_NUM_NODES cpus= per_node= kill_bad=
option() {
  case $1 in
    ntasks) tasks=$2 ;;
    nodes) nodes=\${2%%-*} ;;
    cpus-per-task) cpus=$2 ;;
    ntasks-per-node) per_node=$2 ;;
    chdir) cd "$2" || exit 1 ;;
    kill-on-bad-exit) if [ "$2" = 0 ]; then kill_bad=; else kill_bad=1; fi ;;
  esac
}
long() {
  case $1 in
    n) echo ntasks ;; N) echo nodes ;; c) echo cpus-per-task ;; D) echo chdir ;; K) echo kill-on-bad-exit ;; *) echo "$1" ;;
  esac
}
while [ $# -gt 0 ]; do
  case $1 in
    --) shift; break ;;
    --*=*) name=\${1#--}; option "\${name%%=*}" "\${name#*=}"; shift ;;
    # Options that take no value, or one only after "=".
    --label|--unbuffered|--exclusive|--overlap|--overcommit|--oversubscribe|--hold|--quiet|--verbose|--no-kill|\\
    --contiguous|--disable-status|--exact|--immediate|--multi-prog|--no-allocate|--preserve-env|--pty|--spread-job|\\
    --test-only|--use-min-nodes|--interactive|--whole|--propagate|--nice|--reboot|--send-libs|--resv-ports|--bcast|\\
    --mem-bind-help|--gres-flags-help|--stepmgr) shift ;;
    --kill-on-bad-exit) kill_bad=1; shift ;;
    --version|-V) echo "slurm local"; exit 0 ;;
    --*) [ $# -ge 2 ] || { echo "srun: error: option $1 needs a value" >&2; exit 1; }
      option "\${1#--}" "$2"; shift 2 ;;
    # -K, -k and -I take a value only when it is attached.
    -K*) option kill-on-bad-exit "\${1#-K}"; shift ;;
    -k*|-I*) shift ;;
    -[lusOHQvXZEh]*) rest=\${1#-?}; shift; [ -z "$rest" ] || set -- "-$rest" "$@" ;;
    -?) [ $# -ge 2 ] || { echo "srun: error: option $1 needs a value" >&2; exit 1; }
      option "$(long "\${1#-}")" "$2"; shift 2 ;;
    -?*) rest=\${1#-?}; option "$(long "$(printf %.1s "\${1#-}")")" "\${rest#=}"; shift ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || { echo "srun: fatal: No command given to execute." >&2; exit 1; }
[ -n "$nodes" ] || nodes=1
if [ -z "$tasks" ]; then
  if [ -n "$per_node" ]; then tasks=$((per_node * nodes)); else tasks=\${SLURM_NTASKS:-1}; fi
fi
on_node=$(((tasks + nodes - 1) / nodes))
[ -z "$cpus" ] || export SLURM_CPUS_PER_TASK="$cpus"
export SLURM_NTASKS="$tasks" SLURM_NPROCS="$tasks" SLURM_STEP_ID=0 SLURM_STEPID=0 SLURM_STEP_NUM_TASKS="$tasks"
export SLURM_STEP_NUM_NODES="$nodes" SLURM_NNODES="$nodes" SLURM_STEP_NODELIST="$SLURM_JOB_NODELIST"

# A trapped signal interrupts "wait"; only an ended task is not there any more (bash then still knows its status).
reap() {
  while wait "$1"; code=$?; [ "$code" -gt 128 ] && kill -0 "$1" 2> /dev/null; do :; done
  wait "$1" 2> /dev/null
  again=$?
  [ "$again" -eq 127 ] || code=$again
}
pids=
tell() { for pid in $pids; do kill "-$1" "$pid" 2> /dev/null; done; }
for name in HUP INT TERM USR1 USR2; do trap "tell $name" "$name"; done
# A failing task of "--kill-on-bad-exit" says so by this signal.
[ -z "$kill_bad" ] || trap "tell TERM" ALRM
exec 3<&0
rank=0
while [ "$rank" -lt "$tasks" ]; do
  (
    trap - HUP INT TERM USR1 USR2 ALRM
    export SLURM_PROCID="$rank" SLURM_LOCALID=$((rank % on_node)) SLURM_NODEID=$((rank / on_node))
    [ -n "$kill_bad" ] || exec "$@" <&3 3<&-
    trap 'kill -TERM "$child" 2> /dev/null' TERM
    "$@" <&3 3<&- &
    child=$!
    reap "$child"
    [ "$code" -eq 0 ] || kill -ALRM $$
    exit "$code"
  ) &
  pids="$pids $!"
  rank=$((rank + 1))
done

highest=0 rank=0
for pid in $pids; do
  reap "$pid"
  if [ "$code" -ne 0 ]; then
    case $code in
      134) how=Aborted ;; 137) how=Killed ;; 139) how="Segmentation fault" ;; 143) how=Terminated ;;
      *) how="Exited with exit code $code" ;;
    esac
    echo "srun: error: $SLURMD_NODENAME: task $rank: $how" >&2
  fi
  [ "$code" -le "$highest" ] || highest=$code
  rank=$((rank + 1))
done
exit "$highest"
`
