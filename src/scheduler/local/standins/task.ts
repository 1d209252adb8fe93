/**
 * What slurmstepd does for a batch script, as a shell script: it outlives the controller, so the exit status is on disk
 * whoever is alive when the script ends. Bash keeps variables whose names are no identifiers (exported functions, as
 * environment modules have them), other shells drop those.
 *
 * Arguments: run directory, output, error, `append` or `truncate`, working directory, umask, script.
 */
export const task = `#!/bin/sh
run=$1 out=$2 err=$3 mode=$4 dir=$5 mask=$6 script=$7 stopping=
job_path=$PATH
PATH=/usr/bin:/bin:$PATH
# Signals to the group are for the job; the wrapper has to stay to see how it ends.
trap : HUP INT QUIT USR1 USR2 ALRM XCPU
trap stopping=yes TERM
read -r stat < /proc/self/stat
read -r boot < /proc/sys/kernel/random/boot_id
# link(2) lets exactly one wrapper run a task, however often a restarted controller starts one.
printf '%s\\n%s\\n' "$stat" "$boot" > "$run/claim.$$"
ln "$run/claim.$$" "$run/claim" 2> /dev/null || { rm -f "$run/claim.$$"; exit 0; }
rm -f "$run/claim.$$"
end() {
  printf '%s %s\\n' "$1" "$2" > "$run/exit.tmp" && mv "$run/exit.tmp" "$run/exit"
  # Nothing of a job outlives its script, but a job that is being stopped: the controller kills it, after the grace.
  [ -n "$stopping" ] || kill -KILL 0
  exit 0
}
umask "$mask"
cd "$dir" 2> /dev/null || end 0 53
[ "$mode" = append ] || (: > "$out" && : > "$err") 2> /dev/null || end 0 53
(: >> "$out" && : >> "$err") 2> /dev/null || end 0 53
# The shell tells here, and nowhere else, that a signal ended the script: exit status 137 alone says not.
exec 2> "$run/note"
(PATH=$job_path; exec "$script" < /dev/null >> "$out" 2>> "$err")
code=$?
if [ "$code" -gt 128 ] && [ -s "$run/note" ]; then end 0 $((code - 128)); fi
end "$code" 0
`
