/** Stand-in for `scontrol show hostnames [LIST]`: one name a line of `a[1-3,05],b`. Knows nothing else. */
export const scontrol = `#!/bin/sh
if [ "$1" != show ] || { [ "$2" != hostnames ] && [ "$2" != hostname ]; }; then
  echo "scontrol: error: the local cluster knows only: scontrol show hostnames [LIST]" >&2
  exit 1
fi
printf '%s\\n' "\${3-$SLURM_JOB_NODELIST}" | awk '
function expand(name,   open, close_, parts, ends, count, i, n, width) {
  open = index(name, "[")
  if (open == 0) { if (name != "") print name; return }
  close_ = index(name, "]")
  count = split(substr(name, open + 1, close_ - open - 1), parts, ",")
  for (i = 1; i <= count; i++) {
    if (split(parts[i], ends, "-") == 1) ends[2] = ends[1]
    width = length(ends[1])
    for (n = ends[1] + 0; n <= ends[2] + 0; n++)
      expand(substr(name, 1, open - 1) sprintf("%0" width "d", n) substr(name, close_ + 1))
  }
}
{
  name = ""; depth = 0
  for (c = 1; c <= length($0); c++) {
    char = substr($0, c, 1)
    if (char == "[") depth++
    if (char == "]") depth--
    if (char == "," && depth == 0) { expand(name); name = "" } else name = name char
  }
  expand(name)
}'
`
