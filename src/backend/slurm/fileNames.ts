/** The `%` codes of Slurm's `--output` and `--error` (sbatch man page, "filename pattern"). */

/** What the codes stand for. */
export interface FileNameValues {
  /** The job's own id; of an array task the raw one, which differs from the id that sbatch printed. */
  readonly jobId: string
  /** The id that sbatch printed for the whole array; null for a plain job. */
  readonly arrayJobId: string | null
  readonly arrayTask: number | null
  readonly jobName: string
  readonly user: string
  /** Short name of the first node. */
  readonly node: string
}

/** Slurm prints this as the array task of a job that is none (NO_VAL). */
const NO_TASK = "4294967294"

const value = (code: string, values: FileNameValues): string | null => {
  switch (code) {
    case "j":
      return values.jobId
    case "A":
      return values.arrayJobId ?? values.jobId
    case "a":
      return values.arrayTask === null ? NO_TASK : `${values.arrayTask}`
    case "x":
      return values.jobName
    case "u":
      return values.user
    case "N":
      return values.node
    // A batch script is task 0 on node 0 of the step "batch".
    case "n":
    case "t":
      return "0"
    case "s":
      return "batch"
    default:
      return null
  }
}

/** Slurm's pattern where a script gives none. */
export const defaultOutput = (isArray: boolean): string => (isArray ? "slurm-%A_%a.out" : "slurm-%j.out")

/**
 * Expands a pattern for a batch script. A width (`%4a`, at most 10) pads numbers with zeros; `%%` is a percent sign;
 * unknown codes stay as they are; a backslash anywhere turns all codes off and is itself removed, as in Slurm.
 */
export const expandFileName = (pattern: string, values: FileNameValues): string => {
  if (pattern.includes("\\")) return pattern.replaceAll("\\", "")
  return pattern.replace(/%(\d*)([a-zA-Z%])/g, (whole, width: string, code: string) => {
    if (code === "%") return "%"
    const text = value(code, values)
    if (text === null) return whole
    return /^\d+$/.test(text) ? text.padStart(Math.min(Number(width || 0), 10), "0") : text
  })
}
