import type * as Effect from "effect/Effect"
import type { ArgumentTables } from "../backend/megatron/ArgumentTable.ts"
import type { Facts } from "./facts.ts"
import type { KnownJob } from "./growth.ts"
import type { Manifest } from "./Manifest.ts"
import type { Templates } from "./templateFiles.ts"

/** A session that goes on with more jobs. */
export interface Grown {
  /** Its plan id. */
  readonly session: string
  readonly jobs: ReadonlyArray<KnownJob>
}

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
  /** The session that the plan grows, and its jobs; null for a plan of its own. */
  readonly grows: Grown | null
  /** What relative paths of the config are relative to; absolute. */
  readonly cwd: string
  /** The text at a `slurm.template_path`. */
  readonly template: Templates
  /** What Megatron's parsers take; null if no backend of the config is one of Megatron's. */
  readonly argumentTables: ArgumentTables | null
  /** Asked for once the plan is sound: an image may take long to read. */
  readonly facts: Effect.Effect<Facts>
}
