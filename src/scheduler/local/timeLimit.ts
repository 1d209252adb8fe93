/** Slurm's notations of a time limit (sbatch man page, `--time`). */

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * Seconds, null for no limit, undefined if `text` is none of `M`, `M:S`, `H:M:S`, `D-H`, `D-H:M`, `D-H:M:S`,
 * `UNLIMITED`, `INFINITE`. Slurm rounds up to minutes; this does not, so that short demonstrations can time out.
 */
export const parseTimeLimit = (text: string): number | null | undefined => {
  if (/^(unlimited|infinite|-1)$/i.test(text)) return null
  const match = /^(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?$/.exec(text)
  if (match === null) return undefined
  const [days, a, b, c] = match.slice(1).map((part) => (part === undefined ? undefined : Number(part)))
  const first = a ?? 0
  const seconds = days !== undefined
    ? days * DAY + first * HOUR + (b ?? 0) * MINUTE + (c ?? 0)
    : c !== undefined
    ? first * HOUR + (b ?? 0) * MINUTE + c
    : first * MINUTE + (b ?? 0)
  return seconds === 0 ? null : seconds
}
