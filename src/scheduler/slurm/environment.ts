/** The environment of SLURM's commands: what a user's profile sets must not change what they are asked or answer. */

/**
 * Defaults of squeue and sacct that narrow or reshape an answer. A `SQUEUE_PARTITION` in a profile hides jobs of all
 * other partitions, and an empty one hides all jobs: they would look gone. Source: the man pages, ENVIRONMENT VARIABLES.
 */
const reshaping = [
  "SQUEUE_ACCOUNT",
  "SQUEUE_ALL",
  "SQUEUE_ARRAY",
  "SQUEUE_ARRAY_UNIQUE",
  "SQUEUE_FORMAT",
  "SQUEUE_FORMAT2",
  "SQUEUE_LICENSES",
  "SQUEUE_NAMES",
  "SQUEUE_PARTITION",
  "SQUEUE_PRIORITY",
  "SQUEUE_QOS",
  "SQUEUE_SIBLING",
  "SQUEUE_SORT",
  "SQUEUE_STATES",
  "SQUEUE_USERS",
  "SACCT_FORMAT",
  "SLURM_DEBUG_FLAGS",
  "SLURM_JSON",
  "SLURM_YAML",
  "SLURM_BITSTR_LEN",
  // sacct does not know it: squeue would speak of another cluster than sacct. Whoever means one sets slurm.client.
  "SLURM_CLUSTERS"
]

const none = (names: ReadonlyArray<string>): Readonly<Record<string, null>> =>
  Object.fromEntries(names.map((name) => [name, null]))

/** For the commands that ask: nothing narrowed, times in UTC and in SLURM's standard form. */
export const queryEnvironment: Readonly<Record<string, string | null>> = {
  ...none(reshaping),
  TZ: "UTC",
  SLURM_TIME_FORMAT: "standard"
}

/** What would take out of sbatch's hands what the monitor relies on. */
const misleading = [
  "SBATCH_WAIT",
  "SBATCH_ARRAY_INX",
  "SBATCH_OUTPUT",
  "SBATCH_ERROR",
  "SBATCH_OPEN_MODE",
  "SBATCH_CLUSTERS",
  "SLURM_CLUSTERS"
]

/** What a job gives to its processes and what is not of the job that one of them submits. */
const outerJob =
  /^SLURM(D|_JOB|_JOBID|_ARRAY|_STEP|_TASK|_NTASKS|_NPROCS|_NNODES|_NODE|_CPU|_CPUS|_MEM|_GPU|_GPUS|_TRES|_GTIDS|_LOCALID|_PROCID|_RESTART|_SUBMIT|_TOPOLOGY|_PRIO|_SRUN|_LAUNCH|_HET|_DISTRIBUTION|_THREADS|_EXPORT)(_|$)/

/**
 * For sbatch in `environment`. `SBATCH_WAIT` would hold the monitor until the job's end, `SBATCH_ARRAY_INX` make an
 * array of a plain job, `SBATCH_OUTPUT` move the log away that is read, `SBATCH_CLUSTERS` the job to where nobody looks, and the variables of a job that autoexp itself runs in would be those of every job it submits.
 */
export const submitEnvironment = (
  environment: Readonly<Record<string, string | undefined>>
): Readonly<Record<string, null>> =>
  none([...misleading, ...Object.keys(environment).filter((name) => outerJob.test(name))])
