import type { Facts } from "./facts.ts"
import type { Manifest } from "./Manifest.ts"
import type { Template } from "./sbatch.ts"

/** What a plan is made of besides its config: all of it comes from outside. */
export interface PlanOptions {
  /** Names the session too. */
  readonly planId: string
  /** ISO 8601 UTC. */
  readonly createdAt: string
  readonly toolVersion: string
  /** How a job runs this program again, for array tasks. */
  readonly autoexpCommand: ReadonlyArray<string>
  /** Indices of the points to plan, which they keep; null for all. */
  readonly subset: ReadonlyArray<number> | null
  readonly parent: Manifest["parent"]
  /** What relative paths of the config are relative to; absolute. */
  readonly cwd: string
  /** The text at `slurm.template_path`. */
  readonly template: Template
  readonly facts: Facts
}
