/** Whether what a failed sbatch said is a refusal: only then is it certain that nothing was queued. */

export type Refusal = "refused" | "not now" | "unclear"

/** What came between sbatch and the controller: the job may be queued all the same (a frozen controller runs it later). */
const transport =
  /timed out|unable to contact|connect failure|connection (refused|reset|closed)|communication|zero bytes|authentication error|unexpected (message|missing)|transport endpoint|could not establish a configuration|unable to process configuration|munge|no route|broken pipe|i\/o error|response/i

/** Whether it was not the controller that said so, but what came between: then nothing is known. */
export const isTransport = (stderr: string): boolean => transport.test(stderr)

/** A controller that cannot take jobs at this moment. */
const passing =
  /temporarily|try again|maximum number of jobs|MaxJobCount|in standby|maintenance|presently disabled|inactive or drain/i

/** Of the limits of a QOS or association, those on the number of jobs pass; the others are on the job itself. */
const limits = /\b(?:QOS|Assoc)[A-Z]\w*/g
const onJobs = /Submit/

const hasPassingLimit = (stderr: string): boolean => {
  const named = stderr.match(limits) ?? []
  return named.length > 0 ? named.every((limit) => onJobs.test(limit)) : /job submit limit/.test(stderr)
}

const refusing = /^sbatch: (error|fatal|unrecognized option|invalid option|option '|ambiguous option)/m

/** The verdict on a submission that ended with an exit code other than 0 and printed no job id. */
export const judgeRefusal = (exitCode: number, stderr: string): Refusal => {
  // Above 128 a signal may have ended it, but sbatch itself exits with 255 on wrong options.
  if ((exitCode > 128 && exitCode !== 255) || transport.test(stderr) || !refusing.test(stderr)) return "unclear"
  return passing.test(stderr) || hasPassingLimit(stderr) ? "not now" : "refused"
}
