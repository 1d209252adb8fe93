/** What a fresh attempt begins with. */
import { withPresent } from "./attempts.ts"
import { countAnew } from "./counted.ts"
import type { Job } from "./Job.ts"

/** What a fresh attempt knows nothing of yet. */
export const newAttempt = {
  nonce: null,
  slurm: null,
  slurmState: null,
  live: false,
  exitCode: null,
  signal: null,
  nodes: null,
  start: null,
  end: null,
  logPath: null,
  activeAt: null,
  runningAt: null,
  completed: null,
  stateKey: null,
  stalled: false,
  awaitsProgress: false,
  evidence: {},
  error: null,
  seenDead: null,
  doubted: false,
  errorTypes: [],
  verdict: null,
  cancel: null,
  foreignClaim: false,
  requeued: false,
  gated: false,
  goal: "unasked",
  done: "unasked",
  doneWhy: null,
  excluded: [],
  would: []
} satisfies Partial<Job>

/** What the next attempt begins with: the one before is past by then. */
export const afterPresent = (job: Job, at: string): Partial<Job> => ({
  ...newAttempt,
  past: withPresent(job, at),
  counted: countAnew(job.counted)
})
